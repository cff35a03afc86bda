//! A server that is killed again and again while it writes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::rig::program::{Database, Server};

const KILLS: u64 = 50;
const WRITERS: usize = 4;

/// One who changes a project of its own, step by step: each change tells its number in three settings.
struct Writer {
    project: String,
    key: String,
    /// The last change that was acknowledged.
    acknowledged: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_no_acknowledged_write_and_tears_none() {
    let database = Arc::new(Database::fresh());
    let mut writers = writers(&database).await;
    let mut server = Arc::new(database.serve(&[]));
    let first = server.changes(0, 0).await["revision"].as_u64().unwrap();
    let mut unacknowledged = 0;
    for kill in 0..KILLS {
        // So many more acknowledgements, and then at once, in the middle of other writes.
        let more = 1 + kill % 6;
        writers = write_until_killed(&server, writers, more).await;
        server = Arc::new(database.serve(&[]));
        let mut written = 0;
        for writer in &mut writers {
            let number = number(&server, writer).await;
            let lost_or_invented = number.checked_sub(writer.acknowledged);
            assert!(
                matches!(lost_or_invented, Some(0 | 1)),
                "{number} is there, {} was acknowledged",
                writer.acknowledged
            );
            unacknowledged += number - writer.acknowledged;
            writer.acknowledged = number;
            written += number;
        }
        // Each change raised the revision by one, in its own transaction.
        let answer = server.changes(first, 0).await;
        assert_eq!(answer["revision"], first + written, "after kill {kill}");
    }
    println!("{unacknowledged} writes were committed and not acknowledged");
}

async fn writers(database: &Database) -> Vec<Writer> {
    database.run(&["org", "create", "--name", "Org", "--id", "org_a"]);
    let mut writers = Vec::new();
    for n in 0..WRITERS {
        let project = format!("pr_{n}");
        database.run(&[
            "project", "create", "--org", "org_a", "--name", "P", "--id", &project,
        ]);
        let key = database.json(&["key", "create", "--project", &project, "--name", "K"]);
        writers.push(Writer {
            project,
            key: key["key"].as_str().unwrap().to_owned(),
            acknowledged: 0,
        });
    }
    writers
}

/// All write, and the server is killed when they were acknowledged `more` times.
async fn write_until_killed(server: &Arc<Server>, writers: Vec<Writer>, more: u64) -> Vec<Writer> {
    let count = Arc::new(AtomicU64::new(0));
    let mut running = JoinSet::new();
    for mut writer in writers {
        let (server, count) = (Arc::clone(server), Arc::clone(&count));
        running.spawn(async move {
            loop {
                let next = writer.acknowledged + 1;
                match server.patch(&writer.key, &change(next)).send().await {
                    Ok(reply) => assert_eq!(reply.status(), 200),
                    // Nobody knows what became of it.
                    Err(_) => return writer,
                }
                writer.acknowledged = next;
                if count.fetch_add(1, Ordering::SeqCst) + 1 == more {
                    server.signal("KILL");
                }
            }
        });
    }
    running.join_all().await
}

fn change(number: u64) -> Value {
    json!({
        "require_mcp_api_key": number % 2 == 1,
        "display_name": number.to_string(),
        "logo_url": format!("https://example.com/{number}"),
    })
}

/// The number of the change that the settings and the policy show, which must be one and the same.
async fn number(server: &Server, writer: &Writer) -> u64 {
    let settings = server.patch(&writer.key, &json!({})).send().await.unwrap();
    let settings: Value = settings.error_for_status().unwrap().json().await.unwrap();
    let question = json!({"subject": {"project_id": writer.project}, "key_sha256": null});
    let policy = server.check(&question).await;
    let number = settings["display_name"].as_str();
    let number = number.map_or(0, |number| number.parse().unwrap());
    if number > 0 {
        for (name, value) in change(number).as_object().unwrap() {
            assert_eq!(&settings[name], value, "{settings}");
        }
        assert_eq!(policy["project"]["require_mcp_api_key"], number % 2 == 1);
    }
    number
}
