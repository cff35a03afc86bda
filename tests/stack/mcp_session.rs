//! Whole MCP sessions through a real Envoy with the real control plane behind it: the official SDK's client on one side,
//! its server on the other. Neither knows of the gateway.

use serde_json::json;
use stack::deadline::{PATIENCE, eventually};
use stack::mcp_server::{McpServer, Pace, Steps};

mod client;

use client::{Client, text};

async fn whole_session(url: &str, api_key: Option<&str>, server: &McpServer, steps: &Steps) {
    let mut client = Client::connect(url, api_key).await.unwrap();
    assert_eq!(server.sessions().await, 1);
    assert_eq!(client.tools().await, ["add", "announce", "count", "echo"]);
    let sum = client.call("add", json!({"a": 2, "b": 40})).await;
    assert_eq!(text(sum), "42");

    let counted = tokio::spawn(client.call("count", json!({"to": 3})));
    steps.allow(1);
    assert_eq!(client.progress().await, 1.0);
    assert!(!counted.is_finished(), "two numbers are not counted yet");
    steps.allow(2);
    assert_eq!(text(counted.await.unwrap()), "counted to 3");
    assert_eq!(client.progress().await, 2.0);
    assert_eq!(client.progress().await, 3.0);

    eventually(PATIENCE, "the session listens", async || {
        (server.announce() == 1).then_some(())
    })
    .await;
    client.list_changed().await;

    client.close().await;
    eventually(PATIENCE, "the session is deleted", async || {
        (server.sessions().await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn direct() {
    let (pace, steps) = Pace::by_hand();
    let server = McpServer::start_with(pace).await;
    whole_session(&server.url(), None, &server, &steps).await;
}
