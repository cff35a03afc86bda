//! `GET /api/v3/org/project/audit_log`: what is entered, and that it stays.

use serde_json::{Value, json};
use sqlx::{Executor as _, Row as _};

use crate::rig::{
    app::{App, CONFIG, NOW, TestKey, cli, id},
    program::Database,
};

const LOG: &str = "/api/v3/org/project/audit_log";

#[tokio::test]
async fn a_change_says_who_what_when_and_on_which_request() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let body = json!({"require_mcp_api_key": true, "display_name": "A", "is_2FA_enabled": true});
    let headers = [("x-api-key", key.plain.reveal()), ("x-request-id", "mine")];
    let changed = app.send("PATCH", CONFIG, &headers, body).await;
    assert_eq!(changed.status, 200, "{}", changed.text);

    let reply = app.call("GET", LOG, &key, Value::Null).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.json()["next_cursor"], Value::Null);
    let mut entry = reply.json()["items"][0].clone();
    let number = entry.as_object_mut().unwrap().remove("id").unwrap();
    assert!(number.as_u64().unwrap() > 0);
    assert_eq!(
        entry,
        json!({
            "at": NOW,
            "actor": {"kind": "api_key", "id": key.id, "name": "Key", "session_id": null},
            "action": "settings.changed",
            "target": {"kind": "project", "id": "pr_a", "name": "Project"},
            "project_id": "pr_a",
            "before": {"require_mcp_api_key": false},
            "after": {"require_mcp_api_key": true, "display_name": "A"},
            "request_id": "mine",
        })
    );
}

#[tokio::test]
async fn what_changes_nothing_or_is_refused_is_not_entered() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let before = app.list(LOG, &key).await;
    for body in [
        "{}",
        r#"{"require_mcp_api_key": false}"#,
        r#"{"x": 1}"#,
        "{",
    ] {
        app.patch_config(&key, body).await;
    }
    let enabled = app.store.enable_key(&cli(NOW), None, &key.id).await;
    assert_eq!(enabled.unwrap().id, key.id);
    assert_eq!(app.list(LOG, &key).await, before);
}

#[tokio::test]
async fn the_command_line_is_named_as_such() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    app.server("srv", "pr_a").await;
    app.store
        .disable_key(&cli(NOW), None, &app.key("pr_a").await.id)
        .await
        .unwrap();
    let log = app.list(LOG, &key).await;
    let actions: Vec<_> = log.iter().map(|entry| entry["action"].as_str()).collect();
    assert_eq!(
        actions,
        [
            "api_key.changed",
            "api_key.created",
            "mcp_server.created",
            "api_key.created",
            "project.created"
        ]
        .map(Some)
    );
    for entry in &log {
        let expected = json!({"kind": "cli", "id": null, "name": null, "session_id": null});
        assert_eq!(entry["actor"], expected);
        assert_eq!(entry["request_id"], Value::Null);
    }
    assert_eq!(log[0]["before"], json!({"disabled_at": null}));
    assert_eq!(log[0]["after"], json!({"disabled_at": NOW}));
    assert_eq!(log[1]["before"], Value::Null);
    assert_eq!(log[4]["after"]["config"]["require_mcp_api_key"], false);
}

#[tokio::test]
async fn each_change_by_the_program_is_entered_once() {
    let database = Database::fresh();
    let (id, _) = database.seed();
    for command in ["disable", "disable", "enable", "revoke", "revoke"] {
        database.run(&["key", command, "--id", &id]);
    }
    let mut look = database.database.connect().await;
    let rows = sqlx::query("SELECT seq, action, actor_kind FROM audit_log ORDER BY seq")
        .fetch_all(&mut look)
        .await
        .unwrap();
    let entries: Vec<(i64, String, String)> = rows
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    let expected = [
        "organisation.created",
        "project.created",
        "api_key.created",
        "api_key.changed",
        "api_key.changed",
        "api_key.revoked",
    ];
    let numbered = expected.iter().zip(1..);
    let expected: Vec<_> = numbered
        .map(|(action, seq)| (seq, (*action).to_owned(), "cli".to_owned()))
        .collect();
    assert_eq!(entries, expected);
}

#[tokio::test]
async fn the_database_refuses_to_change_or_remove_an_entry() {
    let app = App::start().await;
    let mut database = app.database().await;
    for statement in [
        "UPDATE audit_log SET actor_id = 'me'",
        "DELETE FROM audit_log",
        "DELETE FROM audit_log WHERE seq = 1",
    ] {
        let error = database.execute(statement).await.unwrap_err();
        assert!(
            error.to_string().contains("the audit log is append-only"),
            "{statement}: {error}"
        );
    }
}

#[tokio::test]
async fn a_change_that_cannot_be_entered_is_not_made() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let (settings, revision) = (
        app.get_config(&key).await.text,
        app.store.revision().await.unwrap(),
    );
    app.database()
        .await
        .execute("ALTER TABLE audit_log RENAME TO lost")
        .await
        .unwrap();
    app.patch_config(&key, r#"{"require_mcp_api_key": true}"#)
        .await
        .error(500, "INTERNAL_ERROR");
    let refused = app.store.revoke_key(&cli(NOW), None, &key.id).await;
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(app.get_config(&key).await.text, settings);
    assert_eq!(app.store.revision().await.unwrap(), revision);
}

#[tokio::test]
async fn no_entry_holds_a_secret() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    app.patch_config(&key, r#"{"require_mcp_api_key": true}"#)
        .await;
    app.store
        .revoke_key(&cli(NOW), None, &app.key("pr_a").await.id)
        .await
        .unwrap();
    let log = app.call("GET", LOG, &key, Value::Null).await.text;
    assert!(log.contains(key.id.as_str()), "{log}");
    for secret in [&key.plain.reveal()[3..35], &key.plain.sha256().to_hex()] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn a_project_sees_its_own_entries_alone() {
    let app = App::start().await;
    app.project("pr_b").await;
    let (a, b) = (app.key("pr_a").await, app.key("pr_b").await);
    app.patch_config(&a, r#"{"display_name": "A"}"#).await;
    for (key, project) in [(&a, "pr_a"), (&b, "pr_b")] {
        let log = app.list(LOG, key).await;
        assert!(!log.is_empty());
        assert!(log.iter().all(|entry| entry["project_id"] == project));
    }
    // Whatever is filtered by.
    let of = |id: &TestKey| format!("{LOG}?actor_id={0}", id.id);
    assert_eq!(app.list(&of(&a), &b).await, Vec::<Value>::new());
    assert_eq!(app.list(&of(&a), &a).await.len(), 1);
    let target = format!("{LOG}?target_id={}", id("pr_a"));
    assert_eq!(app.list(&target, &b).await, Vec::<Value>::new());
}
