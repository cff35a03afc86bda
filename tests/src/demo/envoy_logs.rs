//! Envoy's two logs, kept in `.run/`. The gateway writes them into a temporary folder that goes with it; here that folder
//! is made inside `.run/`, and the logs get second names that stay.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::envoy_runner::{STDERR, STDOUT};

/// What the logs are called in `.run/`, and what the gateway calls them.
const NAMES: [(&str, &str); 2] = [("envoy.log", STDERR), ("envoy-access.log", STDOUT)];

/// Has temporary folders of this process made in `run_dir`, and removes what a killed demo left there.
pub(super) fn claim(run_dir: &Path) -> Result<()> {
    for stale in folders(run_dir)? {
        fs::remove_dir_all(&stale).with_context(|| format!("cannot remove {}", stale.display()))?;
    }
    // Refused when it was set before, which can only have been here.
    tempfile::env::override_temp_dir(run_dir).ok();
    Ok(())
}

/// Keeps the logs of the Envoy that was started.
pub(super) fn keep(run_dir: &Path) -> Result<()> {
    for folder in folders(run_dir)? {
        for (name, original) in NAMES {
            let (log, original) = (run_dir.join(name), folder.join(original));
            match fs::remove_file(&log) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
            fs::hard_link(&original, &log)
                .with_context(|| format!("cannot keep {}", original.display()))?;
        }
    }
    Ok(())
}

fn folders(run_dir: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(run_dir).context("cannot read the folder .run")? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    Ok(folders)
}
