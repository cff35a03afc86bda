//! The cache's buckets in Envoy's shared data, common to all workers and kept across VM reloads.
//!
//! Shared data has no delete, so there is one value per bucket and no other, and the names of buckets are fixed.

use std::rc::Rc;

use edge_api::check::Subject;
use edge_api::key_sha256::KeySha256;
use proxy_wasm::hostcalls;

use super::metrics::Metrics;
use crate::cache::{
    Bucket, CacheLimits, Entry, Known, Place, Put, Region, Remembered, Rewrite, Seal,
};
use crate::check::Question;
use crate::now::Now;

/// How often a write is tried again when other workers write the same bucket.
const ATTEMPTS: usize = 4;

/// Places in which refreshes are claimed.
const CLAIMS: u32 = 256;

/// The shared cache as one plugin sees it.
#[derive(Debug)]
pub(super) struct SharedCache {
    seal: Rc<Seal>,
    limits: CacheLimits,
}

impl SharedCache {
    pub(super) fn new(seal: Rc<Seal>, limits: CacheLimits) -> Self {
        Self { seal, limits }
    }

    /// What is remembered about the subject of `question`, and about its key.
    pub(super) fn known(&self, question: &Question) -> Known {
        let key = question.key.as_ref();
        Known {
            policy: self.find(&question.subject, None),
            verdict: key.and_then(|key| self.find(&question.subject, Some(key))),
        }
    }

    /// The right to ask `question` again for all workers, until `until_ms`. Nobody else of this Envoy gets it before;
    /// a crowd of questions shares a fixed number of places, and whoever is pushed out of one asks twice.
    pub(super) fn claim(&self, question: &Question, now: Now, until_ms: u64) -> bool {
        let place = self.place(Region::ValidKeys, question);
        let name = format!("mcp-key-auth/1/claim/{:02x}", place.bucket % CLAIMS);
        let (bytes, cas) = hostcalls::get_shared_data(&name).unwrap_or((None, None));
        let standing = bytes
            .as_deref()
            .and_then(|bytes| self.seal.unwrap(&name, bytes));
        let taken = standing
            .and_then(|claim| claim.split_first_chunk::<8>())
            .is_some_and(|(until, whose)| {
                whose == place.name && now.monotonic_ms < u64::from_le_bytes(*until)
            });
        if taken {
            return false;
        }
        let claim = [&until_ms.to_le_bytes()[..], &place.name].concat();
        let sealed = self.seal.wrap(&name, &claim);
        hostcalls::set_shared_data(&name, Some(&sealed), cas).is_ok()
    }

    fn place(&self, region: Region, question: &Question) -> Place {
        self.seal.place(
            &self.limits,
            region,
            &question.subject,
            question.key.as_ref(),
        )
    }

    /// Remembers the answer to `question`.
    pub(super) fn remember(&self, question: &Question, known: &Known, now: Now, metrics: &Metrics) {
        if let Some(policy) = &known.policy {
            self.store(&question.subject, None, policy, now, metrics);
        }
        if let Some(verdict) = &known.verdict {
            self.store(
                &question.subject,
                question.key.as_ref(),
                verdict,
                now,
                metrics,
            );
        }
    }

    fn find<T: Remembered>(&self, subject: &Subject, key: Option<&KeySha256>) -> Option<Entry<T>> {
        let find = |region| {
            let place = self.seal.place(&self.limits, region, subject, key);
            let (bytes, _) = load(&place);
            Bucket::new(bytes.as_deref()).find(&self.seal, &place)
        };
        find(T::GOOD).or_else(|| find(T::BAD))
    }

    /// Writes `entry` to the region it belongs to and takes its predecessor out of the other; an entry that is
    /// for one request alone only takes its predecessors out.
    ///
    /// The order matters when two workers write opposite answers at once: each writes first and looks second, so
    /// that whoever comes last sees the other's entry, and the one of the later revision remains.
    fn store<T: Remembered>(
        &self,
        subject: &Subject,
        key: Option<&KeySha256>,
        entry: &Entry<T>,
        now: Now,
        metrics: &Metrics,
    ) {
        let (own, other) = if entry.value.is_good() {
            (T::GOOD, T::BAD)
        } else {
            (T::BAD, T::GOOD)
        };
        let own = self.seal.place(&self.limits, own, subject, key);
        let other = self.seal.place(&self.limits, other, subject, key);
        update(&own, metrics, |bucket| {
            if entry.stamp.is_for_once() {
                return bucket.remove(&self.seal, &own, &entry.stamp);
            }
            match bucket.put(&self.seal, &own, entry, now.monotonic_ms) {
                Put::Write(rewrite) => Some(rewrite),
                Put::Keep => None,
            }
        });
        let (bytes, _) = load(&other);
        let standing: Option<Entry<T>> = Bucket::new(bytes.as_deref()).find(&self.seal, &other);
        match standing {
            Some(standing) if standing.stamp.is_newer_than(&entry.stamp) => {
                update(&own, metrics, |bucket| {
                    bucket.remove(&self.seal, &own, &entry.stamp)
                });
            }
            Some(_) => update(&other, metrics, |bucket| {
                bucket.remove(&self.seal, &other, &entry.stamp)
            }),
            None => {}
        }
    }
}

/// Rewrites a bucket unless `change` wants it left alone. Gives up when others keep writing it: the entry is then
/// learnt again at its next use.
fn update(place: &Place, metrics: &Metrics, change: impl Fn(Bucket<'_>) -> Option<Rewrite>) {
    for _ in 0..ATTEMPTS {
        let (bytes, cas) = load(place);
        let Some(changed) = change(Bucket::new(bytes.as_deref())) else {
            return;
        };
        if hostcalls::set_shared_data(&name(place), Some(&changed.bytes), cas).is_ok() {
            if cas.is_none() {
                metrics.bucket_created();
            }
            metrics.shared_evicted(changed.evicted);
            return;
        }
    }
}

fn load(place: &Place) -> (Option<Vec<u8>>, Option<u32>) {
    hostcalls::get_shared_data(&name(place)).unwrap_or((None, None))
}

/// The bucket's name in shared data; the number after the slash is that of the naming scheme.
fn name(place: &Place) -> String {
    format!(
        "mcp-key-auth/2/{}/{:05x}",
        place.region.number(),
        place.bucket
    )
}
