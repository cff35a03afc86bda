//! What is past its life, and what is left to serve when nobody answers.

use super::*;

const LIMITS: [Fault; 2] = [Fault::Overloaded, Fault::OverBudget];

const STALE_IF_ERROR_MS: u64 = 600_000;

#[test]
fn a_keys_own_expiry_ends_a_verdict_before_its_time() {
    let config = config(&json!({}));
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
        matches!(step(&config, &keyed(&config), &known), Step::Ask),
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
    let config = config(&json!({}));
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
        Step::Ask
    ));
    assert!(matches!(
        step(&config, &keyless(&config), &open(0)),
        Step::Ask
    ));
}

#[test]
fn without_an_answer_what_was_last_known_good_serves_for_its_time() {
    let config = config(&json!({}));
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
    let config = config(&json!({}));
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
        config(&json!({})),
        config(&json!({"failure_mode_allow": true})),
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
fn a_limit_of_this_worker_opens_nothing_whatever_the_failure_mode() {
    for failure_mode_allow in [false, true] {
        let config = config(&json!({"failure_mode_allow": failure_mode_allow}));
        for fault in LIMITS {
            for known in [Known::default(), required(1_000), open(0)] {
                let decision = decide_over_limit(&config, &keyed(&config), &known, fault);
                assert_eq!(decision.ruling, Ruling::Deny(Denial::OverLimit));
                assert_eq!(decision.outcome().name(), "denied_over_limit");
                assert_eq!(Denial::OverLimit.refusal().status(), 503);
            }
        }
    }
}

#[test]
fn a_limit_of_this_worker_serves_nothing_past_its_life() {
    let config = config(&json!({}));
    let valid = |life| Known {
        verdict: verdict(Verdict::Valid, life),
        ..required(life)
    };
    for fault in LIMITS {
        let outcome = |request: &Request, known: &Known| {
            let decision = decide_over_limit(&config, request, known, fault);
            decision.outcome().name()
        };
        let (keyed, keyless) = (keyed(&config), keyless(&config));
        assert_eq!(outcome(&keyed, &valid(0)), "denied_over_limit");
        assert_eq!(outcome(&keyless, &open(0)), "denied_over_limit");
        assert_eq!(outcome(&keyless, &required(0)), "denied_over_limit");
        // Learnt by somebody else just now.
        assert_eq!(outcome(&keyed, &valid(1_000)), "allowed");
        assert_eq!(outcome(&keyless, &open(1_000)), "allowed_not_required");
        assert_eq!(outcome(&keyless, &required(1_000)), "denied_missing_key");
    }
}

#[test]
fn while_the_control_plane_is_down_nobody_waits_for_what_is_last_known_good() {
    let config = config(&json!({}));
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
    assert_eq!(waiting.errand, None, "between two probes nobody asks");
    assert!(
        decide_at(NOW.monotonic_ms).errand.is_some(),
        "one asks when a probe is due"
    );
    let down = Reachability::Down {
        probe_at_ms: u64::MAX,
    };
    let unknown = decide(&config, &keyed(&config), &Known::default(), down, NOW);
    assert!(
        matches!(unknown, Step::Ask),
        "who has nothing to lose still asks"
    );
}

#[test]
fn only_the_workers_own_limits_say_nothing_of_the_control_plane() {
    for fault in Fault::ALL {
        assert_eq!(fault.is_control_planes(), !LIMITS.contains(&fault));
    }
}
