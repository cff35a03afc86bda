//! Requests with ever new keys that nobody knows: does Envoy's memory stay where it is?

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::cpu;
use super::helpers::Helpers;
use super::load::{Load, Protocol, Requests};
use super::options::Options;
use super::subject::{Chain, PROJECT, Subject};
use crate::gateway::Gateway;

/// Envoy's memory over the flood.
#[derive(Debug, Serialize)]
pub(super) struct Flood {
    /// Made-up keys, one per request.
    pub(super) keys: u64,
    /// How many answers had which status.
    pub(super) statuses: BTreeMap<u16, u64>,
    /// How fast they were answered.
    pub(super) per_second: f64,
    /// Before the first.
    pub(super) before: Memory,
    /// After the first tenth.
    pub(super) early: Memory,
    /// After the last.
    pub(super) after: Memory,
}

/// Memory in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Memory {
    /// In use on Envoy's heap, by its own account.
    pub(super) allocated: u64,
    /// Of the whole process.
    pub(super) resident: u64,
}

/// Floods one worker.
pub(super) fn run(options: &Options, helpers: &Helpers) -> Flood {
    let subject = Subject::KeyFilter {
        local_entries: None,
    };
    let gateway = helpers.start_narrow(subject.options(
        Chain::Bare,
        helpers.servers(),
        options.module.as_deref(),
    ));
    let path = format!("/mcp/{PROJECT}");
    let requests = Arc::new(Requests::with_made_up_keys(Protocol::Http1, &path));
    let mut load = Load::open(gateway.addr(), &requests);
    let memory = || Memory::of(&gateway, helpers);

    let before = memory();
    let mut answers = load.exactly(options.flood / 10);
    let early = memory();
    let mut elapsed = answers.elapsed;
    // In pieces, because the latency of each answer is kept.
    let mut left = options.flood - options.flood / 10;
    while left > 0 {
        let piece = left.min(500_000);
        let more = load.exactly(piece);
        left -= piece;
        elapsed += more.elapsed;
        for (status, count) in more.statuses {
            *answers.statuses.entry(status).or_default() += count;
        }
    }
    assert!(
        answers.statuses.keys().all(|s| matches!(s, 401 | 503)),
        "a made-up key was answered otherwise: {:?}",
        answers.statuses
    );
    Flood {
        keys: options.flood,
        statuses: answers.statuses,
        per_second: options.flood as f64 / elapsed.as_secs_f64(),
        before,
        early,
        after: memory(),
    }
}

impl Memory {
    /// Of this Envoy, now.
    pub(super) fn of(gateway: &Gateway, helpers: &Helpers) -> Self {
        let process = gateway.process_id().expect("Envoy is a plain process");
        Self {
            allocated: helpers.runtime().block_on(gateway.memory()),
            resident: cpu::resident(process),
        }
    }
}
