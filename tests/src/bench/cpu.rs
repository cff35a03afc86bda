//! Which core runs what, and how much processor time a process or a thread has used, to the microsecond.

use std::fs;

use rustix::process::{Pid, setpriority_process};
use rustix::thread::{CpuSet, gettid, sched_setaffinity, set_current_timer_slack};

/// Above everything ordinary on the machine; needs the right to it.
const PRIORITY: i32 = -15;

/// The cores of a run. With one core only, both are the same, and the report says so.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub(super) struct Cores {
    /// Envoy's worker.
    pub(super) envoy: usize,
    /// The load, and the servers that Envoy asks.
    pub(super) load: usize,
}

impl Cores {
    /// The first two of the machine. To be asked before anything is pinned: a thread knows of no cores but its own.
    pub(super) fn of_this_machine() -> Self {
        let last = std::thread::available_parallelism().map_or(1, usize::from) - 1;
        Self {
            envoy: 0,
            load: last.min(1),
        }
    }
}

/// Has the current thread, and what it starts from now on, run on these cores only.
pub(super) fn pin(cores: &[usize]) {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    sched_setaffinity(None, &set).expect("a core to run on");
}

/// Runs `start` on other cores than this thread's, for what it starts to stay there.
pub(super) fn on_cores<T>(cores: &[usize], own: usize, start: impl FnOnce() -> T) -> T {
    pin(cores);
    let started = start();
    pin(&[own]);
    started
}

/// Wakes the current thread when it asked to be woken, not up to 50 µs later.
pub(super) fn be_punctual() {
    set_current_timer_slack(std::num::NonZeroU64::new(1)).expect("a timer slack");
}

/// Puts a process, or this one, above others of the machine, if that is allowed; tells whether it is.
pub(super) fn prefer(process: Option<u32>) -> bool {
    let pid = process.and_then(|id| Pid::from_raw(id.cast_signed()));
    setpriority_process(pid, PRIORITY).is_ok()
}

/// Reads the processor time of a whole process or one thread.
#[derive(Debug, Clone)]
pub(super) struct Meter(String);

impl Meter {
    /// All threads of a process, those of the past not included.
    pub(super) fn of_process(id: u32) -> Self {
        Self(format!("/proc/{id}/task"))
    }

    /// The current thread.
    pub(super) fn of_this_thread() -> Self {
        Self(format!(
            "/proc/{}/task/{}",
            std::process::id(),
            gettid().as_raw_nonzero()
        ))
    }

    /// Microseconds so far.
    pub(super) fn micros(&self) -> f64 {
        self.micros_if_alive()
            .unwrap_or_else(|| panic!("{} is gone", self.0))
    }

    /// Microseconds so far, unless it has ended.
    pub(super) fn micros_if_alive(&self) -> Option<f64> {
        let own = format!("{}/schedstat", self.0);
        let nanoseconds: u64 = match fs::read_to_string(own) {
            Ok(text) => first_number(&text),
            Err(_) => fs::read_dir(&self.0)
                .ok()?
                .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("schedstat")).ok())
                .map(|text| first_number(&text))
                .sum(),
        };
        Some(nanoseconds as f64 / 1_000.0)
    }
}

/// Resident memory of a process, in bytes.
pub(super) fn resident(process: u32) -> u64 {
    let file = format!("/proc/{process}/status");
    let status = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    first_number(line.expect("VmRSS in /proc")) * 1024
}

fn first_number(text: &str) -> u64 {
    let number = text.split_whitespace().next().and_then(|n| n.parse().ok());
    number.unwrap_or_else(|| panic!("no number in {text:?}"))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_busy_thread_uses_time_and_a_sleeping_one_does_not() {
        let meter = Meter::of_this_thread();
        let before = meter.micros();
        std::thread::sleep(Duration::from_millis(50));
        let slept = meter.micros();
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(50) {}
        assert!(slept - before < 20_000.0);
        assert!(meter.micros() - slept > 1_000.0);
        assert!(Meter::of_process(std::process::id()).micros() > 0.0);
        assert!(resident(std::process::id()) > 1 << 20);
    }
}
