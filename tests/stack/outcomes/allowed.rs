//! The rows where a request continues.

use std::time::Duration;

use edge_api::check::Verdict;
use serde_json::json;
use stack::keys::mint_key;
use stack::stack::Stack;

use super::{open_and_locked, refused};

const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_cors_preflight_is_answered_before_any_check() {
    let (stack, _) = open_and_locked().await;
    let answer = stack
        .gateway
        .call("OPTIONS", "/mcp/locked")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-api-key")
        .send()
        .await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("access-control-allow-headers")
            .unwrap()
            .contains("x-api-key")
    );
    assert!(stack.control_plane.calls().is_empty());
}

#[tokio::test]
async fn without_a_cors_filter_a_preflight_still_passes() {
    let stack = Stack::with(|options| {
        options.edit(|bootstrap| {
            stack::bootstrap::http_filters(bootstrap)
                .retain(|filter| filter["name"] != "envoy.filters.http.cors");
        })
    })
    .await;
    let answer = stack
        .gateway
        .call("OPTIONS", "/mcp/locked")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .send()
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(stack.upstream.last().method, "OPTIONS");
    assert_eq!(stack.outcomes("allowed_preflight").await, 1);
}

#[tokio::test]
async fn an_exempt_path_continues_unchecked() {
    let stack =
        Stack::with(|options| options.plugin(json!({"exempt": [{"prefix": "/mcp/public"}]}))).await;
    assert_eq!(stack.gateway.mcp("public").send().await.status, 200);
    assert!(stack.control_plane.calls().is_empty());
    assert_eq!(stack.outcomes("allowed_exempt").await, 1);
}

#[tokio::test]
async fn unmatched_allow_lets_a_path_outside_through() {
    let stack = Stack::with(|options| options.plugin(json!({"unmatched": "allow"}))).await;
    // Past the filter, the reference bootstrap's own last route answers.
    let outside = stack.gateway.call("GET", "/docs").send().await;
    assert_eq!((outside.status, outside.body.len()), (404, 0));
    assert_eq!(stack.outcomes("allowed_unmatched").await, 1);
    for inside in ["/MCP/p1", "/mcp", "/mcp/a.b"] {
        let answer = stack.gateway.call("GET", inside).send().await;
        refused(&answer, 404, "MCP_PROJECT_NOT_FOUND");
    }
}

#[tokio::test]
async fn an_open_project_works_as_if_there_were_no_gate() {
    let (stack, _) = open_and_locked().await;
    assert_eq!(stack.gateway.mcp("open").send().await.status, 200);
    for odd in ["", "garbage", &mint_key(77), "a,b"] {
        let answer = stack.gateway.mcp("open").key(odd).send().await;
        assert_eq!(answer.status, 200, "{odd:?}");
        let seen = stack.upstream.last();
        assert_eq!(
            seen.header("x-api-key").as_deref(),
            Some(odd),
            "passed on untouched"
        );
        assert_eq!(seen.header("x-mcp-project-id").unwrap(), "open");
        assert_eq!(seen.header("x-mcp-key-id"), None);
    }
    let twice = stack.gateway.mcp("open").key("a").key("b").send().await;
    assert_eq!(twice.status, 200);
}

#[tokio::test]
async fn on_an_open_project_a_valid_key_is_attributed_without_delay() {
    let (stack, _) = open_and_locked().await;
    let key = mint_key(2);
    stack
        .control_plane
        .set_key(&key, "key_2", "open", Verdict::Valid, None);
    stack.gateway.mcp("open").send().await;
    // The policy is known; the key is not, and the control plane does not answer: nobody waits for it.
    let held = stack.control_plane.hold();
    let first = stack.gateway.mcp("open").key(&key).send().await;
    assert_eq!(first.status, 200);
    assert_eq!(stack.upstream.last().header("x-mcp-key-id"), None);
    held.release();
    stack.control_plane.wait_for_calls(2).await;
    stack::deadline::eventually(PATIENCE, "the key is attributed", async || {
        stack.gateway.mcp("open").key(&key).send().await;
        stack
            .upstream
            .last()
            .header("x-mcp-key-id")
            .filter(|id| id == "key_2")
    })
    .await;
    assert_eq!(
        stack.control_plane.calls().len(),
        2,
        "asked once, in the background"
    );
    assert_eq!(
        stack
            .gateway
            .stat("wasmcustom.mcp_key_auth.checks_asked.reason.attribute")
            .await,
        1
    );
}

#[tokio::test]
async fn a_locked_project_opens_to_its_own_key() {
    let (stack, key) = open_and_locked().await;
    for path in ["/mcp/locked", "/mcp/locked/mcp?user_id=1"] {
        for method in ["POST", "GET", "DELETE"] {
            let answer = stack.gateway.call(method, path).key(&key).send().await;
            assert_eq!(answer.status, 200, "{method} {path}");
            let seen = stack.upstream.last();
            assert_eq!(
                seen.header("x-api-key"),
                None,
                "the upstream never sees the key"
            );
            assert_eq!(seen.header("x-mcp-project-id").unwrap(), "locked");
            assert_eq!(seen.header("x-mcp-key-id").unwrap(), "key_1");
        }
    }
    assert_eq!(stack.outcomes("allowed").await, 6);
}

#[tokio::test]
async fn a_server_id_leads_to_its_project() {
    let (stack, key) = open_and_locked().await;
    let server = "0b3f8c1e-6f0d-4a5e-9d55-2f3a1c0e9b77";
    stack.control_plane.set_server(server, "locked");
    let path = format!("/v3/mcp/{server}/mcp?user_id=u");
    let refused_answer = stack.gateway.call("POST", &path).send().await;
    refused(&refused_answer, 401, "MCP_API_KEY_MISSING");
    let answer = stack.gateway.call("POST", &path).key(&key).send().await;
    assert_eq!(answer.status, 200);
    let seen = stack.upstream.last();
    assert_eq!(seen.header("x-mcp-project-id").unwrap(), "locked");
    assert_eq!(seen.target, "/mcp?user_id=u");
}

#[tokio::test]
async fn identity_headers_of_the_client_never_reach_the_upstream() {
    let stack = Stack::with(|options| {
        // Envoy's own guard off, so that what arrives is up to the filter alone.
        options
            .plugin(json!({"exempt": [{"prefix": "/mcp/public"}], "failure_mode_allow": true}))
            .edit(|bootstrap| {
                stack::bootstrap::connection_manager(bootstrap)["common_http_protocol_options"]
                    ["headers_with_underscores_action"] = "ALLOW".into();
            })
    })
    .await;
    let key = mint_key(1);
    stack.control_plane.set_project("locked", true);
    stack.control_plane.set_project("open", false);
    stack
        .control_plane
        .set_key(&key, "key_1", "locked", Verdict::Valid, None);
    for (project, key_id) in [("open", None), ("locked", Some("key_1")), ("public", None)] {
        let answer = stack
            .gateway
            .mcp(project)
            .key(&key)
            .header("x-mcp-project-id", "admin")
            .header("X-MCP-Key-Id", "key_root")
            .header("x-mcp-key-id", "key_root_2")
            .header("x_mcp_key_id", "key_root")
            .header("x_mcp-project_id", "admin")
            .send()
            .await;
        assert_eq!(answer.status, 200);
        let seen = stack.upstream.last();
        let identity: Vec<_> = seen
            .headers
            .iter()
            .filter(|(name, _)| name.as_str().replace('_', "-").starts_with("x-mcp-"))
            .map(|(name, value)| format!("{name}={}", value.to_str().unwrap()))
            .collect();
        let mut expected = Vec::new();
        if project != "public" {
            expected.push(format!("x-mcp-project-id={project}"));
        }
        expected.extend(key_id.map(|id| format!("x-mcp-key-id={id}")));
        let sorted = |mut list: Vec<String>| {
            list.sort();
            list
        };
        assert_eq!(sorted(identity), sorted(expected), "{project}");
    }
}

#[tokio::test]
async fn an_allowed_request_goes_upstream_exactly_once() {
    let (stack, key) = open_and_locked().await;
    for (count, project) in (1..).zip(["locked", "locked", "open", "open"]) {
        // The first of each waits for a check, the second does not.
        let answer = stack.gateway.mcp(project).key(&key).send().await;
        assert_eq!(answer.status, 200);
        assert_eq!(stack.upstream.received().len(), count);
    }
}
