//! The rows where the control plane does not answer.

use serde_json::json;
use stack::keys::mint_key;
use stack::scripted_control_plane::Fault;
use stack::stack::Stack;

use super::{open_and_locked, refused};

#[tokio::test]
async fn what_cannot_be_learnt_is_a_503_that_says_when_to_come_back() {
    let (stack, key) = open_and_locked().await;
    stack.control_plane.set_fault(Fault::Status(500));
    for call in [
        stack.gateway.mcp("open"),
        stack.gateway.mcp("locked"),
        stack.gateway.mcp("locked").key(&key),
    ] {
        let answer = call.send().await;
        refused(&answer, 503, "MCP_AUTH_UNAVAILABLE");
        assert_eq!(answer.header("retry-after").unwrap(), "5");
        assert_eq!(answer.header("www-authenticate"), None);
    }
    assert_eq!(stack.outcomes("denied_control_plane_fault").await, 3);
    assert!(stack.upstream.received().is_empty());
}

#[tokio::test]
async fn failure_mode_allow_lets_by_what_cannot_be_learnt_without_its_key() {
    let stack = Stack::with(|options| options.plugin(json!({"failure_mode_allow": true}))).await;
    stack.control_plane.set_fault(Fault::Reset);
    let answer = stack.gateway.mcp("locked").key(&mint_key(1)).send().await;
    assert_eq!(answer.status, 200);
    assert_eq!(stack.upstream.last().header("x-api-key"), None);
    assert_eq!(stack.outcomes("allowed_control_plane_fault").await, 1);
}

#[tokio::test]
async fn a_policy_known_to_lock_stays_locked_under_failure_mode_allow() {
    let stack = Stack::with(|options| options.plugin(json!({"failure_mode_allow": true}))).await;
    stack.control_plane.set_project("locked", true);
    let refused_answer = stack.gateway.mcp("locked").send().await;
    refused(&refused_answer, 401, "MCP_API_KEY_MISSING");
    stack.control_plane.stop().await;
    let refused_answer = stack.gateway.mcp("locked").send().await;
    refused(&refused_answer, 401, "MCP_API_KEY_MISSING");
}
