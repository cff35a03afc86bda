//! The official conformance suite, directly and through the gateway: what it says must be the same, and without a key it must
//! get nowhere.

use std::collections::BTreeMap;
use std::process::Stdio;

use serde_json::{Value, json};

use super::deployment::{Deployment, Project};
use super::program::Transport;
use super::toolbox::Toolbox;

/// What one revision of the protocol requires of a server, and where the server speaks it.
const REQUIREMENTS: [(&str, &str); 2] = [("2025-11-25", ""), ("2026-07-28", "/2026")];
/// Runs that are not the suite's business to pass: an extension that the server does not have.
const NOT_OFFERED: &str = "tasks-";

/// Wants an error, and is content with any.
const WANTS_AN_ERROR: &str = "input-required-result-validate-input";

/// The lines of the suite's summary by scenario: `2 passed, 0 failed`.
type Summary = BTreeMap<String, String>;

/// Runs it in all ways and prints the totals. Returns what is wrong.
pub(super) async fn run(
    toolbox: &Toolbox,
    deployment: &Deployment,
    project: &Project,
) -> Vec<String> {
    let runs = REQUIREMENTS.map(async |(revision, path)| {
        let direct = deployment.direct(Transport::Http) + path;
        let gateway = deployment.tapped(&project.id, Transport::Http) + path;
        let [direct, key, no_key] = [
            (&direct, json!({})),
            (&gateway, project.headers()),
            (&gateway, json!({})),
        ]
        .map(|(url, headers)| suite(toolbox, revision, url, headers));
        let (direct, key, no_key) = tokio::join!(direct, key, no_key);
        judge(revision, &direct, &key, &no_key)
    });
    futures::future::join_all(runs).await.concat()
}

fn judge(revision: &str, direct: &Summary, key: &Summary, no_key: &Summary) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut complain = |what: String| wrong.push(format!("conformance {revision}: {what}"));
    for (scenario, result) in direct {
        if fails(result) && !scenario.starts_with(NOT_OFFERED) {
            complain(format!("{scenario} fails at the server itself: {result}"));
        }
        if key.get(scenario) != Some(result) {
            let through = key.get(scenario);
            complain(format!(
                "{scenario}: {result}; through the gateway {through:?}"
            ));
        }
        let passed = no_key.get(scenario).is_none_or(|result| passes(result));
        if passed && scenario != WANTS_AN_ERROR {
            complain(format!("{scenario} passes without a key"));
        }
    }
    if direct.is_empty() || direct.len() != key.len() {
        complain(format!(
            "{} scenarios, {} through the gateway",
            direct.len(),
            key.len()
        ));
    }
    println!(
        "conformance {revision}: {} scenarios, the same directly and through the gateway: {}; without a key {} pass",
        direct.len(),
        direct == key,
        no_key.values().filter(|result| passes(result)).count(),
    );
    wrong
}

fn fails(result: &str) -> bool {
    !result.ends_with(" 0 failed")
}

/// Whether anything was tried and all of it went well.
fn passes(result: &str) -> bool {
    !fails(result) && !result.starts_with("0 passed")
}

async fn suite(toolbox: &Toolbox, revision: &str, url: &str, headers: Value) -> Summary {
    let results = tempfile::tempdir().expect("a folder for the results");
    let preload = "--import=./conformance/send-header.js";
    let program = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
    let mut command = toolbox.javascript(&[preload], program);
    let origin = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    command
        .args(["server", "--url", url, "--requirements", revision, "-o"])
        .arg(results.path())
        .env("CLIENT_HEADERS", headers.to_string())
        .env("CLIENT_ORIGIN", origin)
        .stdin(Stdio::null());
    let output = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .output()
        .await;
    let output = output.expect("the conformance suite runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let summary: Summary = text
        .lines()
        .skip_while(|line| !line.contains("=== SUMMARY ==="))
        .take_while(|line| !line.starts_with("Total"))
        .filter_map(|line| line.trim_start_matches(['✓', '✗', ' ']).split_once(": "))
        .map(|(scenario, result)| (scenario.to_owned(), result.to_owned()))
        .collect();
    assert!(
        !summary.is_empty(),
        "the conformance suite says nothing:\n{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    summary
}
