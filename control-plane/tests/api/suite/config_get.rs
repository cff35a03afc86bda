//! `GET /api/v3/org/project/config`, per caller.

use axum::{body::Body, http::Request};

use crate::rig::{
    app::{App, CONFIG, NOW, TestKey, cli},
    reply::Reply,
};

#[tokio::test]
async fn a_live_key_reads_its_own_projects_settings_in_the_announced_order() {
    let app = App::start().await;
    let reply = app.get_config(&app.key("pr_a").await).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.text,
        r#"{"require_mcp_api_key":false,"is_2FA_enabled":true,"mask_secret_keys_in_connected_account":true,"log_visibility_setting":"show_all"}"#
    );
    assert_eq!(reply.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_key_reads_no_other_project() {
    let app = App::start().await;
    app.project("pr_b").await;
    let (a, b) = (app.key("pr_a").await, app.key("pr_b").await);
    app.patch_config(&a, r#"{"display_name": "A"}"#).await;
    assert_eq!(app.get_config(&a).await.json()["display_name"], "A");
    assert_eq!(app.get_config(&b).await.json().get("display_name"), None);
}

#[tokio::test]
async fn no_key_is_refused() {
    let app = App::start().await;
    let reply = app
        .public(Request::get(CONFIG).body(Body::empty()).unwrap())
        .await;
    let error = reply.error(401, "NO_AUTH_PROVIDED");
    assert_eq!(error["code"], 906);
    assert_eq!(
        reply.header("www-authenticate"),
        "ApiKey realm=\"api\", header=\"x-api-key\""
    );
}

#[tokio::test]
async fn two_key_headers_are_refused() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let request = Request::get(CONFIG)
        .header("x-api-key", key.plain.reveal())
        .header("x-api-key", key.plain.reveal());
    let reply = app.public(request.body(Body::empty()).unwrap()).await;
    reply.error(401, "AMBIGUOUS_AUTH_PROVIDED");
}

#[tokio::test]
async fn keys_that_open_nothing_cannot_be_told_apart() {
    let app = App::start().await;
    let revoked = app.key("pr_a").await;
    app.store
        .revoke_key(&cli("2026-11-23T11:00:00Z"), None, &revoked.id)
        .await
        .unwrap();
    let disabled = app.key("pr_a").await;
    app.store
        .disable_key(&cli("2026-11-23T11:00:00Z"), None, &disabled.id)
        .await
        .unwrap();
    let expired = app.key_until("pr_a", Some("2026-11-23T12:00:00Z")).await;
    let unknown = control_plane::key::PlainKey::generate().unwrap();

    let refused = |name: &'static str, presented: String| {
        let app = &app;
        async move {
            let request = Request::get(CONFIG)
                .header("x-api-key", presented)
                .header("x-request-id", "same");
            let reply = app.public(request.body(Body::empty()).unwrap()).await;
            reply.error(401, "INVALID_API_KEY");
            (name, whole(&reply))
        }
    };
    let (_, expected) = refused("unknown", unknown.reveal().to_owned()).await;
    for (name, text) in [
        refused("revoked", revoked.plain.reveal().to_owned()).await,
        refused("disabled", disabled.plain.reveal().to_owned()).await,
        refused("expired", expired.plain.reveal().to_owned()).await,
        refused("malformed", "ak_your_api_key".to_owned()).await,
        refused("empty", String::new()).await,
    ] {
        assert_eq!(text, expected, "{name}");
    }
}

#[tokio::test]
async fn a_key_is_refused_from_its_expiry_on_and_not_before() {
    let app = App::start().await;
    let key = app.key_until("pr_a", Some("2026-11-23T12:00:01Z")).await;
    let status = async |key: &TestKey| app.get_config(key).await.status.as_u16();
    assert_eq!(status(&key).await, 200);
    app.clock.set("2026-11-23T12:00:00.999Z");
    assert_eq!(status(&key).await, 200);
    app.clock.set("2026-11-23T12:00:01Z");
    assert_eq!(status(&key).await, 401);
}

#[tokio::test]
async fn a_key_that_is_switched_on_again_is_taken() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    app.store
        .disable_key(&cli("2026-11-23T11:00:00Z"), None, &key.id)
        .await
        .unwrap();
    assert_eq!(app.get_config(&key).await.status, 401);
    app.store
        .enable_key(&cli(NOW), None, &key.id)
        .await
        .unwrap();
    assert_eq!(app.get_config(&key).await.status, 200);
}

/// Everything a caller can see of an answer.
fn whole(reply: &Reply) -> String {
    format!("{} {:?} {}", reply.status, reply.headers, reply.text)
}
