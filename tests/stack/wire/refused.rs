//! What is no request of MCP: asked for with a good key, so that it is Envoy's answer that is looked at.

use super::{head, http, locked};

#[tokio::test]
async fn upgrades_and_tunnels_are_refused_with_a_key_too() {
    let (stack, key) = locked().await;
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                   sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let answer = http::raw(stack.gateway.addr(), head("GET", &key, upgrade)).await;
    assert_eq!(answer.unwrap().status, 403);
    for target in ["upstream:80", "/mcp/locked"] {
        let call = stack.gateway.call("CONNECT", target).key(&key);
        if let Ok(answer) = call.try_send().await {
            assert!(
                [400, 403, 404].contains(&answer.status),
                "{target}: {}",
                answer.status
            );
        }
    }
    assert!(stack.upstream.received().is_empty());
}
