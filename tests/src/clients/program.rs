//! A client program that runs: a command in, an answer out, one line each. See `tests/clients/README.md`.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};

use crate::repo;

/// How long a program may take for one command; the server's patience is shorter.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where programs' logs are, below the repository's top.
const LOGS: &str = ".cache/clients/logs";

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Program {
    name: String,
    child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

/// What a program is told.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Order<'a> {
    #[serde(rename = "do")]
    pub(super) action: &'a str,
    pub(super) transport: Transport,
    pub(super) url: &'a str,
    pub(super) headers: serde_json::Value,
}

/// How a client speaks to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Transport {
    /// Streamable HTTP.
    Http,
    /// HTTP+SSE, of revision 2024-11-05.
    Sse,
    /// Streamable HTTP by a client that is ready to log in.
    OAuth,
}

/// What a program answers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    /// The steps of a session that went well.
    #[serde(default)]
    pub(super) steps: Vec<String>,
    /// Whether it got in.
    #[serde(default)]
    pub(super) connected: bool,
    /// Whether it did what it was told.
    #[serde(default)]
    pub(super) ok: bool,
    /// What its user would read, if it failed.
    pub(super) shown: Option<String>,
}

impl Program {
    /// Starts it; `name` is for messages.
    pub(super) fn start(name: &str, mut command: Command) -> Self {
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log(name));
        let mut child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let answers = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self {
            name: name.to_owned(),
            commands: child.stdin.take().expect("a pipe"),
            child,
            answers,
        }
    }

    /// The next line that it prints, or why there is none.
    pub(super) async fn line(&mut self) -> Result<String, String> {
        match tokio::time::timeout(PATIENCE, self.answers.next_line()).await {
            Ok(Ok(Some(line))) => Ok(line),
            Ok(_) => Err(format!(
                "{} ended: {:?}; see {LOGS}",
                self.name,
                self.child.wait().await
            )),
            Err(_) => Err(format!("{} did not answer within {PATIENCE:?}", self.name)),
        }
    }

    /// Has it do something. After an error it is of no use any more.
    pub(super) async fn order(&mut self, order: &Order<'_>) -> Result<Answer, String> {
        let line = serde_json::to_string(order).expect("an order is JSON") + "\n";
        let sent = self.commands.write_all(line.as_bytes()).await;
        sent.map_err(|error| format!("{} takes no command: {error}", self.name))?;
        let answer = self.line().await?;
        serde_json::from_str(&answer)
            .map_err(|error| format!("{} says {answer}: {error}", self.name))
    }
}

/// A file for what a program says besides its answers.
fn log(name: &str) -> Stdio {
    let folder = repo::path(LOGS);
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let file = folder.join(format!(
        "{}.log",
        name.chars().map(word).collect::<String>()
    ));
    let made = fs::create_dir_all(&folder).and_then(|()| fs::File::create(&file));
    Stdio::from(made.unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

impl Transport {
    /// What it is called in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Http => "Streamable HTTP",
            Self::Sse => "HTTP+SSE",
            Self::OAuth => "Streamable HTTP, ready to log in",
        }
    }
}
