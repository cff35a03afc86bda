//! Checks that ended, and what that means for those who waited.

use std::rc::Rc;

use proxy_wasm::hostcalls;

use super::Worker;
use crate::authenticator::{self, Decision};
use crate::cache::Known;
use crate::check::{Answer, Fault, MAX_ANSWER_LEN};
use crate::feed::Slot;
use crate::flights::Landed;
use crate::host::exchange::{Exchange, SharedExchange};
use crate::host::metrics::Reason;
use crate::host::{callout, clock};
use crate::now::Now;
use crate::reachability::Reachability;

/// Decisions carried out in one callback. Envoy puts off what they bring about until the callback ends, and then runs it
/// one inside the other: a few hundred of them overflow the VM's stack, which kills it.
const MOST_AT_ONCE: usize = 16;

impl Worker {
    /// The callout `token` ended.
    pub(in crate::host) fn handle_response(
        &self,
        token: u32,
        num_headers: usize,
        body_size: usize,
    ) {
        let now = clock::now();
        if self.feed.is_poll(token) {
            let control_plane = &self.config.control_plane;
            let changed = self.feed.handle_response(
                control_plane,
                num_headers,
                body_size,
                now,
                &self.metrics,
            );
            if changed {
                self.review_streams(now);
                self.send_checks();
            }
            return;
        }
        if self.usage.is_report(token) {
            self.usage
                .handle_response(num_headers, body_size, now, &self.metrics);
            return;
        }
        let landed = self.flights.borrow_mut().handle_response(token);
        let Some(landed) = landed else {
            return;
        };
        self.metrics
            .check_latency(now.monotonic_ms.saturating_sub(landed.sent.at_ms));
        let answer = callout::read_response(num_headers, body_size, MAX_ANSWER_LEN)
            .and_then(|body| landed.question.read_answer(&body));
        match answer {
            Ok(answer) => {
                self.note_answer();
                self.settle_answered(landed, answer, now);
                self.ask_about_streams(now);
                self.send_checks();
            }
            Err(fault) => {
                let waiters = self.flights.borrow_mut().handle_fault(landed, now);
                self.note_fault(fault, now);
                self.settle_faulted(waiters, fault, now);
            }
        }
        self.report_occupancy();
    }

    pub(super) fn settle_answered(
        &self,
        mut landed: Landed<SharedExchange>,
        answer: Answer,
        now: Now,
    ) {
        let known = answer.into_known(&self.config.cache, landed.sent.epoch, landed.sent.at_ms);
        let sight = self.sight(Slot::of_known(&known));
        self.flights
            .borrow_mut()
            .handle_answer(&mut landed, &known, now);
        if !sight.believes(&known) {
            // The project changed while the answer was on its way.
            self.ask_again(landed, now);
            return;
        }
        let question = landed.question.clone();
        let recollection = self
            .memory
            .remember(question, &known, &sight, now, &self.metrics);
        if !recollection.is_whole() {
            // The answer knows no project, and others have learnt since that there is one.
            self.ask_again(landed, now);
            return;
        }
        self.settle(landed.into_waiters(), |exchange| {
            exchange.learn(Rc::clone(&recollection));
            authenticator::decide_answered(
                &self.config,
                &exchange.request,
                &recollection.known,
                &sight,
                now,
            )
        });
    }

    /// Has a check sent again for those who wait.
    fn ask_again(&self, landed: Landed<SharedExchange>, now: Now) {
        if !landed.has_waiters() {
            return;
        }
        let asked = self.flights.borrow_mut().ask_again(landed, now);
        match asked {
            Ok(()) => self.metrics.check_asked(Reason::Recheck),
            Err(waiters) => {
                self.note_fault(Fault::Overloaded, now);
                self.settle_faulted(waiters, Fault::Overloaded, now);
            }
        }
    }

    pub(super) fn settle_faulted(
        &self,
        waiters: Vec<(u32, SharedExchange)>,
        fault: Fault,
        now: Now,
    ) {
        self.settle(waiters, |exchange| self.faulted(exchange, fault, now));
    }

    pub(super) fn faulted(&self, exchange: &Exchange, fault: Fault, now: Now) -> Decision {
        let mut known = Known::default();
        if let Some(then) = exchange.recollection() {
            // Others may have learnt something since it came.
            let newer = self.memory.recall(&then.question.name);
            known = then
                .known
                .newest(newer.map_or_else(Known::default, |r| r.known.clone()));
        }
        let sight = self.sight(Slot::of_known(&known));
        let config = &self.config;
        authenticator::decide_faulted(config, &exchange.request, &known, &sight, fault, now)
    }

    /// Decides on each waiter; carries out as much as one callback can bear, and the rest in the next ones.
    pub(super) fn settle(
        &self,
        waiters: Vec<(u32, SharedExchange)>,
        decide: impl Fn(&Exchange) -> Decision,
    ) {
        let decided = waiters.into_iter().map(|(id, exchange)| {
            let decision = decide(&exchange);
            (id, exchange, decision)
        });
        self.decided.borrow_mut().extend(decided);
        self.carry_out();
    }

    /// Carries out decisions that wait for it. A context that is gone is one whose client left.
    pub(super) fn carry_out(&self) {
        if self.decided.borrow().is_empty() {
            return;
        }
        let now = clock::now();
        for _ in 0..MOST_AT_ONCE {
            let next = self.decided.borrow_mut().pop_front();
            let Some((id, exchange, decision)) = next else {
                break;
            };
            if hostcalls::set_effective_context(id).is_ok() {
                self.apply(id, &exchange, &decision, now);
            }
        }
        self.become_root();
        if !self.decided.borrow().is_empty() {
            self.wake_up.ring();
        }
    }

    /// What follows in this callback is the root's own.
    pub(super) fn become_root(&self) {
        if hostcalls::set_effective_context(self.root_id).is_err() {
            log::error!("Envoy does not know the root context");
        }
    }

    pub(super) fn note_answer(&self) {
        self.metrics.check_ended(None);
        if self.reachability.replace(Reachability::Up).is_down() {
            log::info!("the control plane answers again");
        }
    }

    pub(super) fn note_fault(&self, fault: Fault, now: Now) {
        self.metrics.check_ended(Some(fault));
        if !fault.is_control_planes() {
            return;
        }
        let before = self.reachability.replace(Reachability::faulted(now));
        if !before.is_down() {
            log::warn!(
                "a check failed ({}): the cluster {} gave no usable answer; what is last known good goes on serving",
                fault.name(),
                self.config.control_plane.cluster
            );
        }
    }

    pub(super) fn report_occupancy(&self) {
        let (waiters, checks) = self.flights.borrow().occupancy();
        self.metrics.occupancy(waiters, checks);
    }
}
