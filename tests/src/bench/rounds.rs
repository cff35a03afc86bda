//! The timed part: every row has its turn in every round, so that what else the machine does hits all rows alike.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use super::cpu::Meter;
use super::helpers::Helpers;
use super::load::{Answers, Load};
use super::options::Options;
use super::row::Row;
use super::statistics::percentile;
use super::subject::{Chain, Subject};
use crate::gateway::Gateway;

/// Before the clock runs, a row's turn begins with this much load.
const LEAD_IN: Duration = Duration::from_millis(50);

/// The counters of where the key filter found what it knew.
const LOOKUPS: &str = "wasmcustom.mcp_key_auth.lookups.cache.";
/// Over so many requests.
const SAMPLE: u64 = 2_000;

/// One turn of one row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// Processor time of Envoy per request at saturation, in microseconds.
    pub(super) cpu_us: f64,
    /// The same of the servers that Envoy asks.
    pub(super) helper_cpu_us: f64,
    /// Requests per second at saturation.
    pub(super) throughput: f64,
    /// The share of the time at saturation that Envoy had a core.
    pub(super) busy: f64,
    /// Latency at the fixed rate, in microseconds.
    pub p50_us: f64,
    /// The same, exceeded by one request of a hundred.
    pub p99_us: f64,
    /// The same, exceeded by one request of a thousand.
    pub p999_us: f64,
}

/// What the rounds gave for one row.
#[derive(Debug, Default)]
pub(super) struct Measured {
    /// In order: the n-th turn of every row belongs to the same round.
    pub(super) turns: Vec<Turn>,
    /// Where the key filter found what it knew, by its own counters over requests after the warm-up.
    pub(super) lookups: BTreeMap<String, u64>,
}

/// An Envoy that rows share.
struct Running {
    gateway: Gateway,
    meter: Meter,
}

/// Runs all rows.
pub(super) fn run(rows: &[Row], options: &Options, helpers: &Helpers) -> Vec<Measured> {
    let mut measured: Vec<_> = rows.iter().map(|_| Measured::default()).collect();
    if rows.is_empty() {
        return measured;
    }
    for restart in 1..=options.restarts {
        let envoys = start(rows, options, helpers);
        for (row, measured) in rows.iter().zip(&mut measured) {
            measured.lookups = warm_up(row, &envoys[&row.envoy()], options, helpers);
        }
        for round in 1..=options.rounds {
            eprintln!(
                "round {round} of {} with Envoys {restart} of {}",
                options.rounds, options.restarts
            );
            for (row, measured) in rows.iter().zip(&mut measured) {
                let turn = turn(row, &envoys[&row.envoy()], options, helpers);
                measured.turns.push(turn);
            }
        }
    }
    measured
}

fn start(rows: &[Row], options: &Options, helpers: &Helpers) -> HashMap<(Subject, Chain), Running> {
    let mut envoys = HashMap::new();
    for row in rows {
        let (subject, chain) = row.envoy();
        envoys.entry((subject, chain)).or_insert_with(|| {
            let wanted = subject.options(chain, helpers.servers(), options.module.as_deref());
            let gateway = helpers.start_narrow(wanted);
            let process = gateway.process_id().expect("Envoy is a plain process");
            Running {
                gateway,
                meter: Meter::of_process(process),
            }
        });
    }
    envoys
}

/// Fills the caches, makes sure that the row measures what it says, and tells what the key filter says of it.
fn warm_up(
    row: &Row,
    envoy: &Running,
    options: &Options,
    helpers: &Helpers,
) -> BTreeMap<String, u64> {
    let mut load = Load::open(envoy.gateway.addr(), &row.requests);
    expect(row, &load.exactly(2 * row.keys.max(100)));
    let duration = Duration::from_millis(options.saturate_ms);
    expect(row, &load.saturate(duration));

    let lookups = || helpers.runtime().block_on(envoy.gateway.stats(LOOKUPS));
    let before = lookups();
    expect(row, &load.exactly(SAMPLE));
    let counted = lookups().into_iter().map(|(name, count)| {
        let earlier = before.get(&name).copied().unwrap_or_default();
        (name[LOOKUPS.len()..].to_owned(), count - earlier)
    });
    counted.filter(|(_, count)| *count > 0).collect()
}

fn turn(row: &Row, envoy: &Running, options: &Options, helpers: &Helpers) -> Turn {
    let mut load = Load::open(envoy.gateway.addr(), &row.requests);
    expect(row, &load.saturate(LEAD_IN));

    let cpu_before = (envoy.meter.micros(), helpers.meter().micros());
    let saturated = load.saturate(Duration::from_millis(options.saturate_ms));
    let cpu_after = (envoy.meter.micros(), helpers.meter().micros());
    expect(row, &saturated);

    let mut paced = load.paced(options.rate, Duration::from_millis(options.paced_ms));
    expect(row, &paced);
    paced.latencies.sort_unstable();
    let latency = |share| percentile(&paced.latencies, share) as f64 / 1_000.0;

    let count = saturated.count() as f64;
    let cpu = cpu_after.0 - cpu_before.0;
    Turn {
        cpu_us: cpu / count,
        helper_cpu_us: (cpu_after.1 - cpu_before.1) / count,
        throughput: saturated.per_second(),
        busy: cpu / (saturated.elapsed.as_secs_f64() * 1e6),
        p50_us: latency(0.5),
        p99_us: latency(0.99),
        p999_us: latency(0.999),
    }
}

fn expect(row: &Row, answers: &Answers) {
    assert!(
        answers.are_all(row.status),
        "{} over {}: wanted {} only, got {:?}",
        row.name,
        row.protocol.short(),
        row.status,
        answers.statuses
    );
}
