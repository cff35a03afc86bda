//! `POST /api/v3/org/project/api_keys/{id}/rotate`, and the command that does the same.

use serde_json::{Value, json};

use crate::rig::{
    app::{App, NOW, TestKey, cli},
    program::Database,
    reply::Reply,
};

const KEYS: &str = "/api/v3/org/project/api_keys";

async fn rotate(app: &App, key: &TestKey, by: &TestKey, body: Value) -> Reply {
    let path = format!("{KEYS}/{}/rotate", key.id);
    app.call("POST", &path, by, body).await
}

fn new_key(reply: &Reply) -> TestKey {
    assert_eq!(reply.status, 201, "{}", reply.text);
    let new = &reply.json()["new_key"];
    TestKey::of(new["id"].as_str().unwrap(), new["key"].as_str().unwrap())
}

async fn verdict(app: &App, key: &TestKey) -> Value {
    app.check("pr_a", Some(key)).await["key"]["verdict"].clone()
}

#[tokio::test]
async fn both_keys_work_until_the_grace_period_ends() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let reply = rotate(&app, &key, &key, json!({"grace_period_seconds": 60})).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    let new = new_key(&reply);
    let old = &reply.json()["old_key"];
    assert_eq!(old["expires_at"], "2026-11-23T12:01:00Z");
    assert_eq!(old["replaced_by"], new.id.as_str());
    assert_eq!(old["is_presented_key"], true);
    assert_eq!(reply.json()["new_key"]["name"], "Key");
    assert_eq!(reply.json()["new_key"]["expires_at"], Value::Null);
    app.clock.set("2026-11-23T12:00:59.999Z");
    assert_eq!(verdict(&app, &key).await, "valid");
    assert_eq!(verdict(&app, &new).await, "valid");
    app.clock.set("2026-11-23T12:01:00Z");
    assert_eq!(verdict(&app, &key).await, "expired");
    assert_eq!(verdict(&app, &new).await, "valid");
    let log = app.list("/api/v3/org/project/audit_log", &new).await;
    assert_eq!(log[0]["action"], "api_key.rotated");
    assert_eq!(log[0]["after"]["replaced_by"], new.id.as_str());
    assert_eq!(log[1]["action"], "api_key.created");
    assert!(!log[1].to_string().contains(&new.plain.reveal()[3..35]));
}

#[tokio::test]
async fn without_grace_the_old_key_ends_at_once() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let reply = rotate(&app, &key, &key, json!({"grace_period_seconds": 0})).await;
    let new = new_key(&reply);
    assert_eq!(verdict(&app, &key).await, "expired");
    assert_eq!(app.get_config(&key).await.status, 401);
    assert_eq!(app.get_config(&new).await.status, 200);
}

#[tokio::test]
async fn rotation_lengthens_no_life() {
    let app = App::start().await;
    let by = app.key("pr_a").await;
    let key = app.key_until("pr_a", Some("2026-11-23T12:00:10Z")).await;
    let reply = rotate(&app, &key, &by, json!({"grace_period_seconds": 60})).await;
    new_key(&reply);
    assert_eq!(
        reply.json()["old_key"]["expires_at"],
        "2026-11-23T12:00:10Z"
    );
    let patch = async |body: Value| {
        let path = format!("{KEYS}/{}", key.id);
        app.call("PATCH", &path, &by, body).await
    };
    for later in [json!(null), json!("2026-11-23T12:00:11Z")] {
        let reply = patch(json!({"expires_at": later})).await;
        reply.error(409, "API_KEY_REPLACED");
    }
    let reply = patch(json!({"expires_at": "2026-11-23T12:00:05Z"})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    // Also not after its end.
    app.clock.set("2026-11-23T12:00:06Z");
    let reply = patch(json!({"expires_at": null})).await;
    reply.error(409, "API_KEY_REPLACED");
}

#[tokio::test]
async fn only_a_live_key_is_rotated_and_only_once() {
    let app = App::start().await;
    let by = app.key("pr_a").await;
    let (revoked, disabled) = (app.key("pr_a").await, app.key("pr_a").await);
    let expired = app.key_until("pr_a", Some(NOW)).await;
    app.store
        .revoke_key(&cli(NOW), None, &revoked.id)
        .await
        .unwrap();
    app.store
        .disable_key(&cli(NOW), None, &disabled.id)
        .await
        .unwrap();
    let twice = app.key("pr_a").await;
    new_key(&rotate(&app, &twice, &by, json!({"grace_period_seconds": 60})).await);
    let revision = app.store.revision().await.unwrap();
    for (key, slug) in [
        (&revoked, "API_KEY_REVOKED"),
        (&disabled, "API_KEY_NOT_LIVE"),
        (&expired, "API_KEY_NOT_LIVE"),
        (&twice, "API_KEY_REPLACED"),
    ] {
        let reply = rotate(&app, key, &by, json!({"grace_period_seconds": 60})).await;
        reply.error(409, slug);
    }
    assert_eq!(app.store.revision().await.unwrap(), revision);
}

#[tokio::test]
async fn a_rotation_must_say_how_long_the_old_key_works() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let revision = app.store.revision().await.unwrap();
    for body in [
        json!({}),
        json!({"grace_period_seconds": null}),
        json!({"grace_period_seconds": -1}),
        json!({"grace_period_seconds": 1.5}),
        json!({"grace_period_seconds": 7_776_001}),
        json!({"grace_period_seconds": u64::MAX}),
        json!({"grace_period_seconds": "1"}),
        json!({"grace_period_seconds": 1, "name": "other"}),
        json!({"grace_period_seconds": 1, "expires_at": NOW}),
    ] {
        let reply = rotate(&app, &key, &key, body).await;
        reply.error(400, "INVALID_FIELDS");
    }
    assert_eq!(app.store.revision().await.unwrap(), revision);
    let longest = json!({"grace_period_seconds": 7_776_000});
    new_key(&rotate(&app, &key, &key, longest).await);
}

#[tokio::test]
async fn of_two_rotations_at_once_one_wins() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let body = json!({"grace_period_seconds": 60});
    let (one, two) = tokio::join!(
        rotate(&app, &key, &key, body.clone()),
        rotate(&app, &key, &key, body)
    );
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let keys = app.list(KEYS, &key).await;
    assert_eq!(keys.len(), 2);
}

#[test]
fn the_command_rotates_too() {
    let database = Database::fresh();
    let (id, raw) = database.seed();
    let rotated = database.json(&["key", "rotate", "--id", &id, "--grace", "24h"]);
    assert_eq!(rotated["old_key"]["id"], id);
    assert_eq!(rotated["old_key"]["replaced_by"], rotated["new_key"]["id"]);
    assert_ne!(rotated["new_key"]["key"], raw);
    assert_eq!(
        database.json(&["list", "keys"]).as_array().unwrap().len(),
        2
    );
    let text = database.run(&[
        "key",
        "create",
        "--project",
        "pr_a",
        "--name",
        "x",
        "--json",
    ]);
    let other: Value = serde_json::from_str(&text.stdout).unwrap();
    let other = other["id"].as_str().unwrap();
    let shown = database.run(&["key", "rotate", "--id", other, "--grace", "0s"]);
    assert!(shown.stdout.contains("ak_") && shown.stdout.contains("cannot be shown again"));
    for (id, grace, status) in [
        (id.as_str(), "1h", 1),
        (&id, "91d", 2),
        (&id, "-1s", 2),
        (&id, "2161h", 2),
    ] {
        let grace = format!("--grace={grace}");
        let finished = database.try_run(&["key", "rotate", "--id", id, &grace]);
        assert_eq!(finished.status.code(), Some(status), "{}", finished.stderr);
    }
}
