//! What holds whatever is remembered.

use proptest::prelude::*;

use super::*;

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
        let config = config(&json!({}));
        let decision = decide_faulted(&config, &keyed(&config), &known, NOW);
        if let Ruling::Deny(denial) = decision.ruling && denial != Denial::ControlPlaneFault {
            let fresh = |until: u64| until > NOW.monotonic_ms;
            let refused_by = match denial {
                Denial::UnknownProject => known.policy.map(|e| e.stamp.fresh_until_ms),
                _ => known.verdict.map(|e| e.stamp.fresh_until_ms),
            };
            prop_assert!(refused_by.is_some_and(fresh), "{denial:?}");
        }
    }

    /// A locked door opens only for a verdict that says valid.
    #[test]
    fn nothing_but_a_valid_verdict_opens_a_locked_project(known in any_known(), down in any::<bool>()) {
        let config = config(&json!({}));
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
