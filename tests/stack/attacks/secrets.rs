//! Secrets, and the places where they could come to light.

use serde_json::json;
use stack::keys::mint_key;
use stack::scripted_control_plane::EDGE_TOKEN;

use super::stack_with;

#[tokio::test]
async fn the_raw_key_and_the_edge_token_are_in_no_log_statistic_or_dump() {
    let (stack, key) = stack_with(|_| {}).await;
    stack.gateway.mcp("locked").key(&key).send().await;
    stack.gateway.mcp("open").key(&mint_key(2)).send().await;
    stack.gateway.mcp("locked").key(&mint_key(3)).send().await;
    stack
        .gateway
        .wait_for_access_log(|entry| entry["response_code"] == 401)
        .await;
    let dump = stack.gateway.admin().get("/config_dump").await.text();
    let stats = stack.gateway.admin().get("/stats").await.text();
    let log = stack.gateway.log();
    let access_log = json!(stack.gateway.access_log()).to_string();
    for (place, text) in [
        ("dump", dump),
        ("stats", stats),
        ("log", log),
        ("access log", access_log),
    ] {
        for secret in [&*key, &*mint_key(2), &*mint_key(3), EDGE_TOKEN] {
            assert!(!text.contains(secret), "{place}");
        }
    }
    for call in stack.control_plane.calls() {
        assert!(
            !String::from_utf8_lossy(&call.body).contains("ak_"),
            "the raw key never leaves Envoy"
        );
        assert!(!format!("{:?}", call.headers).contains("ak_"));
    }
}
