//! Requests with ever new keys that nobody knows: does Envoy's memory stay where it is? Once as it is deployed, where the
//! budget for bad keys keeps nearly all of them from being asked about; and once with the budget out of the way, where each
//! is, and every other one is for a project that is as made up.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use super::cpu;
use super::helpers::Helpers;
use super::load::{Load, Protocol, Requests};
use super::options::Options;
use super::subject::{Chain, PROJECT, Subject};
use crate::gateway::Gateway;

/// Envoy's memory over the flood.
#[derive(Debug, Serialize)]
pub(super) struct Flood {
    /// Whether the budget for bad keys stood.
    pub(super) budgeted: bool,
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

/// For so many keys within the budget, one without it: each of those costs a check.
const BUDGETED_PER_UNBUDGETED: u64 = 10;

/// Floods one worker, and then another one.
pub(super) fn run(options: &Options, helpers: &Helpers) -> Vec<Flood> {
    [true, false]
        .map(|budgeted| flood(budgeted, options, helpers))
        .into()
}

fn flood(budgeted: bool, options: &Options, helpers: &Helpers) -> Flood {
    let subject = Subject::KeyFilter {
        local_entries: None,
    };
    let gateway = subject.options(Chain::Bare, helpers.servers(), options.module.as_deref());
    let path = format!("/mcp/{PROJECT}");
    let (keys, requests, gateway) = if budgeted {
        let requests = Requests::with_made_up_keys(Protocol::Http1, &path);
        (options.flood, requests, gateway)
    } else {
        let requests = Requests::with_made_up_keys_and_projects(Protocol::Http1, &path, "/mcp/");
        // The most that the filter takes.
        let budget = json!({"limits": {"bad_key_checks_per_s": 100_000}});
        let keys = options.flood / BUDGETED_PER_UNBUDGETED;
        (keys, requests, gateway.plugin(budget))
    };
    let gateway = helpers.start_narrow(gateway);
    let mut load = Load::open(gateway.addr(), &Arc::new(requests));
    let memory = || Memory::of(&gateway, helpers);

    let before = memory();
    let mut answers = load.exactly(keys / 10);
    let early = memory();
    let mut elapsed = answers.elapsed;
    // In pieces, because the latency of each answer is kept.
    let mut left = keys - keys / 10;
    while left > 0 {
        let piece = left.min(500_000);
        let more = load.exactly(piece);
        left -= piece;
        elapsed += more.elapsed;
        for (status, count) in more.statuses {
            *answers.statuses.entry(status).or_default() += count;
        }
    }
    let right = |status: &u16| matches!(status, 401 | 503) || (*status == 404 && !budgeted);
    assert!(
        answers.statuses.keys().all(right),
        "a made-up key was answered otherwise: {:?}",
        answers.statuses
    );
    Flood {
        budgeted,
        keys,
        statuses: answers.statuses,
        per_second: keys as f64 / elapsed.as_secs_f64(),
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
