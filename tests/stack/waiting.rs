//! Requests that wait for a check: shared, bounded, and never left behind.

use std::time::Duration;

use edge_api::check::Verdict;
use futures::future::join_all;
use serde_json::json;
use stack::gateway::GatewayOptions;
use stack::keys::mint_key;
use stack::scripted_control_plane::Fault;
use stack::stack::Stack;

const PATIENCE: Duration = Duration::from_secs(20);
const WAITERS: &str = "wasmcustom.mcp_key_auth.waiters";
const IN_FLIGHT: &str = "wasmcustom.mcp_key_auth.checks_in_flight";

async fn locked_with(change: impl FnOnce(GatewayOptions) -> GatewayOptions) -> (Stack, String) {
    let stack = Stack::with(change).await;
    stack.control_plane.set_project("locked", true);
    let key = mint_key(1);
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    (stack, key)
}

fn patient(options: GatewayOptions) -> GatewayOptions {
    options.plugin(json!({"control_plane": {"timeout_ms": 30_000}}))
}

async fn wait_for(stack: &Stack, stat: &str, count: u64) {
    stack
        .gateway
        .wait_for_stat(stat, |n| n == count, PATIENCE)
        .await;
}

#[tokio::test]
async fn a_stampede_on_one_key_is_one_check() {
    let (stack, key) = locked_with(patient).await;
    let held = stack.control_plane.hold();
    let calls = join_all((0..200).map(|_| stack.gateway.mcp("locked").key(&key).send()));
    let release = async {
        wait_for(&stack, WAITERS, 200).await;
        assert_eq!(stack.gateway.stat(IN_FLIGHT).await, 1);
        held.release();
    };
    let (answers, ()) = tokio::join!(calls, release);
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(stack.control_plane.calls().len(), 1);
    assert_eq!(
        stack
            .gateway
            .stat("wasmcustom.mcp_key_auth.checks_shared")
            .await,
        199
    );
    wait_for(&stack, WAITERS, 0).await;
}

#[tokio::test]
async fn a_thousand_that_wait_for_one_answer_are_all_answered_and_no_vm_dies() {
    let (stack, key) = locked_with(patient).await;
    for (key, status) in [(key, 200), (mint_key(2), 401)] {
        let held = stack.control_plane.hold();
        let calls = join_all((0..1_000).map(|_| stack.gateway.mcp("locked").key(&key).send()));
        let release = async {
            wait_for(&stack, WAITERS, 1_000).await;
            held.release();
        };
        let (answers, ()) = tokio::join!(calls, release);
        let as_due = answers.iter().filter(|answer| answer.status == status);
        assert_eq!(as_due.count(), 1_000, "{status}");
    }
    assert_eq!(stack.control_plane.calls().len(), 2);
    assert!(
        !stack.gateway.log().contains("RangeError"),
        "{}",
        stack.gateway.log()
    );
}

#[tokio::test]
async fn a_stampede_is_at_most_one_check_per_worker() {
    let (stack, key) = locked_with(|options| patient(options).concurrency(2)).await;
    let held = stack.control_plane.hold();
    let calls = join_all((0..200).map(|_| stack.gateway.mcp("locked").key(&key).send()));
    let release = async {
        wait_for(&stack, WAITERS, 200).await;
        held.release();
    };
    let (answers, ()) = tokio::join!(calls, release);
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert!(stack.control_plane.calls().len() <= 2);
}

#[tokio::test]
async fn different_questions_do_not_wait_for_each_other() {
    let (stack, key) = locked_with(patient).await;
    stack.control_plane.set_project("other", true);
    stack.gateway.mcp("other").send().await;
    let held = stack.control_plane.hold();
    let waiting = stack.gateway.mcp("locked").key(&key).send();
    let others = async {
        wait_for(&stack, WAITERS, 1).await;
        assert_eq!(
            stack.gateway.mcp("other").send().await.status,
            401,
            "known, so at once"
        );
        held.release();
    };
    let (answer, ()) = tokio::join!(waiting, others);
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_leader_that_leaves_leaves_no_follower_hanging() {
    let (stack, key) = locked_with(patient).await;
    let held = stack.control_plane.hold();
    let leader = tokio::spawn(stack.gateway.mcp("locked").key(&key).send());
    wait_for(&stack, WAITERS, 1).await;
    let followers = join_all((0..5).map(|_| stack.gateway.mcp("locked").key(&key).send()));
    let leave = async {
        wait_for(&stack, WAITERS, 6).await;
        leader.abort();
        wait_for(&stack, WAITERS, 5).await;
        held.release();
    };
    let (answers, ()) = tokio::join!(followers, leave);
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(
        stack.control_plane.calls().len(),
        1,
        "and nobody had to ask again"
    );
    assert_eq!(stack.upstream.received().len(), 5);
    stack.wait_for_outcomes("abandoned", 1, PATIENCE).await;
    let entry = stack
        .gateway
        .wait_for_access_log(|entry| entry["outcome"] == "abandoned")
        .await;
    assert_eq!(entry["response_code"], 0);
}

#[tokio::test]
async fn all_waiters_may_leave_and_the_answer_is_still_remembered() {
    let (stack, key) = locked_with(patient).await;
    let held = stack.control_plane.hold();
    let gone = tokio::spawn(stack.gateway.mcp("locked").key(&key).send());
    wait_for(&stack, WAITERS, 1).await;
    gone.abort();
    wait_for(&stack, WAITERS, 0).await;
    held.release();
    wait_for(&stack, IN_FLIGHT, 0).await;
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    assert_eq!(stack.control_plane.calls().len(), 1);
}

#[tokio::test]
async fn waiters_that_get_different_verdicts_from_one_answer() {
    let (stack, key) = locked_with(patient).await;
    stack.gateway.mcp("locked").key(&key).send().await;
    let held = stack.control_plane.hold();
    // The policy alone is asked about for all three: none of them carries a key worth asking about.
    stack.control_plane.set_project("cold", true);
    let calls = join_all([
        stack.gateway.mcp("cold").send(),
        stack.gateway.mcp("cold").key("garbage").send(),
        stack.gateway.mcp("cold").key(&key).key(&key).send(),
    ]);
    let release = async {
        wait_for(&stack, WAITERS, 3).await;
        held.release();
    };
    let (answers, ()) = tokio::join!(calls, release);
    let slugs: Vec<_> = answers
        .iter()
        .map(|a| a.json()["error"]["slug"].clone())
        .collect();
    assert_eq!(
        slugs,
        [
            "MCP_API_KEY_MISSING",
            "MCP_API_KEY_INVALID",
            "MCP_API_KEY_AMBIGUOUS"
        ]
    );
    assert_eq!(stack.control_plane.calls().len(), 2);
}

#[tokio::test]
async fn over_the_bounds_a_request_is_told_to_come_back_at_once() {
    let (stack, key) = locked_with(|options| {
        patient(options).plugin(json!({"limits": {"max_waiters": 8, "max_checks": 2}}))
    })
    .await;
    let held = stack.control_plane.hold();
    let first = join_all((0..2).map(|_| stack.gateway.mcp("locked").key(&key).send()));
    let rest = async {
        wait_for(&stack, WAITERS, 2).await;
        let second_check = stack.gateway.mcp("locked").key(&mint_key(2)).send();
        let over = async {
            wait_for(&stack, WAITERS, 3).await;
            for over in [
                stack.gateway.mcp("locked").key(&key),
                stack.gateway.mcp("locked").key(&mint_key(3)),
            ] {
                let answer = over.send().await;
                assert_eq!(answer.status, 503);
                assert!(answer.header("retry-after").is_some());
            }
            held.release();
        };
        tokio::join!(second_check, over).0
    };
    let (first, second) = tokio::join!(first, rest);
    assert!(first.iter().all(|answer| answer.status == 200));
    assert_eq!(second.status, 401);
    assert_eq!(
        stack
            .gateway
            .stat("wasmcustom.mcp_key_auth.checks.result.overloaded")
            .await,
        2
    );
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200,
        "being full is no fault of the control plane"
    );
}

#[tokio::test]
async fn a_large_body_waits_at_its_client_and_arrives_whole() {
    let (stack, key) = locked_with(patient).await;
    let body: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
    let held = stack.control_plane.hold();
    let upload = stack
        .gateway
        .mcp("locked")
        .key(&key)
        .body(body.clone())
        .send();
    let release = async {
        wait_for(&stack, WAITERS, 1).await;
        held.release();
    };
    let (answer, ()) = tokio::join!(upload, release);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(stack.upstream.last().body, body);
    assert_eq!(stack.upstream.received().len(), 1);
}

#[tokio::test]
async fn envoys_own_idle_timeout_ends_a_wait_without_a_trace() {
    let (stack, key) = locked_with(|options| {
        patient(options).edit(|bootstrap| {
            stack::bootstrap::connection_manager(bootstrap)["stream_idle_timeout"] = "0.4s".into();
            for route in stack::bootstrap::routes(bootstrap) {
                if let Some(route) = route["route"].as_object_mut() {
                    route.remove("idle_timeout");
                }
            }
        })
    })
    .await;
    stack.control_plane.set_fault(Fault::Hang);
    let answer = stack.gateway.mcp("locked").key(&key).send().await;
    assert_eq!(answer.status, 504, "{}", answer.text());
    stack.wait_for_outcomes("abandoned", 1, PATIENCE).await;
    wait_for(&stack, WAITERS, 0).await;
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn followers_of_a_check_that_hangs_end_within_the_limit_one_and_all() {
    let (stack, key) =
        locked_with(|options| options.plugin(json!({"control_plane": {"timeout_ms": 500}}))).await;
    stack.control_plane.set_fault(Fault::Hang);
    let answers = join_all((0..50).map(|_| stack.gateway.mcp("locked").key(&key).send())).await;
    assert!(answers.iter().all(|answer| answer.status == 503));
    wait_for(&stack, WAITERS, 0).await;
    wait_for(&stack, IN_FLIGHT, 0).await;
}
