//! The real control plane as a process, on a database of its own: started, killed, frozen and commanded as an operator
//! would. For faults on the wire there is `scripted_control_plane`.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::cargo_build;
use crate::deadline::{PATIENCE, eventually};
use crate::last_will::LastWill;
use crate::process_state::freeze;
use crate::scripted_control_plane::EDGE_TOKEN;

mod commands;
mod doctor;

pub use commands::NewKey;
pub use doctor::{Doctor, Examined};

/// A control plane, running or killed. It is killed, and its database removed, when this is dropped.
#[derive(Debug)]
pub struct RealControlPlane {
    addresses: Addresses,
    /// Further arguments of `serve`.
    options: Vec<String>,
    /// As `--database` takes it.
    database: String,
    running: Option<Running>,
    dir: TempDir,
}

#[derive(Debug, Clone, Copy)]
struct Addresses {
    public: SocketAddr,
    edge: SocketAddr,
    metrics: Option<SocketAddr>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    _will: LastWill,
}

impl RealControlPlane {
    /// Builds the program if need be and starts it on an empty database and free ports.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// As [`start`](Self::start), with further options of `serve`, which it keeps when restarted.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with(options: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the database");
        let database = format!("sqlite://{}/data.db", dir.path().display());
        Self::start_in(dir, database, options).await
    }

    /// As [`start_with`](Self::start_with), on a database that the caller keeps.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_on(database: String, options: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a folder for the log");
        Self::start_in(dir, database, options).await
    }

    async fn start_in(dir: TempDir, database: String, options: &[&str]) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut control_plane = Self {
            addresses: Addresses {
                public: free,
                edge: free,
                metrics: None,
            },
            options: options.iter().map(|&option| option.to_owned()).collect(),
            database,
            running: None,
            dir,
        };
        control_plane.restart().await;
        control_plane
    }

    /// Where the settings API listens; the same after a restart.
    #[must_use]
    pub fn public_addr(&self) -> SocketAddr {
        self.addresses.public
    }

    /// Where the edge API listens; the same after a restart.
    #[must_use]
    pub fn edge_addr(&self) -> SocketAddr {
        self.addresses.edge
    }

    /// Where it tells its metrics, if it was told to.
    #[must_use]
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.addresses.metrics
    }

    /// Kills it at once: connections break, nothing is finished.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// Freezes it: connections stay open and nothing is answered.
    pub fn pause(&self) {
        freeze(&[self.process()]);
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        kill_process(self.process(), Signal::CONT).expect("a signal to the control plane");
    }

    /// Kills it if it runs, and starts it again on the same ports and database.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&mut self) {
        let database = self.database();
        self.restart_on(&database).await;
    }

    /// As [`restart`](Self::restart), on an empty database: it knows nobody. The real one is left alone, and served
    /// again from the next [`restart`](Self::restart) on.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart_empty(&mut self) {
        self.kill();
        for file in ["empty.db", "empty.db-shm", "empty.db-wal"] {
            drop(fs::remove_file(self.dir.path().join(file)));
        }
        let database = format!("sqlite://{}/empty.db", self.dir.path().display());
        self.restart_on(&database).await;
    }

    /// Where its database is, as `--database` takes it.
    #[must_use]
    pub fn database(&self) -> String {
        self.database.clone()
    }

    /// The id of its process.
    ///
    /// # Panics
    /// When it was killed.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        let running = self.running.as_ref();
        running.expect("the control plane runs").child.id()
    }

    async fn restart_on(&mut self, database: &str) {
        self.kill();
        let ready_file = self.dir.path().join("ready.json");
        drop(fs::remove_file(&ready_file));
        self.running = Some(self.spawn(&ready_file, database));
        self.addresses = eventually(PATIENCE, "the control plane is ready", async || {
            if let Some(Ok(Some(status))) = self
                .running
                .as_mut()
                .map(|running| running.child.try_wait())
            {
                panic!("the control plane ended with {status}:\n{}", self.log());
            }
            Addresses::announced(&ready_file)
        })
        .await;
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    fn spawn(&self, ready_file: &Path, database: &str) -> Running {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.dir.path().join("log"))
            .expect("the log file");
        let child = Command::new(binary())
            .args(["serve", "--listen", &self.addresses.public.to_string()])
            .args(["--edge-listen", &self.addresses.edge.to_string()])
            .args(["--database", database, "--ready-file"])
            .arg(ready_file)
            .args(&self.options)
            .env("MCP_KEY_AUTH_EDGE_TOKEN", EDGE_TOKEN)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log file"))
            .stderr(log)
            .spawn()
            .expect("the control plane starts");
        Running {
            _will: LastWill::new(&format!(
                "kill -9 {}; rm -rf '{}'",
                child.id(),
                self.dir.path().display()
            )),
            child,
        }
    }

    fn process(&self) -> Pid {
        let running = self.running.as_ref();
        Pid::from_child(&running.expect("the control plane runs").child)
    }
}

impl Addresses {
    /// What the ready file says, if it is there yet: two URLs.
    fn announced(ready_file: &Path) -> Option<Self> {
        let ready: Value = serde_json::from_slice(&fs::read(ready_file).ok()?).ok()?;
        let address = |field: &str| {
            let url = ready[field].as_str()?;
            let (_, address) = url.split_once("://")?;
            let address = address.parse();
            address.ok()
        };
        Some(Self {
            public: address("public")?,
            edge: address("edge")?,
            metrics: address("metrics"),
        })
    }
}

impl Drop for RealControlPlane {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the control plane's log\n{}", self.log());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Builds the program, for whoever wants that done before something else begins.
///
/// # Panics
/// When it does not build.
pub fn build() {
    binary();
}

/// The program, built if need be.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn program() -> &'static Path {
    binary()
}

/// What `control-plane serve --help` prints.
///
/// # Panics
/// When the program does not build or run.
#[must_use]
pub fn help_of_serve() -> String {
    let output = Command::new(binary())
        .args(["serve", "--help"])
        .output()
        .expect("the control plane runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| cargo_build::binary("control-plane", "control-plane"))
}

fn text(value: &Value, field: &str) -> String {
    let text = value[field].as_str();
    text.unwrap_or_else(|| panic!("no {field} in {value}"))
        .to_owned()
}
