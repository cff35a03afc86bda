//! What the dashboard shows beside a new key, pasted into the clients it is for: each must then get in.

use std::process::Stdio;

use serde::Deserialize;

use super::deployment::{Deployment, Project};
use super::program::Transport;
use super::toolbox::Toolbox;

/// What became of a client's snippets.
#[derive(Debug, Deserialize)]
struct Pasted {
    client: String,
    /// What its user would read, if it failed.
    shown: Option<String>,
}

/// Pastes all of them and prints how many got in. Returns what is wrong.
pub(super) async fn run(
    toolbox: &Toolbox,
    deployment: &Deployment,
    project: &Project,
) -> Vec<String> {
    let url = deployment.tapped(&project.id, Transport::Http);
    let mut command = tokio::process::Command::from(toolbox.snippets());
    command.args([&url, project.raw_key()]).stdin(Stdio::null());
    let output = match command.kill_on_drop(true).output().await {
        Ok(output) => output,
        Err(error) => return vec![format!("snippets: {error}")],
    };
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let pasted: Result<Vec<Pasted>, _> = lines.lines().map(serde_json::from_str).collect();
    let wrong = match pasted {
        Ok(pasted) if output.status.success() && !pasted.is_empty() => failures(&pasted),
        _ => vec![format!(
            "snippets: {lines}{}",
            String::from_utf8_lossy(&output.stderr)
        )],
    };
    println!(
        "snippets of the dashboard: {} clients were given theirs",
        lines.lines().count()
    );
    wrong
}

fn failures(pasted: &[Pasted]) -> Vec<String> {
    let failed = pasted.iter().filter_map(|one| {
        let shown = one.shown.as_ref()?;
        Some(format!("the snippet for {} fails: {shown}", one.client))
    });
    failed.collect()
}
