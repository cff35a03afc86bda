//! Bodies: length, pieces, and what happens to them while a check is under way.

use std::time::Duration;

use stack::deadline::PATIENCE;

use super::{head, http, http2_upstream, locked, locked_with};

#[tokio::test]
async fn a_body_in_chunks_arrives_whole_without_the_trailers_that_envoy_drops() {
    let (stack, key) = locked_with(http2_upstream).await;
    let request = head(
        "POST",
        &key,
        "transfer-encoding: chunked\r\ntrailer: x-sum\r\n",
    ) + "3\r\n{\"a\r\n5;ext=1\r\n\":1}\n\r\n0\r\nx-sum: 8\r\n\r\n";
    let answer = http::raw(stack.gateway.addr(), request).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(stack.upstream.last().body, b"{\"a\":1}\n");
    // Over HTTP/1.1 Envoy takes part in trailers only where it is told to; MCP has none.
    assert_eq!(stack.upstream.last().trailers, None);
}

#[tokio::test]
async fn ten_megabytes_arrive_whole_though_the_check_comes_late() {
    let (stack, key) = locked().await;
    let body: Vec<u8> = (0..10_000_000u32).flat_map(|n| [(n % 251) as u8]).collect();
    let held = stack.control_plane.hold();
    let call = stack.gateway.call("POST", "/mcp/locked").key(&key);
    let sending = tokio::spawn(call.body(body.clone()).send());
    stack
        .gateway
        .wait_for_stat("wasmcustom.mcp_key_auth.waiters", |n| n == 1, PATIENCE)
        .await;
    assert!(stack.upstream.received().is_empty(), "nothing goes ahead");
    held.release();
    assert_eq!(sending.await.unwrap().status, 200);
    let received = stack.upstream.last().body;
    assert_eq!(received.len(), body.len());
    assert!(received == body, "byte for byte");
}

#[tokio::test]
async fn a_client_that_leaves_a_stream_is_gone_for_the_server_at_once() {
    let (stack, key) = locked().await;
    stack.upstream.stream_answers();
    let call = stack.gateway.call("GET", "/mcp/locked").key(&key);
    let (mut answer, stream) = tokio::join!(call.open(), async {
        let stream = stack.upstream.next_stream().await;
        stream.send_event("1").await;
        stream
    });
    let piece = answer.next_piece().await.unwrap().unwrap();
    assert_eq!(piece, b"data: 1\n\n");
    drop(answer);
    stream.closed_within(Duration::from_secs(5)).await;
}
