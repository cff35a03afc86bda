//! One program of the demo as a child process: its output in a log file, its end noticed, and its stop in order.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::Child;

use crate::last_will::LastWill;

/// How long a program may take to stop by itself, before it is killed: longer than the control plane's drain timeout.
const STOP_PATIENCE: Duration = Duration::from_secs(15);

/// A running program. Dropping it kills it; [`Program::stop`] lets it finish what it is doing.
#[derive(Debug)]
pub(super) struct Program {
    name: &'static str,
    child: Child,
    _will: LastWill,
}

impl Program {
    /// Starts a program, with its output in `<name>.log` in the folder `logs`.
    pub(super) fn start(name: &'static str, mut command: Command, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{name}.log"));
        let output =
            File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C reaches the whole group of the demo at once; who stops first is for the demo to say.
            .process_group(0);
        let child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let pid = child.id().context("the id of a child just started")?;
        Ok(Self {
            name,
            child,
            _will: LastWill::new(&format!("kill {pid}")),
        })
    }

    /// Waits for the program to end, which it should not do by itself, and tells how it did.
    pub(super) async fn death(&mut self) -> String {
        let status = self.child.wait().await;
        self.obituary(status)
    }

    fn obituary(&self, status: std::io::Result<ExitStatus>) -> String {
        let how = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        format!(
            "{} ended ({how}); its log is .run/{}.log",
            self.name, self.name
        )
    }

    /// Asks the program to stop, and waits until it has.
    pub(super) async fn stop(mut self) {
        let pid = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(pid) = pid {
            // Fails only when the program has ended already.
            kill_process(pid, Signal::TERM).ok();
        }
        let stopped = tokio::time::timeout(STOP_PATIENCE, self.child.wait()).await;
        if stopped.is_err() {
            println!("{} does not stop, killing it", self.name);
            self.child.kill().await.ok();
        }
    }
}
