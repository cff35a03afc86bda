//! What has to be there before the demo starts anything: its folder to itself, free ports, and everything built.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{Ports, envoy_logs};
use crate::envoy_runner::Runner;
use crate::{cargo_build, envoy_binary, envoy_image, repo, wasm};

/// All is there; nothing runs yet.
#[derive(Debug)]
pub struct Preparation {
    pub(super) run_dir: PathBuf,
    pub(super) lock: File,
    pub(super) ports: Ports,
    pub(super) runner: Runner,
    pub(super) module: &'static Path,
    pub(super) control_plane: PathBuf,
    pub(super) mcp_server: PathBuf,
}

impl Preparation {
    /// Looks at the ports first, then builds and fetches what is missing, saying so. The first time takes minutes.
    ///
    /// # Errors
    /// When a port is busy, another demo of this checkout runs, or Envoy cannot be had.
    ///
    /// # Panics
    /// When a build fails.
    pub fn make() -> Result<Self> {
        let run_dir = repo::path(".run");
        fs::create_dir_all(&run_dir).context("cannot make the folder .run")?;
        let lock = lock(&run_dir)?;
        let ports = Ports::free(|name| std::env::var(name).ok())?;
        let runner = Runner::chosen()?;
        envoy_logs::claim(&run_dir)?;

        println!(
            "Building the filter, the control plane and the MCP server; the first time takes minutes."
        );
        let module = wasm::filter_module();
        let control_plane = cargo_build::binary("control-plane", "control-plane");
        let mcp_server = cargo_build::binary("stack", "mcp-server");
        fetch_envoy(runner)?;
        Ok(Self {
            run_dir,
            lock,
            ports,
            runner,
            module,
            control_plane,
            mcp_server,
        })
    }
}

fn lock(run_dir: &Path) -> Result<File> {
    let file = File::create(run_dir.join("lock")).context("cannot make .run/lock")?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("the demo of this checkout is running already: use it, or stop it first")
        }
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock .run/lock"),
    }
}

fn fetch_envoy(runner: Runner) -> Result<()> {
    println!(
        "Getting Envoy {}; the first time fetches it into .cache/ (100 MB).",
        envoy_binary::version()
    );
    envoy_binary::path()?;
    if runner == Runner::Docker {
        envoy_image::tag()?;
    }
    Ok(())
}
