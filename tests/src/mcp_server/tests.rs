//! The server by itself, over HTTP: what a gateway in front of it relies on.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use super::McpServer;
use crate::deadline::{PATIENCE, eventually};
use crate::http;

/// As people paste it: curl's Accept, no params, and the gateway's name in Host.
async fn bare_initialize(server: &McpServer) -> Response {
    post(server)
        .header("host", "mcp.example.com")
        .header("accept", "*/*")
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"}))
        .send()
        .await
        .unwrap()
}

fn post(server: &McpServer) -> reqwest::RequestBuilder {
    http::client().post(server.url())
}

/// The first JSON-RPC message of an SSE body.
fn first_message(body: &str) -> Value {
    body.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .find_map(|data| serde_json::from_str(data).ok())
        .expect("a message in the body")
}

#[tokio::test]
async fn an_initialize_as_bare_as_curls_is_answered() {
    let server = McpServer::start().await;
    let response = bare_initialize(&server).await;
    assert_eq!(response.status(), StatusCode::OK);
    let message = first_message(&response.text().await.unwrap());
    assert_eq!(message["id"], 1);
    assert!(
        message["result"]["capabilities"]["tools"].is_object(),
        "{message}"
    );
}

#[tokio::test]
async fn other_messages_are_held_to_the_protocol() {
    let server = McpServer::start().await;
    let response = post(&server)
        .header("accept", "*/*")
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn a_deleted_session_is_gone() {
    let server = McpServer::start().await;
    let session = bare_initialize(&server).await.headers()["mcp-session-id"].clone();
    let get = async || {
        http::client()
            .get(server.url())
            .header("accept", "text/event-stream")
            .header("mcp-session-id", session.clone())
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(get().await, StatusCode::OK);
    let deleted = http::client()
        .delete(server.url())
        .header("mcp-session-id", session.clone())
        .send()
        .await
        .unwrap();
    assert!(deleted.status().is_success());
    assert_eq!(get().await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_dropped_server_stops_listening() {
    let server = McpServer::start().await;
    let url = server.url();
    drop(server);
    eventually(PATIENCE, "connections are refused", async || {
        http::client().get(&url).send().await.is_err().then_some(())
    })
    .await;
}
