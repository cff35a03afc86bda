//! A running Envoy with the reference bootstrap: how to reach it, and what it says of itself.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::deadline::{PATIENCE, eventually};
use crate::envoy_runner::{Envoy, STDERR, STDOUT};
use crate::http::Call;

mod admin;
mod listener_file;
mod options;

pub use admin::Admin;
use listener_file::ListenerFile;
pub use options::GatewayOptions;

/// A running gateway. Envoy is killed when this is dropped; if a test is failing then, the end of its log is printed.
#[derive(Debug)]
pub struct Gateway {
    addr: SocketAddr,
    admin: Admin,
    envoy: Envoy,
    /// After `envoy`, so that the files outlive the process that has them open.
    dir: TempDir,
}

impl Gateway {
    /// Starts Envoy and waits until it serves.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(options: GatewayOptions) -> Self {
        match Self::try_start(options).await {
            Ok(gateway) => gateway,
            Err(reason) => panic!("the gateway did not start: {reason}"),
        }
    }

    /// As [`start`](Self::start), for a configuration that Envoy may refuse. The error holds Envoy's log.
    pub async fn try_start(options: GatewayOptions) -> Result<Self, String> {
        Self::launch(options)
            .await
            .map_err(|error| format!("{error:#}"))
    }

    async fn launch(options: GatewayOptions) -> Result<Self> {
        let dir = tempfile::Builder::new()
            .prefix("mcp-key-auth-")
            .tempdir()
            .context("cannot make a folder for Envoy's files")?;
        let runner = options.chosen_runner()?;
        let launch = options.prepare(dir.path())?;
        let mut envoy = runner.start(&launch)?;
        let started = Instant::now();
        let mut addr = None;
        loop {
            if let Some(status) = envoy.exited() {
                bail!("Envoy ended with {status}:\n{}", read(&dir, STDERR));
            }
            if let Some(admin) = Admin::announced(dir.path())
                && admin.is_ready().await
            {
                addr = admin.listener().await;
                if let Some(addr) = addr {
                    return Ok(Self {
                        addr,
                        admin,
                        envoy,
                        dir,
                    });
                }
            }
            if started.elapsed() > PATIENCE {
                bail!(
                    "Envoy is not ready after {PATIENCE:?} (listening on {addr:?}):\n{}",
                    read(&dir, STDERR)
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Where clients connect.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A URL for clients that want one; `path` begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// A request of any method and path.
    pub fn call(&self, method: &str, target: impl AsRef<[u8]>) -> Call {
        Call::new(self.addr, method, target)
    }

    /// What an MCP client sends first, to a project's URL: `POST /mcp/<project>` with an `initialize` message.
    pub fn mcp(&self, project: &str) -> Call {
        self.call("POST", format!("/mcp/{project}"))
            .header("accept", "application/json, text/event-stream")
            .json(&json!({
                "jsonrpc": "2.0",
                "id": 1,
                "method": "initialize",
                "params": {
                    "protocolVersion": "2025-06-18",
                    "capabilities": {},
                    "clientInfo": {"name": "rig", "version": "1"},
                },
            }))
    }

    /// Changes the listener while it serves, and returns when Envoy has taken the new one over. `edit` gets a bootstrap
    /// that holds nothing else; see [`crate::bootstrap`] for the ways to its parts.
    ///
    /// # Panics
    /// When the gateway was not started as [`reloadable`](GatewayOptions::reloadable), or Envoy refuses the listener.
    pub async fn reload_listener(&self, edit: impl FnOnce(&mut Value)) {
        let updates = || async {
            let stats = self.stats("listener_manager.lds.update_").await;
            let count = |kind: &str| stats.get(&format!("listener_manager.lds.update_{kind}"));
            let counts = ["success", "rejected"].map(|kind| count(kind).copied().unwrap_or(0));
            (counts[0], counts[1])
        };
        let before = updates().await;
        ListenerFile::of(self.dir.path())
            .rewrite(edit)
            .unwrap_or_else(|error| panic!("the listener's file: {error:#}"));
        eventually(PATIENCE, "Envoy takes the new listener over", async || {
            let (taken, refused) = updates().await;
            assert_eq!(
                refused,
                before.1,
                "Envoy refused the listener:\n{}",
                self.log()
            );
            (taken > before.0).then_some(())
        })
        .await;
    }

    /// Envoy's admin interface.
    #[must_use]
    pub fn admin(&self) -> &Admin {
        &self.admin
    }

    /// A counter or gauge by its exact name; 0 when Envoy has none of that name.
    pub async fn stat(&self, name: &str) -> u64 {
        let stats = self.admin.stats().await;
        stats.get(name).copied().unwrap_or_default()
    }

    /// All counters and gauges whose names begin with `prefix`.
    pub async fn stats(&self, prefix: &str) -> BTreeMap<String, u64> {
        let mut stats = self.admin.stats().await;
        stats.retain(|name, _| name.starts_with(prefix));
        stats
    }

    /// Waits until the value satisfies `holds`, and returns it.
    pub async fn wait_for_stat(
        &self,
        name: &str,
        holds: impl Fn(u64) -> bool,
        deadline: Duration,
    ) -> u64 {
        eventually(deadline, name, async || {
            Some(self.stat(name).await).filter(|value| holds(*value))
        })
        .await
    }

    /// Bytes that Envoy's heap has in use.
    pub async fn memory(&self) -> u64 {
        self.admin.memory().await
    }

    /// The access log so far. Entries appear a few milliseconds after their request has ended.
    #[must_use]
    pub fn access_log(&self) -> Vec<Value> {
        let text = read(&self.dir, STDOUT);
        let whole_lines = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
        whole_lines
            .lines()
            .map(|line| {
                serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("{error} in the access log: {line}"))
            })
            .collect()
    }

    /// Waits for an entry that satisfies `wanted`, and returns the first one.
    pub async fn wait_for_access_log(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        eventually(PATIENCE, "an access log entry", async || {
            self.access_log().into_iter().find(|entry| wanted(entry))
        })
        .await
    }

    /// Envoy's own log so far.
    #[must_use]
    pub fn log(&self) -> String {
        read(&self.dir, STDERR)
    }

    /// How Envoy ended, if it has.
    pub fn exited(&mut self) -> Option<String> {
        let status = self.envoy.exited()?;
        Some(format!("Envoy ended with {status}"))
    }

    /// Envoy's process id; `None` when it runs in a container.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.envoy.process_id()
    }

    /// Kills Envoy and returns when it is gone.
    pub fn stop(self) {}
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.envoy.kill();
        if std::thread::panicking() {
            eprintln!("--- end of Envoy's log\n{}", tail(&self.log(), 60));
            let access_log = read(&self.dir, STDOUT);
            eprintln!("--- end of the access log\n{}", tail(&access_log, 20));
        }
    }
}

fn read(dir: &TempDir, file: &str) -> String {
    let bytes = fs::read(dir.path().join(file)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn tail(text: &str, count: usize) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
