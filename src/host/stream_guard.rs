//! Ends open responses that would not be admitted any more.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use proxy_wasm::hostcalls;

use super::exchange::SharedExchange;
use super::ffi;
use crate::cache::Recollection;
use crate::config::Config;
use crate::feed::Feed;
use crate::now::Now;
use crate::reachability::Reachability;
use crate::streams::Streams;

/// How often open streams are looked at when nothing is known to have changed: what a key's own expiry waits for.
const REVIEW_MS: u64 = 200;

/// The open streams of one worker.
#[derive(Debug)]
pub(super) struct StreamGuard {
    streams: RefCell<Streams<SharedExchange>>,
    reviewed_ms: Cell<u64>,
}

impl StreamGuard {
    pub(super) fn new() -> Self {
        Self {
            streams: RefCell::new(Streams::new()),
            reviewed_ms: Cell::default(),
        }
    }

    /// A request was let through, whose response may go on for long.
    pub(super) fn open(
        &self,
        id: u32,
        exchange: &SharedExchange,
        admitted_on: Rc<Recollection>,
        now: Now,
    ) {
        let exchange = Rc::clone(exchange);
        self.streams
            .borrow_mut()
            .open(id, exchange, admitted_on, now);
    }

    /// It is over.
    pub(super) fn close(&self, id: u32) {
        self.streams.borrow_mut().close(id);
    }

    /// Judges the open streams, when it is time or something changed. Ends those that are to end, tells how many that
    /// were, and what must be asked about the others. May leave the effective context on one of the streams.
    pub(super) fn review(
        &self,
        config: &Config,
        feed: &Feed,
        control_plane: Reachability,
        now: Now,
        changed: bool,
        recall: impl FnMut(&Rc<Recollection>) -> Option<Rc<Recollection>>,
    ) -> Option<(i64, Vec<Rc<Recollection>>)> {
        let due = now.monotonic_ms >= self.reviewed_ms.get() + REVIEW_MS;
        if !(due || changed) || self.streams.borrow().is_empty() {
            return None;
        }
        self.reviewed_ms.set(now.monotonic_ms);
        let review = self
            .streams
            .borrow_mut()
            .review(config, feed, control_plane, now, recall);
        let mut ended = 0;
        for id in review.end {
            let there = hostcalls::set_effective_context(id).is_ok();
            if there && !ffi::response_has_begun() {
                // Nothing was streamed to it yet; should that begin, the next review ends it.
                continue;
            }
            self.close(id);
            if there && hostcalls::reset_http_response().is_ok() {
                ended += 1;
            }
        }
        Some((ended, review.ask))
    }
}
