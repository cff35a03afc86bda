//! Runs Envoy in a container or as a plain process, behind one shape. What Envoy is told to do is not known here.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};

use crate::last_will::LastWill;
use crate::{envoy_binary, envoy_image};

/// The label of every container that the rig starts, so that leftovers can be found.
pub const LABEL: &str = "mcp-key-auth=rig";

/// How Envoy is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// In a container from `envoy/Dockerfile`, on the host's network.
    Docker,
    /// As a child process.
    Process,
}

/// What to start.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    /// A private folder with a name of its own, seen by Envoy under the same path; its output goes into it.
    pub(crate) dir: &'a Path,
    /// Envoy's arguments.
    pub(crate) arguments: Vec<String>,
    /// Envoy's whole environment.
    pub(crate) environment: Vec<(String, String)>,
}

/// An Envoy that was started. It is killed when this is dropped, and also when the rig's process dies.
#[derive(Debug)]
pub(crate) struct Envoy {
    child: Child,
    container: Option<String>,
    /// Dropped last: until then it would kill what we could not.
    _will: LastWill,
}

/// The file in [`Launch::dir`] that takes Envoy's standard output: the access log.
pub(crate) const STDOUT: &str = "access.log";
/// The file in [`Launch::dir`] that takes Envoy's standard error: its own log.
pub(crate) const STDERR: &str = "envoy.log";

impl Runner {
    /// What `ENVOY_RUNNER` (`docker` or `process`) forces; without it Docker when a daemon answers, else a process.
    pub fn chosen() -> Result<Self> {
        let forced = forced();
        match (forced.as_str(), docker_answers()) {
            ("process", _) | ("", false) => Ok(Self::Process),
            ("docker" | "", true) => Ok(Self::Docker),
            ("docker", false) => bail!(
                "ENVOY_RUNNER=docker, but no Docker daemon answers: start one, or set ENVOY_RUNNER=process"
            ),
            (other, _) => bail!("ENVOY_RUNNER={other}: must be docker or process"),
        }
    }

    /// Every runner that works here; the forced one alone when one is forced.
    pub fn usable() -> Result<Vec<Self>> {
        Ok(match Self::chosen()? {
            Self::Docker if forced().is_empty() => vec![Self::Docker, Self::Process],
            chosen => vec![chosen],
        })
    }

    pub(crate) fn start(self, launch: &Launch<'_>) -> Result<Envoy> {
        let (mut command, container) = match self {
            Self::Process => (process_command(launch)?, None),
            Self::Docker => {
                // As unique as the folder, and easy to match with it.
                let folder = launch.dir.file_name().context("Envoy's folder")?;
                let name = folder.to_string_lossy().into_owned();
                (docker_command(launch, &name)?, Some(name))
            }
        };
        let child = command
            .args(&launch.arguments)
            // Ctrl-C reaches the whole group of the rig at once; when Envoy stops is for the rig to say.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(File::create(launch.dir.join(STDOUT))?)
            .stderr(File::create(launch.dir.join(STDERR))?)
            .spawn()
            .context("cannot start Envoy")?;
        let kill = match &container {
            Some(name) => format!("docker rm --force {name}"),
            None => format!("kill -9 {}", child.id()),
        };
        let will = LastWill::new(&format!("{kill}; rm -rf '{}'", launch.dir.display()));
        Ok(Envoy {
            child,
            container,
            _will: will,
        })
    }
}

impl Envoy {
    /// The exit status, once Envoy has ended.
    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The process id, unless it runs in a container.
    pub(crate) fn process_id(&self) -> Option<u32> {
        self.container.is_none().then(|| self.child.id())
    }

    /// Kills Envoy at once and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        // Both may fail because Envoy ended by itself, which is as good.
        if let Some(name) = &self.container {
            let remove = ["rm", "--force", name];
            drop(Command::new("docker").args(remove).output());
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        self.kill();
    }
}

fn process_command(launch: &Launch<'_>) -> Result<Command> {
    let mut command = Command::new(envoy_binary::path()?);
    command.env_clear().envs(launch.environment.iter().cloned());
    Ok(command)
}

fn docker_command(launch: &Launch<'_>, name: &str) -> Result<Command> {
    let dir = launch.dir.display();
    // Files that Envoy writes into the folder must be ours to read and remove.
    let owner = fs::metadata(launch.dir)?;
    let mut command = Command::new("docker");
    command
        .args(["run", "--rm", "--name", name, "--label", LABEL])
        .args(["--network", "host", "--read-only", "--cap-drop", "ALL"])
        .args([
            "--security-opt",
            "no-new-privileges",
            "--log-driver",
            "none",
        ])
        .args(["--user", &format!("{}:{}", owner.uid(), owner.gid())])
        .args(["--volume", &format!("{dir}:{dir}")]);
    for (variable, value) in &launch.environment {
        // By name only, so that no secret shows in a process list.
        command.args(["--env", variable]).env(variable, value);
    }
    command.arg(envoy_image::tag()?);
    Ok(command)
}

fn forced() -> String {
    std::env::var("ENVOY_RUNNER").unwrap_or_default()
}

fn docker_answers() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| {
        Command::new("docker")
            .args(["info", "--format", "{{.ServerVersion}}"])
            .output()
            .is_ok_and(|output| output.status.success() && !output.stdout.trim_ascii().is_empty())
    })
}
