//! Checks that ended, and what that means for those who waited.

use std::rc::Rc;

use super::Worker;
use crate::authenticator::{self, Decision, Ruling};
use crate::cache::Known;
use crate::check::{Answer, Fault};
use crate::feed::Slot;
use crate::flights::Landed;
use crate::now::Now;
use crate::reachability::Reachability;
use crate::simulation::exchange::{By, Ended, Exchange};
use crate::simulation::weather::Reply;

impl Worker {
    pub(in crate::simulation) async fn handle_response(&self, token: u32, reply: Reply) {
        let now = self.envoy.now();
        if self.feed.is_poll(token) {
            if self.feed.handle_response(reply, now).await {
                self.review_streams(now);
                self.send_checks().await;
            }
            return;
        }
        let landed = self.flights.borrow_mut().handle_response(token);
        let Some(landed) = landed else {
            return;
        };
        match reply.and_then(|body| landed.question.read_answer(&body)) {
            Ok(answer) => {
                self.reachability.set(Reachability::Up);
                self.settle_answered(landed, answer, now).await;
                self.ask_about_streams(now);
                self.send_checks().await;
            }
            Err(fault) => {
                let waiters = self.flights.borrow_mut().handle_fault(landed, now);
                self.note_fault(fault, now);
                self.settle_faulted(waiters, fault, now);
            }
        }
    }

    pub(super) async fn settle_answered(
        &self,
        mut landed: Landed<Rc<Exchange>>,
        answer: Answer,
        now: Now,
    ) {
        let asked_ms = landed.sent.at_ms;
        let known = answer.into_known(&self.envoy.config.cache, landed.sent.epoch, asked_ms);
        let sight = self.sight(Slot::of_known(&known));
        self.flights
            .borrow_mut()
            .handle_answer(&mut landed, &known, now);
        if !sight.believes(&known) {
            self.ask_again(landed, now);
            return;
        }
        let question = landed.question.clone();
        let mark = self.feed.feed.borrow().mark;
        let is_settled = self.envoy.control_plane.borrow().is_followed_at(&mark);
        self.memory.is_settled.set(is_settled);
        let recollection = self.memory.remember(question, &known, &sight, now).await;
        if !recollection.is_whole() {
            self.ask_again(landed, now);
            return;
        }
        for (_, exchange) in landed.into_waiters() {
            exchange.recollection.replace(Rc::clone(&recollection));
            let decision = authenticator::decide_answered(
                &self.envoy.config,
                &exchange.request,
                &recollection.known,
                &sight,
                now,
            );
            self.apply(&exchange, decision, By::Answer { asked_ms }, now);
        }
    }

    fn ask_again(&self, landed: Landed<Rc<Exchange>>, now: Now) {
        self.envoy
            .network
            .borrow_mut()
            .note_outdated(self.vm.0, now);
        if landed.has_waiters() {
            let asked = self.flights.borrow_mut().ask_again(landed, now);
            if let Err(waiters) = asked {
                self.settle_faulted(waiters, Fault::Overloaded, now);
            }
        }
    }

    pub(super) fn settle_faulted(&self, waiters: Vec<(u32, Rc<Exchange>)>, fault: Fault, now: Now) {
        for (_, exchange) in waiters {
            let decision = self.faulted(&exchange, fault, now);
            self.apply(&exchange, decision, By::Fault(fault), now);
        }
    }

    pub(super) fn faulted(&self, exchange: &Exchange, fault: Fault, now: Now) -> Decision {
        let then = exchange.recollection.borrow();
        let newer = self.memory.recall(&then.question.name);
        let newer = newer.map_or_else(Known::default, |r| r.known.clone());
        let known = then.known.newest(newer);
        let sight = self.sight(Slot::of_known(&known));
        let config = &self.envoy.config;
        authenticator::decide_faulted(config, &exchange.request, &known, &sight, fault, now)
    }

    pub(super) fn note_fault(&self, fault: Fault, now: Now) {
        if fault.is_control_planes() {
            self.reachability.set(Reachability::faulted(now));
        }
    }

    pub(super) fn apply(&self, exchange: &Rc<Exchange>, decision: Decision, by: By, now: Now) {
        let before = exchange.decided.replace(true);
        assert!(!before, "invariant 6: request {} ends twice", exchange.id);
        exchange.waits_for.take();
        self.waiting.borrow_mut().remove(&exchange.id);
        if exchange.opens && matches!(decision.ruling, Ruling::Continue { .. }) {
            let on = Rc::clone(&exchange.recollection.borrow());
            let stream = Rc::clone(exchange);
            self.streams.borrow_mut().open(exchange.id, stream, on, now);
        }
        self.envoy.ended.borrow_mut().push(Ended {
            opens: exchange.opens,
            id: exchange.id,
            worker: self.vm.0,
            target: exchange.target,
            shows: exchange.shows,
            at: Now {
                unix_ms: self.envoy.now().unix_ms,
                ..now
            },
            decision,
            mark: self.feed.feed.borrow().mark,
            asked_ms: match by {
                By::Answer { asked_ms } => Some(asked_ms),
                By::Memory | By::Fault(_) => None,
            },
            faulted: matches!(by, By::Fault(fault) if fault.is_control_planes())
                || self.envoy.network.borrow().failed_lately(self.vm.0, now),
            over_limit: matches!(by, By::Fault(fault) if !fault.is_control_planes()),
        });
    }
}
