//! The feed is cut while checks work: what is remembered serves for `unconfirmed_ttl_ms`, and is asked about again.

use std::time::{Duration, Instant};

use edge_api::check::Verdict;
use serde_json::json;
use stack::gateway::GatewayOptions;
use stack::scripted_control_plane::Fault;
use stack::stack::Stack;

use super::{BOUND, CONNECTED, PATIENCE, ask, connected, following, set_key, settled, turns};

const UNCONFIRMED_TTL: Duration = Duration::from_millis(1_600);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(400);

const CUTS: [Fault; 5] = [
    Fault::Status(503),
    Fault::Reset,
    Fault::Hang,
    Fault::Garbage,
    Fault::WrongSchema,
];

fn brief(options: GatewayOptions) -> GatewayOptions {
    let ttl_ms = u64::try_from(UNCONFIRMED_TTL.as_millis()).unwrap();
    options.plugin(json!({
        "cache": {"unconfirmed_ttl_ms": ttl_ms},
        "control_plane": {"timeout_ms": 500},
    }))
}

#[tokio::test]
async fn without_the_feed_a_change_is_in_force_when_the_unconfirmed_time_is_up() {
    let (stack, key) = following(brief).await;
    for cut in CUTS {
        settled(&stack, "locked", Some(&key), 200).await;
        let since = Instant::now();
        stack.control_plane.set_feed_fault(cut);
        set_key(&stack, &key, Verdict::Revoked);
        let keyed = ("locked", Some(&*key));
        let bound = UNCONFIRMED_TTL + SLACK;
        turns(&stack, keyed, (200, 401), (since, bound)).await;
        set_key(&stack, &key, Verdict::Valid);
        turns(&stack, keyed, (401, 200), (Instant::now(), bound)).await;
        stack.control_plane.set_feed_fault(Fault::None);
        connected(&stack).await;
    }
}

#[tokio::test]
async fn without_the_feed_good_keys_are_served_and_asked_about_once_in_a_while() {
    let (stack, key) = following(brief).await;
    for cut in CUTS {
        stack.control_plane.set_feed_fault(cut);
        stack
            .gateway
            .wait_for_stat(CONNECTED, |value| value == 0, PATIENCE)
            .await;
        stack.control_plane.forget_calls();
        let since = Instant::now();
        let mut requests = 0;
        while since.elapsed() < UNCONFIRMED_TTL * 4 {
            let statuses = ask(&stack, "locked", Some(&key), 4).await;
            requests += statuses.len();
            assert_eq!(statuses, [200; 4], "{cut:?}");
        }
        let calls = stack.control_plane.calls().len();
        // Once per life by each of two workers at most, a life being over a little early; and once to begin with.
        assert!((3..=14).contains(&calls), "{cut:?}: {calls} of {requests}");
        assert!(requests > calls * 2, "{cut:?}: {calls} of {requests}");
        stack.control_plane.set_feed_fault(Fault::None);
        connected(&stack).await;
    }
}

#[tokio::test]
async fn when_the_feed_is_back_changes_are_in_force_at_once_and_nothing_is_asked_twice() {
    let (stack, key) = following(brief).await;
    settled(&stack, "locked", Some(&key), 200).await;
    for cut in CUTS {
        stack.control_plane.set_feed_fault(cut);
        stack
            .gateway
            .wait_for_stat(CONNECTED, |value| value == 0, PATIENCE)
            .await;
        stack.control_plane.set_feed_fault(Fault::None);
        connected(&stack).await;
        settled(&stack, "locked", Some(&key), 200).await;
        // Two rounds, should one worker have been late to notice.
        settled(&stack, "locked", Some(&key), 200).await;
        stack.control_plane.forget_calls();
        let since = Instant::now();
        while since.elapsed() < UNCONFIRMED_TTL * 2 {
            assert_eq!(ask(&stack, "locked", Some(&key), 4).await, [200; 4]);
        }
        let calls = stack.control_plane.calls().len();
        assert_eq!(calls, 0, "{cut:?}: confirmed, so nobody asks");
        flip(&stack, &key).await;
    }
}

#[tokio::test]
async fn a_control_plane_that_was_away_is_followed_again() {
    let (stack, key) = following(brief).await;
    settled(&stack, "locked", Some(&key), 200).await;
    stack.control_plane.stop().await;
    stack
        .gateway
        .wait_for_stat(CONNECTED, |value| value == 0, PATIENCE)
        .await;
    assert_eq!(ask(&stack, "locked", Some(&key), 4).await, [200; 4]);
    set_key(&stack, &key, Verdict::Revoked);
    stack.control_plane.restart().await;
    connected(&stack).await;
    turns(
        &stack,
        ("locked", Some(&key)),
        (200, 401),
        (Instant::now(), BOUND),
    )
    .await;
    set_key(&stack, &key, Verdict::Valid);
    turns(
        &stack,
        ("locked", Some(&key)),
        (401, 200),
        (Instant::now(), BOUND),
    )
    .await;
}

/// Revokes the key and brings it back, both in force in time.
async fn flip(stack: &Stack, key: &str) {
    for (verdict, statuses) in [(Verdict::Revoked, (200, 401)), (Verdict::Valid, (401, 200))] {
        set_key(stack, key, verdict);
        let keyed = ("locked", Some(key));
        turns(stack, keyed, statuses, (Instant::now(), BOUND)).await;
    }
}
