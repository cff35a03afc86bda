//! The command `backup`.

use std::{
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use control_plane::store::{DatabaseUrl, Store, WhenMissing};
use serde_json::{Value, json};

use crate::rig::program::{Database, Finished, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_database_in_use_is_complete_as_of_one_moment_and_can_be_served() {
    let database = Database::fresh();
    let (_, key) = database.seed();
    let server = Arc::new(database.serve(&[]));
    let before = server.changes(0, 0).await["revision"].as_u64().unwrap();
    write(&server, &key, 1).await;
    let stop = Arc::new(AtomicBool::new(false));
    let writing = {
        let (server, key, stop) = (Arc::clone(&server), key.clone(), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut number = 1;
            while !stop.load(Ordering::SeqCst) {
                number += 1;
                write(&server, &key, number).await;
            }
            number
        })
    };
    let copies: Vec<_> = (0..5)
        .map(|n| database.path(&format!("copy-{n}.db")))
        .collect();
    for copy in &copies {
        tokio::task::block_in_place(|| database.run(&["backup", "--to", copy.to_str().unwrap()]));
    }
    stop.store(true, Ordering::SeqCst);
    let written = writing.await.unwrap();
    drop(server);

    for copy in &copies {
        let mode = std::fs::metadata(copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let url = format!("sqlite://{}", copy.display());
        let restored = database.serve(&["--database", &url]);
        let settings = restored.patch(&key, &json!({})).send().await.unwrap();
        let settings: Value = settings.error_for_status().unwrap().json().await.unwrap();
        let number: u64 = settings["display_name"].as_str().unwrap().parse().unwrap();
        assert!((1..=written).contains(&number), "{number} of {written}");
        assert_eq!(settings["require_mcp_api_key"], number % 2 == 1);
        let revision = &restored.changes(0, 0).await["revision"];
        assert_eq!(revision, before + number);
        write(&restored, &key, number + 1).await;
    }
}

async fn write(server: &Server, key: &str, number: u64) {
    let change = json!({
        "display_name": number.to_string(), "require_mcp_api_key": number % 2 == 1});
    let reply = server.patch(key, &change).send().await.unwrap();
    assert_eq!(reply.status(), 200);
}

#[tokio::test]
async fn a_copy_can_be_told_from_what_it_was_taken_of() {
    let database = Database::fresh();
    database.seed();
    let copy = database.path("copy.db");
    database.run(&["backup", "--to", copy.to_str().unwrap()]);
    let incarnation = async |url: String| {
        let url: DatabaseUrl = url.parse().unwrap();
        let store = Store::open(&url, WhenMissing::Refuse).await.unwrap();
        let incarnation = store.incarnation();
        store.close().await;
        incarnation
    };
    let original = incarnation(database.database.url()).await;
    assert_eq!(incarnation(database.database.url()).await, original);
    let copied = incarnation(format!("sqlite://{}", copy.display())).await;
    assert_ne!(copied, original);
}

#[test]
fn a_backup_overwrites_nothing_and_leaves_nothing_behind_when_it_fails() {
    let database = Database::fresh();
    let file = database.path("taken");
    let to = file.to_str().unwrap();
    refused(
        &database.try_run(&["backup", "--to", to]),
        "there is no database",
    );
    database.seed();
    std::fs::write(&file, "precious").unwrap();
    refused(&database.try_run(&["backup", "--to", to]), "exists already");
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    let nowhere = database.path("no/such/folder/copy.db");
    let nowhere = nowhere.to_str().unwrap();
    refused(
        &database.try_run(&["backup", "--to", nowhere]),
        "its folder must exist",
    );
    std::fs::write(
        database.database.file(),
        "no database, but long enough".repeat(99),
    )
    .unwrap();
    let copy = database.path("copy.db");
    refused(
        &database.try_run(&["backup", "--to", copy.to_str().unwrap()]),
        "cannot copy the database",
    );
    let left: Vec<_> = std::fs::read_dir(database.path("")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[track_caller]
fn refused(finished: &Finished, reason: &str) {
    assert_eq!(finished.status.code(), Some(1));
    assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    assert!(finished.stderr.contains(reason), "{}", finished.stderr);
}
