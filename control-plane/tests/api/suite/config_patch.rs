//! `PATCH /api/v3/org/project/config`, per caller and body.

use axum::{body::Body, http::Request};
use serde_json::json;

use crate::rig::app::{App, CONFIG, cli};

#[tokio::test]
async fn the_announcements_call_gets_the_announcements_answer() {
    let app = App::start().await;
    let reply = app
        .patch_config(&app.key("pr_a").await, r#"{"require_mcp_api_key": true}"#)
        .await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.text,
        include_str!("../golden/patch_answer.json").trim_end()
    );
}

#[tokio::test]
async fn every_setting_can_be_changed_and_the_others_stay() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let mut expected = app.get_config(&key).await.json();
    for (name, value) in [
        ("require_mcp_api_key", json!(true)),
        ("is_2FA_enabled", json!(false)),
        ("mask_secret_keys_in_connected_account", json!(false)),
        ("log_visibility_setting", json!("dont_store_data")),
        ("logo_url", json!("https://example.com/logo.png")),
        ("display_name", json!("Acme")),
        ("is_composio_link_enabled_for_managed_auth", json!(false)),
        ("signed_url_file_expiry_in_seconds", json!(3600)),
    ] {
        expected[name] = value.clone();
        let reply = app
            .patch_config(&key, json!({ name: value }).to_string())
            .await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.json(), expected, "{name}");
        assert_eq!(app.get_config(&key).await.json(), expected, "{name}");
    }
}

#[tokio::test]
async fn null_unsets_an_optional_setting() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let before = app.get_config(&key).await.text;
    let body = json!({"logo_url": "https://example.com/", "display_name": "A",
        "is_composio_link_enabled_for_managed_auth": true, "signed_url_file_expiry_in_seconds": 1});
    assert_eq!(app.patch_config(&key, body.to_string()).await.status, 200);
    let body = json!({"logo_url": null, "display_name": null,
        "is_composio_link_enabled_for_managed_auth": null, "signed_url_file_expiry_in_seconds": null});
    assert_eq!(app.patch_config(&key, body.to_string()).await.text, before);
}

#[tokio::test]
async fn a_bad_field_changes_nothing_and_is_named() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let (before, revision) = (
        app.get_config(&key).await.text,
        app.store.revision().await.unwrap(),
    );
    for (body, names) in [
        (
            json!({"require_mcp_api_key": true, "is_2FA_enabled": "no"}),
            vec!["is_2FA_enabled"],
        ),
        (
            json!({"require_mcp_api_key": null}),
            vec!["require_mcp_api_key"],
        ),
        (
            json!({"require_mcp_api_key": 1, "display_name": 2}),
            vec!["require_mcp_api_key", "display_name"],
        ),
        (
            json!({"log_visibility_setting": "show_none"}),
            vec!["log_visibility_setting"],
        ),
        (
            json!({"require_mcp_api_keys": true, "require_mcp_api_key": true}),
            vec!["require_mcp_api_keys"],
        ),
    ] {
        let reply = app.patch_config(&key, body.to_string()).await;
        let error = reply.error(400, "INVALID_FIELDS");
        let errors = error["errors"].as_array().unwrap();
        assert_eq!(errors.len(), names.len(), "{errors:?}");
        for name in names {
            let named = errors
                .iter()
                .any(|error| error.as_str().unwrap().contains(name));
            assert!(named, "{name}: {errors:?}");
        }
    }
    assert_eq!(app.get_config(&key).await.text, before);
    assert_eq!(app.store.revision().await.unwrap(), revision);
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    for body in [
        "",
        "{",
        "[]",
        "null",
        "true",
        "require_mcp_api_key=true",
        "\u{0}",
    ] {
        app.patch_config(&key, body)
            .await
            .error(400, "INVALID_BODY");
    }
}

#[tokio::test]
async fn a_change_raises_the_revision_once_and_no_change_does_not() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let revision = app.store.revision().await.unwrap();
    app.patch_config(
        &key,
        r#"{"require_mcp_api_key": true, "is_2FA_enabled": false}"#,
    )
    .await;
    assert_eq!(app.store.revision().await.unwrap(), revision + 1);
    for body in [
        r#"{"require_mcp_api_key": true}"#,
        "{}",
        r#"{"logo_url": null}"#,
    ] {
        assert_eq!(app.patch_config(&key, body).await.status, 200, "{body}");
        assert_eq!(app.store.revision().await.unwrap(), revision + 1, "{body}");
    }
}

#[tokio::test]
async fn a_key_changes_no_other_project() {
    let app = App::start().await;
    app.project("pr_b").await;
    app.patch_config(&app.key("pr_a").await, r#"{"require_mcp_api_key": true}"#)
        .await;
    assert_eq!(
        app.check("pr_a", None).await["project"]["require_mcp_api_key"],
        true
    );
    assert_eq!(
        app.check("pr_b", None).await["project"]["require_mcp_api_key"],
        false
    );
}

#[tokio::test]
async fn without_a_live_key_nothing_is_read_or_changed() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    app.store
        .revoke_key(&cli("2026-11-23T11:00:00Z"), None, &key.id)
        .await
        .unwrap();
    // The key is judged first: a body that would be refused makes no difference.
    for body in [r#"{"require_mcp_api_key": true}"#, "{"] {
        app.patch_config(&key, body)
            .await
            .error(401, "INVALID_API_KEY");
        let request = Request::patch(CONFIG).body(Body::from(body)).unwrap();
        app.public(request).await.error(401, "NO_AUTH_PROVIDED");
    }
    assert_eq!(
        app.check("pr_a", None).await["project"]["require_mcp_api_key"],
        false
    );
}

#[tokio::test]
async fn a_body_that_is_not_declared_as_json_is_refused() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        let mut request = Request::patch(CONFIG).header("x-api-key", key.plain.reveal());
        if let Some(value) = content_type {
            request = request.header("content-type", value);
        }
        let body = Body::from(r#"{"require_mcp_api_key": true}"#);
        app.public(request.body(body).unwrap())
            .await
            .error(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    assert_eq!(
        app.check("pr_a", None).await["project"]["require_mcp_api_key"],
        false
    );
}

#[tokio::test]
async fn a_body_may_have_64_kib_and_not_a_byte_more() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let json = r#"{"require_mcp_api_key": true}"#;
    let body = |len: usize| json.to_owned() + &" ".repeat(len - json.len());
    app.patch_config(&key, body(65_537))
        .await
        .error(413, "BODY_TOO_LARGE");
    assert_eq!(
        app.check("pr_a", None).await["project"]["require_mcp_api_key"],
        false
    );
    assert_eq!(app.patch_config(&key, body(65_536)).await.status, 200);
}
