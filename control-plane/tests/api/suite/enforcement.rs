//! What a lock would change, and where it is in force.

use serde_json::{Value, json};

use super::usage::{ENFORCEMENT, batch, row, taken};
use crate::rig::app::App;

#[tokio::test]
async fn an_open_project_sees_what_a_lock_would_have_refused() {
    let app = App::start().await;
    let (key, revoked) = (app.key("pr_a").await, app.key("pr_a").await);
    let open = "allowed_not_required";
    let rows = [
        row(Some(&key), open, Some("allowed"), 5, 0),
        row(None, open, Some("denied_missing_key"), 3, 0),
        row(None, open, Some("denied_key_of_other_project"), 2, 1),
        row(Some(&revoked), open, Some("denied_revoked_key"), 1, 1),
        row(None, open, None, 4, 1),
        // Longer ago than a preview looks back, and from when it was locked.
        row(None, open, Some("denied_missing_key"), 100, 26),
        row(None, "denied_missing_key", None, 100, 0),
    ];
    taken(&app, &batch(1, None, &rows)).await;
    let preview = app.get(ENFORCEMENT, &key).await["preview"].clone();
    assert_eq!(
        preview["summary"],
        "Turning this on now would have refused 6 of 15 requests in the last 24 h: 3 without a key, \
         1 with a revoked key, 2 with a key of another project. 4 of them carried a key that was not looked up and may be \
         refused or not."
    );
    assert_eq!(
        (
            &preview["requests"],
            &preview["would_be_refused"],
            &preview["not_checked"]
        ),
        (&json!(15), &json!(6), &json!(4))
    );
    assert_eq!(
        preview["hours"],
        json!([
            {"hour": "2026-11-23T11:00:00Z", "requests": 7, "would_be_refused": 3},
            {"hour": "2026-11-23T12:00:00Z", "requests": 8, "would_be_refused": 3},
        ])
    );
    let [refused] = preview["refused_keys"].as_array().unwrap().as_slice() else {
        panic!("{preview}");
    };
    assert_eq!(refused["key_id"], revoked.id.as_str());
    assert_eq!(refused["reason"], "denied_revoked_key");
    assert_eq!(refused["requests"], 1);
    assert!(refused["name"].is_string());
    let listed = app.get("/api/v3/org/project/api_keys", &key).await;
    for listed in listed["items"].as_array().unwrap() {
        let used = listed["id"] == key.id.as_str();
        assert_eq!(listed["last_used_at"].is_string(), used, "{listed}");
    }
    let reply = app
        .patch_config(&key, r#"{"require_mcp_api_key": true}"#)
        .await;
    assert_eq!(reply.status, 200);
    let enforcement = app.get(ENFORCEMENT, &key).await;
    assert_eq!(enforcement["require_mcp_api_key"], true);
    assert_eq!(enforcement.get("preview"), None);
}

#[tokio::test]
async fn a_change_is_in_force_where_every_worker_says_so() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let tell = async |envoy: &str, instance: &str, sequence: u64, in_force: Option<u64>| {
        let mut batch = batch(sequence, in_force, &[]);
        (batch["envoy"], batch["instance"]) = (json!(envoy), json!(instance));
        taken(&app, &batch).await;
    };
    let told = async || {
        let told = app.get(ENFORCEMENT, &key).await["in_force"].clone();
        (
            told["envoys"].clone(),
            told["envoys_in_force"].clone(),
            told["since"].clone(),
        )
    };
    assert_eq!(told().await, (json!(0), json!(0), Value::Null));
    tell("e1", "e1_a", 1, Some(2)).await;
    tell("e1", "e1_b", 1, Some(1)).await;
    tell("e2", "e2_a", 1, None).await;
    // The project's last change, its key, is revision 2.
    assert_eq!(told().await, (json!(2), json!(0), Value::Null));
    app.clock.set("2026-11-23T12:00:10Z");
    tell("e1", "e1_b", 2, Some(3)).await;
    assert_eq!(
        told().await,
        (json!(2), json!(1), json!("2026-11-23T12:00:10Z"))
    );
    app.clock.set("2026-11-23T12:00:20Z");
    tell("e1", "e1_b", 3, Some(4)).await;
    tell("e2", "e2_a", 2, Some(2)).await;
    assert_eq!(
        told().await,
        (json!(2), json!(2), json!("2026-11-23T12:00:20Z"))
    );
    // Who is silent is gone.
    app.clock.set("2026-11-23T12:01:45Z");
    assert_eq!(
        told().await,
        (json!(2), json!(2), json!("2026-11-23T12:00:20Z"))
    );
    app.clock.set("2026-11-23T12:03:00Z");
    assert_eq!(told().await, (json!(0), json!(0), Value::Null));
}

#[tokio::test]
async fn a_change_that_is_long_in_force_is_not_dated_by_a_later_one() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let since = async || app.get(ENFORCEMENT, &key).await["in_force"]["since"].clone();
    // The project's last change, its key, is revision 2; what follows is another project's.
    for (sequence, at, in_force, expected) in [
        (1, "2026-11-23T12:00:00Z", 2, json!("2026-11-23T12:00:00Z")),
        (2, "2026-11-23T12:50:00Z", 3, json!("2026-11-23T12:00:00Z")),
        (3, "2026-11-23T13:00:30Z", 3, Value::Null),
        (4, "2026-11-23T13:50:30Z", 3, Value::Null),
    ] {
        app.clock.set(at);
        taken(&app, &batch(sequence, Some(in_force), &[])).await;
        let retention = jiff::SignedDuration::from_hours(20);
        let now = at.parse().unwrap();
        app.store.prune_usage(retention, now).await.unwrap();
        assert_eq!(since().await, expected, "at {at}");
    }
}
