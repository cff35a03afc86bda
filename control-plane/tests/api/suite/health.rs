//! `/healthz` and `/readyz`, on both ports, without a key.

use axum::{body::Body, http::Request};
use sqlx::Executor as _;

use crate::rig::app::App;

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_healthy_service_is_alive_and_ready() {
    let app = App::start().await;
    for path in ["/healthz", "/readyz"] {
        for reply in [app.public(get(path)).await, app.edge(get(path)).await] {
            assert_eq!(
                (reply.status.as_u16(), reply.text.as_str()),
                (200, r#"{"status":"ok"}"#),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn without_a_database_it_is_alive_and_not_ready() {
    let app = App::start().await;
    app.database()
        .await
        .execute("ALTER TABLE revision RENAME TO lost")
        .await
        .unwrap();
    for reply in [
        app.public(get("/readyz")).await,
        app.edge(get("/readyz")).await,
    ] {
        reply.error(503, "NOT_READY");
        assert_eq!(reply.header("retry-after"), "1");
    }
    assert_eq!(app.public(get("/healthz")).await.status, 200);
}
