//! What the kernel says a process does, and freezing one.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::deadline::PATIENCE;

/// Freezes processes, and waits until they stand still: the signal only asks for it, and a thread that is running or
/// about to run goes on for a moment. One that has ended by then is left alone.
///
/// # Panics
/// When one still runs after [`PATIENCE`].
pub(crate) fn freeze(processes: &[Pid]) {
    for process in processes {
        let _ = kill_process(*process, Signal::STOP);
    }
    let deadline = Instant::now() + PATIENCE;
    while !processes.iter().all(|process| stands_still(*process)) {
        assert!(Instant::now() < deadline, "{processes:?} were not frozen");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether a process runs: it is there, and no zombie.
pub(crate) fn is_alive(process: Pid) -> bool {
    let file = format!("/proc/{}/stat", process.as_raw_nonzero());
    state(file.as_ref()).is_some_and(|state| state != 'Z')
}

/// Whether each thread of a process is stopped, or has ended.
fn stands_still(process: Pid) -> bool {
    let threads = fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero()));
    threads.into_iter().flatten().flatten().all(|thread| {
        let state = state(&thread.path().join("stat"));
        state.is_none_or(|state| matches!(state, 'T' | 'Z' | 'X'))
    })
}

/// The letter for the state, as in proc(5): it follows the name, which stands in brackets. None of what is gone.
fn state(stat_file: &Path) -> Option<char> {
    let stat = fs::read_to_string(stat_file).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_frozen_process_stands_still_and_is_alive_until_it_is_killed() {
        let mut child = Command::new("sh")
            .args(["-c", "while :; do :; done"])
            .spawn()
            .unwrap();
        let process = Pid::from_child(&child);
        assert!(!stands_still(process));
        freeze(&[process]);
        assert!(stands_still(process) && is_alive(process));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!is_alive(process));
        freeze(&[process]);
    }
}
