//! A PostgreSQL server that is killed, frozen or loses its clients.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sqlx::Executor as _;
use stack::{
    deadline::{PATIENCE, eventually},
    postgres_server::PostgresServer,
};
use tokio::time::timeout;

use crate::{
    TestDatabase,
    rig::{
        app::CONFIG,
        program::{Database, Server},
    },
};

/// What is asked of `pr_a` with the key: it is valid.
fn question(key: &str) -> Value {
    let hash = Sha256::digest(key);
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({"subject": {"project_id": "pr_a"}, "key_sha256": hash})
}

/// A fault on every port: no verdict, no settings, no change, not ready.
async fn is_unavailable(server: &Server, key: &str) {
    let reply = server.try_check(&question(key)).await.unwrap();
    assert_eq!(reply.status(), 503);
    let reply: Value = reply.json().await.unwrap();
    assert_eq!(reply["error"]["slug"], "NOT_READY", "{reply}");
    let change = json!({"display_name": "New"});
    let reply = server.patch(key, &change).send().await.unwrap();
    assert_eq!(reply.status(), 503);
    let settings = reqwest::Client::new()
        .get(format!("{}{CONFIG}", server.public))
        .header("x-api-key", key);
    assert_eq!(settings.send().await.unwrap().status(), 503);
    let ready = reqwest::get(format!("{}/readyz", server.edge)).await;
    assert_eq!(ready.unwrap().status(), 503);
    let alive = reqwest::get(format!("{}/healthz", server.edge)).await;
    assert_eq!(alive.unwrap().status(), 200);
}

/// Until it answers, every answer is a 503; then the verdict is the right one.
async fn recovers(server: &Server, key: &str) {
    let answer: Value = eventually(PATIENCE, "the server answers again", async || {
        let reply = server.try_check(&question(key)).await.unwrap();
        if reply.status() == 503 {
            return None;
        }
        assert_eq!(reply.status(), 200);
        Some(reply.json().await.unwrap())
    })
    .await;
    assert_eq!(answer["key"]["verdict"], "valid", "{answer}");
    let change = json!({"display_name": "New"});
    eventually(PATIENCE, "the server writes again", async || {
        let reply = server.patch(key, &change).send().await.unwrap();
        assert!([200, 503].contains(&reply.status().as_u16()));
        reply.status().is_success().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_database_is_a_fault_until_it_is_back() {
    let mut postgres = PostgresServer::start();
    let database = Database::from(TestDatabase::at(&postgres.url("postgres")));
    let (id, key) = database.seed();
    let servers = [database.serve(&[]), database.serve(&[])];
    for server in &servers {
        assert_eq!(
            server.check(&question(&key)).await["key"]["verdict"],
            "valid"
        );
    }
    for _ in 0..2 {
        postgres.kill();
        futures::join!(
            is_unavailable(&servers[0], &key),
            is_unavailable(&servers[1], &key)
        );
        postgres.restart();
        for server in &servers {
            recovers(server, &key).await;
        }
    }
    // They hear each other again, too.
    let known = servers[1].changes(0, 0).await["revision"].as_u64().unwrap();
    let poll = servers[1].changes(known, 60_000);
    let revoke = async {
        tokio::task::block_in_place(|| database.run(&["key", "revoke", "--id", &id]));
        Instant::now()
    };
    let (told, revoked) = tokio::join!(poll, revoke);
    assert_eq!(told["revision"], known + 1);
    assert!(
        revoked.elapsed() < Duration::from_secs(1),
        "{:?}",
        revoked.elapsed()
    );
    for server in &servers {
        assert_eq!(
            server.check(&question(&key)).await["key"]["verdict"],
            "revoked"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_database_is_a_fault_until_it_goes_on() {
    let postgres = PostgresServer::start();
    let database = Database::from(TestDatabase::at(&postgres.url("postgres")));
    let (_, key) = database.seed();
    let server = database.serve(&[]);
    assert_eq!(
        server.check(&question(&key)).await["key"]["verdict"],
        "valid"
    );
    postgres.pause();
    for _ in 0..2 {
        // More than there are connections.
        let question = question(&key);
        let checks = (0..10).map(|_| server.try_check(&question));
        let replies = timeout(Duration::from_secs(5), futures::future::join_all(checks)).await;
        for reply in replies.expect("not in time") {
            assert_eq!(reply.unwrap().status(), 503);
        }
    }
    postgres.resume();
    recovers(&server, &key).await;
}

#[tokio::test]
async fn connections_that_died_meanwhile_cost_no_check() {
    let database = Database::fresh();
    let (_, key) = database.seed();
    let server = database.serve(&[]);
    let mut other = database.database.connect().await;
    for _ in 0..10 {
        let question = question(&key);
        let checks = (0..8).map(|_| server.check(&question));
        for answer in futures::future::join_all(checks).await {
            assert_eq!(answer["key"]["verdict"], "valid");
        }
        other
            .execute(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_replica_that_freezes_within_a_change_holds_up_the_others_for_seconds_only() {
    let database = Database::fresh();
    let (_, key) = database.seed();
    let (frozen, server) = (database.serve(&[]), database.serve(&[]));
    let change = json!({"display_name": "New"});
    let mut other = database.database.connect().await;
    other.execute(TestDatabase::BEGIN_CHANGE).await.unwrap();
    let pending = tokio::spawn(frozen.patch(&key, &change).send());
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND wait_event_type = 'Lock'";
    eventually(PATIENCE, "the replica waits for the lock", async || {
        let count: i64 = sqlx::query_scalar(waiting)
            .fetch_one(&mut other)
            .await
            .unwrap();
        (count == 1).then_some(())
    })
    .await;
    frozen.signal("STOP");
    // Now it has the lock, and does not know.
    other.execute("COMMIT").await.unwrap();
    let holding = "SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND state = 'idle in transaction'";
    eventually(PATIENCE, "the frozen replica has the lock", async || {
        let count: i64 = sqlx::query_scalar(holding)
            .fetch_one(&mut other)
            .await
            .unwrap();
        (count == 1).then_some(())
    })
    .await;
    eventually(PATIENCE, "the other replica writes", async || {
        let reply = server.patch(&key, &change).send().await.unwrap();
        reply.status().is_success().then_some(())
    })
    .await;
    frozen.signal("CONT");
    let late = pending.await.unwrap().unwrap();
    assert_eq!(late.status(), 503, "its change came too late");
}
