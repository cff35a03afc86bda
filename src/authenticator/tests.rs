//! Requests and what is remembered in, steps out, with a clock made of numbers. The cases are in the modules; here is
//! what they share.

use serde_json::json;

use super::*;
use crate::cache::{Entry, Stamp};
use crate::feed::{Feed, Slot};
use crate::request::Arrival;

mod any_state;
mod faults;
mod outcome_table;

/// A moment long enough after the start of both clocks.
const NOW: Now = Now {
    monotonic_ms: 10_000_000,
    unix_ms: 1_800_000_000_000,
};

fn config(patch: &serde_json::Value) -> Config {
    let mut json = json!({
        "control_plane": {"cluster": "c"},
        "rules": [{"path": "/mcp/{project_id}"}],
        "exempt": [{"path": "/healthz"}],
    });
    for (name, value) in patch.as_object().unwrap() {
        json[name] = value.clone();
    }
    Config::parse(json.to_string().as_bytes(), |_| Some("token".to_owned())).unwrap()
}

fn key() -> String {
    let body = format!("ak_{}", "k".repeat(32));
    let sum = edge_api::key_format::checksum(body.as_bytes());
    body + std::str::from_utf8(&sum).unwrap()
}

fn request(config: &Config, method: &str, path: &str, headers: &[(&str, &str)]) -> Request {
    let all = [(":method", method), (":path", path)];
    let all = all.iter().chain(headers);
    let all = all.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    let arrival = Arrival::read(all, config);
    let credential = arrival.presented.credential();
    arrival.with_credential(credential)
}

fn keyless(config: &Config) -> Request {
    request(config, "POST", "/mcp/p1", &[])
}

fn keyed(config: &Config) -> Request {
    request(config, "POST", "/mcp/p1", &[("x-api-key", &key())])
}

fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

/// Of something learnt a moment ago, whose life ends so many milliseconds from now.
fn stamp(life_ms: i64) -> Stamp {
    let fresh_until_ms = NOW.monotonic_ms.checked_add_signed(life_ms).unwrap();
    Stamp {
        epoch: 0,
        revision: 1,
        learnt_ms: fresh_until_ms.min(NOW.monotonic_ms) - 1,
        fresh_until_ms,
    }
}

/// A feed that has told nothing yet.
fn sight() -> Sight {
    Feed::new().sight(Some(Slot::of(&id("p1"))), 0)
}

fn decide(
    config: &Config,
    request: &Request,
    known: &Known,
    control_plane: Reachability,
    now: Now,
) -> Step {
    super::decide(config, request, known, &sight(), control_plane, now)
}

fn decide_faulted(config: &Config, request: &Request, known: &Known, now: Now) -> Decision {
    super::decide_faulted(config, request, known, &sight(), Fault::Timeout, now)
}

fn decide_over_limit(config: &Config, request: &Request, known: &Known, fault: Fault) -> Decision {
    assert!(!fault.is_control_planes());
    super::decide_faulted(config, request, known, &sight(), fault, NOW)
}

fn decide_answered(config: &Config, request: &Request, known: &Known, now: Now) -> Decision {
    super::decide_answered(config, request, known, &sight(), now)
}

fn policy(value: Policy, life_ms: i64) -> Option<Entry<Policy>> {
    Some(Entry {
        value,
        stamp: stamp(life_ms),
    })
}

fn verdict(verdict: Verdict, life_ms: i64) -> Option<Entry<KeyVerdict>> {
    Some(Entry {
        value: KeyVerdict {
            verdict,
            key_id: (verdict != Verdict::Unknown).then(|| id("k1")),
            expires_at_ms: None,
        },
        stamp: stamp(life_ms),
    })
}

fn required(life_ms: i64) -> Known {
    Known {
        policy: policy(Policy::Required(id("p1")), life_ms),
        verdict: None,
    }
}

fn open(life_ms: i64) -> Known {
    Known {
        policy: policy(Policy::Open(id("p1")), life_ms),
        verdict: None,
    }
}

fn step(config: &Config, request: &Request, known: &Known) -> Step {
    decide(config, request, known, Reachability::Up, NOW)
}

fn decided(step: Step) -> Decision {
    match step {
        Step::Decided(decision) => decision,
        Step::Ask => panic!("asks"),
    }
}

fn outcome(step: Step) -> &'static str {
    decided(step).outcome().name()
}
