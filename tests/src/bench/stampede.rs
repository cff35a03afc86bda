//! Many requests with one key at once, while nobody knows the key yet: how often is the control plane asked?

use std::collections::BTreeMap;
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
    /// Whether the control plane calls the key good.
    pub(super) good: bool,
    /// Requests at once, each on a connection of its own.
    pub(super) requests: u64,
    /// How many answers had which status.
    pub(super) statuses: BTreeMap<u16, u64>,
    /// What the filter counted, by outcome.
    pub(super) outcomes: BTreeMap<String, u64>,
    /// Envoy's workers.
    pub(super) workers: u32,
    /// Connections that each worker got.
    pub(super) connections: Vec<u64>,
    /// Checks that reached the control plane, from all workers together.
    pub(super) callouts: usize,
}

/// Two of them, with a good key and with one that nobody has.
pub(super) fn run(options: &Options, helpers: &Helpers) -> Vec<Stampede> {
    let stampede = |good| stampede(good, options, helpers);
    [true, false].map(stampede).into()
}

/// Sends all requests at once to an Envoy that has just started.
fn stampede(good: bool, options: &Options, helpers: &Helpers) -> Stampede {
    let count: u64 = 1_000;
    let known = u64::from(good);
    let control_plane = helpers.runtime().block_on(control_plane(600_000, known));
    control_plane.set_fault(Fault::Delay(ANSWER_AFTER));
    let gateway = helpers.start_wide(
        bare(options.module.as_deref())
            .concurrency(WORKERS)
            .control_plane(control_plane.addr()),
    );
    let request = Request::plain(&format!("/mcp/{PROJECT}"), Some(&mint_key(0)));
    let requests = Arc::new(Requests::fixed(Protocol::Http1, &[request]));
    let mut load = Load::with_concurrency(gateway.addr(), &requests, count as usize);
    let answers = load.exactly(count);
    Stampede {
        good,
        requests: count,
        statuses: answers.statuses,
        outcomes: helpers.runtime().block_on(outcomes(&gateway)),
        workers: WORKERS,
        connections: helpers.runtime().block_on(connections(&gateway)),
        callouts: checks(&control_plane),
    }
}

async fn outcomes(gateway: &Gateway) -> BTreeMap<String, u64> {
    let prefix = "wasmcustom.mcp_key_auth.requests.outcome.";
    let counted = gateway.stats(prefix).await.into_iter();
    counted
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| (name[prefix.len()..].to_owned(), count))
        .collect()
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
