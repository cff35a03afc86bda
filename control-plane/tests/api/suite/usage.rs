//! Counts of requests: taken once each, told by key, outcome and hour.

use serde_json::{Value, json};

use crate::rig::app::{App, NOW, TestKey};

const USAGE: &str = "/api/v3/org/project/usage";
pub(super) const ENFORCEMENT: &str = "/api/v3/org/project/mcp_enforcement";
/// [`NOW`] in milliseconds.
const NOW_MS: u64 = 1_795_435_200_000;
const HOUR_MS: u64 = 3_600_000;

pub(super) fn batch(sequence: u64, in_force: Option<u64>, rows: &[Value]) -> Value {
    json!({"envoy": "envoy_1", "instance": "worker_1", "sequence": sequence,
           "in_force": in_force, "rows": rows})
}

/// `count` requests, `hours` ago.
pub(super) fn row(
    key: Option<&TestKey>,
    outcome: &str,
    preview: Option<&str>,
    count: u64,
    hours: u64,
) -> Value {
    let at = NOW_MS - hours * HOUR_MS;
    json!({"project_id": "pr_a", "key_id": key.map(|key| key.id.as_str()), "outcome": outcome,
           "preview": preview, "count": count, "first_at": at - 1_000, "last_at": at})
}

pub(super) async fn taken(app: &App, batch: &Value) -> u64 {
    let reply = app.report(batch).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()["sequence"].as_u64().unwrap()
}

#[tokio::test]
async fn requests_are_told_by_key_and_outcome() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let rows = [
        row(Some(&key), "allowed", None, 5, 0),
        row(Some(&key), "allowed", None, 2, 3),
        row(None, "denied_missing_key", None, 4, 1),
        // What would have become of them makes no difference here.
        row(
            None,
            "allowed_not_required",
            Some("denied_missing_key"),
            1,
            1,
        ),
        row(None, "allowed_not_required", None, 2, 1),
    ];
    assert_eq!(taken(&app, &batch(1, None, &rows)).await, 1);
    let usage = app.get(USAGE, &key).await;
    assert_eq!(usage["requests"], 14);
    let told: Vec<_> = usage["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["key_id"].clone(),
                row["outcome"].clone(),
                row["requests"].clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Value::Null, json!("allowed_not_required"), json!(3)),
            (Value::Null, json!("denied_missing_key"), json!(4)),
            (json!(key.id.as_str()), json!("allowed"), json!(7)),
        ]
    );
    assert_eq!(usage["rows"][2]["last_at"], NOW);
    let by_hour = app.get(&format!("{USAGE}?by=hour"), &key).await;
    let hours: Vec<_> = by_hour["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["hour"].as_str().unwrap().to_owned(),
                row["requests"].clone(),
            )
        })
        .collect();
    assert_eq!(
        hours,
        [
            ("2026-11-23T09:00:00Z".to_owned(), json!(2)),
            ("2026-11-23T11:00:00Z".to_owned(), json!(3)),
            ("2026-11-23T11:00:00Z".to_owned(), json!(4)),
            ("2026-11-23T12:00:00Z".to_owned(), json!(5)),
        ]
    );
    let last_two = format!("{USAGE}?from=2026-11-23T11:30:00Z");
    assert_eq!(app.get(&last_two, &key).await["requests"], 12);
}

#[tokio::test]
async fn requests_of_all_keys_are_told_as_one() {
    let app = App::start().await;
    let (one, other) = (app.key("pr_a").await, app.key("pr_a").await);
    let rows = [
        row(Some(&one), "allowed", None, 5, 0),
        row(Some(&other), "allowed", None, 2, 0),
        row(None, "allowed", None, 1, 1),
    ];
    taken(&app, &batch(1, None, &rows)).await;
    let counts = async |query: &str| {
        let usage = app
            .get(&format!("{USAGE}?keys=together{query}"), &one)
            .await;
        assert_eq!(usage["requests"], 8);
        let rows = usage["rows"].as_array().unwrap();
        assert!(rows.iter().all(|row| row["key_id"].is_null()), "{usage}");
        rows.iter()
            .map(|row| row["requests"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(counts("").await, [8]);
    assert_eq!(counts("&by=hour").await, [1, 7]);
}

#[tokio::test]
async fn more_counts_than_can_be_told_at_once_are_to_be_asked_for_in_parts() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    // 530 keys in each of 48 hours are 25,440 counts.
    let mut rows = Vec::new();
    for hours in 0..48 {
        let at = NOW_MS - hours * HOUR_MS;
        rows.extend((0..530).map(|key| {
            json!({"project_id": "pr_a", "key_id": format!("key_{key}"), "outcome": "allowed",
                   "preview": null, "count": 1, "first_at": at, "last_at": at})
        }));
    }
    for (sequence, rows) in (1..).zip(rows.chunks(150)) {
        taken(&app, &batch(sequence, None, rows)).await;
    }
    let all = format!("{USAGE}?from=2026-11-20T00:00:00Z");
    let error = refused(&app, &key, "from=2026-11-20T00:00:00Z&by=hour").await;
    assert!(error.to_string().contains("keys=together"), "{error}");
    for query in ["", "&by=hour&keys=together"] {
        let usage = app.get(&format!("{all}{query}"), &key).await;
        assert_eq!(usage["requests"], 25_440, "{query}");
    }
    let day = app.get(&format!("{USAGE}?by=hour"), &key).await;
    assert_eq!(day["requests"], 530 * 25);
}

#[tokio::test]
async fn a_key_was_last_used_when_a_request_with_it_was_last_let_through() {
    let app = App::start().await;
    let (key, refused) = (app.key("pr_a").await, app.key("pr_a").await);
    let rows = [
        row(Some(&key), "allowed", None, 1, 2),
        row(Some(&key), "allowed_not_required", Some("allowed"), 1, 1),
        row(Some(&key), "denied_disabled_key", None, 1, 0),
        row(Some(&refused), "denied_expired_key", None, 1, 0),
    ];
    taken(&app, &batch(1, None, &rows)).await;
    // A batch that comes late takes nothing back.
    taken(
        &app,
        &batch(2, None, &[row(Some(&key), "allowed", None, 1, 3)]),
    )
    .await;
    let listed = app.get("/api/v3/org/project/api_keys", &key).await;
    let last_used = |id: &str| {
        let keys = listed["items"].as_array().unwrap();
        let found = keys.iter().find(|listed| listed["id"] == id);
        found.unwrap()["last_used_at"].clone()
    };
    assert_eq!(last_used(key.id.as_str()), "2026-11-23T11:00:00Z");
    assert_eq!(last_used(refused.id.as_str()), Value::Null);
}

#[tokio::test]
async fn a_batch_that_comes_again_or_late_counts_once() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let first = batch(1, None, &[row(Some(&key), "allowed", None, 1, 0)]);
    let second = batch(2, None, &[row(Some(&key), "allowed", None, 10, 0)]);
    assert_eq!(taken(&app, &first).await, 1);
    assert_eq!(taken(&app, &first).await, 1);
    assert_eq!(taken(&app, &second).await, 2);
    assert_eq!(taken(&app, &first).await, 2);
    assert_eq!(taken(&app, &second).await, 2);
    assert_eq!(app.get(USAGE, &key).await["requests"], 11);
    // Another worker's first batch is another batch.
    let mut other = first.clone();
    other["instance"] = json!("worker_2");
    assert_eq!(taken(&app, &other).await, 1);
    assert_eq!(app.get(USAGE, &key).await["requests"], 12);
}

#[tokio::test]
async fn the_same_batch_sent_many_times_at_once_counts_once() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let batch = batch(1, None, &[row(Some(&key), "allowed", None, 3, 0)]);
    let send = || taken(&app, &batch);
    let answers = tokio::join!(send(), send(), send(), send());
    assert_eq!(answers, (1, 1, 1, 1));
    assert_eq!(app.get(USAGE, &key).await["requests"], 3);
}

#[tokio::test]
async fn one_project_does_not_see_anothers_counts() {
    let app = App::start().await;
    app.project("pr_b").await;
    let (own, other) = (app.key("pr_a").await, app.key("pr_b").await);
    taken(
        &app,
        &batch(1, None, &[row(Some(&own), "allowed", None, 1, 0)]),
    )
    .await;
    assert_eq!(app.get(USAGE, &other).await["rows"], json!([]));
    assert_eq!(app.get(ENFORCEMENT, &other).await["preview"]["requests"], 0);
}

#[tokio::test]
async fn requests_that_were_not_told_apart_are_nobodys() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let mut nameless = row(None, "allowed", None, 9, 0);
    nameless["project_id"] = Value::Null;
    assert_eq!(taken(&app, &batch(1, None, &[nameless])).await, 1);
    assert_eq!(app.get(USAGE, &key).await["requests"], 0);
}

#[tokio::test]
async fn times_that_cannot_be_are_put_down_to_now() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let rows: Vec<_> = [0, NOW_MS + 10 * HOUR_MS, u64::MAX]
        .into_iter()
        .map(|at| {
            let mut row = row(Some(&key), "allowed", None, 1, 0);
            (row["first_at"], row["last_at"]) = (json!(at), json!(at));
            row
        })
        .collect();
    taken(&app, &batch(1, None, &rows)).await;
    let usage = app.get(&format!("{USAGE}?by=hour"), &key).await;
    assert_eq!(usage["rows"][0]["hour"], "2026-11-23T12:00:00Z");
    assert_eq!(usage["requests"], 3);
}

#[tokio::test]
async fn a_batch_that_makes_no_sense_is_refused_whole() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let good = row(Some(&key), "allowed", None, 1, 0);
    let zero = row(Some(&key), "allowed", None, 0, 0);
    let huge = row(Some(&key), "allowed", None, 1 << 41, 0);
    let strange = row(Some(&key), "invented", None, 1, 0);
    for batch in [
        batch(1, None, &[good.clone(), zero]),
        batch(1, None, &[good.clone(), huge]),
        batch(1, None, &[good.clone(), strange]),
        batch(1, None, &vec![good.clone(); 151]),
        json!({"rows": []}),
        json!([]),
    ] {
        app.report(&batch).await.error(400, "INVALID_BODY");
    }
    assert_eq!(app.get(USAGE, &key).await["requests"], 0);
}

#[tokio::test]
async fn old_counts_are_dropped_and_repeats_still_known() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let batch = batch(
        1,
        Some(2),
        &[
            row(Some(&key), "allowed", None, 1, 23),
            row(Some(&key), "allowed", None, 2, 2),
        ],
    );
    taken(&app, &batch).await;
    let retention = jiff::SignedDuration::from_hours(20);
    let now = NOW.parse().unwrap();
    app.store.prune_usage(retention, now).await.unwrap();
    taken(&app, &batch).await;
    assert_eq!(app.get(USAGE, &key).await["requests"], 2);
}

#[tokio::test]
async fn a_wrong_query_is_refused_by_its_field() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    for query in [
        "from=yesterday",
        "from=2026-11-23T12:00:00Z&to=2026-11-22T12:00:00Z",
        "by=minute",
        "keys=some",
        "by=hour&from=2026-01-01T00:00:00Z",
        "project_id=pr_b",
    ] {
        refused(&app, &key, query).await;
    }
}

/// The error that a query gets.
async fn refused(app: &App, key: &TestKey, query: &str) -> Value {
    let request = axum::http::Request::get(format!("{USAGE}?{query}"))
        .header("x-api-key", key.plain.reveal())
        .body(axum::body::Body::empty())
        .unwrap();
    app.public(request).await.error(400, "INVALID_QUERY")
}
