//! What is known of the control plane's changes: up to which revision, as of when, and which projects changed last.
//!
//! One worker of an Envoy polls and shares what it learns; every worker keeps a [`Feed`] of its own, so that judging an
//! entry costs no host call. Projects are kept by slot, in a table of fixed size: two that share a slot only cause
//! each other to be asked about once more.

mod answer;
mod codec;
mod incarnation;
pub(crate) mod lease;
mod sharing;

use edge_api::id::Id;
use siphasher::sip::SipHasher13;

pub(crate) use self::answer::PROBE;
pub(crate) use self::incarnation::Incarnation;
use crate::cache::{Known, Stamp};

/// Slots of the table: 16 KiB of revisions.
const SLOTS: usize = 2_048;

/// A project's place in the table of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(u16);

/// What one worker knows of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Feed {
    /// Up to where, as of when.
    pub(crate) mark: Mark,
    /// Per slot, the highest revision at which one of its projects changed.
    changed: Vec<u64>,
}

/// How far the feed has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Raised when the control plane's database is another, and when what was known is lost: what was read before cannot
    /// be compared with what comes.
    pub(crate) epoch: u32,
    /// Which database it is, as far as the control plane tells.
    pub(crate) incarnation: Option<Incarnation>,
    /// The revision at which following began or began anew; what changed before it is not known.
    pub(crate) baseline: u64,
    /// The revision up to which every change is known.
    pub(crate) revision: u64,
    /// When it was asked what the control plane then confirmed, on the monotonic clock; 0 for never.
    pub(crate) confirmed_ms: u64,
}

/// What the feed says to entries of one project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sight {
    mark: Mark,
    /// The highest revision at which the project may have changed.
    changed: u64,
    /// A number of this worker alone, 0 to 255.
    pub(crate) jitter: u8,
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self {
            mark: Mark::default(),
            changed: vec![0; SLOTS],
        }
    }

    /// What the feed says to `known`. What is known of no project at all is touched by every change: one of them may
    /// have been its creation.
    pub(crate) fn sight(&self, slot: Option<Slot>, jitter: u8) -> Sight {
        Sight {
            mark: self.mark,
            changed: slot.map_or(self.mark.revision, |slot| {
                self.changed
                    .get(usize::from(slot.0))
                    .copied()
                    .unwrap_or(u64::MAX)
            }),
            jitter,
        }
    }

    fn note_change(&mut self, project: &Id, revision: u64) {
        if let Some(changed) = self.changed.get_mut(usize::from(Slot::of(project).0)) {
            *changed = revision.max(*changed);
        }
    }
}

impl Slot {
    /// The slot of `project`.
    pub(crate) fn of(project: &Id) -> Self {
        let hash = SipHasher13::new().hash(project.as_str().as_bytes());
        Self(u16::try_from(hash % SLOTS as u64).unwrap_or(0))
    }

    /// The slot of the project that `known` is about.
    pub(crate) fn of_known(known: &Known) -> Option<Self> {
        known.project().map(Self::of)
    }
}

impl Sight {
    /// Whether the project is known to have changed since `stamp` was read, or may have without anybody telling: what
    /// the feed said of another epoch is gone with it, and a key revoked then must not come back to life.
    pub(crate) fn knows_change_after(&self, stamp: &Stamp) -> bool {
        self.mark.epoch != stamp.epoch || self.changed > stamp.revision
    }

    /// Whether the feed can tell that nothing changed since `stamp` was read, up to its own revision.
    pub(crate) fn covers(&self, stamp: &Stamp) -> bool {
        stamp.revision >= self.mark.baseline
    }

    /// Whether an answer that just came may be served: it is of this epoch, and nothing is known to have changed since
    /// it was read.
    pub(crate) fn believes(&self, known: &Known) -> bool {
        let policy = known.policy.as_ref();
        policy.is_some_and(|entry| !self.knows_change_after(&entry.stamp))
    }

    /// When what was read at `stamp` was last confirmed; 0 for never.
    pub(crate) fn confirmed_ms(&self, stamp: &Stamp) -> u64 {
        if self.covers(stamp) && !self.knows_change_after(stamp) {
            self.mark.confirmed_ms
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests;
