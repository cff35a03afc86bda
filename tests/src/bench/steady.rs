//! An even load over many known keys: does the filter ask about them again?

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::helpers::{Helpers, checks, control_plane};
use super::load::{Load, Protocol, Request, Requests};
use super::options::Options;
use super::statistics::percentile;
use super::subject::{PROJECT, bare};
use crate::keys::mint_key;

/// What the control plane heard while it ran.
#[derive(Debug, Serialize)]
pub(super) struct Steady {
    /// Different keys.
    pub(super) keys: u64,
    /// Requests per second.
    pub(super) rate: u32,
    /// For how long.
    pub(super) seconds: f64,
    /// Checks for the first request of each key.
    pub(super) warm_up_callouts: usize,
    /// Checks after that.
    pub(super) callouts: usize,
    /// Polls of the change feed in the same time.
    pub(super) polls: usize,
    /// Latency in microseconds that one request of a hundred exceeded.
    pub(super) p99_us: f64,
}

/// Runs it on one worker.
pub(super) fn run(options: &Options, helpers: &Helpers) -> Steady {
    let (keys, rate, seconds) = if options.quick {
        (100, 1_000, 1)
    } else {
        (1_000, 10_000, 20)
    };
    let control_plane = helpers.runtime().block_on(control_plane(600_000, keys));
    let gateway =
        helpers.start_narrow(bare(options.module.as_deref()).control_plane(control_plane.addr()));
    let path = format!("/mcp/{PROJECT}");
    let all: Vec<_> = (0..keys)
        .map(|seed| Request::plain(&path, Some(&mint_key(seed))))
        .collect();
    let requests = Arc::new(Requests::fixed(Protocol::Http1, &all));
    let mut load = Load::open(gateway.addr(), &requests);
    assert!(load.exactly(3 * keys).are_all(200), "every key is good");
    let warm_up_callouts = checks(&control_plane);
    control_plane.forget_calls();
    let mut answers = load.paced(rate, Duration::from_secs(seconds));
    assert!(answers.are_all(200), "every key is good");
    answers.latencies.sort_unstable();
    let callouts = checks(&control_plane);
    Steady {
        keys,
        rate,
        seconds: answers.elapsed.as_secs_f64(),
        warm_up_callouts,
        callouts,
        polls: control_plane.calls().len() - callouts,
        p99_us: percentile(&answers.latencies, 0.99) as f64 / 1_000.0,
    }
}
