//! What holds at every moment: everything within its bound, nobody waiting too long.

use super::cast::{LOCAL_ENTRIES, MAX_CHECKS, MAX_WAITERS, TIMEOUT_MS};
use super::world::{TICK_MS, World};

/// How long past its time limit a request may wait: the filter's grace, and the tick that looks.
const GRACE_MS: u64 = 100 + TICK_MS;

impl World {
    /// Invariants 2 and 6: everything within its bound, nobody waits too long.
    pub(super) fn check(&self) {
        let config = &self.envoy.config;
        for (index, thread) in self.threads.iter().enumerate() {
            let (waiting, checks) = thread.worker.flights.borrow().occupancy();
            assert!(
                waiting <= MAX_WAITERS && checks <= MAX_CHECKS,
                "invariant 2: {waiting} waiters, {checks} checks on worker {index}"
            );
            let held = self.waiting.values().filter(|(of, _)| *of == index);
            assert!(
                thread.task.is_some() || held.count() == waiting,
                "invariant 6: worker {index} counts {waiting} waiters"
            );
            let sent = self.envoy.network.borrow().checks_of(index);
            assert!(sent <= MAX_CHECKS, "invariant 2: {sent} callouts");
            let local = thread.worker.memory.local.borrow().len();
            assert!(
                local <= LOCAL_ENTRIES + LOCAL_ENTRIES.div_ceil(4),
                "invariant 2: {local} local entries"
            );
        }
        let buckets: u32 = super::memory::REGIONS
            .map(|region| config.cache.buckets(region))
            .iter()
            .sum();
        for (prefix, most) in [("bucket/", buckets as usize), ("claim/", 256), ("feed/", 3)] {
            let values = self.envoy.shared.count(prefix);
            assert!(values <= most, "invariant 2: {values} values {prefix}");
        }
        let now_ms = self.envoy.now_ms.get();
        for (id, (worker, since_ms)) in &self.waiting {
            let preempted = self.threads[*worker].task.is_some();
            assert!(
                preempted || now_ms <= since_ms + TIMEOUT_MS + GRACE_MS,
                "invariant 6: request {id} waits on worker {worker} since {since_ms}, now {now_ms}"
            );
        }
    }
}
