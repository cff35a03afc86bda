//! Requests that bring the filter to its own limits: a limit reached is a door shut.

use std::time::Duration;

use edge_api::check::Verdict;
use serde_json::json;
use stack::gateway::GatewayOptions;
use stack::http::Answer;
use stack::keys::mint_key;
use stack::stack::Stack;

const PATIENCE: Duration = Duration::from_secs(20);
const IN_FLIGHT: &str = "wasmcustom.mcp_key_auth.checks_in_flight";

/// `locked`, its key, and a gateway that lets by what it cannot learn from its control plane.
async fn lenient(limits: serde_json::Value) -> (Stack, String) {
    let options = move |options: GatewayOptions| {
        options.concurrency(1).plugin(json!({
            "control_plane": {"timeout_ms": 30_000},
            "failure_mode_allow": true,
            "limits": limits,
        }))
    };
    let stack = Stack::with(options).await;
    stack.control_plane.set_project("locked", true);
    let key = mint_key(1);
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    (stack, key)
}

fn told_to_come_back(answer: &Answer) {
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(answer.header("retry-after").unwrap(), "5");
    assert_eq!(answer.json()["error"]["slug"], "MCP_AUTH_UNAVAILABLE");
}

#[tokio::test]
async fn a_budget_that_is_spent_opens_nothing() {
    let (stack, key) = lenient(json!({"bad_key_checks_per_s": 1})).await;
    let mut over = 0;
    for seed in 1_000..1_040 {
        let made_up = mint_key(seed);
        let answer = stack.gateway.mcp("locked").key(&made_up).send().await;
        if answer.status != 401 {
            told_to_come_back(&answer);
            over += 1;
        }
    }
    assert!(over > 0, "the budget was never spent");
    assert_eq!(stack.outcomes("denied_over_limit").await, over);
    assert!(stack.upstream.received().is_empty());
    let entry = stack
        .gateway
        .wait_for_access_log(|entry| entry["outcome"] == "denied_over_limit")
        .await;
    assert_eq!(entry["response_code_details"], "mcp_key_auth_over_limit");

    stack.control_plane.stop().await;
    let answer = stack.gateway.mcp("other").key(&key).send().await;
    assert_eq!(answer.status, 200, "the failure mode is for this alone");
}

#[tokio::test]
async fn checks_that_are_all_under_way_open_nothing() {
    let (stack, key) = lenient(json!({"max_checks": 1})).await;
    let held = stack.control_plane.hold();
    let first = stack.gateway.mcp("locked").key(&mint_key(2)).send();
    let others = async {
        let stat = stack.gateway.wait_for_stat(IN_FLIGHT, |n| n == 1, PATIENCE);
        stat.await;
        for made_up in [mint_key(3), mint_key(4)] {
            told_to_come_back(&stack.gateway.mcp("locked").key(&made_up).send().await);
        }
        told_to_come_back(&stack.gateway.mcp("made-up").send().await);
        held.release();
    };
    let (first, ()) = tokio::join!(first, others);
    assert_eq!(first.status, 401);
    assert!(stack.upstream.received().is_empty());
    let good = stack.gateway.mcp("locked").key(&key).send().await;
    assert_eq!(good.status, 200, "and shut no door for good");
}

#[tokio::test]
async fn one_key_cannot_take_the_place_of_all_who_must_wait() {
    let (stack, key) = lenient(json!({"max_waiters": 8})).await;
    let held = stack.control_plane.hold();
    let made_up = mint_key(2);
    let flood = futures::future::join_all(
        (0..20).map(|_| stack.gateway.mcp("locked").key(&made_up).send()),
    );
    let good = async {
        let over = stack.wait_for_outcomes("denied_over_limit", 18, PATIENCE);
        over.await;
        let good = stack.gateway.mcp("locked").key(&key).send();
        let release = async {
            let stat = stack.gateway.wait_for_stat(IN_FLIGHT, |n| n == 2, PATIENCE);
            stat.await;
            held.release();
        };
        tokio::join!(good, release).0
    };
    let (flood, good) = tokio::join!(flood, good);
    assert_eq!(good.status, 200, "{}", good.text());
    let waited = flood.iter().filter(|answer| answer.status == 401);
    assert_eq!(waited.count(), 2, "a quarter of eight");
    assert_eq!(stack.upstream.received().len(), 1);
}

/// Whoever holds a revoked key would otherwise buy it ten more minutes by keeping the filter busy.
#[tokio::test]
async fn a_busy_filter_does_not_serve_a_key_past_its_life() {
    let (stack, key) = lenient(json!({"max_checks": 1})).await;
    stack.control_plane.set_ttl_ms(1);
    let known = async || stack.gateway.mcp("locked").key(&key).send().await;
    assert_eq!(known().await.status, 200);
    let held = stack.control_plane.hold();
    let busy = stack.gateway.mcp("locked").key(&mint_key(2)).send();
    let meanwhile = async {
        let stat = stack.gateway.wait_for_stat(IN_FLIGHT, |n| n == 1, PATIENCE);
        stat.await;
        told_to_come_back(&known().await);
        held.release();
    };
    tokio::join!(busy, meanwhile);
    assert_eq!(known().await.status, 200);
    assert_eq!(stack.upstream.received().len(), 2);
}
