//! What one worker remembers by itself: whole recollections, found by a keyed digest of what the request shows.
//!
//! A hit needs no host call, no SHA-256 and no copy. Eviction is S3-FIFO, of the `quick_cache` crate: what is asked
//! for once does not push out what is asked for again and again. Good keys and the rest have caches of their own.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher};
use std::rc::Rc;

use edge_api::check::Subject;
use quick_cache::UnitWeighter;
use quick_cache::unsync::{Cache, DefaultLifecycle};
use siphasher::sip128::{Hasher128, SipHasher24};

use super::{CacheLimits, Known};
use crate::check::Question;
use crate::feed::Slot;
use crate::key_source::{Credential, Presented};
use crate::usage::Hint;

/// What one worker remembers by itself.
#[derive(Debug)]
pub(crate) struct LocalCache {
    key: [u8; 16],
    good: Entries,
    rest: Entries,
}

type Entries = Cache<
    LocalName,
    Rc<Recollection>,
    UnitWeighter,
    ByName,
    DefaultLifecycle<LocalName, Rc<Recollection>>,
>;

/// A question as this worker alone calls it: SipHash-2-4 of subject and raw key, under a random key of this VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct LocalName([u8; 16]);

/// All that a worker remembers about one question.
#[derive(Debug)]
pub(crate) struct Recollection {
    /// What it would ask.
    pub(crate) question: Question,
    /// What it knows.
    pub(crate) known: Known,
    /// Where the feed keeps the project's changes.
    pub(crate) slot: Option<Slot>,
    /// Before this moment nothing more is done about a refresh.
    pub(crate) quiet_until_ms: Cell<u64>,
    /// Where requests like it are counted.
    pub(crate) usage: Hint,
}

/// Digests are spread evenly already.
#[derive(Debug, Clone, Copy, Default)]
struct ByName;

/// See [`ByName`].
#[derive(Debug, Default)]
struct FirstBytes(u64);

impl LocalCache {
    /// An empty cache; `key` is random and stays in this VM.
    pub(crate) fn new(limits: &CacheLimits, key: [u8; 16]) -> Self {
        let entries = |count: usize| {
            Cache::with(
                count,
                count as u64,
                UnitWeighter,
                ByName,
                DefaultLifecycle::default(),
            )
        };
        Self {
            key,
            good: entries(limits.local_entries),
            rest: entries(limits.local_entries.div_ceil(4)),
        }
    }

    /// What a request for `subject` that shows `presented` is called. Only a single key makes a difference.
    pub(crate) fn name(&self, subject: &Subject, presented: &Presented<'_>) -> LocalName {
        let mut hasher = SipHasher24::new_with_key(&self.key);
        let (kind, id) = match subject {
            Subject::ProjectId(id) => (b'p', id),
            Subject::ServerId(id) => (b's', id),
        };
        hasher.write_u8(kind);
        hasher.write(id.as_str().as_bytes());
        // No id holds a zero byte.
        hasher.write_u8(0);
        if let Presented::One(key) = presented {
            key.name(&mut hasher);
        }
        LocalName(hasher.finish128().as_bytes())
    }

    /// What is remembered under `name`.
    pub(crate) fn get(&self, name: &LocalName) -> Option<&Rc<Recollection>> {
        self.good.get(name).or_else(|| self.rest.get(name))
    }

    /// Remembers `recollection` under its question's name, in place of what was there. Tells whether something else
    /// had to go.
    pub(crate) fn insert(&mut self, recollection: Rc<Recollection>) -> bool {
        let name = recollection.question.name;
        let (own, other) = if recollection.is_good() {
            (&mut self.good, &mut self.rest)
        } else {
            (&mut self.rest, &mut self.good)
        };
        other.remove(&name);
        let before = own.len();
        let replaced = own.remove(&name).is_some();
        own.insert(name, recollection);
        !replaced && own.len() <= before
    }

    /// How many are remembered.
    pub(crate) fn len(&self) -> usize {
        self.good.len() + self.rest.len()
    }
}

impl Recollection {
    pub(crate) fn new(question: Question, known: Known) -> Rc<Self> {
        Rc::new(Self {
            question,
            slot: Slot::of_known(&known),
            known,
            quiet_until_ms: Cell::default(),
            usage: Hint::default(),
        })
    }

    /// Whether it answers its question: it lacks the verdict when others have learnt meanwhile that there is a project.
    pub(crate) fn is_whole(&self) -> bool {
        let needs_verdict = self.question.key.is_some() && self.known.project().is_some();
        self.known.policy.is_some() && (self.known.verdict.is_some() || !needs_verdict)
    }

    /// Whether clients cannot make it up: its project is known and its key, if it has one, is good.
    fn is_good(&self) -> bool {
        let asks_about_key = self.question.key.is_some();
        self.known.is_good() && self.known.verdict.is_some() == asks_about_key
    }

    /// The credential of a request that is called like this one and shows `presented`.
    pub(crate) fn credential(&self, presented: &Presented<'_>) -> Credential {
        match (presented, self.question.key) {
            (Presented::Missing, _) => Credential::Missing,
            (Presented::Ambiguous, _) => Credential::Ambiguous,
            (Presented::One(_), Some(key)) => Credential::Key(key),
            (Presented::One(key), None) => Credential::no_project_key(*key),
        }
    }
}

impl BuildHasher for ByName {
    type Hasher = FirstBytes;

    fn build_hasher(&self) -> FirstBytes {
        FirstBytes(0)
    }
}

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some((first, _)) = bytes.split_first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    /// The length prefix of an array tells nothing.
    fn write_usize(&mut self, _: usize) {}
}

#[cfg(test)]
mod tests;
