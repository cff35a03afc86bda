//! Many requests with one key at once, while nobody knows the key yet: how often is the control plane asked?

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::helpers::{Helpers, checks, control_plane};
use super::load::{Load, Protocol, Request, Requests};
use super::options::Options;
use super::subject::{PROJECT, bare};
use crate::gateway::Gateway;
use crate::keys::mint_key;
use crate::scripted_control_plane::Fault;

const WORKERS: u32 = 2;
/// Longer than it takes for all requests to arrive, and well below the filter's time limit.
const ANSWER_AFTER: Duration = Duration::from_millis(500);

/// What became of it.
#[derive(Debug, Serialize)]
pub(super) struct Stampede {
    /// Requests at once, each on a connection of its own.
    pub(super) requests: u64,
    /// How many of them were served.
    pub(super) served: u64,
    /// Envoy's workers.
    pub(super) workers: u32,
    /// Connections that each worker got.
    pub(super) connections: Vec<u64>,
    /// Checks that reached the control plane, from all workers together.
    pub(super) callouts: usize,
}

/// Sends `count` requests at once to an Envoy that has just started.
pub(super) fn run(options: &Options, helpers: &Helpers) -> Stampede {
    let count: u64 = if options.quick { 50 } else { 1_000 };
    let control_plane = helpers.runtime().block_on(control_plane(600_000, 1));
    control_plane.set_fault(Fault::Delay(ANSWER_AFTER));
    let gateway = helpers.start_wide(
        bare(options.module.clone())
            .concurrency(WORKERS)
            .control_plane(control_plane.addr()),
    );
    let request = Request::plain(&format!("/mcp/{PROJECT}"), Some(&mint_key(0)));
    let requests = Arc::new(Requests::fixed(Protocol::Http1, &[request]));
    let mut load = Load::with_concurrency(gateway.addr(), &requests, count as usize);
    let answers = load.exactly(count);
    Stampede {
        requests: count,
        served: answers.statuses.get(&200).copied().unwrap_or_default(),
        workers: WORKERS,
        connections: helpers.runtime().block_on(connections(&gateway)),
        callouts: checks(&control_plane),
    }
}

/// How many connections each worker has accepted.
pub(super) async fn connections(gateway: &Gateway) -> Vec<u64> {
    let stats = gateway.stats("listener.").await;
    let of_worker =
        |name: &str| name.contains(".worker_") && name.ends_with(".downstream_cx_total");
    let accepted = stats.into_iter().filter(|(name, _)| of_worker(name));
    accepted
        .filter(|(name, _)| !name.contains(".admin."))
        .map(|(_, count)| count)
        .collect()
}
