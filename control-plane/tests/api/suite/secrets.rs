//! Secrets stay out of the log, even at its most talkative, and out of every answer.

use reqwest::Client;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::rig::{
    app::{CONFIG, EDGE_TOKEN},
    program::Database,
};

// Two threads: one waits for the process while the other answers its goodbye on HTTP/2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_logged_or_repeated() {
    for format in ["text", "json"] {
        let database = Database::fresh();
        let (id, key) = database.seed();
        let mut server = database.serve(&["--log", "trace", "--log-format", format]);
        let client = match format {
            "json" => Client::builder().http2_prior_knowledge().build().unwrap(),
            _ => Client::new(),
        };
        let settings = format!("{}{CONFIG}", server.public);
        let hash: String = Sha256::digest(&key)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let question = json!({"subject": {"project_id": "pr_a"}, "key_sha256": hash});
        let mut answers = String::new();
        for request in [
            client.get(&settings).header("x-api-key", &key),
            client
                .patch(&settings)
                .header("x-api-key", &key)
                .json(&json!({"display_name": "New"})),
            client.patch(&settings).header("x-api-key", &key).body("{"),
            // In all the wrong places.
            client.get(format!("{settings}?x-api-key={key}")),
            client.get(format!("{}/{key}", server.public)),
            client.get(&settings).bearer_auth(&key),
            client.get(&settings).header("x-api-key", format!("{key}x")),
            client
                .get(format!("{}/edge/v1/changes?after=0", server.edge))
                .bearer_auth(EDGE_TOKEN),
            client.get(format!(
                "{}/edge/v1/changes?after={EDGE_TOKEN}",
                server.edge
            )),
            client
                .post(format!("{}/edge/v1/check", server.edge))
                .bearer_auth(EDGE_TOKEN)
                .json(&question),
            client
                .post(format!("{}/edge/v1/check", server.edge))
                .bearer_auth(&key)
                .json(&question),
        ] {
            answers.push_str(&request.send().await.unwrap().text().await.unwrap());
        }
        server.signal("TERM");
        server.wait();

        let log = server.log();
        assert!(
            log.contains(&id),
            "the key's id is logged, or the search is wrong: {log}"
        );
        assert!(
            log.contains("answered"),
            "requests are logged, or the search is wrong: {log}"
        );
        for secret in [&key, &key[3..35], EDGE_TOKEN] {
            assert!(!log.contains(secret), "{secret} in {log}");
            assert!(!answers.contains(secret), "{secret} in {answers}");
        }
        if format == "json" {
            for line in log.lines() {
                serde_json::from_str::<Value>(line)
                    .unwrap_or_else(|error| panic!("{error}: {line}"));
            }
        }
    }
}
