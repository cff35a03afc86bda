//! A database that was put back to what it was: what tells it from the one before.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    TestDatabase,
    rig::program::{Database, Server},
};

/// How soon running servers notice.
const SOON: Duration = Duration::from_secs(1);
/// A revision that no database has reached.
const PROBE: u64 = 1 << 40;

/// Which database the server says it has, and the revision that it is at.
async fn standing(server: &Server) -> (String, u64) {
    let answer = server.changes(PROBE, 0).await;
    assert_eq!(answer["reset"], true);
    let incarnation = answer["incarnation"].as_str().unwrap();
    assert!((1..=64).contains(&incarnation.len()), "{incarnation:?}");
    (incarnation.to_owned(), answer["revision"].as_u64().unwrap())
}

async fn rename(server: &Server, key: &str, name: &str) {
    let change = json!({"display_name": name});
    let reply = server.patch(key, &change).send().await.unwrap();
    assert_eq!(reply.status(), 200);
}

#[tokio::test]
async fn a_database_that_was_put_back_is_another_one_once_its_operator_says_so() {
    let database = Database::fresh();
    let (_, key) = database.seed();
    let server = database.serve(&[]);
    let (before, backed_up_at) = standing(&server).await;
    drop(server);
    let copy = database.database.copy();
    let server = database.serve(&[]);
    rename(&server, &key, "lost").await;
    assert_eq!(
        standing(&server).await,
        (before.clone(), backed_up_at + 1),
        "a restart is no restore"
    );
    drop(server);

    let mut seen = vec![before.clone()];
    for _ in 0..2 {
        database.database.put_back(&copy);
        let server = database.serve(&[]);
        assert_eq!(
            standing(&server).await,
            (before.clone(), backed_up_at),
            "a copy as such cannot be told from what it was taken of"
        );
        drop(server);
        let said = database.run(&["restored"]).stdout;
        assert!(said.contains("counts as restored"), "{said}");
        let server = database.serve(&[]);
        let (incarnation, revision) = standing(&server).await;
        assert_eq!(revision, backed_up_at, "nothing changed but that");
        assert!(!seen.contains(&incarnation), "nor is it told twice");
        seen.push(incarnation);
        rename(&server, &key, "new").await;
    }
}

#[tokio::test]
async fn polls_that_wait_are_told_at_once_by_every_server() {
    let database = Database::fresh();
    database.seed();
    let servers = [database.serve(&[]), database.serve(&[])];
    let (before, revision) = standing(&servers[0]).await;
    assert_eq!(standing(&servers[1]).await.0, before);
    let mut polls: Vec<_> = servers
        .iter()
        .map(|server| Box::pin(server.changes(revision, 60_000)))
        .collect();
    for poll in &mut polls {
        let early = timeout(Duration::from_millis(100), poll).await;
        assert!(early.is_err(), "nothing changed yet: {early:?}");
    }
    database.run(&["restored"]);
    let mut told: Vec<Value> = Vec::new();
    for poll in polls {
        told.push(timeout(SOON, poll).await.expect("the poll must wake"));
    }
    let after = &told[0]["incarnation"];
    assert_ne!(*after, json!(before));
    let expected =
        json!({"incarnation": after, "revision": revision, "reset": false, "changes": []});
    assert_eq!(told, [expected.clone(), expected]);
}

#[test]
fn a_database_that_was_never_set_up_cannot_have_been_restored() {
    let finished = Database::fresh().try_run(&["restored"]);
    assert_eq!(finished.status.code(), Some(1));
    assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    assert!(finished.stderr.contains(TestDatabase::NOT_SET_UP));
}
