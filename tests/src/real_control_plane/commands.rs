//! The admin commands, on the database of a real control plane; and what an operator does with its file.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::{RealControlPlane, binary, text};

/// A key that was just made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its id, by which it is revoked and attributed.
    pub id: String,
    /// The key itself, which is shown this once.
    pub raw: String,
}

impl RealControlPlane {
    /// Makes an organisation and returns its id. `created_at` is a date and time of RFC 3339, by default now.
    pub fn create_org(&self, name: &str, created_at: Option<&str>) -> String {
        let mut command = vec!["org", "create", "--name", name];
        command.extend(created_at.iter().flat_map(|at| ["--created-at", at]));
        text(&self.admin(&command), "id")
    }

    /// Makes a project and returns its id. `require` is `None` for the organisation's default.
    pub fn create_project(&self, org: &str, name: &str, require: Option<bool>) -> String {
        let require = require.map(|require| require.to_string());
        let mut command = vec!["project", "create", "--org", org, "--name", name];
        command.extend(
            require
                .iter()
                .flat_map(|require| ["--require-mcp-api-key", require]),
        );
        text(&self.admin(&command), "id")
    }

    /// Makes an MCP server and returns its id.
    pub fn create_server(&self, project: &str, name: &str) -> String {
        let command = ["server", "create", "--project", project, "--name", name];
        text(&self.admin(&command), "id")
    }

    /// Makes a key. `expires_at` is a date and time of RFC 3339, by default never.
    pub fn create_key(&self, project: &str, name: &str, expires_at: Option<&str>) -> NewKey {
        let mut command = vec!["key", "create", "--project", project, "--name", name];
        command.extend(expires_at.iter().flat_map(|at| ["--expires-at", at]));
        let created = self.admin(&command);
        NewKey {
            id: text(&created, "id"),
            raw: text(&created, "key"),
        }
    }

    /// Revokes a key.
    pub fn revoke_key(&self, key_id: &str) {
        self.admin(&["key", "revoke", "--id", key_id]);
    }

    /// Copies the database to a new file by the command `backup`, also while it is served.
    pub fn back_up(&self, to: &Path) {
        self.run(&["backup", "--to", &to.to_string_lossy()]);
    }

    /// Kills it, so that its database is a file like others, and copies that.
    pub fn kill_and_copy(&mut self, to: &Path) {
        self.kill();
        // What the killed one left in its log becomes part of the file.
        self.run(&["list", "orgs"]);
        fs::copy(self.file(), to).expect("a copy of the database");
    }

    /// Kills it and puts a copy in the place of its database.
    pub fn kill_and_put_back(&mut self, copy: &Path) {
        self.kill();
        let file = self.file();
        for beside in ["", "-wal", "-shm"] {
            drop(fs::remove_file(format!("{file}{beside}")));
        }
        fs::copy(copy, file).expect("the copy in its place");
    }

    /// Says that the database was restored.
    pub fn say_restored(&self) {
        self.run(&["restored"]);
    }

    /// Runs an admin command and returns what it says as JSON. It works on the database, also while nothing serves.
    ///
    /// # Panics
    /// When the command fails.
    pub fn admin(&self, command: &[&str]) -> Value {
        let json: Vec<_> = command.iter().copied().chain(["--json"]).collect();
        let output = self.run(&json);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("control-plane {} says no JSON: {error}", command.join(" "))
        })
    }

    fn run(&self, command: &[&str]) -> Output {
        let output = Command::new(binary())
            .args(command)
            .args(["--database", &self.database()])
            .output()
            .expect("the control plane runs");
        assert!(
            output.status.success(),
            "control-plane {}: {}",
            command.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    fn file(&self) -> String {
        self.database().replacen("sqlite://", "", 1)
    }
}
