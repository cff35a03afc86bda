//! Checks of random keys: how many at saturation, and how long they take at fixed rates.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::site::{Database, Site};
use crate::bench::load::{Answers, Load, Protocol, Requests};
use crate::bench::options::Options;
use crate::bench::statistics::{Spread, percentile};

/// Checks per second, in turn.
const RATES: [u32; 4] = [2_000, 5_000, 8_000, 10_000];

/// What one database gave.
#[derive(Debug, Serialize)]
pub(in crate::bench) struct Checks {
    /// Which it is.
    pub(in crate::bench) database: Database,
    /// With 32 checks open at any time.
    pub(in crate::bench) saturated: Figures,
    /// At fixed rates, by checks per second.
    pub(in crate::bench) paced: Vec<(u32, Figures)>,
}

/// What the rounds gave.
#[derive(Debug, Serialize)]
pub(in crate::bench) struct Figures {
    /// Answers per second.
    pub(in crate::bench) throughput: Spread,
    /// Processor time of the control plane per check.
    pub(in crate::bench) cpu_us: Spread,
    /// The same of the database server; 0 for a file, which is the control plane's own work.
    pub(in crate::bench) database_cpu_us: Spread,
    /// The share of the time in which the control plane had a core.
    pub(in crate::bench) busy: Spread,
    /// From when a check was due to its answer.
    pub(in crate::bench) p50_us: Spread,
    /// The same.
    pub(in crate::bench) p99_us: Spread,
    /// The same.
    pub(in crate::bench) p999_us: Spread,
}

/// One turn.
#[derive(Debug, Clone, Copy)]
struct Turn {
    throughput: f64,
    cpu_us: f64,
    database_cpu_us: f64,
    busy: f64,
    p50_us: f64,
    p99_us: f64,
    p999_us: f64,
}

#[derive(Debug, Clone, Copy)]
enum Pace {
    Saturated,
    Rate(u32),
}

/// Measures all sites in interleaved rounds.
pub(super) fn run(sites: &[Site], options: &Options) -> Vec<Checks> {
    let turn_length = Duration::from_millis(if options.quick { 200 } else { 2_000 });
    let population = sites.first().expect("a site").population;
    let checks = (0..population.keys).map(|key| population.check(key));
    let requests = &Arc::new(Requests::fixed(Protocol::Http1, checks));
    let rates: &[u32] = if options.quick { &[500] } else { &RATES };
    let paces: Vec<_> = std::iter::once(Pace::Saturated)
        .chain(rates.iter().copied().map(Pace::Rate))
        .collect();
    // Connections to the database, and the pages of its file in memory.
    for site in sites {
        let every = Load::open(site.control_plane.edge_addr(), requests)
            .exactly(site.population.keys.min(50_000));
        expect(site, &every);
    }
    let mut turns = vec![vec![Vec::new(); paces.len()]; sites.len()];
    for round in 1..=options.rounds {
        eprintln!("round {round} of {}", options.rounds);
        for (site, turns) in sites.iter().zip(&mut turns) {
            for (pace, turns) in paces.iter().zip(turns) {
                turns.push(turn(site, requests, *pace, turn_length));
            }
        }
    }
    let all = sites.iter().zip(&turns);
    all.map(|(site, turns)| {
        let mut figures = turns.iter().map(|turns| Figures::of(turns));
        Checks {
            database: site.database,
            saturated: figures.next().expect("saturation"),
            paced: rates.iter().copied().zip(figures).collect(),
        }
    })
    .collect()
}

fn turn(site: &Site, requests: &Arc<Requests>, pace: Pace, length: Duration) -> Turn {
    let mut load = Load::open(site.control_plane.edge_addr(), requests);
    expect(site, &load.saturate(Duration::from_millis(50)));
    let (cpu_before, database_before) = (site.meter.micros(), site.database_micros());
    let mut answers = match pace {
        Pace::Saturated => load.saturate(length),
        Pace::Rate(rate) => load.paced(rate, length),
    };
    let cpu = site.meter.micros() - cpu_before;
    let database_after = site.database_micros();
    expect(site, &answers);
    let database_cpu: f64 = database_after
        .iter()
        .map(|(id, micros)| micros - database_before.get(id).copied().unwrap_or_default())
        .sum();
    answers.latencies.sort_unstable();
    let latency = |share| percentile(&answers.latencies, share) as f64 / 1_000.0;
    let count = answers.count() as f64;
    Turn {
        throughput: answers.per_second(),
        cpu_us: cpu / count,
        database_cpu_us: database_cpu / count,
        busy: cpu / (answers.elapsed.as_secs_f64() * 1e6),
        p50_us: latency(0.5),
        p99_us: latency(0.99),
        p999_us: latency(0.999),
    }
}

impl Figures {
    fn of(turns: &[Turn]) -> Self {
        let spread = |value: fn(&Turn) -> f64| Spread::of(turns.iter().map(value));
        Self {
            throughput: spread(|turn| turn.throughput),
            cpu_us: spread(|turn| turn.cpu_us),
            database_cpu_us: spread(|turn| turn.database_cpu_us),
            busy: spread(|turn| turn.busy),
            p50_us: spread(|turn| turn.p50_us),
            p99_us: spread(|turn| turn.p99_us),
            p999_us: spread(|turn| turn.p999_us),
        }
    }
}

fn expect(site: &Site, answers: &Answers) {
    assert!(
        answers.are_all(200),
        "checks on {}: wanted 200 only, got {:?}",
        site.database.name(),
        answers.statuses
    );
}
