//! PostgreSQL tells each replica of the others' commits, and of nothing that was not committed.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{Executor as _, postgres::PgListener};
use stack::deadline::{PATIENCE, eventually};
use tokio::time::timeout;

use crate::rig::program::{Database, Server};

const LOG: &[&str] = &["--log", "control_plane=debug"];
const TOLD: &str = "PostgreSQL tells of a commit";

async fn says(server: &Server, line: &str) {
    eventually(PATIENCE, line, async || {
        server.log().contains(line).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_commit_is_told_once_it_is_one() {
    let database = Database::fresh();
    let (_, key) = database.seed();
    let server = database.serve(&[]);
    let mut listener = PgListener::connect(&database.database.url()).await.unwrap();
    listener.listen("mcp_key_auth_revision").await.unwrap();
    let mut other = database.database.connect().await;
    other
        .execute("BEGIN; UPDATE revision SET value = value + 1; ROLLBACK")
        .await
        .unwrap();
    other
        .execute("BEGIN; UPDATE revision SET value = value + 1")
        .await
        .unwrap();
    let early = timeout(Duration::from_millis(200), listener.recv()).await;
    assert!(early.is_err(), "nothing was committed: {early:?}");
    other.execute("COMMIT").await.unwrap();
    let told = timeout(PATIENCE, listener.recv()).await.unwrap().unwrap();
    assert_eq!(told.payload(), "");

    let change = json!({"require_mcp_api_key": false});
    assert_eq!(
        server.patch(&key, &change).send().await.unwrap().status(),
        200
    );
    timeout(PATIENCE, listener.recv()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_replica_hears_the_others_and_listens_again_when_it_was_cut_off() {
    let database = Database::fresh();
    let (_, key) = database.seed();
    let (first, second) = (database.serve(&[]), database.serve(LOG));
    let mut other = database.database.connect().await;
    // Once it listens: there is such a connection beside that of the other server.
    let listeners = "SELECT count(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    eventually(PATIENCE, "both listen", async || {
        let count: i64 = sqlx::query_scalar(listeners)
            .fetch_one(&mut other)
            .await
            .unwrap();
        (count == 2).then_some(())
    })
    .await;
    let change = json!({"require_mcp_api_key": false});
    assert_eq!(
        first.patch(&key, &change).send().await.unwrap().status(),
        200
    );
    says(&second, TOLD).await;

    let known = second.changes(0, 0).await["revision"].as_u64().unwrap();
    let mut poll = Box::pin(second.changes(known, 60_000));
    let early = timeout(Duration::from_millis(50), &mut poll).await;
    assert!(early.is_err(), "nothing changed yet: {early:?}");
    // One transaction cuts both off and changes something, so that neither can be told of it.
    other
        .execute(
            "BEGIN; UPDATE revision SET value = value + 1;
             INSERT INTO changes SELECT value, 'pr_a' FROM revision;
             SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid(); COMMIT",
        )
        .await
        .unwrap();
    let committed = Instant::now();
    let told = timeout(PATIENCE, poll).await.expect("the poll must wake");
    assert_eq!(told["revision"], known + 1);
    assert!(
        committed.elapsed() < Duration::from_secs(1),
        "{:?}",
        committed.elapsed()
    );
    eventually(PATIENCE, "both listen again", async || {
        let count: i64 = sqlx::query_scalar(listeners)
            .fetch_one(&mut other)
            .await
            .unwrap();
        (count == 2).then_some(())
    })
    .await;
    let before = second.log().matches(TOLD).count();
    let change = json!({"require_mcp_api_key": true});
    assert_eq!(
        first.patch(&key, &change).send().await.unwrap().status(),
        200
    );
    eventually(PATIENCE, "the other replica is told again", async || {
        (second.log().matches(TOLD).count() > before).then_some(())
    })
    .await;
}
