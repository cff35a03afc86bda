//! The real program as another process.

use std::{
    fs,
    io::Read,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use stack::last_will::LastWill;
use tempfile::TempDir;

use super::app::EDGE_TOKEN;
use crate::TestDatabase;

/// How long a process may take for what takes it milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A database and a folder for the programs that work on it.
pub(crate) struct Database {
    pub(crate) database: TestDatabase,
    folder: TempDir,
    servers: AtomicU32,
}

/// What a finished command left.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A running server; killed when dropped, and when the tests are.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    pub(crate) ready_file: PathBuf,
    pub(crate) public: String,
    pub(crate) edge: String,
    /// Where it tells its metrics, if it was told to.
    pub(crate) metrics: Option<String>,
    _will: LastWill,
}

impl Database {
    pub(crate) fn fresh() -> Self {
        TestDatabase::fresh().into()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program on this database, in an environment of its own.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_control-plane"));
        command
            .env_clear()
            .env("MCP_KEY_AUTH_DATABASE", self.database.url())
            .current_dir(self.folder.path())
            .args(args)
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end, whatever that is.
    pub(crate) fn try_run(&self, args: &[&str]) -> Finished {
        finish(self.command(args))
    }

    /// Runs a command that must succeed.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Finished {
        let finished = self.try_run(args);
        assert!(finished.status.success(), "{args:?}: {}", finished.stderr);
        finished
    }

    /// Runs a command that must succeed, with `--json`.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let args: Vec<_> = args.iter().copied().chain(["--json"]).collect();
        serde_json::from_str(&self.run(&args).stdout).unwrap()
    }

    /// An organisation, a project `pr_a` and a key of it: the key's id and the raw key.
    pub(crate) fn seed(&self) -> (String, String) {
        self.run(&["org", "create", "--name", "Org", "--id", "org_a"]);
        self.run(&[
            "project", "create", "--org", "org_a", "--name", "A", "--id", "pr_a",
        ]);
        let key = self.json(&["key", "create", "--project", "pr_a", "--name", "Key"]);
        let text = |name: &str| key[name].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    /// Starts a server on ports that the system chooses, and waits until it is ready.
    pub(crate) fn serve(&self, args: &[&str]) -> Server {
        let number = self.servers.fetch_add(1, Ordering::Relaxed);
        let ready = self.path(&format!("ready-{number}.json"));
        let log = self.path(&format!("server-{number}.log"));
        let ready_text = ready.display().to_string();
        let mut all = vec![
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--edge-listen",
            "127.0.0.1:0",
        ];
        all.extend(["--ready-file", &ready_text]);
        all.extend(args);
        let mut command = self.command(&all);
        command.env("MCP_KEY_AUTH_EDGE_TOKEN", EDGE_TOKEN);
        command
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap());
        let mut child = command.spawn().unwrap();
        let will = LastWill::new(&format!("kill -9 {}", child.id()));
        let deadline = Instant::now() + PATIENCE;
        let addresses = loop {
            if let Ok(text) = fs::read_to_string(&ready) {
                break serde_json::from_str::<Value>(&text).unwrap();
            }
            let status = child.try_wait().unwrap();
            let log = || fs::read_to_string(&log).unwrap();
            assert!(status.is_none(), "the server ended: {status:?} {}", log());
            assert!(
                Instant::now() < deadline,
                "the server is not ready: {}",
                log()
            );
            thread::sleep(Duration::from_millis(5));
        };
        let text = |name: &str| addresses[name].as_str().unwrap().to_owned();
        Server {
            child,
            log,
            ready_file: ready,
            public: text("public"),
            edge: text("edge"),
            metrics: addresses["metrics"].as_str().map(str::to_owned),
            _will: will,
        }
    }
}

impl From<TestDatabase> for Database {
    fn from(database: TestDatabase) -> Self {
        Self {
            database,
            folder: tempfile::tempdir().unwrap(),
            servers: AtomicU32::new(0),
        }
    }
}

impl Server {
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill")
            .args(["-s", name, &pid])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for the process to end by itself.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child).unwrap_or_else(|| panic!("the server does not end: {}", self.log()))
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- the server's log\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end; one that does not end is killed and fails the test.
pub(crate) fn finish(mut command: Command) -> Finished {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Read while it runs: a pipe holds only so much.
    let stdout = read_all(child.stdout.take().unwrap());
    let stderr = read_all(child.stderr.take().unwrap());
    let Some(status) = wait(&mut child) else {
        child.kill().unwrap();
        panic!("{command:?} does not end");
    };
    Finished {
        status,
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    }
}

fn read_all(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).unwrap();
        text
    })
}

fn wait(child: &mut Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(5));
    }
    None
}
