//! `make test-clients`: real MCP clients against a real MCP server, directly and through the gateway, in one table. It fails
//! when a client ends otherwise than it must, when the gateway changes anything on the way, and when a client shows its user
//! another sentence than the documentation says.

#![allow(clippy::print_stdout, reason = "the table is for people")]

use std::sync::Arc;

use anyhow::Result;
use tokio::sync::Semaphore;

use crate::gateway::GatewayOptions;

mod case;
mod cast;
mod conformance;
mod deployment;
mod documentation;
mod fidelity;
mod noted_body;
mod program;
mod run;
mod sabotage;
mod sentence;
mod snippets;
mod table;
mod tap;
mod toolbox;
mod upstream;

use case::{Case, Ending};
use cast::Client;
use deployment::Deployment;
use run::{Projects, Row, Run};
use sabotage::Sabotage;
use toolbox::Toolbox;

/// What is asked for on the command line.
#[derive(Debug, clap::Parser)]
pub struct Options {
    /// Write what clients show their users into the documentation, instead of holding the documentation to it.
    #[arg(long)]
    write: bool,
    /// Put a gateway with a fault in between, to see that it is noticed.
    #[arg(long, conflicts_with = "write")]
    sabotage: Option<Sabotage>,
}

/// Clients that are run at the same time.
const AT_ONCE: usize = 2;

/// Runs everything and prints it. Returns what is wrong, one line each.
///
/// # Errors
/// When something cannot be installed.
///
/// # Panics
/// When something does not start.
pub async fn run(options: Options) -> Result<Vec<String>> {
    let toolbox = Toolbox::install()?;
    let change = |gateway| match options.sabotage {
        Some(sabotage) => sabotage.commit(gateway),
        None => gateway,
    };
    let (mut deployment, projects, runs) = start(&toolbox, change).await;
    let conformance = conformance::run(&toolbox, &deployment, &projects.locked);
    let snippets = snippets::run(&toolbox, &deployment, &projects.locked);
    let (runs, mut problems, wrong_snippets) =
        tokio::join!(go(&deployment, &projects, runs), conformance, snippets);
    problems.extend(wrong_snippets);

    deployment.lose_control_plane();
    let seen = deployment.seen_before().len();
    let rows = go_without_control_plane(&deployment, runs).await;
    problems.extend(logins(&deployment, seen));

    println!("{}", table::of(&rows));
    problems.extend(wrong(&rows));
    let findings = deployment.findings();
    println!(
        "{} requests and their answers were compared before and behind the gateway.",
        findings.compared
    );
    problems.extend(findings.differences);
    match documentation::hold(&rows, options.write) {
        Ok(differences) => problems.extend(differences),
        Err(error) => problems.push(format!("the documentation: {error:#}")),
    }
    Ok(problems)
}

async fn start(
    toolbox: &Toolbox,
    change: impl Fn(GatewayOptions) -> GatewayOptions,
) -> (Deployment, Projects, Vec<Run>) {
    let mut deployment = Deployment::start(toolbox, change).await;
    let projects = Projects {
        locked: deployment.create_project("locked", true),
        other: deployment.create_project("other", true),
    };
    let runs = Client::all(toolbox)
        .into_iter()
        .map(|client| Run::prepare(client, &mut deployment))
        .collect();
    (deployment, projects, runs)
}

async fn go(deployment: &Deployment, projects: &Projects, runs: Vec<Run>) -> Vec<Run> {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let all = runs.into_iter().map(async |mut run| {
        let _turn = turns.acquire().await;
        run.go(deployment, projects).await;
        run
    });
    futures::future::join_all(all).await
}

async fn go_without_control_plane(deployment: &Deployment, runs: Vec<Run>) -> Vec<Row> {
    let all = runs.into_iter().map(async |mut run| {
        run.go_without_control_plane(deployment).await;
        run.rows
    });
    futures::future::join_all(all)
        .await
        .into_iter()
        .flatten()
        .collect()
}

/// A client that is told to wait must not be led to log in: whatever it asks for then is no way to one.
fn logins(deployment: &Deployment, since: usize) -> Vec<String> {
    let mut seen = deployment.seen_before().split_off(since);
    seen.retain(|exchange| {
        // Metadata does not count: `mcp-remote` looks for it before it sends anything else.
        let ways = ["/register", "/authorize", "/token"];
        ways.iter().any(|way| exchange.target.starts_with(way))
    });
    seen.iter()
        .map(|exchange| format!("a 503 sent a client to log in: {}", exchange.target))
        .collect()
}

fn wrong(rows: &[Row]) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows {
        for (case, ending) in &row.endings {
            if let Ending::Wrong(why) = ending {
                let (client, transport) = (&row.client, row.transport.name());
                wrong.push(format!("{client}, {transport}, {}: {why}", case.name()));
            }
        }
        let session = [Case::Direct, Case::Key].map(|case| row.endings.get(&case));
        if session[0].is_some() && session[0] != session[1] {
            wrong.push(format!(
                "{}: not the same directly and through the gateway",
                row.client
            ));
        }
    }
    wrong
}
