//! Installing what the tests need from Debian, as root.

use std::process::Command;

use anyhow::{Context, Result, bail};

/// Fails unless this process may install packages.
pub(crate) fn require_root() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        bail!("only root can install packages");
    }
    Ok(())
}

/// Installs packages with what they cannot do without. **One process at a time**: see `lock_cache`.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    require_root()?;
    eprintln!("installing {} for the tests", packages.join(", "));
    apt_get(&["update", "-qq"])?;
    let keep_configuration = ["-o", "Dpkg::Options::=--force-confold"];
    let mut arguments = vec!["install", "-y", "-qq", "--no-install-recommends"];
    arguments.extend(keep_configuration);
    arguments.extend(packages);
    apt_get(&arguments)
}

fn apt_get(arguments: &[&str]) -> Result<()> {
    let output = Command::new("apt-get")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .output()
        .context("there is no apt-get")?;
    if !output.status.success() {
        bail!(
            "apt-get {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(())
}
