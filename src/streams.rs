//! Open responses and what they were admitted on, so that they end when they would not be admitted any more.
//!
//! Bounded by Envoy's own open streams, each of which costs far more than its row here.

use std::rc::Rc;

use crate::authenticator::{Ruling, Step, decide};
use crate::by_id::ById;
use crate::cache::Recollection;
use crate::config::{Config, FailureMode};
use crate::feed::Feed;
use crate::now::Now;
use crate::reachability::Reachability;
use crate::request::Request;

/// The open streams of one worker, by context id.
#[derive(Debug)]
pub(crate) struct Streams<R> {
    open: ById<Stream<R>>,
}

/// How long a response is let be, whatever is learnt meanwhile: an ordinary answer is through by then, and is not cut
/// off in its middle.
const GRACE_MS: u64 = 300;

/// One open stream.
#[derive(Debug)]
struct Stream<R> {
    request: R,
    admitted_on: Rc<Recollection>,
    opened_ms: u64,
    /// Since when nobody can tell whether it would be admitted.
    unknown_since_ms: Option<u64>,
}

/// What is to be done about the open streams.
#[derive(Debug, Default)]
pub(crate) struct Review {
    /// Context ids of those to end.
    pub(crate) end: Vec<u32>,
    /// What must be asked before others can be judged.
    pub(crate) ask: Vec<Rc<Recollection>>,
}

/// A stream's standing at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Admitted,
    Refused,
    Unknown,
}

impl<R: AsRef<Request>> Streams<Rc<R>> {
    pub(crate) fn new() -> Self {
        Self { open: ById::new() }
    }

    /// A request was admitted on `admitted_on`.
    pub(crate) fn open(
        &mut self,
        id: u32,
        request: Rc<R>,
        admitted_on: Rc<Recollection>,
        now: Now,
    ) {
        self.open.insert(
            id,
            Stream {
                request,
                admitted_on,
                opened_ms: now.monotonic_ms,
                unknown_since_ms: None,
            },
        );
    }

    /// It ended.
    pub(crate) fn close(&mut self, id: u32) {
        self.open.remove(id);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Judges all of them anew. `recall` finds what is remembered by now under the same name.
    ///
    /// A stream about which nothing can be learnt goes on for `unconfirmed_ttl_ms`, so that a hiccup of the control
    /// plane cuts nobody off.
    pub(crate) fn review(
        &mut self,
        config: &Config,
        feed: &Feed,
        control_plane: Reachability,
        now: Now,
        mut recall: impl FnMut(&Rc<Recollection>) -> Option<Rc<Recollection>>,
    ) -> Review {
        let mut review = Review::default();
        let settled = |stream: &Stream<Rc<R>>| now.monotonic_ms >= stream.opened_ms + GRACE_MS;
        for (id, stream) in self.open.iter_mut().filter(|(_, stream)| settled(stream)) {
            let standing = |on: &Rc<Recollection>| {
                let sight = feed.sight(on.slot, 0);
                let request = (*stream.request).as_ref();
                let step = decide(config, request, &on.known, &sight, control_plane, now);
                match step {
                    Step::Decided(decision) => match decision.ruling {
                        Ruling::Continue { .. } => Standing::Admitted,
                        Ruling::Deny(_) => Standing::Refused,
                    },
                    Step::Ask => Standing::Unknown,
                }
            };
            let mut judged = standing(&stream.admitted_on);
            if judged == Standing::Unknown
                && let Some(newer) = recall(&stream.admitted_on)
            {
                judged = standing(&newer);
                if judged == Standing::Unknown
                    && is_known_expired(&newer, stream.unknown_since_ms, now)
                {
                    judged = Standing::Refused;
                }
                stream.admitted_on = newer;
            }
            match judged {
                Standing::Admitted => stream.unknown_since_ms = None,
                Standing::Refused => review.end.push(id),
                Standing::Unknown => {
                    let since_ms = *stream.unknown_since_ms.get_or_insert(now.monotonic_ms);
                    let given_up = now.monotonic_ms.saturating_sub(since_ms)
                        >= config.cache.unconfirmed_ttl_ms;
                    if given_up && config.failure_mode == FailureMode::Deny {
                        review.end.push(id);
                    } else {
                        review.ask.push(Rc::clone(&stream.admitted_on));
                    }
                }
            }
        }
        review
    }
}

/// Whether the control plane was asked since the key's expiry passed here, and moved it no further: its clock may be
/// behind ours.
fn is_known_expired(on: &Recollection, unknown_since_ms: Option<u64>, now: Now) -> bool {
    let (Some(verdict), Some(since_ms)) = (&on.known.verdict, unknown_since_ms) else {
        return false;
    };
    let expires_at_ms = verdict.value.expires_at_ms;
    verdict.stamp.learnt_ms >= since_ms && expires_at_ms.is_some_and(|at_ms| at_ms <= now.unix_ms)
}

#[cfg(test)]
mod tests;
