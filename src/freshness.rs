//! How far something remembered can be trusted now.

use crate::cache::{CacheLimits, Entry, Remembered};
use crate::now::Now;

/// The trust in one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Serve it.
    Fresh,
    /// Ask again before serving it; serve it only when the control plane cannot be asked.
    LastKnownGood,
    /// Ask again; it tells nothing any more.
    Expired,
}

/// Judges `entry`. Only what is good outlives its time: a refusal is never repeated on the word of an answer
/// that nobody can confirm.
pub(crate) fn freshness<T: Remembered>(
    entry: &Entry<T>,
    limits: &CacheLimits,
    now: Now,
) -> Freshness {
    let age_past_life = now.monotonic_ms.checked_sub(entry.fresh_until_ms);
    match age_past_life {
        None => Freshness::Fresh,
        Some(age) if entry.value.is_good() && age < limits.stale_if_error_ms => {
            Freshness::LastKnownGood
        }
        Some(_) => Freshness::Expired,
    }
}
