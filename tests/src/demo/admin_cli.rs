//! The control plane's admin commands, as an operator would run them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// Runs `control-plane` against one database.
#[derive(Debug)]
pub(super) struct AdminCli {
    binary: PathBuf,
    database: String,
}

impl AdminCli {
    pub(super) fn new(binary: &Path, database: &str) -> Self {
        Self {
            binary: binary.to_owned(),
            database: database.to_owned(),
        }
    }

    /// The ids of all `orgs`, `projects`, `servers` or `keys`.
    pub(super) async fn ids(&self, of: &str) -> Result<BTreeSet<String>> {
        let listed = self.run(&["list", of]).await?;
        let items = listed
            .as_array()
            .with_context(|| format!("list {of} is no list"))?;
        let ids = items.iter().filter_map(|item| item["id"].as_str());
        Ok(ids.map(str::to_owned).collect())
    }

    /// Makes a key, and returns it raw: it is shown this once.
    pub(super) async fn create_key(&self, project: &str) -> Result<String> {
        let created = self
            .run(&["key", "create", "--project", project, "--name", "demo"])
            .await?;
        let key = created["key"].as_str();
        Ok(key.context("key create shows no key")?.to_owned())
    }

    /// Runs one command, and returns what it says as JSON.
    pub(super) async fn run(&self, command: &[&str]) -> Result<Value> {
        let output = tokio::process::Command::new(&self.binary)
            .args(command)
            .args(["--database", &self.database, "--json"])
            .kill_on_drop(true)
            .output()
            .await
            .context("cannot run control-plane")?;
        if !output.status.success() {
            bail!(
                "control-plane {} failed: {}",
                command.join(" "),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("control-plane {} shows no JSON", command.join(" ")))
    }
}
