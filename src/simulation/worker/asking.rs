//! Having things asked: for requests that wait, and for nobody in particular.

use std::rc::Rc;

use super::Worker;
use crate::authenticator::Errand;
use crate::cache::Recollection;
use crate::flights::{Joined, Sent};
use crate::now::Now;
use crate::reachability::Reachability;
use crate::simulation::cast::TIMEOUT_MS;
use crate::simulation::exchange::{By, Exchange};
use crate::simulation::network::Ask;

const REFRESH_PAUSE_MS: u64 = 100;
const CLAIM_MS: u64 = 200;

impl Worker {
    pub(super) fn wait(&self, exchange: &Rc<Exchange>, recollection: &Recollection, now: Now) {
        let waiter = Rc::clone(exchange);
        let joined = self
            .flights
            .borrow_mut()
            .join(recollection, exchange.id, waiter, now);
        match joined {
            Joined::Leads => self.rung.set(true),
            Joined::Follows => {}
            Joined::Refused(fault) => {
                self.note_fault(fault, now);
                let decision = self.faulted(exchange, fault, now);
                self.apply(exchange, decision, By::Fault(fault), now);
                return;
            }
        }
        let question = recollection.question.clone();
        exchange.waits_for.replace(Some(question));
        let held = Rc::clone(exchange);
        self.waiting.borrow_mut().insert(exchange.id, held);
    }

    pub(super) async fn run(&self, errand: Errand, recollection: &Recollection, now: Now) {
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
                if self.memory.claim(question, now, until_ms).await {
                    self.flights.borrow_mut().ask(question, now);
                }
            }
            Errand::Attribute => {
                self.flights
                    .borrow_mut()
                    .ask_within_budget(recollection, now);
            }
            Errand::Probe => {
                self.reachability.set(Reachability::faulted(now));
                self.flights.borrow_mut().ask(question, now);
            }
        }
        self.rung.set(true);
    }

    pub(super) fn probe(&self, now: Now) {
        let confirmed_ms = self.feed.feed.borrow().mark.confirmed_ms;
        let control_plane = self.reachability.get().heard(confirmed_ms);
        self.reachability.set(control_plane);
        if control_plane.probe_due(now)
            && let Some(question) = &*self.last_asked.borrow()
        {
            self.reachability.set(Reachability::faulted(now));
            self.flights.borrow_mut().ask(question, now);
        }
    }

    pub(super) async fn send_checks(&self) {
        loop {
            let next = self.flights.borrow_mut().next_unsent();
            let Some(question) = next else {
                return;
            };
            self.last_asked.replace(Some(question.clone()));
            let now = self.envoy.now();
            let ask = Ask::Check(question.to_json());
            let sent =
                self.envoy
                    .network
                    .borrow_mut()
                    .send(self.vm, ask, now.monotonic_ms, TIMEOUT_MS);
            match sent {
                Ok(token) => {
                    let sent = Sent {
                        at_ms: now.monotonic_ms,
                        epoch: self.feed.feed.borrow().mark.epoch,
                    };
                    self.flights.borrow_mut().handle_sent(question, token, sent);
                }
                Err(fault) => {
                    let waiters = self.flights.borrow_mut().handle_not_sent(question, now);
                    self.note_fault(fault, now);
                    self.settle_faulted(waiters, fault, now);
                }
            }
        }
    }
}
