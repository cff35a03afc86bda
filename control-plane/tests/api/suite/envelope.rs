//! What every answer has in common: the error envelope and the request id.

use axum::{body::Body, http::Request};
use sqlx::Executor as _;

use crate::{
    TestDatabase,
    rig::app::{App, CONFIG, check_request},
};

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn an_unknown_path_is_not_found_on_both_ports() {
    let app = App::start().await;
    for path in [
        "/api/v3/org/project",
        "/api/v3/org/project/config/",
        "/nope",
    ] {
        app.public(get(path)).await.error(404, "NOT_FOUND");
        app.edge(get(path)).await.error(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn neither_port_serves_the_other_ones_routes() {
    let app = App::start().await;
    app.public(check_request("{}"))
        .await
        .error(404, "NOT_FOUND");
    app.edge(get(CONFIG)).await.error(404, "NOT_FOUND");
}

#[tokio::test]
async fn another_method_is_told_which_ones_there_are() {
    let app = App::start().await;
    let request = Request::delete(CONFIG).body(Body::empty()).unwrap();
    let reply = app.public(request).await;
    reply.error(405, "METHOD_NOT_ALLOWED");
    assert_eq!(reply.header("allow"), "GET,HEAD,PATCH");
    app.edge(get("/edge/v1/check"))
        .await
        .error(405, "METHOD_NOT_ALLOWED");
}

#[tokio::test]
async fn a_sane_request_id_comes_back_and_another_is_replaced() {
    let app = App::start().await;
    let send = async |request_id: &[u8]| {
        let request = Request::get("/healthz").header("x-request-id", request_id);
        let reply = app.public(request.body(Body::empty()).unwrap()).await;
        reply.header("x-request-id").to_owned()
    };
    assert_eq!(send(b"trace-1:2/3").await, "trace-1:2/3");
    for bad in [&b"a b"[..], b"", b"<script>", &[b'x'; 129], b"\xff"] {
        let id = send(bad).await;
        assert!(id.starts_with("req_") && id.len() == 36, "{id}");
    }
    assert_ne!(send(b"").await, send(b"").await);
    let request = Request::get(CONFIG)
        .header("x-request-id", "mine")
        .body(Body::empty())
        .unwrap();
    assert_eq!(
        app.public(request).await.error(401, "NO_AUTH_PROVIDED")["request_id"],
        "mine"
    );
}

#[tokio::test]
async fn a_failing_database_is_our_error_and_tells_nothing_of_itself() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    app.database()
        .await
        .execute("ALTER TABLE projects RENAME TO lost")
        .await
        .unwrap();
    for reply in [
        app.get_config(&key).await,
        app.patch_config(&key, "{}").await,
        app.edge(check_request(
            r#"{"subject":{"project_id":"pr_a"},"key_sha256":null}"#,
        ))
        .await,
    ] {
        reply.error(500, "INTERNAL_ERROR");
        assert!(
            !reply.text.contains("projects") && !reply.text.contains("table"),
            "{}",
            reply.text
        );
    }
}

#[tokio::test]
async fn a_panic_is_our_error_and_the_next_request_is_served() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    app.clock.break_down();
    app.get_config(&key).await.error(500, "INTERNAL_ERROR");
    app.clock.set("2026-11-23T12:00:00Z");
    assert_eq!(app.get_config(&key).await.status, 200);
}

#[tokio::test]
async fn a_database_that_another_process_keeps_locked_is_worth_another_try() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let mut other = app.database().await;
    other.execute(TestDatabase::BEGIN_CHANGE).await.unwrap();
    let change = r#"{"require_mcp_api_key": true}"#;
    let refused = app.patch_config(&key, change).await;
    refused.error(503, "NOT_READY");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(app.get_config(&key).await.status, 200, "reads go on");
    other.execute("ROLLBACK").await.unwrap();
    assert_eq!(app.patch_config(&key, change).await.status, 200);
}
