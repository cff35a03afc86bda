//! Fetching pinned packages from PyPI with the machine's own Python.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Puts what a file of requirements names into a folder. Every line must carry the hash of what it names.
pub(crate) fn fetch(requirements: &Path, into: &Path) -> Result<()> {
    let output = Command::new("python3")
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-compile",
            "--no-deps",
        ])
        .args(["--only-binary", ":all:", "--require-hashes", "--target"])
        .arg(into)
        .arg("--requirement")
        .arg(requirements)
        .output()
        .context("cannot run python3")?;
    if !output.status.success() {
        bail!(
            "python3 -m pip could not fetch what {} names:\n{}",
            requirements.display(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
