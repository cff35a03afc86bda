//! How far something remembered can be trusted now: the one place where time, revisions and the change feed meet.

use crate::cache::{CacheLimits, Entry, Known, Remembered, Stamp};
use crate::feed::Sight;
use crate::now::Now;

/// The trust in one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// Serve it.
    Fresh,
    /// Serve it, and ask again in the background: its end is near.
    Refresh,
    /// Ask again before serving it; serve it only when the control plane cannot be asked.
    LastKnownGood,
    /// Ask again; it tells nothing any more.
    Recheck,
}

/// Judges `entry`.
///
/// - What the control plane gave no time to serves nobody but those who asked.
/// - A project known to have changed since the entry was read makes it worthless.
/// - It may be served until its life is over, but no longer than `unconfirmed_ttl_ms` past the moment at which it was
///   learnt or last confirmed by the feed.
/// - Only what is good is asked about ahead of its end, and only what is good outlives it while the control plane
///   cannot be asked: a refusal is never repeated on the word of an answer that nobody can confirm.
pub(crate) fn freshness<T: Remembered>(
    entry: &Entry<T>,
    sight: &Sight,
    limits: &CacheLimits,
    now: Now,
) -> Freshness {
    let stamp = &entry.stamp;
    if stamp.is_for_once() || sight.knows_change_after(stamp) {
        return Freshness::Recheck;
    }
    let good = entry.value.is_good();
    let now_ms = now.monotonic_ms;
    let serves_until_ms = serves_until_ms(stamp, sight, limits);
    if sight.covers(stamp) && now_ms < serves_until_ms {
        let margin_ms = refresh_margin_ms(stamp, sight, limits);
        return if good && now_ms.saturating_add(margin_ms) >= serves_until_ms {
            Freshness::Refresh
        } else {
            Freshness::Fresh
        };
    }
    if good && now_ms < serves_until_ms.saturating_add(limits.stale_if_error_ms) {
        Freshness::LastKnownGood
    } else {
        Freshness::Recheck
    }
}

/// What of `known` may be served now.
pub(crate) fn servable(known: Known, sight: &Sight, limits: &CacheLimits, now: Now) -> Known {
    Known {
        policy: known.policy.filter(|e| serves(e, sight, limits, now)),
        verdict: known.verdict.filter(|e| serves(e, sight, limits, now)),
    }
}

fn serves<T: Remembered>(entry: &Entry<T>, sight: &Sight, limits: &CacheLimits, now: Now) -> bool {
    match freshness(entry, sight, limits, now) {
        Freshness::Fresh | Freshness::Refresh => true,
        Freshness::LastKnownGood | Freshness::Recheck => false,
    }
}

/// The end of the time in which the entry may be served without being asked about.
fn serves_until_ms(stamp: &Stamp, sight: &Sight, limits: &CacheLimits) -> u64 {
    let confirmed_ms = sight.confirmed_ms(stamp).max(stamp.learnt_ms);
    stamp
        .fresh_until_ms
        .min(confirmed_ms.saturating_add(limits.unconfirmed_ttl_ms))
}

/// How long before its end an entry is asked about again: a fifth of the time it has, each worker a little apart
/// from the others so that one of them refreshes for all.
fn refresh_margin_ms(stamp: &Stamp, sight: &Sight, limits: &CacheLimits) -> u64 {
    let life_ms = stamp
        .fresh_until_ms
        .saturating_sub(stamp.learnt_ms)
        .min(limits.unconfirmed_ttl_ms);
    let fifth = life_ms / 5;
    fifth - fifth * u64::from(sight.jitter) / 1_024
}

#[cfg(test)]
mod tests;
