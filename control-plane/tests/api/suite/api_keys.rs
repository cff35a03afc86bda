//! `GET` and `POST /api/v3/org/project/api_keys`.

use edge_api::{id::Id, key_format};
use serde_json::{Value, json};
use sqlx::Executor as _;

use crate::rig::app::{App, MAX_KEYS, NOW, TestKey, cli};

const KEYS: &str = "/api/v3/org/project/api_keys";

#[tokio::test]
async fn a_new_key_is_shown_once_opens_its_project_and_is_entered() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let expiry = "2027-01-31T12:00:00Z";
    let body = json!({"name": "ci", "expires_at": expiry});
    let reply = app.call("POST", KEYS, &key, body).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    assert_eq!(reply.header("cache-control"), "no-store");
    let mut created = reply.json();
    let raw = created.as_object_mut().unwrap().remove("key").unwrap();
    let raw = raw.as_str().unwrap();
    assert!(key_format::is_well_formed(raw.as_bytes()));
    let id = created["id"].as_str().unwrap().to_owned();
    assert_eq!(
        created,
        json!({
            "id": id, "name": "ci", "masked_key": format!("ak_…{}", &raw[37..]), "status": "live",
            "created_at": NOW, "expires_at": expiry, "disabled_at": null, "revoked_at": null,
            "last_used_at": null, "replaced_by": null, "is_presented_key": false,
        })
    );
    let new = TestKey::of(&id, raw);
    assert_eq!(
        app.check("pr_a", Some(&new)).await["key"]["verdict"],
        "valid"
    );
    assert_eq!(app.get_config(&new).await.status, 200);

    let listed = app.call("GET", KEYS, &new, Value::Null).await;
    assert!(!listed.text.contains(raw), "{}", listed.text);
    assert_eq!(listed.header("cache-control"), "no-store");
    let items = listed.json()["items"].clone();
    let presented = |item: &Value| item["is_presented_key"] == true;
    for item in items.as_array().unwrap() {
        assert_eq!(presented(item), item["id"] == *id, "{item}");
    }
    let entry = &app.list("/api/v3/org/project/audit_log", &key).await[0];
    assert_eq!(entry["action"], "api_key.created");
    assert_eq!(entry["actor"]["id"], key.id.as_str());
    assert_eq!(entry["after"]["name"], "ci");
    assert!(!entry.to_string().contains(&raw[3..35]), "{entry}");
}

#[tokio::test]
async fn what_is_not_a_sound_key_is_refused_with_every_mistake() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let keys = app.list(KEYS, &key).await;
    for (body, names) in [
        (json!({}), vec!["name"]),
        (json!({"name": null}), vec!["name"]),
        (json!({"name": ""}), vec!["name"]),
        (json!({"name": " a"}), vec!["name"]),
        (json!({"name": "a\r\nx-evil: 1"}), vec!["name"]),
        (json!({"name": "x".repeat(101)}), vec!["name"]),
        (json!({"name": "x".repeat(60_000)}), vec!["name"]),
        (
            json!({"name": 1, "expires_at": "soon"}),
            vec!["name", "expires_at"],
        ),
        (json!({"name": "a", "expires_at": NOW}), vec!["expires_at"]),
        (json!({"name": "a", "expires_at": 5}), vec!["expires_at"]),
        // Nothing but what is asked for can be set.
        (
            json!({"name": "a", "project_id": "pr_b", "id": "key_mine", "key": "ak_mine", "sha256": "",
                   "revoked_at": null, "masked_key": "", "last_used_at": NOW}),
            vec![
                "project_id",
                "\"id\"",
                "\"key\"",
                "sha256",
                "revoked_at",
                "masked_key",
                "last_used_at",
            ],
        ),
    ] {
        let reply = app.call("POST", KEYS, &key, body.clone()).await;
        let error = reply.error(400, "INVALID_FIELDS");
        let errors = error["errors"].as_array().unwrap();
        assert_eq!(errors.len(), names.len(), "{body}: {errors:?}");
        for name in names {
            assert!(
                errors.iter().any(|e| e.as_str().unwrap().contains(name)),
                "{name}: {errors:?}"
            );
        }
        assert!(reply.text.len() < 2_000, "{}", reply.text);
    }
    for body in [json!([]), json!("a")] {
        let reply = app.call("POST", KEYS, &key, body).await;
        reply.error(400, "INVALID_BODY");
    }
    assert_eq!(app.list(KEYS, &key).await, keys);
}

#[tokio::test]
async fn a_project_has_so_many_keys_and_no_more() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let create = async || app.call("POST", KEYS, &key, json!({"name": "k"})).await;
    let mut last = Value::Null;
    for _ in 1..MAX_KEYS {
        let reply = create().await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        last = reply.json();
    }
    let error = create().await.error(409, "LIMIT_REACHED");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(&MAX_KEYS.to_string()), "{message}");
    let rotate = format!("{KEYS}/{}/rotate", key.id);
    app.call("POST", &rotate, &key, json!({"grace_period_seconds": 1}))
        .await
        .error(409, "LIMIT_REACHED");
    // Another project has its own, and a revoked key makes room.
    app.project("pr_b").await;
    let other = app.key("pr_b").await;
    let reply = app.call("POST", KEYS, &other, json!({"name": "k"})).await;
    assert_eq!(reply.status, 201);
    let path = format!("{KEYS}/{}", last["id"].as_str().unwrap());
    assert_eq!(
        app.call("DELETE", &path, &key, Value::Null).await.status,
        200
    );
    assert_eq!(create().await.status, 201);
}

#[tokio::test]
async fn the_limit_holds_for_many_at_once() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let all = (0..MAX_KEYS + 5).map(|_| app.call("POST", KEYS, &key, json!({"name": "k"})));
    let replies = futures::future::join_all(all).await;
    let created = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(created, MAX_KEYS as usize - 1);
}

#[tokio::test]
async fn keys_are_listed_by_state_and_revoked_ones_only_when_asked_for() {
    let app = App::start().await;
    let live = app.key("pr_a").await;
    let expired = app.key_until("pr_a", Some(NOW)).await;
    let (disabled, revoked) = (app.key("pr_a").await, app.key("pr_a").await);
    for key in [&disabled, &revoked] {
        app.store
            .disable_key(&cli(NOW), None, &key.id)
            .await
            .unwrap();
    }
    app.store
        .revoke_key(&cli(NOW), None, &revoked.id)
        .await
        .unwrap();
    let ids = async |query: &str| {
        let items = app.list(&format!("{KEYS}{query}"), &live).await;
        let mut ids: Vec<_> = items
            .iter()
            .map(|item| Id::parse(item["id"].as_str().unwrap()).unwrap())
            .collect();
        ids.sort();
        ids
    };
    let sorted = |keys: &[&TestKey]| {
        let mut ids: Vec<_> = keys.iter().map(|key| key.id.clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids("").await, sorted(&[&live, &expired, &disabled]));
    assert_eq!(ids("?status=live").await, sorted(&[&live]));
    assert_eq!(ids("?status=expired").await, sorted(&[&expired]));
    assert_eq!(ids("?status=disabled").await, sorted(&[&disabled]));
    assert_eq!(ids("?status=revoked").await, sorted(&[&revoked]));
    assert_eq!(
        ids("?status=all").await,
        sorted(&[&live, &expired, &disabled, &revoked])
    );
}

#[tokio::test]
async fn pages_hold_every_key_once_and_no_cursor_leads_elsewhere() {
    let app = App::start().await;
    app.project("pr_b").await;
    let (key, other) = (app.key("pr_a").await, app.key("pr_b").await);
    for second in 0..7 {
        // Some of the same time.
        app.clock.set(&format!("2026-11-23T12:00:0{}Z", second / 2));
        app.key("pr_a").await;
    }
    let expected = app.list(KEYS, &key).await;
    assert_eq!(expected.len(), 8);
    let mut seen = Vec::new();
    let mut path = format!("{KEYS}?limit=3");
    loop {
        let page = app.call("GET", &path, &key, Value::Null).await.json();
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{KEYS}?limit=3&cursor={cursor}");
        // In another project's hands the cursor is a place in its own list.
        for item in app.list(&path, &other).await {
            assert_eq!(item["id"], other.id.as_str());
        }
    }
    assert_eq!(seen, expected);
    for bad in [
        "cursor=",
        "cursor=1",
        "cursor=1.",
        "cursor=.a",
        "cursor=a.b",
        "cursor=1.a%27",
        "limit=0",
        "status=",
        "status=none",
        "projectid=pr_b",
    ] {
        app.call("GET", &format!("{KEYS}?{bad}"), &key, Value::Null)
            .await
            .error(400, "INVALID_QUERY");
    }
}

#[tokio::test]
async fn when_a_key_was_last_used_is_shown() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    app.database()
        .await
        .execute("UPDATE api_keys SET last_used_at = 1000")
        .await
        .unwrap();
    let item = &app.list(KEYS, &key).await[0];
    assert_eq!(item["last_used_at"], "1970-01-01T00:00:01Z");
}

#[tokio::test]
async fn without_a_live_key_there_is_nothing() {
    let app = App::start().await;
    let revoked = app.key("pr_a").await;
    app.store
        .revoke_key(&cli(NOW), None, &revoked.id)
        .await
        .unwrap();
    let one = format!("{KEYS}/{}", revoked.id);
    let rotate = format!("{one}/rotate");
    for (method, path) in [
        ("GET", KEYS),
        ("POST", KEYS),
        ("PATCH", &one),
        ("DELETE", &one),
        ("POST", &rotate),
    ] {
        let body = json!({"name": "mine"});
        app.call(method, path, &revoked, body.clone())
            .await
            .error(401, "INVALID_API_KEY");
        app.send(method, path, &[], body)
            .await
            .error(401, "NO_AUTH_PROVIDED");
    }
}
