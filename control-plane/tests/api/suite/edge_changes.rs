//! `GET /edge/v1/changes`: what is told, what is kept, and when a poll wakes.

use std::time::{Duration, Instant};

use axum::{body::Body, http::Request};
use control_plane::store::KEPT_CHANGES;
use futures::future::{join_all, join3};
use serde_json::json;
use sqlx::Executor as _;
use tokio::time::timeout;

use crate::{
    TestDatabase,
    rig::app::{App, EDGE_TOKEN, cli},
};

#[tokio::test]
async fn each_changed_project_is_told_once_with_its_latest_revision() {
    let app = App::start().await;
    app.project("pr_b").await;
    let key = app.key("pr_a").await;
    app.server("s", "pr_b").await;
    // Revision 1: pr_a; 2: pr_b; 3: the key of pr_a; 4: the server of pr_b.
    let all = json!({"revision": 4, "reset": false, "changes": [
        {"project_id": "pr_a", "revision": 3}, {"project_id": "pr_b", "revision": 4}]});
    assert_eq!(app.changes(0, 0).await, all);
    let last =
        json!({"revision": 4, "reset": false, "changes": [{"project_id": "pr_b", "revision": 4}]});
    assert_eq!(app.changes(3, 0).await, last);
    let none = json!({"revision": 4, "reset": false, "changes": []});
    assert_eq!(app.changes(4, 0).await, none);

    app.store
        .revoke_key(&cli("2026-11-23T11:00:00Z"), None, &key.id)
        .await
        .unwrap();
    app.store
        .revoke_key(&cli("2026-11-23T11:30:00Z"), None, &key.id)
        .await
        .unwrap();
    let revoked =
        json!({"revision": 5, "reset": false, "changes": [{"project_id": "pr_a", "revision": 5}]});
    assert_eq!(app.changes(4, 0).await, revoked);
}

#[tokio::test]
async fn a_revision_that_never_was_resets_the_caller_at_once() {
    let app = App::start().await;
    let reset = json!({"revision": 1, "reset": true, "changes": []});
    for after in [2, 1_000_000, u64::MAX] {
        let answer = timeout(Duration::from_secs(5), app.changes(after, 60_000)).await;
        assert_eq!(answer.expect("a reset must not wait"), reset, "{after}");
    }
}

#[tokio::test]
async fn the_log_keeps_its_last_rows_and_resets_who_is_further_behind() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let mut database = app.database().await;
    // As if the log were full: revisions 1 to KEPT_CHANGES, one row each.
    database.execute("DELETE FROM changes").await.unwrap();
    sqlx::query(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
         INSERT INTO changes SELECT i, 'pr_a' FROM n",
    )
    .bind(KEPT_CHANGES)
    .execute(&mut database)
    .await
    .unwrap();
    sqlx::query("UPDATE revision SET value = $1")
        .bind(KEPT_CHANGES)
        .execute(&mut database)
        .await
        .unwrap();
    assert_eq!(app.changes(0, 0).await["reset"], false, "all of it is kept");

    app.patch_config(&key, r#"{"require_mcp_api_key": true}"#)
        .await;
    let revision = KEPT_CHANGES + 1;
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM changes")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(kept, KEPT_CHANGES);
    assert_eq!(
        app.changes(0, 0).await,
        json!({"revision": revision, "reset": true, "changes": []})
    );
    let told = json!({"revision": revision, "reset": false,
        "changes": [{"project_id": "pr_a", "revision": revision}]});
    assert_eq!(app.changes(1, 0).await, told);
}

#[tokio::test]
async fn a_lost_log_resets_everyone_behind() {
    let app = App::start().await;
    app.database()
        .await
        .execute("DELETE FROM changes")
        .await
        .unwrap();
    assert_eq!(app.changes(0, 0).await["reset"], true);
    assert_eq!(app.changes(1, 0).await["reset"], false);
}

#[tokio::test]
async fn a_poll_wakes_within_milliseconds_of_a_commit_in_this_process() {
    let app = App::start().await;
    let key = app.key("pr_a").await;
    let mut poll = Box::pin(app.changes(2, 30_000));
    let early = timeout(Duration::from_millis(100), &mut poll).await;
    assert!(early.is_err(), "nothing changed yet: {early:?}");

    app.patch_config(&key, r#"{"require_mcp_api_key": true}"#)
        .await;
    let committed = Instant::now();
    let answer = timeout(Duration::from_secs(5), poll)
        .await
        .expect("the poll must wake");
    // No task follows the database here: only the commit itself can have woken the poll.
    assert!(
        committed.elapsed() < Duration::from_millis(500),
        "{:?}",
        committed.elapsed()
    );
    assert_eq!(
        answer["changes"],
        json!([{"project_id": "pr_a", "revision": 3}])
    );
}

#[tokio::test]
async fn a_crowd_that_follows_misses_no_change_though_some_leave() {
    let app = App::start().await;
    app.project("pr_b").await;
    let keys = [app.key("pr_a").await, app.key("pr_b").await];
    // A project and a key each, then twenty changes of the one and the other.
    let follow = async || {
        let mut after = 4;
        while after < 24 {
            let answer = app.changes(after, 30_000).await;
            let told = answer["changes"].as_array().unwrap();
            let revisions = told
                .iter()
                .map(|change| change["revision"].as_u64().unwrap());
            let revisions: Vec<_> = revisions.collect();
            let is_news = revisions.iter().all(|revision| *revision > after);
            assert!(is_news, "after {after}: {answer}");
            after = answer["revision"].as_u64().unwrap();
            assert_eq!(revisions.last(), Some(&after), "{answer}");
        }
    };
    let stays = (0..30).map(|_| follow());
    let leaves = (0..30).map(|leaver| {
        let life = Duration::from_millis(leaver);
        async move {
            // Whether it saw all of them in its time is no matter.
            drop(timeout(life, follow()).await);
        }
    });
    let changes = async {
        for change in 0..20 {
            let body = json!({"require_mcp_api_key": change % 4 < 2}).to_string();
            app.patch_config(&keys[change % 2], body).await;
        }
    };
    let all = join3(join_all(stays), join_all(leaves), changes);
    timeout(Duration::from_secs(20), all)
        .await
        .expect("everybody learns of the last change");
}

#[tokio::test]
async fn a_poll_sees_what_another_process_committed_while_the_database_is_followed() {
    let app = App::start().await;
    let follow = tokio::spawn(app.store.clone().follow(app.shutdown.clone()));
    let mut poll = Box::pin(app.changes(1, 30_000));
    let early = timeout(Duration::from_millis(100), &mut poll).await;
    assert!(early.is_err(), "nothing changed yet: {early:?}");

    let mut other = app.database().await;
    other.execute(TestDatabase::BEGIN_CHANGE).await.unwrap();
    other
        .execute("UPDATE revision SET value = 2; INSERT INTO changes VALUES (2, 'pr_a'); COMMIT")
        .await
        .unwrap();
    let answer = timeout(Duration::from_secs(5), poll)
        .await
        .expect("the poll must wake");
    assert_eq!(
        answer["changes"],
        json!([{"project_id": "pr_a", "revision": 2}])
    );
    app.shutdown.cancel();
    follow.await.unwrap();
}

#[tokio::test]
async fn a_poll_ends_when_its_wait_is_over() {
    let app = App::start().await;
    let started = Instant::now();
    assert_eq!(
        app.changes(1, 150).await,
        json!({"revision": 1, "reset": false, "changes": []})
    );
    assert!(started.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn a_shutdown_ends_a_poll_at_once() {
    let app = App::start().await;
    let mut poll = Box::pin(app.changes(1, 60_000));
    assert!(timeout(Duration::from_millis(50), &mut poll).await.is_err());
    app.shutdown.cancel();
    let answer = timeout(Duration::from_secs(5), poll)
        .await
        .expect("the poll must end");
    assert_eq!(
        answer,
        json!({"revision": 1, "reset": false, "changes": []})
    );
}

#[tokio::test]
async fn a_bad_query_is_refused() {
    let app = App::start().await;
    for query in [
        "",
        "?after=",
        "?after=-1",
        "?after=x",
        "?wait_ms=5",
        "?after=1&wait_ms=soon",
    ] {
        let request = Request::get(format!("/edge/v1/changes{query}"))
            .header("authorization", format!("Bearer {EDGE_TOKEN}"))
            .body(Body::empty())
            .unwrap();
        app.edge(request).await.error(400, "INVALID_QUERY");
    }
}
