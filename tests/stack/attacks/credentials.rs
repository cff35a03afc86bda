//! What is passed off as a key, or as a request that needs none.

use stack::http;
use stack::keys::mint_key;

use super::{no_normalization, reference, stack_with};

#[tokio::test]
async fn a_session_or_a_former_request_is_no_credential() {
    let (stack, key) = reference().await;
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
    for method in ["POST", "GET", "DELETE"] {
        let answer = stack
            .gateway
            .call(method, "/mcp/locked/messages?session_id=1")
            .header("mcp-session-id", "1")
            .header("last-event-id", "7")
            .send()
            .await;
        assert_eq!(answer.status, 401, "{method}");
    }
}

#[tokio::test]
async fn a_preflight_with_a_twist_is_no_preflight() {
    let (stack, _) = reference().await;
    for (method, headers) in [
        ("OPTIONS", vec![("origin", "https://a")]),
        ("OPTIONS", vec![("access-control-request-method", "POST")]),
        (
            "POST",
            vec![
                ("origin", "https://a"),
                ("access-control-request-method", "POST"),
            ],
        ),
        (
            "POST",
            vec![
                ("x-http-method-override", "OPTIONS"),
                ("origin", "https://a"),
                ("access-control-request-method", "POST"),
            ],
        ),
    ] {
        let mut call = stack.gateway.call(method, "/mcp/locked");
        for (name, value) in headers {
            call = call.header(name, value);
        }
        assert_eq!(call.send().await.status, 401, "{method}");
    }
}

#[tokio::test]
async fn a_key_named_in_connection_is_no_way_round() {
    let (stack, key) = reference().await;
    // Envoy drops the headers that Connection names: the key is gone, and with it the permission.
    let answer = stack
        .gateway
        .call("POST", "/mcp/locked")
        .key(&key)
        .header("connection", "x-api-key")
        .send()
        .await;
    assert_eq!(answer.status, 401);
    // It must not be a way to keep our own headers from the upstream either.
    let answer = stack
        .gateway
        .call("POST", "/mcp/open")
        .header("connection", "x-mcp-project-id")
        .header("x-mcp-project-id", "admin")
        .send()
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        stack.upstream.last().header("x-mcp-project-id").unwrap(),
        "open"
    );
}

#[tokio::test]
async fn a_key_with_an_underscore_header_or_in_a_cookie_opens_nothing() {
    let (stack, key) = stack_with(no_normalization).await;
    for (name, value) in [
        ("x_api_key", key.clone()),
        ("X-API_KEY", key.clone()),
        ("cookie", format!("x-api-key={key}")),
        ("authorization", format!("Bearer {key}")),
        ("x-api-key-2", key.clone()),
    ] {
        let answer = stack
            .gateway
            .mcp("locked")
            .header(name, &value)
            .send()
            .await;
        assert_eq!(answer.status, 401, "{name}");
        assert_eq!(
            answer.json()["error"]["slug"],
            "MCP_API_KEY_MISSING",
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_key_of_another_project_is_told_from_no_key_by_nobody_but_the_log() {
    let (stack, key) = reference().await;
    stack.control_plane.set_project("other", true);
    let foreign = stack.gateway.mcp("other").key(&key).send().await;
    let unknown = stack.gateway.mcp("other").key(&mint_key(9)).send().await;
    assert_eq!(
        foreign.json()["error"]["message"],
        unknown.json()["error"]["message"]
    );
    assert_eq!(foreign.json()["error"]["slug"], "MCP_API_KEY_INVALID");
}

#[tokio::test]
async fn grpc_and_upgrade_requests_are_checked_like_any_other() {
    let (stack, key) = reference().await;
    let grpc = stack
        .gateway
        .call("POST", "/mcp/locked")
        .header("content-type", "application/grpc")
        .send_http2()
        .await
        .unwrap();
    // gRPC carries the refusal in its own status: 16, unauthenticated.
    assert_eq!(grpc.header("grpc-status").unwrap(), "16");
    let upgrade = stack
        .gateway
        .call("GET", "/mcp/locked")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .send()
        .await;
    assert!(matches!(upgrade.status, 401 | 403), "{}", upgrade.status);
    let connect = http::raw(
        stack.gateway.addr(),
        "CONNECT locked:443 HTTP/1.1\r\nhost: locked:443\r\n\r\n",
    )
    .await;
    assert!(
        connect.is_err() || matches!(connect.as_ref().unwrap().status, 400 | 404),
        "{connect:?}"
    );
    assert!(stack.upstream.received().is_empty());
    assert_eq!(
        stack.gateway.mcp("locked").key(&key).send().await.status,
        200
    );
}
