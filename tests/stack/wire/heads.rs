//! Heads: names, methods, versions.

use hyper::Version;

use super::{head, http, http2_upstream, locked, locked_with};

#[tokio::test]
async fn host_and_headers_that_nobody_knows_arrive_as_they_were_sent() {
    let (stack, key) = locked().await;
    let call = || {
        stack
            .gateway
            .mcp("locked")
            .key(&key)
            .header("mcp-param-region", "=?base64?5L2g5aW9?=")
            .header("mcp-param-x.y~z", "1")
            .header("mcp-method", "tools/call")
            .header("mcp-name", "a/b c")
            .header("last-event-id", "7_1")
            .header("x-of-tomorrow", "a, b; \"c\"")
    };
    let named = call().header("host", "mcp.example:8443").send().await;
    let own_name = stack.gateway.addr().to_string();
    for (answer, host) in [
        (named, "mcp.example:8443"),
        (call().send_http2().await.unwrap(), own_name.as_str()),
    ] {
        assert_eq!(answer.status, 200);
        let received = stack.upstream.received();
        let received = received
            .iter()
            .find(|received| received.header("host").as_deref() == Some(host));
        let received = received.expect("a request to this host");
        for (name, value) in [
            ("mcp-param-region", "=?base64?5L2g5aW9?="),
            ("mcp-param-x.y~z", "1"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "a/b c"),
            ("last-event-id", "7_1"),
            ("x-of-tomorrow", "a, b; \"c\""),
        ] {
            assert_eq!(received.header(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(received.header("x-api-key"), None);
    }
}

#[tokio::test]
async fn every_pairing_of_http_versions_carries_a_request() {
    for upstream in [Version::HTTP_11, Version::HTTP_2] {
        let (stack, key) = match upstream {
            Version::HTTP_2 => locked_with(http2_upstream).await,
            _ => locked().await,
        };
        let call = || stack.gateway.mcp("locked").key(&key);
        for answer in [call().send().await, call().send_http2().await.unwrap()] {
            assert_eq!(answer.status, 200);
            assert_eq!(stack.upstream.last().version, upstream);
            assert_eq!(stack.upstream.last().header("x-api-key"), None);
        }
        let (refused, status) = (stack.gateway.mcp("locked").send_http2(), 401);
        assert_eq!(refused.await.unwrap().status, status);
    }
}

#[tokio::test]
async fn head_is_answered_without_a_body_and_reaches_the_server_as_head() {
    let (stack, key) = locked().await;
    let answer = stack
        .gateway
        .call("HEAD", "/mcp/locked")
        .key(&key)
        .send()
        .await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(stack.upstream.last().method, "HEAD");
}

#[tokio::test]
async fn a_client_that_waits_for_leave_to_send_its_body_gets_it_or_a_refusal() {
    let (stack, key) = locked().await;
    let expecting = |key: &str| head("POST", key, "content-length: 2\r\nexpect: 100-continue\r\n");
    let answer = http::raw(stack.gateway.addr(), expecting(&key) + "{}").await;
    assert_eq!(answer.unwrap().status, 200);
    assert_eq!(stack.upstream.last().body, b"{}");

    // Without a key the refusal comes before any of the body.
    let refused = http::raw(stack.gateway.addr(), expecting("ak_none")).await;
    assert_eq!(refused.unwrap().status, 401);
    assert_eq!(stack.upstream.received().len(), 1);
}

#[tokio::test]
async fn grpc_content_types_are_requests_like_any_other() {
    let (stack, key) = locked().await;
    let call = || {
        let call = stack.gateway.call("POST", "/mcp/locked");
        call.header("content-type", "application/grpc")
            .header("te", "trailers")
            .body([0, 0, 0, 0, 2, 8, 1])
    };
    let answer = call().key(&key).send_http2().await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(stack.upstream.last().body, [0, 0, 0, 0, 2, 8, 1]);
    let content_type = stack.upstream.last().header("content-type");
    assert_eq!(content_type.as_deref(), Some("application/grpc"));

    // Envoy words a refusal of its own for gRPC clients: HTTP 200 with the status in a header. None of it is a success.
    let refused = call().send_http2().await.unwrap();
    assert_eq!(refused.header("grpc-status").as_deref(), Some("16"));
    assert_eq!(stack.upstream.received().len(), 1);
}
