//! What the contexts of one plugin on one worker share: configuration, caches, the checks under way.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{Action, Status};

use super::check_call;
use super::clock;
use super::exchange::{Exchange, SharedExchange};
use super::metrics::Metrics;
use super::shared_cache::SharedCache;
use super::wake_up::WakeUp;
use crate::authenticator::{self, Step};
use crate::cache::Known;
use crate::check::{Answer, Fault, Question};
use crate::config::Config;
use crate::denial::Bodies;
use crate::flights::{Flights, Joined, Landed};
use crate::now::Now;
use crate::reachability::Reachability;
use crate::request::Request;
use crate::route::Route;

/// How often deadlines are looked at while something is under way.
const TICK: Duration = Duration::from_millis(100);

/// The shared state of one plugin on one worker.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) config: Config,
    pub(super) bodies: Bodies,
    pub(super) metrics: Metrics,
    root_id: u32,
    cache: SharedCache,
    wake_up: WakeUp,
    flights: RefCell<Flights<SharedExchange>>,
    reachability: Cell<Reachability>,
    ticking: Cell<bool>,
    /// Waiters and checks as last told to the gauges.
    reported: Cell<(usize, usize)>,
}

impl Worker {
    pub(super) fn new(root_id: u32, config: Config) -> Result<Self, Status> {
        Ok(Self {
            bodies: Bodies::new(&config.key_sources),
            metrics: Metrics::define()?,
            root_id,
            cache: SharedCache::new(&config.control_plane, config.cache),
            wake_up: WakeUp::register(root_id)?,
            flights: RefCell::new(Flights::new(config.limits, config.control_plane.timeout_ms)),
            reachability: Cell::default(),
            ticking: Cell::default(),
            reported: Cell::default(),
            config,
        })
    }

    /// Decides on a request, or makes it wait. Called in the headers callback of the request `id`.
    pub(super) fn handle_request(&self, id: u32, request: Request) -> (SharedExchange, Action) {
        let now = clock::now();
        let known = match &request.route {
            Route::Subject(subject) if !request.preflight => {
                let key = request.presented.credential.key();
                self.cache.known(subject, key.as_ref())
            }
            _ => Known::default(),
        };
        let step =
            authenticator::decide(&self.config, &request, &known, self.reachability.get(), now);
        let exchange = Exchange::new(request, known);
        let action = match step {
            Step::Decided(decision) => {
                let action = exchange.borrow_mut().apply(self, &decision);
                if let Some(question) = &decision.background {
                    self.ask_in_background(question, now);
                }
                action
            }
            Step::Ask(question) => self.wait(id, &exchange, question, now),
        };
        (exchange, action)
    }

    /// The request `id` will not be decided any more: its client left, or Envoy answered it.
    pub(super) fn handle_end(&self, id: u32, exchange: &SharedExchange) {
        let question = exchange.borrow_mut().abandon(self);
        if let Some(question) = question {
            self.flights.borrow_mut().leave(&question, id);
            self.report_occupancy();
        }
    }

    /// Sends what is to be asked. Called on the root, so that the answers come back to it.
    pub(super) fn handle_wake_up(&self) {
        self.wake_up.drain();
        self.send_checks();
    }

    /// Ends the waits that have lasted too long.
    pub(super) fn handle_tick(&self) {
        let now = clock::now();
        let late = self.flights.borrow_mut().handle_timeout(now);
        if !late.is_empty() {
            self.note_fault(Fault::Timeout, now);
            self.settle_faulted(late, now);
        }
        self.send_checks();
        self.report_occupancy();
        if self.flights.borrow().is_empty() {
            self.set_ticking(false);
        }
    }

    /// The check `token` ended.
    pub(super) fn handle_response(&self, token: u32, num_headers: usize, body_size: usize) {
        let now = clock::now();
        let landed = self.flights.borrow_mut().handle_response(token);
        let Some(landed) = landed else {
            return;
        };
        self.metrics
            .check_latency(now.monotonic_ms.saturating_sub(landed.sent_at_ms));
        match check_call::read_response(&landed.question, num_headers, body_size) {
            Ok(answer) => {
                self.note_answer();
                self.settle_answered(landed, answer, now);
            }
            Err(fault) => {
                self.note_fault(fault, now);
                self.settle_faulted(landed.waiters, now);
            }
        }
        self.report_occupancy();
    }

    fn wait(&self, id: u32, exchange: &SharedExchange, question: Question, now: Now) -> Action {
        let joined =
            self.flights
                .borrow_mut()
                .join(&question, id, SharedExchange::clone(exchange), now);
        match joined {
            Joined::Leads => self.wake_up.ring(),
            Joined::Follows => self.metrics.check_shared(),
            Joined::Full => {
                self.note_fault(Fault::Overloaded, now);
                let mut exchange = exchange.borrow_mut();
                let decision = authenticator::decide_faulted(
                    &self.config,
                    &exchange.request,
                    &exchange.known,
                    now,
                );
                return exchange.apply(self, &decision);
            }
        }
        self.set_ticking(true);
        self.report_occupancy();
        exchange.borrow_mut().wait(question)
    }

    fn ask_in_background(&self, question: &Question, now: Now) {
        if self.flights.borrow_mut().ask(question, now) != Joined::Leads {
            return;
        }
        if self.reachability.get().is_down() {
            self.reachability.set(Reachability::faulted(now));
        }
        self.metrics.check_background();
        self.wake_up.ring();
        self.set_ticking(true);
        self.report_occupancy();
    }

    fn send_checks(&self) {
        loop {
            let next = self.flights.borrow_mut().next_unsent();
            let Some(question) = next else {
                return;
            };
            let now = clock::now();
            let request_id = self
                .flights
                .borrow()
                .leader(&question)
                .and_then(|leader| leader.borrow().request.request_id.clone());
            match check_call::send(&self.config.control_plane, &question, request_id.as_deref()) {
                Ok(token) => {
                    self.metrics.check_sent();
                    self.flights.borrow_mut().handle_sent(question, token, now);
                }
                Err(fault) => {
                    let landed = self.flights.borrow_mut().handle_not_sent(question);
                    self.note_fault(fault, now);
                    self.settle_faulted(landed.map(|l| l.waiters).unwrap_or_default(), now);
                    self.report_occupancy();
                }
            }
        }
    }

    fn settle_answered(&self, landed: Landed<SharedExchange>, answer: Answer, now: Now) {
        let known = answer.into_known(&self.config.cache, now);
        self.cache
            .remember(&landed.question, &known, now, &self.metrics);
        self.settle(landed.waiters, |request, _| {
            authenticator::decide_answered(&self.config, request, &known, now)
        });
    }

    fn settle_faulted(&self, waiters: Vec<(u32, SharedExchange)>, now: Now) {
        self.settle(waiters, |request, known| {
            authenticator::decide_faulted(&self.config, request, known, now)
        });
    }

    /// Gives each waiter that is still there its decision. A context that is gone is one whose client left.
    fn settle(
        &self,
        waiters: Vec<(u32, SharedExchange)>,
        decide: impl Fn(&Request, &Known) -> authenticator::Decision,
    ) {
        if waiters.is_empty() {
            return;
        }
        for (id, exchange) in waiters {
            if hostcalls::set_effective_context(id).is_ok() {
                let mut exchange = exchange.borrow_mut();
                let decision = decide(&exchange.request, &exchange.known);
                exchange.apply(self, &decision);
            }
        }
        // What follows in this callback is the root's own.
        if hostcalls::set_effective_context(self.root_id).is_err() {
            log::error!("Envoy does not know the root context");
        }
    }

    fn note_answer(&self) {
        self.metrics.check_ended(None);
        if self.reachability.replace(Reachability::Up).is_down() {
            log::info!("the control plane answers again");
        }
    }

    fn note_fault(&self, fault: Fault, now: Now) {
        self.metrics.check_ended(Some(fault));
        if fault.is_control_planes()
            && !self
                .reachability
                .replace(Reachability::faulted(now))
                .is_down()
        {
            log::warn!(
                "a check failed ({}): the control plane's cluster {:?} gave no usable answer; what is last known good goes on serving",
                fault.name(),
                self.config.control_plane.cluster
            );
        }
    }

    fn set_ticking(&self, on: bool) {
        if self.ticking.replace(on) == on {
            return;
        }
        let period = if on { TICK } else { Duration::ZERO };
        if hostcalls::set_tick_period(period).is_err() {
            log::error!("Envoy did not set the tick period");
        }
    }

    fn report_occupancy(&self) {
        let (waiters, checks) = self.flights.borrow().occupancy();
        let (waiters_before, checks_before) = self.reported.replace((waiters, checks));
        let change = |now: usize, before: usize| {
            i64::try_from(now).unwrap_or(0) - i64::try_from(before).unwrap_or(0)
        };
        self.metrics.occupancy_changed(
            change(waiters, waiters_before),
            change(checks, checks_before),
        );
    }
}
