//! `host::memory` over `host::shared_cache`, line by line, with shared data that can be preempted at each access.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use edge_api::check::Subject;
use edge_api::key_sha256::KeySha256;

use super::cast::TIMEOUT_MS;
use super::envoy::Envoy;
use super::shared_data::at_once;
use crate::cache::{
    Bucket, Entry, Known, LocalCache, LocalName, Place, Put, Recollection, Region, Remembered,
    Rewrite, Seal,
};
use crate::check::Question;
use crate::feed::Sight;
use crate::freshness::servable;
use crate::key_source::{Credential, Presented};
use crate::now::Now;

const ATTEMPTS: usize = 4;
const CLAIMS: u32 = 256;

/// All regions.
pub(super) const REGIONS: [Region; 4] = [
    Region::Policies,
    Region::UnknownProjects,
    Region::ValidKeys,
    Region::InvalidKeys,
];

/// What one worker can remember without asking.
pub(super) struct Memory {
    envoy: Rc<Envoy>,
    seal: Rc<Seal>,
    pub(super) local: RefCell<LocalCache>,
    /// Whether the worker follows the database that there is. Until a restored one is noticed, revisions of both lie here
    /// beside each other, and which is the older of two cannot be told.
    pub(super) is_settled: Cell<bool>,
}

impl Memory {
    pub(super) fn new(envoy: Rc<Envoy>, seal: Rc<Seal>, secret: u64) -> Self {
        let key = u128::from(secret).to_le_bytes();
        let local = RefCell::new(LocalCache::new(&envoy.config.cache, key));
        Self {
            envoy,
            seal,
            local,
            is_settled: Cell::new(true),
        }
    }

    pub(super) fn name(&self, subject: &Subject, presented: &Presented<'_>) -> LocalName {
        self.local.borrow().name(subject, presented)
    }

    pub(super) fn recall(&self, name: &LocalName) -> Option<Rc<Recollection>> {
        self.local.borrow().get(name).map(Rc::clone)
    }

    pub(super) async fn recollect(
        &self,
        subject: &Subject,
        presented: &Presented<'_>,
        credential: Credential,
    ) -> Rc<Recollection> {
        let presented = match credential {
            Credential::Key(_) => presented,
            _ => &Presented::Missing,
        };
        let question = Question {
            subject: subject.clone(),
            key: credential.key(),
            name: self.name(subject, presented),
        };
        if let Some(recollection) = self.recall(&question.name) {
            return recollection;
        }
        let known = self.known(&question).await;
        let recollection = Recollection::new(question, known);
        if recollection.known.policy.is_some() {
            self.keep(&recollection);
        }
        recollection
    }

    pub(super) fn look_again(&self, recollection: &Recollection) -> Option<Rc<Recollection>> {
        let shared = at_once(self.known(&recollection.question));
        let known = recollection.known.newest(shared);
        if known == recollection.known {
            return None;
        }
        let newer = Recollection::new(recollection.question.clone(), known);
        self.keep(&newer);
        Some(newer)
    }

    pub(super) async fn remember(
        &self,
        question: Question,
        known: &Known,
        sight: &Sight,
        now: Now,
    ) -> Rc<Recollection> {
        let turn = self.envoy.turn.get();
        let before = self.known(&question).await;
        let mut newest = before.clone();
        if let Some(local) = self.recall(&question.name) {
            newest = local.known.newest(newest);
        }
        let limits = &self.envoy.config.cache;
        let standing = servable(newest, sight, limits, now);
        let newest = standing.newest(known.clone());
        let subject = &question.subject;
        if let Some(policy) = &known.policy {
            self.store(subject, None, policy, now).await;
        }
        if let Some(verdict) = &known.verdict {
            self.store(subject, question.key.as_ref(), verdict, now)
                .await;
        }
        let after = self.known(&question).await;
        let is_settled = self.is_settled.get();
        if self.envoy.turn.get() == turn && is_settled {
            assert_keeps(before.policy.as_ref(), after.policy.as_ref(), now);
            assert_keeps(before.verdict.as_ref(), after.verdict.as_ref(), now);
        }
        // As far as it could be served: what stood here as well as what came from elsewhere.
        let local = self.recall(&question.name);
        let local = local.map_or_else(Known::default, |local| local.known.clone());
        let local = servable(local, sight, limits, now);
        assert!(
            !is_settled || local.newest(newest.clone()) == newest,
            "invariant 4: {newest:?} replaces {local:?}"
        );
        let recollection = Recollection::new(question, newest);
        self.keep(&recollection);
        recollection
    }

    pub(super) async fn claim(&self, question: &Question, now: Now, until_ms: u64) -> bool {
        let place = self.place(Region::ValidKeys, &question.subject, question.key.as_ref());
        let name = format!("claim/{:02x}", place.bucket % CLAIMS);
        let (bytes, cas) = self.envoy.shared.get(&name).await;
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
        self.envoy.shared.set(&name, &sealed, cas).await
    }

    fn keep(&self, recollection: &Rc<Recollection>) {
        self.local.borrow_mut().insert(Rc::clone(recollection));
    }

    pub(super) async fn known(&self, question: &Question) -> Known {
        let policy = self.find(&question.subject, None).await;
        let verdict = match question.key.as_ref() {
            Some(key) => self.find(&question.subject, Some(key)).await,
            None => None,
        };
        Known { policy, verdict }
    }

    async fn find<T: Remembered>(
        &self,
        subject: &Subject,
        key: Option<&KeySha256>,
    ) -> Option<Entry<T>> {
        for region in [T::GOOD, T::BAD] {
            let place = self.place(region, subject, key);
            let (bytes, _) = self.load(&place).await;
            let found = Bucket::new(bytes.as_deref()).find(&self.seal, &place);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    async fn store<T: Remembered>(
        &self,
        subject: &Subject,
        key: Option<&KeySha256>,
        entry: &Entry<T>,
        now: Now,
    ) {
        let (own, other) = if entry.value.is_good() {
            (T::GOOD, T::BAD)
        } else {
            (T::BAD, T::GOOD)
        };
        let own = self.place(own, subject, key);
        let other = self.place(other, subject, key);
        self.update(&own, |bucket| {
            if entry.stamp.is_for_once() {
                return bucket.remove(&self.seal, &own, &entry.stamp);
            }
            match bucket.put(&self.seal, &own, entry, now.monotonic_ms) {
                Put::Write(rewrite) => Some(rewrite),
                Put::Keep => None,
            }
        })
        .await;
        let (bytes, _) = self.load(&other).await;
        let standing: Option<Entry<T>> = Bucket::new(bytes.as_deref()).find(&self.seal, &other);
        match standing {
            Some(standing) if standing.stamp.is_newer_than(&entry.stamp) => {
                self.update(&own, |bucket| bucket.remove(&self.seal, &own, &entry.stamp))
                    .await;
            }
            Some(_) => {
                self.update(&other, |bucket| {
                    bucket.remove(&self.seal, &other, &entry.stamp)
                })
                .await;
            }
            None => {}
        }
    }

    async fn update(&self, place: &Place, change: impl Fn(Bucket<'_>) -> Option<Rewrite>) {
        for _ in 0..ATTEMPTS {
            let (bytes, cas) = self.load(place).await;
            let Some(changed) = change(Bucket::new(bytes.as_deref())) else {
                return;
            };
            if self
                .envoy
                .shared
                .set(&name(place), &changed.bytes, cas)
                .await
            {
                return;
            }
        }
    }

    async fn load(&self, place: &Place) -> (Option<Vec<u8>>, Option<u32>) {
        self.envoy.shared.get(&name(place)).await
    }

    fn place(&self, region: Region, subject: &Subject, key: Option<&KeySha256>) -> Place {
        self.seal
            .place(&self.envoy.config.cache, region, subject, key)
    }
}

/// Invariant 4: what was read at an older revision has not taken the place of what stood in shared data.
fn assert_keeps<T: std::fmt::Debug>(before: Option<&Entry<T>>, after: Option<&Entry<T>>, now: Now) {
    let Some(before) = before else { return };
    // An answer may be this late at most.
    if now.monotonic_ms < before.stamp.fresh_until_ms + TIMEOUT_MS {
        let kept = after.is_some_and(|after| !before.stamp.is_newer_than(&after.stamp));
        assert!(kept, "invariant 4: {before:?} gave way to {after:?}");
    }
}

fn name(place: &Place) -> String {
    format!("bucket/{}/{:05x}", place.region.number(), place.bucket)
}
