//! A control plane in trouble: never a 401, never a hang, and what is known goes on serving.

use std::time::{Duration, Instant};

use edge_api::check::Verdict;
use serde_json::json;
use stack::deadline::eventually;
use stack::gateway::GatewayOptions;
use stack::keys::mint_key;
use stack::scripted_control_plane::Fault;
use stack::stack::Stack;

const PATIENCE: Duration = Duration::from_secs(20);

/// Time limit of a check in these tests.
const TIMEOUT_MS: u64 = 400;
/// A request that must end by itself ends within the limit, a tick, and what a busy machine adds.
const DEADLINE: Duration = Duration::from_millis(TIMEOUT_MS + 5_000);

const FAULTS: [Fault; 13] = [
    Fault::Hang,
    Fault::Reset,
    Fault::Status(500),
    Fault::Status(503),
    Fault::Status(401),
    Fault::Status(404),
    Fault::Status(204),
    Fault::Garbage,
    Fault::WrongSchema,
    Fault::Empty,
    Fault::Oversized(100_000),
    Fault::CutBody,
    Fault::Truncated,
];

async fn impatient(change: impl FnOnce(GatewayOptions) -> GatewayOptions) -> (Stack, String) {
    let stack = Stack::with(|options| {
        change(options.plugin(json!({"control_plane": {"timeout_ms": TIMEOUT_MS}})))
    })
    .await;
    stack.control_plane.set_project("locked", true);
    stack.control_plane.set_project("open", false);
    let key = mint_key(1);
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    (stack, key)
}

#[tokio::test]
async fn no_fault_is_ever_a_401_or_a_hang() {
    let (stack, key) = impatient(|options| options).await;
    for fault in FAULTS {
        stack.control_plane.set_fault(fault);
        for (project, key) in [
            ("locked", Some(&key)),
            ("locked", None),
            ("open", None),
            ("unknown", Some(&key)),
        ] {
            let call = stack.gateway.mcp(project);
            let call = key.into_iter().fold(call, |call, key| call.key(key));
            let started = Instant::now();
            let answer = call.send().await;
            assert_eq!(answer.status, 503, "{fault:?} {project}: {}", answer.text());
            assert!(answer.header("retry-after").is_some());
            assert!(
                started.elapsed() < DEADLINE,
                "{fault:?} {project}: {:?}",
                started.elapsed()
            );
        }
    }
    assert!(stack.upstream.received().is_empty());
    stack.control_plane.set_fault(Fault::None);
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    assert_eq!(
        stack.outcomes("denied_control_plane_fault").await,
        4 * FAULTS.len() as u64
    );
}

#[tokio::test]
async fn each_kind_of_fault_has_its_own_counter() {
    let (stack, _) = impatient(|options| options).await;
    for (fault, counter) in [
        (Fault::Hang, "timeout"),
        (Fault::Status(500), "bad_status"),
        (Fault::Garbage, "bad_schema"),
        (Fault::Oversized(100_000), "bad_schema"),
    ] {
        let stat = format!("wasmcustom.mcp_key_auth.checks.result.{counter}");
        let before = stack.gateway.stat(&stat).await;
        stack.control_plane.set_fault(fault);
        stack.gateway.mcp("locked").send().await;
        stack
            .gateway
            .wait_for_stat(&stat, |n| n == before + 1, PATIENCE)
            .await;
    }
}

#[tokio::test]
async fn a_wrong_edge_token_is_a_fault_of_ours_not_of_the_client() {
    let (stack, key) = impatient(|options| options).await;
    stack.control_plane.set_edge_token("another");
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        503
    );
}

#[tokio::test]
async fn an_unknown_cluster_is_a_503_not_a_pass() {
    let (stack, key) = impatient(|options| {
        options.plugin(json!({"control_plane": {"cluster": "no_such_cluster"}}))
    })
    .await;
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        503
    );
    assert_eq!(stack.gateway.mcp("open").send().await.status, 503);
    let stat = "wasmcustom.mcp_key_auth.checks.result.not_sent";
    assert_eq!(stack.gateway.stat(stat).await, 2);
}

#[tokio::test]
async fn a_slow_control_plane_is_waited_for_within_the_limit() {
    let (stack, key) =
        impatient(|options| options.plugin(json!({"control_plane": {"timeout_ms": 5_000}}))).await;
    stack
        .control_plane
        .set_fault(Fault::Delay(Duration::from_millis(300)));
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
}

#[tokio::test]
async fn known_verdicts_go_on_serving_through_every_fault() {
    let (stack, key) = impatient(|options| options).await;
    // Every answer's life is over at once: what serves below is last known good.
    stack.control_plane.set_ttl_ms(1);
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    assert_eq!(stack.gateway.mcp("open").send().await.status, 200);
    for fault in FAULTS {
        stack.control_plane.set_fault(fault);
        for _ in 0..3 {
            assert_eq!(
                stack.gateway.mcp("locked").key(&key).send().await.status,
                200,
                "{fault:?}"
            );
            assert_eq!(
                stack.gateway.mcp("open").send().await.status,
                200,
                "{fault:?}"
            );
            assert_eq!(
                stack.gateway.mcp("locked").send().await.status,
                401,
                "{fault:?}: locked is last known"
            );
        }
    }
    stack.control_plane.stop().await;
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200,
        "refused connections"
    );
    assert!(
        stack
            .gateway
            .stat("wasmcustom.mcp_key_auth.lookups.cache.stale")
            .await
            > 0
    );
}

#[tokio::test]
async fn while_it_is_down_only_the_first_request_waits() {
    let (stack, key) =
        impatient(|options| options.plugin(json!({"control_plane": {"timeout_ms": 3_000}}))).await;
    stack.control_plane.set_ttl_ms(1);
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    stack.control_plane.set_fault(Fault::Hang);
    let started = Instant::now();
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    let first = started.elapsed();
    assert!(
        first >= Duration::from_millis(2_900),
        "the first finds out: {first:?}"
    );
    let started = Instant::now();
    for _ in 0..50 {
        assert_eq!(
            stack.gateway.mcp("locked").key(&key).send().await.status,
            200
        );
    }
    assert!(
        started.elapsed() < first,
        "fifty others did not wait: {:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn when_it_is_back_the_truth_is_back() {
    let (stack, key) = impatient(|options| options).await;
    stack.control_plane.set_ttl_ms(1);
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    stack.control_plane.stop().await;
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Revoked, None);
    stack.control_plane.restart().await;
    eventually(PATIENCE, "the revocation arrives", async || {
        (stack.gateway.mcp("locked").key(&key).send().await.status == 401).then_some(())
    })
    .await;
    assert!(
        stack
            .gateway
            .log()
            .contains("the control plane answers again")
    );
}

#[tokio::test]
async fn last_known_good_serves_for_its_time_and_no_longer() {
    let (stack, key) =
        impatient(|options| options.plugin(json!({"cache": {"stale_if_error_ms": 1_500}}))).await;
    stack.control_plane.set_ttl_ms(1);
    let learnt = Instant::now();
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    stack.control_plane.stop().await;
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    eventually(PATIENCE, "the time is up", async || {
        let status = stack.gateway.mcp("locked").key(&key).send().await.status;
        assert!(matches!(status, 200 | 503), "never a 401: {status}");
        (status == 503).then_some(())
    })
    .await;
    assert!(
        learnt.elapsed() >= Duration::from_millis(1_500),
        "not before its time"
    );
}

#[tokio::test]
async fn a_refusal_past_its_life_is_not_repeated_without_an_answer() {
    let (stack, _) = impatient(|options| options).await;
    let bad = mint_key(9);
    stack.control_plane.set_ttl_ms(60_000);
    assert_eq!(stack.gateway.mcp("locked").send().await.status, 401);
    stack.control_plane.set_ttl_ms(1);
    assert_eq!(
        stack.gateway.mcp("locked").key(&bad).send().await.status,
        401
    );
    stack.control_plane.stop().await;
    // The owner may have created the key since. Nobody can tell, so nobody is told no.
    assert_eq!(
        stack.gateway.mcp("locked").key(&bad).send().await.status,
        503
    );
}
