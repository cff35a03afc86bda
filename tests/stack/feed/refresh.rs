//! Entries in steady use, which are asked about ahead of their end.

use std::time::{Duration, Instant};

use serde_json::json;
use stack::stack::Stack;

use super::{ask, following, settled};

const TTL: Duration = Duration::from_secs(3);

fn set_ttl(stack: &Stack, ttl: Duration) {
    let ttl_ms = u64::try_from(ttl.as_millis()).unwrap();
    stack.control_plane.set_ttl_ms(ttl_ms);
}

async fn misses(stack: &Stack) -> u64 {
    let stat = "wasmcustom.mcp_key_auth.lookups.cache.miss";
    stack.gateway.stat(stat).await
}

#[tokio::test]
async fn an_entry_in_steady_use_makes_no_request_wait() {
    // A check may take longer than a life here, but none does: each life is refreshed by itself.
    let patient = json!({"control_plane": {"timeout_ms": 3_000}});
    let (stack, key) = following(|options| options.plugin(patient)).await;
    set_ttl(&stack, TTL);
    settled(&stack, "locked", Some(&key), 200).await;
    let (missed, asked) = (misses(&stack).await, stack.control_plane.calls().len());
    let since = Instant::now();
    let lives = 3;
    while since.elapsed() < TTL * lives {
        assert_eq!(ask(&stack, "locked", Some(&key), 4).await, [200; 4]);
    }
    assert_eq!(misses(&stack).await, missed, "nobody waited");
    let refreshes = stack.control_plane.calls().len() - asked;
    // A life is over a fifth early, and now and then both workers ask; each of them every time would be seven.
    assert!((2..=6).contains(&refreshes), "{refreshes} in {lives} lives");
}

#[tokio::test]
async fn requests_are_served_while_the_refresh_is_under_way() {
    let (stack, key) = following(|options| options).await;
    set_ttl(&stack, TTL);
    settled(&stack, "locked", Some(&key), 200).await;
    let known = Instant::now();
    let (missed, asked) = (misses(&stack).await, stack.control_plane.calls().len());
    let held = stack.control_plane.hold();
    while stack.control_plane.calls().len() == asked {
        assert_eq!(ask(&stack, "locked", Some(&key), 4).await, [200; 4]);
    }
    assert!(
        known.elapsed() > TTL / 2,
        "not before its end is near: {:?}",
        known.elapsed()
    );
    settled(&stack, "locked", Some(&key), 200).await;
    assert!(known.elapsed() < TTL, "too slow a machine to tell");
    assert_eq!(misses(&stack).await, missed, "nobody waited");
    held.release();
}

#[tokio::test]
async fn what_nobody_uses_is_not_asked_about() {
    let (stack, key) = following(|options| options).await;
    set_ttl(&stack, TTL / 5);
    settled(&stack, "locked", Some(&key), 200).await;
    stack.control_plane.forget_calls();
    set_ttl(&stack, TTL);
    let since = Instant::now();
    // Another project's traffic keeps the workers awake.
    while since.elapsed() < TTL {
        ask(&stack, "elsewhere", None, 4).await;
    }
    let calls = stack.control_plane.calls();
    let idle = calls.iter().filter(|call| call.subject() == "locked");
    assert_eq!(idle.count(), 0);
}
