//! Everything that a run found out, as it is written to the report.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::control_plane::ControlPlane;
use super::cpu::Cores;
use super::flood::Flood;
use super::footprint::Footprint;
use super::load::Protocol;
use super::options::Options;
use super::revocation::Revocation;
use super::rounds::{Measured, Turn};
use super::row::Row;
use super::stampede::Stampede;
use super::statistics::Spread;
use super::steady::Steady;
use crate::envoy_binary;

/// The whole report. What was not asked for is absent.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Where it was measured.
    pub(super) machine: Machine,
    /// How it was measured.
    pub(super) options: Options,
    /// The table of filters.
    pub(super) rows: Vec<RowReport>,
    /// What the filter takes before it does anything.
    pub(super) footprint: Option<Footprint>,
    /// Many requests with one unknown key.
    pub(super) stampede: Option<Vec<Stampede>>,
    /// Many known keys for a while.
    pub(super) steady: Option<Steady>,
    /// Many unknown keys.
    pub(super) flood: Option<Vec<Flood>>,
    /// Changes under load.
    pub(super) revocation: Option<Revocation>,
    /// The control plane by itself.
    pub(super) control_plane: Option<ControlPlane>,
}

/// Where a run took place.
#[derive(Debug, Serialize)]
pub(super) struct Machine {
    /// The version of Envoy, the same for all rows.
    pub(super) envoy: &'static str,
    /// The processor's name.
    pub(super) processor: String,
    /// How many cores there are.
    pub(super) cores: usize,
    /// Which of them were used.
    pub(super) pinned: Cores,
    /// Whether the run could put itself above other processes.
    pub(super) preferred: bool,
    /// The kernel's version.
    pub(super) kernel: String,
}

/// A row of the table; see [`Turn`] for the units.
#[derive(Debug, Serialize)]
pub(super) struct RowReport {
    /// What was measured.
    pub(super) name: &'static str,
    /// How the client talked to Envoy.
    pub(super) protocol: Protocol,
    /// How many different keys were sent.
    pub(super) keys: u64,
    /// The status of every answer.
    pub(super) status: u16,
    /// Where the key filter found what it knew, by its own counters over 2,000 requests; empty for other filters.
    pub(super) lookups: BTreeMap<String, u64>,
    /// Envoy's processor time per request.
    pub(super) cpu_us: Spread,
    /// Against `no filter`, within each round.
    pub(super) to_no_filter: Option<Spread>,
    /// Against `empty wasm filter`, within each round.
    pub(super) to_empty_wasm: Option<Spread>,
    /// Against `api_key_auth`, within each round.
    pub(super) to_api_key_auth: Option<Spread>,
    /// Processor time per request of the servers that Envoy asks.
    pub(super) helper_cpu_us: Spread,
    /// Requests per second at saturation.
    pub(super) throughput: Spread,
    /// Against `ext_authz HTTP`, within each round.
    pub(super) throughput_to_ext_authz: Option<Spread>,
    /// The share of that time in which Envoy had a core.
    pub(super) busy: Spread,
    /// Latency at the fixed rate.
    pub p50_us: Spread,
    /// The same.
    pub p99_us: Spread,
    /// The same.
    pub p999_us: Spread,
}

/// Puts together what all rows gave.
pub(super) fn rows(rows: &[Row], measured: &[Measured]) -> Vec<RowReport> {
    let all = || rows.iter().zip(measured);
    all()
        .map(|(row, measured)| {
            let turns = &measured.turns;
            let spread = |value: fn(&Turn) -> f64| Spread::of(turns.iter().map(value));
            // Within a round, whatever disturbed the machine disturbed both.
            let ratio = |name: &str, value: fn(&Turn) -> f64| {
                let name = row.baseline(name);
                let mut others =
                    all().filter(|(r, _)| r.protocol == row.protocol && r.name == name);
                let (_, base) = others.next()?;
                let pairs = turns.iter().zip(&base.turns);
                Some(Spread::of(
                    pairs.map(|(own, base)| value(own) / value(base)),
                ))
            };
            RowReport {
                name: row.name,
                protocol: row.protocol,
                keys: row.keys,
                status: row.status,
                lookups: measured.lookups.clone(),
                cpu_us: spread(|t| t.cpu_us),
                to_no_filter: ratio("no filter", |t| t.cpu_us),
                to_empty_wasm: ratio("empty wasm filter", |t| t.cpu_us),
                to_api_key_auth: ratio("api_key_auth", |t| t.cpu_us),
                helper_cpu_us: spread(|t| t.helper_cpu_us),
                throughput: spread(|t| t.throughput),
                throughput_to_ext_authz: ratio("ext_authz HTTP", |t| t.throughput),
                busy: spread(|t| t.busy),
                p50_us: spread(|t| t.p50_us),
                p99_us: spread(|t| t.p99_us),
                p999_us: spread(|t| t.p999_us),
            }
        })
        .collect()
}

impl Report {
    /// Writes it as JSON, making the folder if need be.
    pub(super) fn write(&self, file: &Path) {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).expect("a folder for the report");
        }
        let json = serde_json::to_vec_pretty(self).expect("a report is JSON");
        fs::write(file, json).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    }
}

impl Machine {
    /// This one.
    pub(super) fn this(cores: Cores, preferred: bool) -> Self {
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let mut processors = cpuinfo
            .lines()
            .filter_map(|line| Some(line.strip_prefix("model name")?.split_once(": ")?.1));
        let processor = processors.next().unwrap_or("unknown").to_owned();
        Self {
            envoy: envoy_binary::version(),
            cores: 1 + processors.count(),
            processor,
            pinned: cores,
            preferred,
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}
