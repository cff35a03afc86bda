//! The running control plane against its own description: schemathesis asks all that `/openapi.json` allows and much that it
//! does not, and looks at every answer. It is fetched from PyPI once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on stops with a clear message"
)]

use std::path::Path;
use std::process::Stdio;

use stack::real_control_plane::RealControlPlane;
use stack::{python_packages, repo};
use tokio::process::Command;

/// The calls about one project.
const OF_A_PROJECT: &str = "^/api/v3/org/project(/|$)";
/// Those of them that change a key: whoever asks with one might switch that off.
const KEYS: &str = "^/api/v3/org/project/api_keys/";
/// The calls about the projects of an organisation.
const PROJECTS: &str = "^/api/v3/org/projects";

struct Api {
    control_plane: RealControlPlane,
    org: String,
    project: String,
}

impl Api {
    async fn start() -> Self {
        let control_plane = RealControlPlane::start().await;
        let org = control_plane.create_org("Acme", Some("2025-06-01T00:00:00Z"));
        let project = control_plane.create_project(&org, "Shop", None);
        Self {
            control_plane,
            org,
            project,
        }
    }

    fn organisation_key(&self) -> String {
        let command = [
            "org", "key", "create", "--org", &self.org, "--name", "Admin",
        ];
        let created = self.control_plane.admin(&command);
        created["key"].as_str().expect("a key").to_owned()
    }

    /// Checks the calls that `options` choose, as a caller with these headers.
    async fn keeps_its_word(&self, headers: &[String], options: &[&str]) {
        let packages = python_packages::installed("openapi", &repo::path(REQUIREMENTS))
            .unwrap_or_else(|error| panic!("{error:#}"));
        let url = format!("http://{}/openapi.json", self.control_plane.public_addr());
        let mut command = schemathesis(&packages);
        command.args(["run", &url, "--checks", "all", "--no-color"]);
        for header in headers {
            command.args(["--header", header]);
        }
        let output = command.args(options).output().await.expect("python3 runs");
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

const REQUIREMENTS: &str = "tests/openapi/requirements.txt";

fn schemathesis(packages: &Path) -> Command {
    let mut command = Command::new("python3");
    command
        .args(["-m", "schemathesis.cli", "--config-file"])
        .arg(repo::path("tests/openapi/schemathesis.toml"))
        .env("PYTHONPATH", packages)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // What it remembers of a run would change the next one.
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

#[tokio::test]
async fn a_project_key_gets_what_is_described() {
    let api = Api::start().await;
    let key = api.control_plane.create_key(&api.project, "Owner", None);
    let headers = [format!("x-api-key: {}", key.raw)];
    let choice = [
        "--include-path-regex",
        OF_A_PROJECT,
        "--exclude-path-regex",
        KEYS,
    ];
    let phases = ["--phases", "examples,coverage,fuzzing"];
    api.keeps_its_word(&headers, &[choice.as_slice(), phases.as_slice()].concat())
        .await;
}

#[tokio::test]
async fn an_organisation_key_gets_what_is_described_of_a_project() {
    let api = Api::start().await;
    let headers = [
        format!("x-org-api-key: {}", api.organisation_key()),
        format!("x-project-id: {}", api.project),
    ];
    let choice = ["--include-path-regex", OF_A_PROJECT, "--max-time", "40"];
    api.keeps_its_word(&headers, &choice).await;
}

#[tokio::test]
async fn an_organisation_key_gets_what_is_described_of_its_projects() {
    let api = Api::start().await;
    let headers = [format!("x-org-api-key: {}", api.organisation_key())];
    let choice = ["--include-path-regex", PROJECTS, "--max-time", "30"];
    api.keeps_its_word(&headers, &choice).await;
}
