//! Builds a part of the workspace with the cargo that runs the rig, and tells where the result lies, so that a stale
//! artifact can never be what a test runs.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::repo;

/// Runs `cargo build` with `arguments` and returns the built file that `wanted` picks.
///
/// Cargo's own lock makes it safe for several processes at once; an up-to-date build costs a fraction of a second.
///
/// # Panics
/// When the build fails or makes no such file.
pub(crate) fn artifact(
    arguments: &[&str],
    wanted: impl Fn(&Artifact) -> Option<PathBuf>,
) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What the cargo around us tells of the package that it runs: build scripts that look at it would run again, here
    // and in the next build of one's own, with everything that depends on theirs.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    let output = command
        .arg("build")
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        .current_dir(repo::root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap_or_else(|error| panic!("cannot run cargo: {error}"));
    assert!(
        output.status.success(),
        "cargo build {} failed; its output is above",
        arguments.join(" ")
    );
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        .filter_map(|artifact| wanted(&artifact))
        .next_back()
        .unwrap_or_else(|| panic!("cargo build {} made no such file", arguments.join(" ")))
}

/// Builds a program of the workspace, optimised if the rig itself is, and tells where it lies.
///
/// # Panics
/// When it does not build.
pub(crate) fn binary(package: &str, name: &str) -> PathBuf {
    let arguments = [&*format!("--package={package}"), &*format!("--bin={name}")];
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    };
    let arguments = [&arguments[..], &["--profile", profile]].concat();
    artifact(&arguments, |artifact| {
        let executable = artifact.executable.clone();
        executable.filter(|_| artifact.target.name == name)
    })
}

/// One of the messages of cargo: "this was built, or was fresh".
#[derive(Debug, Deserialize)]
pub(crate) struct Artifact {
    pub(crate) target: Target,
    pub(crate) filenames: Vec<PathBuf>,
    pub(crate) executable: Option<PathBuf>,
}

/// What an artifact was built from.
#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
}
