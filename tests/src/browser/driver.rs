//! Chromium's driver, and both their programs: those of `CHROMIUM_BIN` and `CHROMEDRIVER_BIN`, or of Debian's packages.
//! As root on a Debian without them, the packages are installed.

use std::env;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::deadline::{PATIENCE, eventually};
use crate::debian_packages;
use crate::envoy_binary::lock_cache;
use crate::last_will::LastWill;

/// A running driver. With it ends the browser that it started.
#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    port: u16,
    _will: LastWill,
    dir: TempDir,
}

/// Where the programs are.
#[derive(Debug, Clone)]
struct Programs {
    chromium: PathBuf,
    driver: PathBuf,
}

impl Driver {
    pub(super) async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a folder for the browser");
        let log_file = dir.path().join("driver.log");
        let log = File::create(&log_file).expect("the driver's log");
        let mut child = Command::new(&programs().driver)
            .arg("--port=0")
            // Profiles are made in there, and go with it.
            .env("TMPDIR", dir.path())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the driver's log"))
            .stderr(log)
            .spawn()
            .expect("chromedriver starts");
        let will = LastWill::new(&format!(
            "kill -9 -{}; rm -rf '{}'",
            child.id(),
            dir.path().display()
        ));
        let port = eventually(PATIENCE, "chromedriver tells its port", async || {
            let log = fs::read_to_string(&log_file).ok()?;
            if let Ok(Some(status)) = child.try_wait() {
                panic!("chromedriver ended with {status}:\n{log}");
            }
            let (_, port) = log.split_once("started successfully on port ")?;
            port.split_once('.')?.0.parse().ok()
        })
        .await;
        Self {
            child,
            port,
            _will: will,
            dir,
        }
    }

    pub(super) fn chromium(&self) -> &'static Path {
        &programs().chromium
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("driver.log")).unwrap_or_default()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The browser is in the driver's process group.
        let group = rustix::process::Pid::from_child(&self.child);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        drop(self.child.wait());
    }
}

fn programs() -> &'static Programs {
    static PROGRAMS: OnceLock<Programs> = OnceLock::new();
    PROGRAMS.get_or_init(|| find_or_install().unwrap_or_else(|error| panic!("{error:#}")))
}

fn find_or_install() -> Result<Programs> {
    if let Some(found) = find()? {
        return Ok(found);
    }
    // One process installs, the others wait for it here.
    let _lock = lock_cache()?;
    if let Some(found) = find()? {
        return Ok(found);
    }
    debian_packages::install(&["chromium", "chromium-driver"]).context(
        "the tests of the dashboard need Chromium and its driver: install them, set CHROMIUM_BIN and CHROMEDRIVER_BIN, or run \
         this as root on Debian so that they can be installed",
    )?;
    find()?.context("Chromium was installed, but there is no chromium and chromedriver")
}

fn find() -> Result<Option<Programs>> {
    let chromium = program("CHROMIUM_BIN", "chromium")?;
    let driver = program("CHROMEDRIVER_BIN", "chromedriver")?;
    Ok(chromium
        .zip(driver)
        .map(|(chromium, driver)| Programs { chromium, driver }))
}

fn program(variable: &str, name: &str) -> Result<Option<PathBuf>> {
    if let Some(given) = env::var_os(variable) {
        let given = PathBuf::from(given);
        if !given.is_file() {
            bail!("{variable}: there is no file {}", given.display());
        }
        return Ok(Some(given));
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let mut found = env::split_paths(&path).map(|folder| folder.join(name));
    Ok(found.find(|file| file.is_file()))
}
