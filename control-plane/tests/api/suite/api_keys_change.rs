//! `PATCH` and `DELETE /api/v3/org/project/api_keys/{id}`.

use serde_json::{Value, json};

use crate::rig::{
    app::{App, NOW, TestKey, cli},
    reply::Reply,
};

const KEYS: &str = "/api/v3/org/project/api_keys";

fn one(key: &TestKey) -> String {
    format!("{KEYS}/{}", key.id)
}

async fn verdict(app: &App, key: &TestKey) -> Value {
    app.check("pr_a", Some(key)).await["key"]["verdict"].clone()
}

#[tokio::test]
async fn a_key_is_renamed_switched_off_and_on_and_given_an_expiry() {
    let app = App::start().await;
    let (key, target) = (app.key("pr_a").await, app.key("pr_a").await);
    let patch = async |body: Value| {
        let reply = app.call("PATCH", &one(&target), &key, body).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.header("cache-control"), "no-store");
        reply.json()
    };
    let before = patch(json!({})).await;
    let renamed = patch(json!({"name": "new"})).await;
    assert_eq!(
        (&renamed["name"], &renamed["status"]),
        (&json!("new"), &json!("live"))
    );
    assert_eq!(renamed["masked_key"], before["masked_key"]);
    let off = patch(json!({"disabled": true})).await;
    assert_eq!(
        (&off["status"], &off["disabled_at"]),
        (&json!("disabled"), &json!(NOW))
    );
    assert_eq!(verdict(&app, &target).await, "disabled");
    patch(json!({"disabled": false})).await;
    assert_eq!(verdict(&app, &target).await, "valid");
    patch(json!({"expires_at": "2026-11-23T12:00:01Z"})).await;
    app.clock.set("2026-11-23T12:00:01Z");
    assert_eq!(verdict(&app, &target).await, "expired");
    let back = patch(json!({"expires_at": null})).await;
    assert_eq!(
        (&back["expires_at"], &back["status"]),
        (&Value::Null, &json!("live"))
    );
    assert_eq!(verdict(&app, &target).await, "valid");

    let log = app
        .list(
            &format!("/api/v3/org/project/audit_log?target_id={}", target.id),
            &key,
        )
        .await;
    let changes: Vec<_> = log
        .iter()
        .filter(|entry| entry["action"] == "api_key.changed")
        .map(|entry| (entry["before"].clone(), entry["after"].clone()))
        .collect();
    assert_eq!(changes.len(), 5);
    assert_eq!(changes[4], (json!({"name": "Key"}), json!({"name": "new"})));
}

#[tokio::test]
async fn a_wrong_change_is_refused_whole() {
    let app = App::start().await;
    let (key, target) = (app.key("pr_a").await, app.key("pr_a").await);
    let revision = app.store.revision().await.unwrap();
    for body in [
        json!({"name": null}),
        json!({"name": "a\nb"}),
        json!({"disabled": null}),
        json!({"disabled": "yes"}),
        json!({"expires_at": NOW}),
        json!({"name": "good", "revoked_at": null}),
        json!({"name": "good", "project_id": "pr_b"}),
        json!({"name": "good", "last_used_at": null, "replaced_by": null}),
    ] {
        let reply = app.call("PATCH", &one(&target), &key, body).await;
        reply.error(400, "INVALID_FIELDS");
    }
    assert_eq!(app.store.revision().await.unwrap(), revision);
}

#[tokio::test]
async fn a_revoked_key_stays_listed_refused_and_as_it_is() {
    let app = App::start().await;
    let (key, target) = (app.key("pr_a").await, app.key("pr_a").await);
    let revoked = app.call("DELETE", &one(&target), &key, Value::Null).await;
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    assert_eq!(revoked.json()["status"], "revoked");
    assert_eq!(revoked.json()["is_presented_key"], false);
    assert_eq!(verdict(&app, &target).await, "revoked");
    let revision = app.store.revision().await.unwrap();
    app.clock.set("2026-11-23T13:00:00Z");
    let again = app.call("DELETE", &one(&target), &key, Value::Null).await;
    assert_eq!(again.text, revoked.text);
    for body in [
        json!({"disabled": false}),
        json!({"name": "x"}),
        json!({"expires_at": null}),
        json!({}),
    ] {
        app.call("PATCH", &one(&target), &key, body)
            .await
            .error(409, "API_KEY_REVOKED");
    }
    assert_eq!(app.store.revision().await.unwrap(), revision);
    let listed = app.list(&format!("{KEYS}?status=revoked"), &key).await;
    assert_eq!(listed, [revoked.json()]);
}

#[tokio::test]
async fn a_key_may_end_itself_and_is_told() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let reply = app.call("DELETE", &one(&key), &key, Value::Null).await;
    assert_eq!(reply.json()["is_presented_key"], true, "{}", reply.text);
    app.call("DELETE", &one(&key), &key, Value::Null)
        .await
        .error(401, "INVALID_API_KEY");
    let key = app.key("pr_a").await;
    let body = json!({"disabled": true});
    let reply = app.call("PATCH", &one(&key), &key, body).await;
    assert_eq!(reply.json()["is_presented_key"], true, "{}", reply.text);
    let body = json!({"disabled": false});
    app.call("PATCH", &one(&key), &key, body)
        .await
        .error(401, "INVALID_API_KEY");
}

/// Everything a caller can see of an answer.
fn whole(reply: &Reply) -> String {
    format!("{} {:?} {}", reply.status, reply.headers, reply.text)
}

#[tokio::test]
async fn another_projects_key_is_not_told_from_one_that_does_not_exist() {
    let app = App::start().await;
    app.project("pr_b").await;
    let (key, foreign) = (app.key("pr_a").await, app.key("pr_b").await);
    let gone = app.key("pr_b").await;
    app.store
        .revoke_key(&cli(NOW), None, &gone.id)
        .await
        .unwrap();
    let revision = app.store.revision().await.unwrap();
    let headers = [("x-api-key", key.plain.reveal()), ("x-request-id", "same")];
    for (method, suffix, body) in [
        ("PATCH", "", json!({"disabled": true})),
        ("DELETE", "", Value::Null),
        ("POST", "/rotate", json!({"grace_period_seconds": 0})),
    ] {
        let send = async |id: &str| {
            let path = format!("{KEYS}/{id}{suffix}");
            let reply = app.send(method, &path, &headers, body.clone()).await;
            reply.error(404, "API_KEY_NOT_FOUND");
            whole(&reply)
        };
        let expected = send("key_unknown").await;
        for id in [
            foreign.id.as_str(),
            gone.id.as_str(),
            "pr_a",
            "%00",
            "%ff",
            "..%2f",
            "a%0d%0ab",
            &"x".repeat(65),
        ] {
            assert_eq!(send(id).await, expected, "{method} {id}");
        }
    }
    assert_eq!(app.store.revision().await.unwrap(), revision);
    assert_eq!(app.get_config(&foreign).await.status, 200);
}
