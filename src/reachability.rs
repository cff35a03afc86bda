//! Whether the control plane answered last time it was asked, per worker.
//!
//! While it does not, requests with something last known good are not made to wait for the next failure;
//! one background check per [`PROBE_INTERVAL_MS`] finds out when it is back.

use crate::now::Now;

/// Time between two probes of a control plane that does not answer.
pub(crate) const PROBE_INTERVAL_MS: u64 = 1_000;

/// The state of the connection to the control plane, as its last answer showed it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Reachability {
    /// It answered, or has never been asked.
    #[default]
    Up,
    /// It did not; the next probe is due at this time on the monotonic clock.
    Down { probe_at_ms: u64 },
}

impl Reachability {
    /// After a fault.
    pub(crate) fn faulted(now: Now) -> Self {
        Self::Down {
            probe_at_ms: now.monotonic_ms + PROBE_INTERVAL_MS,
        }
    }

    /// Whether what is last known good may be served without asking.
    pub(crate) fn is_down(self) -> bool {
        matches!(self, Self::Down { .. })
    }

    /// Whether somebody should ask in the background.
    pub(crate) fn probe_due(self, now: Now) -> bool {
        matches!(self, Self::Down { probe_at_ms } if now.monotonic_ms >= probe_at_ms)
    }
}
