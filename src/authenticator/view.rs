//! What is known about a request, and how far it is trusted.

use crate::cache::{Entry, Known, Remembered};
use crate::config::Config;
use crate::feed::Sight;
use crate::freshness::{Freshness, freshness};
use crate::now::Now;
use crate::outcome::CacheState;

/// How much of what is remembered may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Only what is within its life.
    Fresh,
    /// Also what is last known good: the control plane cannot be asked.
    LastKnownGood,
    /// All of it: it is the answer to this very request.
    Answer,
}

/// What is known, and from where it is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'k> {
    pub(super) known: &'k Known,
    pub(super) sight: &'k Sight,
    pub(super) trust: Trust,
    pub(super) now: Now,
}

/// Something remembered that may be served.
#[derive(Debug)]
pub(super) struct Usable<'k, T> {
    pub(super) value: &'k T,
    /// What that makes of the request's cache state.
    pub(super) state: CacheState,
    /// Whether it should be asked about again.
    pub(super) ending: bool,
}

impl<'k> View<'k> {
    /// The entry's value, if trust reaches that far.
    pub(super) fn usable<T: Remembered>(
        &self,
        config: &Config,
        entry: Option<&'k Entry<T>>,
    ) -> Option<Usable<'k, T>> {
        let entry = entry?;
        let found = |state, ending| {
            Some(Usable {
                value: &entry.value,
                state,
                ending,
            })
        };
        if self.trust == Trust::Answer {
            return found(CacheState::Miss, false);
        }
        match freshness(entry, self.sight, &config.cache, self.now) {
            Freshness::Fresh => found(CacheState::Hit, false),
            Freshness::Refresh => found(CacheState::Hit, true),
            Freshness::LastKnownGood if self.trust == Trust::LastKnownGood => {
                found(CacheState::Stale, true)
            }
            Freshness::LastKnownGood | Freshness::Recheck => None,
        }
    }
}

impl<T> Clone for Usable<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Usable<'_, T> {}
