//! The edge API opens with its token alone.

use axum::{body::Body, http::Request};

use crate::rig::app::{App, EDGE_TOKEN};

#[tokio::test]
async fn only_the_edge_token_opens_the_edge_api() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let longer = format!("Bearer {EDGE_TOKEN}x");
    let shorter = format!("Bearer {}", &EDGE_TOKEN[1..]);
    let basic = format!("Basic {EDGE_TOKEN}");
    let spaced = format!("Bearer  {EDGE_TOKEN}");
    let project_key = format!("Bearer {}", key.plain.reveal());
    for presented in [
        "",
        "Bearer",
        "Bearer ",
        EDGE_TOKEN,
        &longer,
        &shorter,
        &basic,
        &spaced,
        &project_key,
    ] {
        for request in [
            Request::post("/edge/v1/check"),
            Request::post("/edge/v1/usage"),
            Request::get("/edge/v1/changes?after=0"),
            Request::get("/edge/v1/changes?after=nonsense"),
        ] {
            let request = request
                .header("authorization", presented)
                .body(Body::from("{}"))
                .unwrap();
            let reply = app.edge(request).await;
            reply.error(401, "INVALID_EDGE_TOKEN");
            assert_eq!(
                reply.header("www-authenticate"),
                "Bearer realm=\"edge\"",
                "{presented}"
            );
        }
    }
    let request = Request::post("/edge/v1/check").body(Body::empty()).unwrap();
    app.edge(request).await.error(401, "INVALID_EDGE_TOKEN");
}

#[tokio::test]
async fn the_scheme_may_be_written_in_any_case() {
    let app = App::start().await;
    let request = Request::get("/edge/v1/changes?after=0")
        .header("authorization", format!("bearer {EDGE_TOKEN}"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(app.edge(request).await.status, 200);
}
