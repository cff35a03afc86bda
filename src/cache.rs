//! What is remembered of the control plane's answers: policies by subject, verdicts by subject and key.
//!
//! Two tiers: each worker's own [`LocalCache`], which a hit needs nothing but, and a fixed number of buckets of
//! Envoy's shared data, which has no delete. In both, known projects and good keys have regions of their own, so
//! that a flood of made-up ids and keys evicts none of them. This module is the shape of it all;
//! `host::shared_cache` moves the bytes.

mod bucket;
mod codec;
mod limits;
mod local;
mod seal;

use edge_api::check::Verdict;
use edge_api::id::Id;

pub(crate) use self::bucket::{Bucket, Put, Rewrite};
pub(crate) use self::codec::Payload;
pub(crate) use self::limits::CacheLimits;
pub(crate) use self::local::{LocalCache, LocalName, Recollection};
pub(crate) use self::seal::{Place, Seal};

/// A region of the cache; each has its own buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Region {
    /// Policies of known projects and servers: as many as the control plane has.
    Policies,
    /// Ids that name no project: as many as clients make up.
    UnknownProjects,
    /// Verdicts on keys that open their project: as many as the control plane has.
    ValidKeys,
    /// Verdicts on all other keys: as many as clients make up.
    InvalidKeys,
}

/// Something learnt, with what is needed to judge how far it can be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry<T> {
    /// What was learnt.
    pub(crate) value: T,
    /// When, and for how long.
    pub(crate) stamp: Stamp,
}

/// When something was learnt, on the monotonic clock and by the control plane's count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// The feed's epoch in which it was asked about: revisions of different epochs cannot be compared.
    pub(crate) epoch: u32,
    /// The control plane's revision it was read at.
    pub(crate) revision: u64,
    /// When it was asked about.
    pub(crate) learnt_ms: u64,
    /// Until when the control plane lets it be served.
    pub(crate) fresh_until_ms: u64,
}

/// What the control plane says of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Policy {
    /// It names no project.
    UnknownProject,
    /// Its project works without a key.
    Open(Id),
    /// Its project wants one of its keys.
    Required(Id),
}

/// What the control plane says of a key presented to a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyVerdict {
    /// Whether it opens the project.
    pub(crate) verdict: Verdict,
    /// The key's id, where it has one.
    pub(crate) key_id: Option<Id>,
    /// When it expires, in milliseconds since the Unix epoch.
    pub(crate) expires_at_ms: Option<u64>,
}

/// All that is remembered about one request's question.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// The subject's policy.
    pub(crate) policy: Option<Entry<Policy>>,
    /// The verdict on its key.
    pub(crate) verdict: Option<Entry<KeyVerdict>>,
}

impl Stamp {
    /// Whether this was read later than `other`.
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        (self.epoch, self.revision) > (other.epoch, other.revision)
    }

    /// Whether it may serve nobody but those who asked.
    pub(crate) fn is_for_once(&self) -> bool {
        self.fresh_until_ms <= self.learnt_ms
    }

    /// By what the control plane knew, then by when it was asked.
    fn order(&self) -> (u32, u64, u64) {
        (self.epoch, self.revision, self.learnt_ms)
    }
}

impl Known {
    /// The project that it is about.
    pub(crate) fn project(&self) -> Option<&Id> {
        self.policy.as_ref()?.value.project()
    }

    /// Whether it is nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.policy.is_none() && self.verdict.is_none()
    }

    /// Of each part the newer one.
    pub(crate) fn newest(&self, other: Self) -> Self {
        Self {
            policy: newer(self.policy.as_ref(), other.policy),
            verdict: newer(self.verdict.as_ref(), other.verdict),
        }
    }

    /// Whether all of it is good: what clients cannot make up.
    pub(crate) fn is_good(&self) -> bool {
        self.policy
            .as_ref()
            .is_some_and(|entry| entry.value.is_good())
            && self
                .verdict
                .as_ref()
                .is_none_or(|entry| entry.value.is_good())
    }
}

fn newer<T: Clone>(ours: Option<&Entry<T>>, theirs: Option<Entry<T>>) -> Option<Entry<T>> {
    match (ours, theirs) {
        (Some(ours), Some(theirs)) if ours.stamp.order() >= theirs.stamp.order() => {
            Some(ours.clone())
        }
        (ours, None) => ours.cloned(),
        (_, theirs) => theirs,
    }
}

impl Policy {
    /// The project, where there is one.
    pub(crate) fn project(&self) -> Option<&Id> {
        match self {
            Self::UnknownProject => None,
            Self::Open(project) | Self::Required(project) => Some(project),
        }
    }
}

/// A kind of thing that is remembered, in one region while it is good and in another while it is not.
pub(crate) trait Remembered: Payload {
    /// The region of good ones, which clients cannot fill.
    const GOOD: Region;
    /// The region of the others.
    const BAD: Region;

    /// Which of the two this one belongs to.
    fn is_good(&self) -> bool;
}

impl Remembered for Policy {
    const GOOD: Region = Region::Policies;
    const BAD: Region = Region::UnknownProjects;

    fn is_good(&self) -> bool {
        self.project().is_some()
    }
}

impl Remembered for KeyVerdict {
    const GOOD: Region = Region::ValidKeys;
    const BAD: Region = Region::InvalidKeys;

    fn is_good(&self) -> bool {
        self.verdict == Verdict::Valid
    }
}
