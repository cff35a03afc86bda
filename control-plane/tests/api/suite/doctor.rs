//! `doctor` on the database: what it sees, that it changes nothing, and which databases it leaves alone. What it sees of
//! gateways is tested with real ones, in `tests/stack/doctor`.

use serde_json::Value;
use sqlx::Executor as _;

use crate::rig::program::{Database, finish};

/// A port where nobody listens.
const GATEWAY: &str = "http://127.0.0.1:9/mcp/pr_a";

/// What it says of the database, by steps, looking for that key.
fn look(database: &Database, key: &str) -> Vec<(String, String)> {
    let mut command = database.command(&["doctor", "--gateway", GATEWAY, "--json"]);
    command.env("MCP_KEY_AUTH_DOCTOR_KEY", key);
    let finished = finish(command);
    assert_eq!(finished.status.code(), Some(2), "{}", finished.stderr);
    let report: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(report["cause"], "gateway_unreachable", "{report}");
    let steps = report["steps"].as_array().unwrap().iter();
    let text = |step: &Value, field: &str| step[field].as_str().unwrap().to_owned();
    steps
        .map(|step| (text(step, "step"), text(step, "says")))
        .collect()
}

#[track_caller]
fn assert_says(steps: &[(String, String)], name: &str, says: &str) {
    let (_, said) = steps.iter().find(|(step, _)| step == name).unwrap();
    assert!(said.contains(says), "{name}: {said}");
}

#[tokio::test]
async fn it_sees_the_state_of_a_key_and_of_its_project() {
    let database = Database::fresh();
    let (id, key) = database.seed();
    let steps = look(&database, &key);
    assert_says(&steps, "key's state", "live");
    assert_says(&steps, "project", "the URL names project pr_a");
    assert_says(&steps, "policy", "a key is required");
    assert_says(&steps, "in force", "no gateway has reported");
    database.run(&["key", "revoke", "--id", &id]);
    assert_says(&look(&database, &key), "key's state", "revoked at 20");
}

#[tokio::test]
async fn it_leaves_a_database_of_another_version_as_it_is() {
    let database = Database::fresh();
    let (_, key) = database.seed();
    let mut connection = database.database.connect().await;
    let steps = async |connection: &mut sqlx::AnyConnection| -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations")
            .fetch_one(connection)
            .await
            .unwrap()
    };
    let all = steps(&mut connection).await;
    for (change, says) in [
        (
            "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
            "was written by an older version",
        ),
        (
            "UPDATE _sqlx_migrations SET version = 9999 WHERE version = 1",
            "was written by a newer version (migration 9999)",
        ),
    ] {
        connection.execute(change).await.unwrap();
        assert_says(&look(&database, &key), "control plane", says);
        assert_eq!(steps(&mut connection).await, all - 1, "nothing was applied");
    }
}

#[tokio::test]
async fn it_sets_nothing_up() {
    let database = Database::fresh();
    let steps = look(&database, "ak_x");
    assert_eq!(steps.len(), 3, "{steps:?}");
    assert!(!database.database.is_set_up().await);
}
