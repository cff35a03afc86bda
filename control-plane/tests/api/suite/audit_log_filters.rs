//! `GET /api/v3/org/project/audit_log`: which entries are listed, page by page.

use serde_json::{Value, json};

use crate::rig::app::{App, CONFIG, TestKey, cli};

const LOG: &str = "/api/v3/org/project/audit_log";

#[tokio::test]
async fn pages_hold_every_entry_once_while_others_are_added() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    for n in 0..9 {
        app.call(
            "PATCH",
            CONFIG,
            &key,
            json!({"display_name": n.to_string()}),
        )
        .await;
    }
    let expected = app.list(LOG, &key).await;
    assert_eq!(expected.len(), 11);
    let mut seen = Vec::new();
    let mut path = format!("{LOG}?limit=4");
    loop {
        let page = app.call("GET", &path, &key, Value::Null).await.json();
        seen.extend(page["items"].as_array().unwrap().clone());
        app.call("PATCH", CONFIG, &key, json!({"display_name": path}))
            .await;
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{LOG}?limit=4&cursor={cursor}");
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn entries_are_chosen_by_action_actor_target_and_time() {
    let app = App::start().await;
    let (key, other) = (app.key("pr_a").await, app.key("pr_a").await);
    app.clock.set("2026-11-23T12:00:01Z");
    app.patch_config(&key, r#"{"display_name": "A"}"#).await;
    app.clock.set("2026-11-23T12:00:02Z");
    app.patch_config(&other, r#"{"display_name": "B"}"#).await;
    let count = async |filter: &str| app.list(&format!("{LOG}?{filter}"), &key).await.len();
    assert_eq!(count("action=settings.changed").await, 2);
    assert_eq!(count("action=mcp_server.created").await, 0);
    assert_eq!(count(&format!("actor_id={}", key.id)).await, 1);
    assert_eq!(count(&format!("target_id={}", key.id)).await, 1);
    assert_eq!(count("since=2026-11-23T12:00:02Z").await, 1);
    assert_eq!(count("until=2026-11-23T12:00:01Z").await, 3);
    let both = "since=2026-11-23T12:00:01Z&until=2026-11-23T12:00:02Z";
    assert_eq!(count(both).await, 1);
    assert_eq!(count(&format!("{both}&actor_id={}", other.id)).await, 0);
}

#[tokio::test]
async fn a_wrong_query_is_refused() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    for query in [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=x",
        "cursor=",
        "cursor=-1",
        "cursor=1;",
        "cursor=99999999999999999999",
        "cursor=1%20OR%201=1",
        "cursor=1&cursor=2",
        "action=everything",
        "actor_id=a%2Fb",
        "target_id=",
        "since=yesterday",
        "project_ids=pr_b",
    ] {
        let reply = app
            .call("GET", &format!("{LOG}?{query}"), &key, Value::Null)
            .await;
        reply.error(400, "INVALID_QUERY");
    }
}

#[tokio::test]
async fn a_forged_cursor_shows_nothing_of_others() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    app.project("pr_b").await;
    app.patch_config(&app.key("pr_b").await, r#"{"display_name": "B"}"#)
        .await;
    for cursor in [0, 1, 3, 1_000, u64::MAX] {
        let log = app.list(&format!("{LOG}?cursor={cursor}"), &key).await;
        assert!(log.iter().all(|entry| entry["project_id"] == "pr_a"));
    }
}

#[tokio::test]
async fn without_a_live_key_nothing_is_listed() {
    let app = App::start().await;
    let key: TestKey = app.key("pr_a").await;
    app.send("GET", LOG, &[], Value::Null)
        .await
        .error(401, "NO_AUTH_PROVIDED");
    app.store
        .revoke_key(&cli("2026-11-23T11:00:00Z"), None, &key.id)
        .await
        .unwrap();
    app.call("GET", LOG, &key, Value::Null)
        .await
        .error(401, "INVALID_API_KEY");
}
