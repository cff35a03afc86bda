//! Fetching pinned packages from PyPI with the machine's own Python.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::envoy_binary::lock_cache;
use crate::repo;

/// The folder that holds what a file of requirements names: below `.cache/`, under that name, fetched when it is not there yet.
/// Safe for several processes at once.
///
/// # Errors
/// When something cannot be fetched.
pub fn installed(name: &str, requirements: &Path) -> Result<PathBuf> {
    let pins = fs::read(requirements).with_context(|| requirements.display().to_string())?;
    let digest = Sha256::digest(&pins);
    let digest: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
    let home = repo::path(".cache").join(name);
    let folder = home.join(digest);
    if !folder.is_dir() {
        // One process fetches, the others wait for it here.
        let _lock = lock_cache()?;
        if !folder.is_dir() {
            fs::create_dir_all(&home).context("cannot make a folder in .cache")?;
            // Fetched beside and moved into place, so that no half of it is ever seen.
            let workshop = tempfile::tempdir_in(&home).context("cannot make a folder in .cache")?;
            fetch(requirements, workshop.path())?;
            fs::rename(workshop.keep(), &folder).context("cannot move packages into .cache")?;
        }
    }
    Ok(folder)
}

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
