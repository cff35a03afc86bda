//! The rig itself: an Envoy without the key filter proxies what it gets, in whichever runner.

use stack::stack::Stack;

async fn plain_proxy() -> Stack {
    Stack::with(|options| options.without_key_filter()).await
}

#[tokio::test]
async fn envoy_without_the_filter_proxies_to_the_upstream() {
    let stack = plain_proxy().await;
    let answer = stack.gateway.mcp("pr_open").send().await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(stack.upstream.last().target, "/mcp");
    assert!(stack.control_plane.calls().is_empty());
}
