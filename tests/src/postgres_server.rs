//! A real PostgreSQL server in a folder of its own, reached through a socket in that folder, so that no port is taken.
//! It can be killed and started again; what it committed is still there.

use std::fs::{self, File};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::deadline::PATIENCE;
use crate::last_will::LastWill;
use crate::postgres_binaries;
use crate::process_state::{freeze, is_alive};
use tls::Tls;

mod tls;

/// The password in [`PostgresServer::url`]. The server takes any; it is there so that tests can look for it in logs.
pub const PASSWORD: &str = "password-of-the-database";

/// A server, running or killed. It ends, and its data are removed, when this is dropped or the process ends.
#[derive(Debug)]
pub struct PostgresServer {
    running: Option<Running>,
    bin: PathBuf,
    /// Whom it runs as when we are root, which PostgreSQL refuses to be.
    owner: Option<Owner>,
    tls: Option<Tls>,
    dir: TempDir,
}

#[derive(Debug)]
struct Running {
    child: Child,
    _will: LastWill,
}

#[derive(Debug, Clone, Copy)]
struct Owner {
    user: u32,
    group: u32,
}

impl PostgresServer {
    /// Starts a new server with an empty database `postgres`. Installs PostgreSQL first where it is missing and can be.
    ///
    /// # Panics
    /// When it does not start, or there is no PostgreSQL.
    #[must_use]
    pub fn start() -> Self {
        let mut server = Self::initialised();
        server.restart();
        server
    }

    /// As [`start`](Self::start), for one that is also reached by TCP with TLS; see [`tls_url`](Self::tls_url).
    ///
    /// # Panics
    /// When it does not start, or there is no PostgreSQL.
    #[must_use]
    pub fn start_with_tls() -> Self {
        let mut server = Self::initialised();
        server.tls = Some(Tls::new(server.dir.path(), server.owner));
        server.restart();
        server
    }

    fn initialised() -> Self {
        let bin = postgres_binaries::folder().unwrap_or_else(|error| panic!("{error:#}"));
        // Not in TMPDIR: a socket's path has room for a hundred characters.
        let dir = tempfile::Builder::new()
            .prefix("postgres-")
            .tempdir_in("/tmp");
        let dir = dir.expect("a folder for the server");
        let owner = rustix::process::geteuid()
            .is_root()
            .then(Owner::unprivileged);
        if let Some(owner) = owner {
            let handed_over = chown(dir.path(), Some(owner.user), Some(owner.group));
            handed_over.expect("the folder gets another owner");
        }
        let server = Self {
            running: None,
            bin,
            owner,
            tls: None,
            dir,
        };
        let mut initdb = server.command("initdb");
        initdb
            .args(["--username", "postgres", "--auth", "trust", "--no-sync"])
            .args(["--encoding", "UTF8", "--locale", "C", "--pgdata"])
            .arg(server.data());
        let output = initdb.output().expect("initdb runs");
        assert!(
            output.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        server
    }

    /// The URL of one of its databases, for `--database`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let socket = self.dir.path().display();
        // The socket is named after the port, used or not.
        let port = self.tls.as_ref().map_or(5432, |tls| tls.port);
        format!("postgres://postgres:{PASSWORD}@localhost:{port}/{database}?host={socket}")
    }

    /// The URL by TCP, without options.
    ///
    /// # Panics
    /// When it was not started with TLS.
    #[must_use]
    pub fn tls_url(&self, database: &str) -> String {
        let port = self.tls.as_ref().expect("a server with TLS").port;
        format!("postgres://postgres:{PASSWORD}@localhost:{port}/{database}")
    }

    /// The certificate of the authority that vouches for the server.
    ///
    /// # Panics
    /// When it was not started with TLS.
    #[must_use]
    pub fn authority(&self) -> &Path {
        self.tls.as_ref().expect("a server with TLS").authority()
    }

    /// Kills it and all its processes at once; nothing is finished. Clients' connections break.
    pub fn kill(&mut self) {
        self.running = None;
    }

    /// The ids of its first process and of those that serve clients or look after the data.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let family = self.family().into_iter();
        family
            .map(|process| process.as_raw_nonzero().get().cast_unsigned())
            .collect()
    }

    /// Freezes its first process and those that serve clients: connections stay open and nothing is answered.
    pub fn pause(&self) {
        freeze(&self.family());
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        for process in self.family() {
            // One may end while we look.
            let _ = kill_process(process, Signal::CONT);
        }
    }

    /// Kills it if it runs, starts it again on the same data, and waits until it takes connections.
    ///
    /// # Panics
    /// When it does not start.
    pub fn restart(&mut self) {
        self.kill();
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.dir.path())
            // What a test commits must outlive the server, not the machine.
            .args(["-c", "listen_addresses=", "-c", "fsync=off"])
            .args(
                self.tls
                    .iter()
                    .flat_map(Tls::settings)
                    .flat_map(|setting| ["-c".to_owned(), setting]),
            )
            .args(["-c", "max_connections=300", "-c", "shared_buffers=32MB"])
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.open_log());
        let child = command.spawn().expect("postgres starts");
        // Its other processes end once they notice that the first one did; until then the folder may not go.
        let will = LastWill::new(&format!(
            "kill -9 {}; for i in 1 2 3 4 5; do rm -rf '{}' && break; sleep 1; done",
            child.id(),
            self.dir.path().display()
        ));
        self.running = Some(Running { child, _will: will });
        self.wait_until_ready();
    }

    /// One of PostgreSQL's own programs, such as `pg_dump`, to be run on a [`url`](Self::url).
    #[must_use]
    pub fn client(&self, program: &str) -> Command {
        self.command(program)
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // The last line of the file says so once recovery is over.
            let status = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
            let running = self.running.as_mut().expect("postgres was started");
            let ours = status.lines().next() == Some(running.child.id().to_string().as_str());
            if ours && status.trim_end().ends_with("ready") {
                return;
            }
            if let Ok(Some(status)) = running.child.try_wait() {
                panic!("postgres ended with {status}:\n{}", self.log());
            }
            assert!(
                Instant::now() < deadline,
                "postgres is not ready:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command
            .current_dir("/")
            .env_clear()
            .env("PATH", "/usr/bin:/bin");
        if let Some(owner) = self.owner {
            command.gid(owner.group).uid(owner.user);
        }
        command
    }

    fn open_log(&self) -> File {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.dir.path().join("log"));
        log.expect("the server's log")
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn family(&self) -> Vec<Pid> {
        let running = self.running.as_ref().expect("postgres runs");
        family(running.child.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let family = family(self.child.id());
        for process in &family {
            let _ = kill_process(*process, Signal::KILL);
        }
        drop(self.child.wait());
        // A new server refuses to start while one of them still has the memory they shared.
        let deadline = Instant::now() + PATIENCE;
        while family.iter().any(|process| is_alive(*process)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Owner {
    /// The first of the users that may own a server.
    fn unprivileged() -> Self {
        let users = fs::read_to_string("/etc/passwd").expect("/etc/passwd");
        let find = |name: &str| {
            let mut fields = users
                .lines()
                .map(|line| line.split(':').collect::<Vec<_>>())
                .find(|fields| fields[0] == name)?
                .into_iter()
                .skip(2);
            let mut number = || fields.next()?.parse().ok();
            Some(Self {
                user: number()?,
                group: number()?,
            })
        };
        find("postgres")
            .or_else(|| find("nobody"))
            .expect("a user postgres or nobody, because PostgreSQL does not run as root")
    }
}

/// A process and its children. Each is a session of its own, out of reach of a signal to a group.
fn family(id: u32) -> Vec<Pid> {
    // Nobody's children when it has ended by itself.
    let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
    let children = children.unwrap_or_default();
    std::iter::once(id)
        .chain(children.split_whitespace().filter_map(|id| id.parse().ok()))
        .filter_map(|id| Pid::from_raw(id.cast_signed()))
        .collect()
}
