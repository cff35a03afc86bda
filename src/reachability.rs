//! Whether the control plane answered last time it was asked, per worker.
//!
//! While it does not, requests with something last known good are not made to wait for the next failure;
//! one background check per [`PROBE_INTERVAL_MS`] finds out when it is back, whether requests come or not.

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

    /// After an answer to something else, asked at `asked_ms`, such as the feed's: if that was after the fault, there is
    /// no reason to wait with a probe.
    pub(crate) fn heard(self, asked_ms: u64) -> Self {
        match self {
            Self::Down { probe_at_ms } if asked_ms + PROBE_INTERVAL_MS > probe_at_ms => {
                Self::Down {
                    probe_at_ms: asked_ms,
                }
            }
            state => state,
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

#[cfg(test)]
mod tests {
    use super::{PROBE_INTERVAL_MS, Reachability};
    use crate::now::Now;

    fn at(monotonic_ms: u64) -> Now {
        Now {
            monotonic_ms,
            unix_ms: 0,
        }
    }

    #[test]
    fn a_probe_is_due_a_while_after_a_fault() {
        let down = Reachability::faulted(at(5_000));
        assert!(!down.probe_due(at(5_000 + PROBE_INTERVAL_MS - 1)));
        assert!(down.probe_due(at(5_000 + PROBE_INTERVAL_MS)));
        assert!(!Reachability::Up.probe_due(at(u64::MAX)));
    }

    #[test]
    fn an_answer_asked_after_the_fault_makes_a_probe_due_once() {
        let down = Reachability::faulted(at(5_000));
        assert!(!down.heard(5_000).probe_due(at(5_002)), "asked before");
        let heard = down.heard(5_001);
        assert!(heard.is_down() && heard.probe_due(at(5_002)));
        let probed = Reachability::faulted(at(5_002)).heard(5_001);
        assert!(!probed.probe_due(at(5_003)), "probed since");
        assert_eq!(Reachability::Up.heard(5_001), Reachability::Up);
    }
}
