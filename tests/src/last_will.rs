//! A command that runs if this process dies before it has cleaned up itself: what keeps a killed test run from leaving
//! Envoys behind. It does nothing when dropped in order.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// A waiting shell, in a process group of its own so that Ctrl-C does not reach it.
#[derive(Debug)]
pub struct LastWill {
    shell: Child,
}

impl LastWill {
    /// Has `command` run by a shell when this process ends without dropping the value.
    #[must_use]
    pub fn new(command: &str) -> Self {
        // The shell reads a line from a pipe that only we hold: a line means "all is well", the end means we are gone.
        let shell = Command::new("sh")
            .args(["-c", r#"trap '' INT TERM HUP; read -r _ || eval "$1""#])
            .args(["last-will", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start a shell: {error}"));
        Self { shell }
    }
}

impl Drop for LastWill {
    fn drop(&mut self) {
        if let Some(mut pipe) = self.shell.stdin.take() {
            // A shell that is gone already has nothing left to be told.
            drop(pipe.write_all(b"done\n"));
        }
        drop(self.shell.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deadline::{PATIENCE, eventually};

    #[tokio::test]
    async fn a_will_runs_when_its_pipe_breaks_and_not_when_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let orderly = dir.path().join("orderly");
        let broken = dir.path().join("broken");
        drop(LastWill::new(&format!("touch {}", orderly.display())));

        let mut will = LastWill::new(&format!("touch {}", broken.display()));
        drop(will.shell.stdin.take());
        eventually(PATIENCE, "the will runs", async || {
            broken.exists().then_some(())
        })
        .await;
        assert!(!orderly.exists());
    }
}
