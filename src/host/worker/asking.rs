//! Having things asked: for requests that wait, and for nobody in particular.

use std::time::Duration;

use edge_api::CHECK_PATH;
use proxy_wasm::types::Action;

use super::Worker;
use crate::authenticator::Errand;
use crate::cache::Recollection;
use crate::check::Question;
use crate::flights::{Joined, Sent};
use crate::host::exchange::SharedExchange;
use crate::host::metrics::Reason;
use crate::host::{callout, clock};
use crate::now::Now;
use crate::reachability::Reachability;

/// How long an entry whose refresh has been seen to is left alone.
pub(super) const REFRESH_PAUSE_MS: u64 = 100;
/// How long a worker keeps the others from refreshing the same: longer than a check takes as a rule, shorter than any
/// life worth caching.
const CLAIM_MS: u64 = 200;

impl Worker {
    pub(super) fn wait(
        &self,
        id: u32,
        exchange: &SharedExchange,
        recollection: &Recollection,
        now: Now,
    ) -> Action {
        let question = &recollection.question;
        let waiter = SharedExchange::clone(exchange);
        let joined = self
            .flights
            .borrow_mut()
            .join(recollection, id, waiter, now);
        match joined {
            Joined::Leads => {
                self.metrics.check_asked(if recollection.known.is_empty() {
                    Reason::Unknown
                } else {
                    Reason::Recheck
                });
                self.wake_up.ring();
            }
            Joined::Follows => self.metrics.check_shared(),
            Joined::Refused(fault) => {
                self.note_fault(fault, now);
                return self.apply(id, exchange, &self.faulted(exchange, fault, now), now);
            }
        }
        self.report_occupancy();
        exchange.wait(question.clone())
    }

    /// Asks something for which no request waits.
    pub(super) fn run(&self, errand: Errand, recollection: &Recollection, now: Now) {
        let question = &recollection.question;
        if self.flights.borrow().is_asking(question, now) {
            return;
        }
        match errand {
            Errand::Refresh => {
                if now.monotonic_ms < recollection.quiet_until_ms.get() {
                    return;
                }
                let quiet_until_ms = now.monotonic_ms + REFRESH_PAUSE_MS;
                recollection.quiet_until_ms.set(quiet_until_ms);
                let until_ms = now.monotonic_ms + CLAIM_MS;
                if !self.memory.claim(question, now, until_ms) {
                    return;
                }
                self.ask(question, Reason::Refresh, now);
            }
            Errand::Attribute => {
                let joined = self
                    .flights
                    .borrow_mut()
                    .ask_within_budget(recollection, now);
                self.note_asked(joined, Reason::Attribute);
            }
            Errand::Probe => {
                self.reachability.set(Reachability::faulted(now));
                self.ask(question, Reason::Probe, now);
            }
        }
        self.wake_up.ring();
    }

    /// Finds out whether the control plane is back, though no request may come that would.
    pub(super) fn probe(&self, now: Now) {
        let confirmed_ms = self.feed.feed().mark.confirmed_ms;
        let control_plane = self.reachability.get().heard(confirmed_ms);
        self.reachability.set(control_plane);
        if control_plane.probe_due(now)
            && let Some(question) = &*self.last_asked.borrow()
        {
            self.reachability.set(Reachability::faulted(now));
            self.ask(question, Reason::Probe, now);
        }
    }

    /// Asks it at nobody's expense.
    pub(super) fn ask(&self, question: &Question, reason: Reason, now: Now) {
        let joined = self.flights.borrow_mut().ask(question, now);
        self.note_asked(joined, reason);
    }

    fn note_asked(&self, joined: Joined, reason: Reason) {
        if joined == Joined::Leads {
            self.metrics.check_asked(reason);
            self.report_occupancy();
        }
    }

    pub(super) fn send_checks(&self) {
        loop {
            let next = self.flights.borrow_mut().next_unsent();
            let Some(question) = next else {
                return;
            };
            self.last_asked.replace(Some(question.clone()));
            let now = clock::now();
            let body = question.to_json();
            let flights = self.flights.borrow();
            let leader = flights.leader(&question);
            let request_id = leader.and_then(|leader| leader.request.request_id.as_deref());
            let mut headers = vec![
                (":method", "POST"),
                (":path", CHECK_PATH),
                ("content-type", "application/json"),
            ];
            // So that the control plane's log can be matched with Envoy's.
            headers.extend(request_id.map(|id| ("x-request-id", id)));
            let control_plane = &self.config.control_plane;
            let timeout = Duration::from_millis(control_plane.timeout_ms.into());
            let sent = callout::send(control_plane, &headers, Some(&body), timeout);
            drop(flights);
            match sent {
                Ok(token) => {
                    self.metrics.check_sent();
                    let sent = Sent {
                        at_ms: now.monotonic_ms,
                        epoch: self.feed.feed().mark.epoch,
                    };
                    self.flights.borrow_mut().handle_sent(question, token, sent);
                }
                Err(fault) => {
                    let waiters = self.flights.borrow_mut().handle_not_sent(question, now);
                    self.note_fault(fault, now);
                    self.settle_faulted(waiters, fault, now);
                    self.report_occupancy();
                }
            }
        }
    }
}
