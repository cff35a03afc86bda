//! Conditional requests on the settings: nobody overwrites what they have not seen.

use axum::{body::Body, http::Request};
use serde_json::{Value, json};

use crate::rig::{
    app::{App, CONFIG, TestKey},
    program::Database,
    reply::Reply,
};

async fn get(app: &App, key: &TestKey, condition: &[(&str, &str)]) -> Reply {
    let headers = [&[("x-api-key", key.plain.reveal())], condition].concat();
    app.send("GET", CONFIG, &headers, Value::Null).await
}

async fn patch(app: &App, key: &TestKey, condition: &[(&str, &str)], body: Value) -> Reply {
    let headers = [&[("x-api-key", key.plain.reveal())], condition].concat();
    app.send("PATCH", CONFIG, &headers, body).await
}

#[tokio::test]
async fn every_version_of_the_settings_has_a_tag_and_a_revision_of_its_own() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let mut seen = vec![get(&app, &key, &[]).await.header("etag").to_owned()];
    // There and back: the same settings again are another version.
    for required in [true, false, true] {
        let body = json!({"require_mcp_api_key": required});
        let changed = patch(&app, &key, &[], body.clone()).await;
        let revision = app.store.revision().await.unwrap().to_string();
        assert_eq!(changed.header("x-config-revision"), revision);
        let read = get(&app, &key, &[]).await;
        for name in ["etag", "x-config-revision"] {
            assert_eq!(read.header(name), changed.header(name));
        }
        assert_eq!(read.text, changed.text);
        let tag = read.header("etag").to_owned();
        assert!(!seen.contains(&tag), "{tag} of {seen:?}");
        seen.push(tag);
        // What changes nothing, and what changes something else, make no new version.
        app.key("pr_a").await;
        let same = patch(&app, &key, &[], body).await;
        assert_eq!(same.header("x-config-revision"), revision);
        assert_eq!(same.header("etag"), seen.last().unwrap());
    }
}

#[tokio::test]
async fn a_change_of_what_was_seen_is_made_and_of_anything_else_refused() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let seen = get(&app, &key, &[]).await.header("etag").to_owned();
    let first = patch(
        &app,
        &key,
        &[("if-match", &seen)],
        json!({"display_name": "A"}),
    )
    .await;
    assert_eq!(first.status, 200, "{}", first.text);
    let revision = app.store.revision().await.unwrap();
    let second = patch(
        &app,
        &key,
        &[("if-match", &seen)],
        json!({"display_name": "B"}),
    )
    .await;
    let error = second.error(412, "SETTINGS_CHANGED");
    assert!(
        error["suggested_fix"]
            .as_str()
            .unwrap()
            .contains("if-match")
    );
    assert_eq!(get(&app, &key, &[]).await.json()["display_name"], "A");
    assert_eq!(app.store.revision().await.unwrap(), revision);
    // Also a change that would change nothing.
    patch(
        &app,
        &key,
        &[("if-match", &seen)],
        json!({"display_name": "A"}),
    )
    .await
    .error(412, "SETTINGS_CHANGED");
    let now = first.header("etag");
    for condition in [
        ("if-match", "*"),
        ("if-match", &format!("{seen}, {now}")),
        ("if-none-match", &seen),
    ] {
        let reply = patch(&app, &key, &[condition], json!({})).await;
        assert_eq!(reply.status, 200, "{condition:?}: {}", reply.text);
    }
    for condition in [
        ("if-match", format!("W/{now}")),
        ("if-none-match", now.to_owned()),
        ("if-none-match", "*".to_owned()),
    ] {
        let condition = [(condition.0, condition.1.as_str())];
        patch(&app, &key, &condition, json!({}))
            .await
            .error(412, "SETTINGS_CHANGED");
    }
}

#[tokio::test]
async fn settings_that_the_caller_has_are_not_sent_again() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let tag = get(&app, &key, &[]).await.header("etag").to_owned();
    for known in [
        tag.clone(),
        format!("W/{tag}"),
        "*".to_owned(),
        format!("\"x\", {tag}"),
    ] {
        let reply = get(&app, &key, &[("if-none-match", &known)]).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (304, ""));
        assert_eq!(reply.header("etag"), tag);
    }
    patch(&app, &key, &[], json!({"display_name": "A"})).await;
    let reply = get(&app, &key, &[("if-none-match", &tag)]).await;
    assert_eq!(reply.status, 200);
    assert_ne!(reply.header("etag"), tag);
    get(&app, &key, &[("if-match", &tag)])
        .await
        .error(412, "SETTINGS_CHANGED");
}

#[tokio::test]
async fn a_condition_that_cannot_be_read_is_refused() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let lock = r#"{"require_mcp_api_key": true}"#;
    for name in ["if-match", "if-none-match"] {
        for value in [&b""[..], b"7-ab", b"\"7", b"\xff\"a\"", b"\"a\", b"] {
            let request = Request::patch(CONFIG)
                .header("x-api-key", key.plain.reveal())
                .header("content-type", "application/json")
                .header(name, value);
            let reply = app.public(request.body(Body::from(lock)).unwrap()).await;
            reply.error(400, "INVALID_CONDITION");
        }
    }
    assert_eq!(
        get(&app, &key, &[]).await.json()["require_mcp_api_key"],
        false
    );
}

#[tokio::test]
async fn another_projects_tag_is_no_use() {
    let app = App::start().await;
    app.project("pr_b").await;
    let (a, b) = (app.key("pr_a").await, app.key("pr_b").await);
    let tag = get(&app, &b, &[]).await.header("etag").to_owned();
    patch(
        &app,
        &a,
        &[("if-match", &tag)],
        json!({"display_name": "A"}),
    )
    .await
    .error(412, "SETTINGS_CHANGED");
}

/// Two servers, and an editor at each who counts one number up: what they have not seen they do not overwrite.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_editors_at_once_each_change_builds_on_the_other() {
    const EACH: u64 = 15;
    let database = Database::fresh();
    let (_, key) = database.seed();
    let servers = [database.serve(&[]), database.serve(&[])];
    let (one, two) = tokio::join!(
        count_up(&servers[0], &key, EACH),
        count_up(&servers[1], &key, EACH)
    );
    let settings = servers[0].patch(&key, &json!({})).send().await.unwrap();
    let settings: Value = settings.json().await.unwrap();
    assert_eq!(settings["signed_url_file_expiry_in_seconds"], 2 * EACH);
    assert!(one + two > 0, "the two never raced");
}

/// Adds one so many times; how often it had to begin again.
async fn count_up(server: &crate::rig::program::Server, key: &str, times: u64) -> u64 {
    let (mut refused, mut done) = (0, 0);
    while done < times {
        let read = server.patch(key, &json!({})).send().await.unwrap();
        let tag = read.headers()["etag"].clone();
        let settings: Value = read.json().await.unwrap();
        let number = settings["signed_url_file_expiry_in_seconds"].as_u64();
        let next = json!({"signed_url_file_expiry_in_seconds": number.unwrap_or(0) + 1});
        let changed = server.patch(key, &next).header("if-match", tag);
        match changed.send().await.unwrap().status().as_u16() {
            200 => done += 1,
            412 => refused += 1,
            other => panic!("{other}"),
        }
    }
    refused
}
