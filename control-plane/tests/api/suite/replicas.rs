//! Two servers on one database.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet, time::timeout};

use crate::rig::program::{Database, Server};

/// How soon a change by one server is told by another.
const SOON: Duration = Duration::from_secs(1);

async fn flip(server: &Server, key: &str, required: bool) {
    let change = json!({"require_mcp_api_key": required});
    let reply = server.patch(key, &change).send().await.unwrap();
    assert_eq!(reply.status(), 200);
}

fn policy(project: &str) -> Value {
    json!({"subject": {"project_id": project}, "key_sha256": null})
}

#[tokio::test]
async fn a_commit_on_one_wakes_a_poll_on_the_other_and_one_goes_on_when_the_other_is_killed() {
    let database = Database::fresh();
    let (_, key) = database.seed();
    let (mut first, second) = (database.serve(&[]), database.serve(&[]));
    let mut known = second.changes(0, 0).await["revision"].as_u64().unwrap();
    let mut required = true;
    for _ in 0..5 {
        required = !required;
        let mut poll = Box::pin(second.changes(known, 60_000));
        let early = timeout(Duration::from_millis(50), &mut poll).await;
        assert!(early.is_err(), "nothing changed yet: {early:?}");
        flip(&first, &key, required).await;
        let told = timeout(SOON, poll).await.expect("the poll must wake");
        known += 1;
        assert_eq!(
            told["changes"],
            json!([{"project_id": "pr_a", "revision": known}])
        );
        let answer = second.check(&policy("pr_a")).await;
        assert_eq!(answer["project"]["require_mcp_api_key"], required);
    }

    let mut poll = Box::pin(second.changes(known, 60_000));
    let early = timeout(Duration::from_millis(50), &mut poll).await;
    assert!(early.is_err(), "nothing changed yet: {early:?}");
    first.signal("KILL");
    first.wait();
    flip(&second, &key, !required).await;
    let told = timeout(SOON, poll).await.expect("the poll must wake");
    assert_eq!(told["revision"], known + 1);

    let third = database.serve(&[]);
    let answer = third.check(&policy("pr_a")).await;
    assert_eq!(answer["project"]["require_mcp_api_key"], !required);
    assert_eq!(answer["revision"], known + 1);
}

#[tokio::test]
async fn changes_of_different_settings_at_once_are_all_kept() {
    let database = Database::fresh();
    let (_, key) = database.seed();
    let (first, second) = (database.serve(&[]), database.serve(&[]));
    for n in 0..40 {
        let name = json!({"display_name": n.to_string()});
        let expiry = json!({"signed_url_file_expiry_in_seconds": n + 1});
        let (named, limited) = tokio::join!(
            first.patch(&key, &name).send(),
            second.patch(&key, &expiry).send()
        );
        assert_eq!(named.unwrap().status(), 200);
        assert_eq!(limited.unwrap().status(), 200);
        let settings = first.patch(&key, &json!({})).send().await.unwrap();
        let settings: Value = settings.json().await.unwrap();
        assert_eq!(settings["display_name"], n.to_string());
        assert_eq!(settings["signed_url_file_expiry_in_seconds"], n + 1);
    }
}

/// What one reader saw: which policy at which revision.
type Seen = Vec<(String, u64, bool)>;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_answer_holds_every_change_up_to_its_revision_whoever_wrote_it() {
    const FLIPS: u32 = 60;
    let database = Database::fresh();
    database.run(&["org", "create", "--name", "Org", "--id", "org_a"]);
    let servers = Arc::new([database.serve(&[]), database.serve(&[])]);
    let (stop, stopped) = watch::channel(false);
    let (mut writers, mut readers) = (JoinSet::new(), JoinSet::new());
    for n in 0..4 {
        let project = format!("pr_{n}");
        database.run(&[
            "project", "create", "--org", "org_a", "--name", "P", "--id", &project,
        ]);
        let key = database.json(&["key", "create", "--project", &project, "--name", "K"]);
        let key = key["key"].as_str().unwrap().to_owned();
        for reader in 0..2 {
            let (servers, stopped) = (Arc::clone(&servers), stopped.clone());
            let project = project.clone();
            readers.spawn(async move { read(&servers[reader], &project, &stopped).await });
        }
        let servers = Arc::clone(&servers);
        writers.spawn(async move { write(&servers[n % 2], &project, &key, FLIPS).await });
    }
    let truth: BTreeMap<_, _> = writers.join_all().await.into_iter().collect();
    stop.send_replace(true);
    let mut compared = 0;
    for (project, revision, required) in readers.join_all().await.into_iter().flatten() {
        // Before its first flip a project is as it was created.
        if let Some((_, expected)) = truth[&project].range(..=revision).next_back() {
            assert_eq!(required, *expected, "{project} at {revision}: {truth:?}");
            compared += 1;
        }
    }
    assert!(compared > 100, "the readers hardly raced: {compared}");
}

/// Flips the policy of a project, which nobody else does: what it was from which revision on.
async fn write(
    server: &Server,
    project: &str,
    key: &str,
    flips: u32,
) -> (String, BTreeMap<u64, bool>) {
    let mut states = BTreeMap::new();
    let mut known = 0;
    for n in 0..flips {
        let required = n % 2 == 1;
        flip(server, key, required).await;
        let told = server.changes(known, 0).await;
        known = told["revision"].as_u64().unwrap();
        let changes = told["changes"].as_array().unwrap();
        let ours = changes
            .iter()
            .find(|change| change["project_id"] == project);
        states.insert(ours.unwrap()["revision"].as_u64().unwrap(), required);
    }
    (project.to_owned(), states)
}

async fn read(server: &Server, project: &str, stopped: &watch::Receiver<bool>) -> Seen {
    let mut seen = Vec::new();
    while !*stopped.borrow() {
        let answer = server.check(&policy(project)).await;
        let required = answer["project"]["require_mcp_api_key"].as_bool().unwrap();
        seen.push((
            project.to_owned(),
            answer["revision"].as_u64().unwrap(),
            required,
        ));
    }
    seen
}
