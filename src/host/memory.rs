//! Both tiers of the cache as one: this worker's own recollections over what all workers share.

use std::cell::RefCell;
use std::rc::Rc;

use edge_api::check::Subject;

use super::metrics::Metrics;
use super::shared_cache::SharedCache;
use crate::cache::{CacheLimits, Known, LocalCache, LocalName, Recollection, Seal};
use crate::check::Question;
use crate::feed::Sight;
use crate::freshness::servable;
use crate::key_source::{Credential, Presented};
use crate::now::Now;

/// What one worker can remember without asking.
#[derive(Debug)]
pub(super) struct Memory {
    limits: CacheLimits,
    local: RefCell<LocalCache>,
    shared: SharedCache,
}

impl Memory {
    /// `secret` is random and stays in this VM.
    pub(super) fn new(seal: Rc<Seal>, limits: CacheLimits, secret: [u64; 2]) -> Self {
        let [a, b] = secret;
        let key = (u128::from(a) << 64 | u128::from(b)).to_le_bytes();
        Self {
            limits,
            local: RefCell::new(LocalCache::new(&limits, key)),
            shared: SharedCache::new(seal, limits),
        }
    }

    /// What this worker calls a request for `subject` that shows `presented`.
    pub(super) fn name(&self, subject: &Subject, presented: &Presented<'_>) -> LocalName {
        self.local.borrow().name(subject, presented)
    }

    /// What this worker itself remembers under `name`.
    pub(super) fn recall(&self, name: &LocalName) -> Option<Rc<Recollection>> {
        self.local.borrow().get(name).map(Rc::clone)
    }

    /// What any worker remembers about a request for `subject` that shows `presented`, which comes to `credential`.
    pub(super) fn recollect(
        &self,
        subject: &Subject,
        presented: &Presented<'_>,
        credential: Credential,
        metrics: &Metrics,
    ) -> Rc<Recollection> {
        // Whatever is no key raises the same question as no key.
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
        let known = self.shared.known(&question);
        let recollection = Recollection::new(question, known);
        if recollection.known.policy.is_some() {
            self.keep(&recollection, metrics);
        }
        recollection
    }

    /// What other workers know by now beyond `recollection`; `None` when that is nothing.
    pub(super) fn look_again(
        &self,
        recollection: &Recollection,
        metrics: &Metrics,
    ) -> Option<Rc<Recollection>> {
        let known = recollection
            .known
            .newest(self.shared.known(&recollection.question));
        if known == recollection.known {
            return None;
        }
        let newer = Recollection::new(recollection.question.clone(), known);
        self.keep(&newer, metrics);
        Some(newer)
    }

    /// Remembers the answer to `question`, for this worker and the others, and tells what is known with it.
    pub(super) fn remember(
        &self,
        question: Question,
        known: &Known,
        sight: &Sight,
        now: Now,
        metrics: &Metrics,
    ) -> Rc<Recollection> {
        // Another worker, or this one through another, may have learnt something later while the check was under way.
        let mut newest = self.shared.known(&question);
        if let Some(local) = self.recall(&question.name) {
            newest = local.known.newest(newest);
        }
        // What may not be served any more gives way even to an answer of an older revision: the database may have gone
        // back.
        newest = servable(newest, sight, &self.limits, now).newest(known.clone());
        self.shared.remember(&question, known, now, metrics);
        let recollection = Recollection::new(question, newest);
        self.keep(&recollection, metrics);
        recollection
    }

    /// The right to ask `question` again for all workers, until `until_ms`.
    pub(super) fn claim(&self, question: &Question, now: Now, until_ms: u64) -> bool {
        self.shared.claim(question, now, until_ms)
    }

    fn keep(&self, recollection: &Rc<Recollection>, metrics: &Metrics) {
        let mut local = self.local.borrow_mut();
        if local.insert(Rc::clone(recollection)) {
            metrics.local_evicted();
        }
        metrics.local_entries(local.len());
    }
}
