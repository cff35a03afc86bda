//! The outcome table, row by row: requests and what is remembered in, steps out, with a clock made of numbers.

use edge_api::check::Subject;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::check::Fault;

/// A moment long enough after the start of both clocks.
const NOW: Now = Now {
    monotonic_ms: 10_000_000,
    unix_ms: 1_800_000_000_000,
};
const STALE_IF_ERROR_MS: u64 = 600_000;

fn config(patch: serde_json::Value) -> Config {
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
    let all: Vec<(String, Vec<u8>)> = [(":method", method), (":path", path)]
        .iter()
        .chain(headers)
        .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect();
    Request::read(&all, config)
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

fn policy(value: Policy, life_ms: i64) -> Option<Entry<Policy>> {
    Some(Entry {
        value,
        revision: 1,
        fresh_until_ms: NOW.monotonic_ms.checked_add_signed(life_ms).unwrap(),
    })
}

fn verdict(verdict: Verdict, life_ms: i64) -> Option<Entry<KeyVerdict>> {
    Some(Entry {
        value: KeyVerdict {
            verdict,
            key_id: (verdict != Verdict::Unknown).then(|| id("k1")),
            expires_at_ms: None,
        },
        revision: 1,
        fresh_until_ms: NOW.monotonic_ms.checked_add_signed(life_ms).unwrap(),
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
        Step::Ask(question) => panic!("asks {question:?}"),
    }
}

fn outcome(step: Step) -> &'static str {
    decided(step).outcome().name()
}

#[test]
fn a_cors_preflight_continues_whatever_its_path() {
    let config = config(json!({}));
    let preflight = [
        ("origin", "https://a"),
        ("access-control-request-method", "POST"),
    ];
    for path in ["/mcp/p1", "/nowhere", "/mcp/p%31"] {
        let request = request(&config, "OPTIONS", path, &preflight);
        assert_eq!(
            outcome(step(&config, &request, &required(1_000))),
            "allowed_preflight"
        );
    }
}

#[test]
fn what_only_looks_like_a_preflight_is_checked() {
    let config = config(json!({}));
    let (origin, asks) = (
        ("origin", "https://a"),
        ("access-control-request-method", "POST"),
    );
    for (method, headers) in [
        ("OPTIONS", vec![origin]),
        ("OPTIONS", vec![asks]),
        ("OPTIONS", vec![]),
        ("options", vec![origin, asks]),
        ("POST", vec![origin, asks]),
    ] {
        let request = request(&config, method, "/mcp/p1", &headers);
        assert_eq!(
            outcome(step(&config, &request, &required(1_000))),
            "denied_missing_key",
            "{method} {headers:?}"
        );
    }
}

#[test]
fn an_exempt_path_continues_and_an_unmatched_one_does_not() {
    let config = config(json!({}));
    let exempt = request(&config, "GET", "/healthz", &[]);
    assert_eq!(
        outcome(step(&config, &exempt, &Known::default())),
        "allowed_exempt"
    );
    let nowhere = request(&config, "GET", "/other", &[("x-api-key", &key())]);
    assert_eq!(
        outcome(step(&config, &nowhere, &Known::default())),
        "denied_unmatched_path"
    );
}

#[test]
fn an_unknown_policy_is_asked_about_with_the_key() {
    let config = config(json!({}));
    let Step::Ask(question) = step(&config, &keyed(&config), &Known::default()) else {
        panic!("decided");
    };
    assert_eq!(question.subject, Subject::ProjectId(id("p1")));
    assert!(question.key.is_some());
    let Step::Ask(question) = step(&config, &keyless(&config), &Known::default()) else {
        panic!("decided");
    };
    assert_eq!(question.key, None);
}

#[test]
fn a_project_known_to_be_unknown_is_not_found() {
    let config = config(json!({}));
    let known = Known {
        policy: policy(Policy::UnknownProject, 1_000),
        verdict: None,
    };
    assert_eq!(
        outcome(step(&config, &keyed(&config), &known)),
        "denied_unknown_project"
    );
}

#[test]
fn an_open_project_is_never_delayed_or_refused() {
    let config = config(json!({}));
    let two_keys = request(
        &config,
        "POST",
        "/mcp/p1",
        &[("x-api-key", "a"), ("x-api-key", "b")],
    );
    let bad_key = request(&config, "POST", "/mcp/p1", &[("x-api-key", "garbage")]);
    for (request, background) in [
        (keyless(&config), false),
        (two_keys, false),
        (bad_key, false),
        (keyed(&config), true),
    ] {
        let decision = decided(step(&config, &request, &open(1_000)));
        assert_eq!(decision.outcome().name(), "allowed_not_required");
        assert_eq!(decision.background.is_some(), background, "{request:?}");
        assert_eq!(decision.key_id, None);
        assert_eq!(decision.project, Some(id("p1")));
    }
}

#[test]
fn on_an_open_project_a_key_known_to_be_valid_is_attributed_and_others_are_let_be() {
    let config = config(json!({}));
    let known = Known {
        verdict: verdict(Verdict::Valid, 1_000),
        ..open(1_000)
    };
    let decision = decided(step(&config, &keyed(&config), &known));
    assert_eq!(decision.key_id, Some(id("k1")));
    assert_eq!(decision.background, None);
    for bad in [
        Verdict::Revoked,
        Verdict::Unknown,
        Verdict::OtherProject,
        Verdict::Disabled,
    ] {
        let known = Known {
            verdict: verdict(bad, 1_000),
            ..open(1_000)
        };
        let decision = decided(step(&config, &keyed(&config), &known));
        assert_eq!(decision.outcome().name(), "allowed_not_required");
        assert_eq!(
            decision.key_id, None,
            "a key that is not valid here tells nothing"
        );
        assert_eq!(
            decision.background, None,
            "and is not asked about again and again"
        );
    }
}

#[test]
fn a_locked_project_wants_exactly_one_live_key_of_its_own() {
    let config = config(json!({}));
    let denied = |headers: &[(&str, &str)]| {
        outcome(step(
            &config,
            &request(&config, "POST", "/mcp/p1", headers),
            &required(1_000),
        ))
    };
    assert_eq!(denied(&[]), "denied_missing_key");
    assert_eq!(denied(&[("x-api-key", "")]), "denied_missing_key");
    assert_eq!(
        denied(&[("mcp-session-id", "s1")]),
        "denied_missing_key",
        "a session is no credential"
    );
    assert_eq!(
        denied(&[("x-api-key", &key()), ("x-api-key", &key())]),
        "denied_ambiguous_key"
    );
    assert_eq!(
        denied(&[("x-api-key", "ak_your_api_key")]),
        "denied_malformed_key"
    );
    for (against, name) in [
        (Verdict::Valid, "allowed"),
        (Verdict::Unknown, "denied_unknown_key"),
        (Verdict::Revoked, "denied_revoked_key"),
        (Verdict::Expired, "denied_expired_key"),
        (Verdict::Disabled, "denied_disabled_key"),
        (Verdict::OtherProject, "denied_key_of_other_project"),
    ] {
        let known = Known {
            verdict: verdict(against, 1_000),
            ..required(1_000)
        };
        let decision = decided(step(&config, &keyed(&config), &known));
        assert_eq!(decision.outcome().name(), name);
        assert_eq!(
            decision.key_id.is_some(),
            against != Verdict::Unknown,
            "the log names the key"
        );
    }
    assert!(matches!(
        step(&config, &keyed(&config), &required(1_000)),
        Step::Ask(_)
    ));
}

#[test]
fn every_method_is_checked() {
    let config = config(json!({}));
    for method in [
        "POST", "GET", "DELETE", "PUT", "HEAD", "OPTIONS", "CONNECT", "FOO",
    ] {
        let request = request(&config, method, "/mcp/p1", &[]);
        assert_eq!(
            outcome(step(&config, &request, &required(1_000))),
            "denied_missing_key",
            "{method}"
        );
    }
}

#[test]
fn a_keys_own_expiry_ends_a_verdict_before_its_time() {
    let config = config(json!({}));
    let mut known = Known {
        verdict: verdict(Verdict::Valid, 60_000),
        ..required(60_000)
    };
    let expires_at =
        |known: &mut Known, at| known.verdict.as_mut().unwrap().value.expires_at_ms = Some(at);
    expires_at(&mut known, NOW.unix_ms + 1);
    assert_eq!(outcome(step(&config, &keyed(&config), &known)), "allowed");
    expires_at(&mut known, NOW.unix_ms);
    assert!(
        matches!(step(&config, &keyed(&config), &known), Step::Ask(_)),
        "asked again, not served"
    );
    let faulted = decide_faulted(&config, &keyed(&config), &known, NOW);
    assert_eq!(
        faulted.outcome().name(),
        "denied_control_plane_fault",
        "nor served when nobody answers"
    );
    let answered = decide_answered(&config, &keyed(&config), &known, NOW);
    assert_eq!(answered.outcome().name(), "denied_expired_key");
    known.policy = open(60_000).policy;
    assert_eq!(decided(step(&config, &keyed(&config), &known)).key_id, None);
}

#[test]
fn what_is_past_its_life_is_asked_about_again() {
    let config = config(json!({}));
    let valid = |life| Known {
        verdict: verdict(Verdict::Valid, life),
        ..required(life)
    };
    assert_eq!(
        outcome(step(&config, &keyed(&config), &valid(1))),
        "allowed"
    );
    assert!(matches!(
        step(&config, &keyed(&config), &valid(0)),
        Step::Ask(_)
    ));
    assert!(matches!(
        step(&config, &keyless(&config), &open(0)),
        Step::Ask(_)
    ));
}

#[test]
fn without_an_answer_what_was_last_known_good_serves_for_its_time() {
    let config = config(json!({}));
    let valid = |life| Known {
        verdict: verdict(Verdict::Valid, life),
        ..required(life)
    };
    let last = 1 - i64::try_from(STALE_IF_ERROR_MS).unwrap();
    let faulted = |known: &Known, request| decide_faulted(&config, request, known, NOW);
    let (keyed, keyless) = (keyed(&config), keyless(&config));
    assert_eq!(faulted(&valid(last), &keyed).outcome().name(), "allowed");
    assert_eq!(faulted(&valid(last), &keyed).cache, CacheState::Stale);
    assert_eq!(
        faulted(&valid(last), &keyless).outcome().name(),
        "denied_missing_key"
    );
    assert_eq!(
        faulted(&open(last), &keyless).outcome().name(),
        "allowed_not_required"
    );
    assert_eq!(
        faulted(&valid(last - 1), &keyed).outcome().name(),
        "denied_control_plane_fault"
    );
    assert_eq!(
        faulted(&open(last - 1), &keyless).outcome().name(),
        "denied_control_plane_fault"
    );
}

#[test]
fn without_an_answer_nobody_is_refused_on_an_old_word() {
    let config = config(json!({}));
    for bad in [
        Verdict::Unknown,
        Verdict::Revoked,
        Verdict::Expired,
        Verdict::Disabled,
        Verdict::OtherProject,
    ] {
        let known = Known {
            verdict: verdict(bad, -1),
            ..required(1_000)
        };
        let decision = decide_faulted(&config, &keyed(&config), &known, NOW);
        assert_eq!(
            decision.outcome().name(),
            "denied_control_plane_fault",
            "{bad:?}"
        );
    }
    let known = Known {
        policy: policy(Policy::UnknownProject, -1),
        verdict: None,
    };
    let decision = decide_faulted(&config, &keyed(&config), &known, NOW);
    assert_eq!(decision.outcome().name(), "denied_control_plane_fault");
}

#[test]
fn the_failure_mode_decides_where_nothing_is_known() {
    let (deny, allow) = (
        config(json!({})),
        config(json!({"failure_mode_allow": true})),
    );
    let faulted = |config: &Config| decide_faulted(config, &keyed(config), &Known::default(), NOW);
    assert_eq!(
        faulted(&deny).ruling,
        Ruling::Deny(Denial::ControlPlaneFault)
    );
    assert_eq!(
        faulted(&allow).ruling,
        Ruling::Continue {
            allowed: Allowed::ControlPlaneFault,
            strip_key: true
        }
    );
    let missing = decide_faulted(&allow, &keyless(&allow), &required(1_000), NOW);
    assert_eq!(
        missing.outcome().name(),
        "denied_missing_key",
        "a known lock stays shut"
    );
}

#[test]
fn while_the_control_plane_is_down_nobody_waits_for_what_is_last_known_good() {
    let config = config(json!({}));
    let known = Known {
        verdict: verdict(Verdict::Valid, -1),
        ..required(-1)
    };
    let decide_at = |probe_at_ms| {
        let down = Reachability::Down { probe_at_ms };
        decided(decide(&config, &keyed(&config), &known, down, NOW))
    };
    let waiting = decide_at(NOW.monotonic_ms + 1);
    assert_eq!(
        (waiting.outcome().name(), waiting.cache),
        ("allowed", CacheState::Stale)
    );
    assert_eq!(waiting.background, None, "between two probes nobody asks");
    assert!(
        decide_at(NOW.monotonic_ms).background.is_some(),
        "one asks when a probe is due"
    );
    let down = Reachability::Down {
        probe_at_ms: u64::MAX,
    };
    let unknown = decide(&config, &keyed(&config), &Known::default(), down, NOW);
    assert!(
        matches!(unknown, Step::Ask(_)),
        "who has nothing to lose still asks"
    );
}

#[test]
fn the_key_is_stripped_as_configured() {
    let strips = |strip_key: &str, known: &Known| {
        let config = config(json!({"strip_key": strip_key}));
        match decided(step(&config, &keyed(&config), known)).ruling {
            Ruling::Continue { strip_key, .. } => strip_key,
            Ruling::Deny(denial) => panic!("{denial:?}"),
        }
    };
    let locked = Known {
        verdict: verdict(Verdict::Valid, 1_000),
        ..required(1_000)
    };
    for (setting, on_open, on_locked) in [
        ("when_required", false, true),
        ("always", true, true),
        ("never", false, false),
    ] {
        assert_eq!(strips(setting, &open(1_000)), on_open, "{setting} open");
        assert_eq!(strips(setting, &locked), on_locked, "{setting} locked");
    }
}

fn any_known() -> impl Strategy<Value = Known> {
    let life = -700_000..700_000i64;
    let policies = prop_oneof![
        Just(None),
        Just(Some(Policy::UnknownProject)),
        Just(Some(Policy::Open(id("p1")))),
        Just(Some(Policy::Required(id("p1")))),
    ];
    let verdicts = prop_oneof![
        Just(None),
        Just(Some(Verdict::Valid)),
        Just(Some(Verdict::Unknown)),
        Just(Some(Verdict::Revoked)),
        Just(Some(Verdict::OtherProject)),
    ];
    (policies, life.clone(), verdicts, life).prop_map(|(p, p_life, v, v_life)| Known {
        policy: p.and_then(|p| policy(p, p_life)),
        verdict: v.and_then(|v| verdict(v, v_life)),
    })
}

proptest! {
    /// Invariant 1: with a key in hand, a fault alone never becomes a 401 or a 404. A refusal rests on an answer
    /// that is within its life.
    #[test]
    fn a_fault_is_never_a_refusal_of_a_key(known in any_known()) {
        let config = config(json!({}));
        let decision = decide_faulted(&config, &keyed(&config), &known, NOW);
        if let Ruling::Deny(denial) = decision.ruling && denial != Denial::ControlPlaneFault {
            let fresh = |until: u64| until > NOW.monotonic_ms;
            let refused_by = match denial {
                Denial::UnknownProject => known.policy.map(|e| e.fresh_until_ms),
                _ => known.verdict.map(|e| e.fresh_until_ms),
            };
            prop_assert!(refused_by.is_some_and(fresh), "{denial:?}");
        }
    }

    /// A locked door opens only for a verdict that says valid.
    #[test]
    fn nothing_but_a_valid_verdict_opens_a_locked_project(known in any_known(), down in any::<bool>()) {
        let config = config(json!({}));
        let control_plane = if down { Reachability::Down { probe_at_ms: 0 } } else { Reachability::Up };
        let says_valid = known.verdict.as_ref().is_some_and(|e| e.value.verdict == Verdict::Valid);
        let locked = known.policy.as_ref().is_some_and(|e| matches!(e.value, Policy::Required(_)));
        if let Step::Decided(decision) = decide(&config, &keyed(&config), &known, control_plane, NOW)
            && locked && matches!(decision.ruling, Ruling::Continue { .. })
        {
            prop_assert!(says_valid);
        }
        let faulted = decide_faulted(&config, &keyed(&config), &known, NOW);
        if locked && matches!(faulted.ruling, Ruling::Continue { .. }) {
            prop_assert!(says_valid);
        }
    }
}

#[test]
fn only_the_workers_own_limit_says_nothing_of_the_control_plane() {
    for fault in Fault::ALL {
        assert_eq!(fault.is_control_planes(), fault != Fault::Overloaded);
    }
}
