//! What the contexts of one plugin on one worker share, and how a request goes through it: remembered, decided, or
//! made to wait for a check.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use edge_api::CHECK_PATH;
use proxy_wasm::hostcalls;
use proxy_wasm::types::{Action, Status};

use super::exchange::{Exchange, SharedExchange};
use super::feed_poll::{FeedPoll, random};
use super::memory::Memory;
use super::metrics::{Metrics, Reason};
use super::stream_guard::StreamGuard;
use super::wake_up::WakeUp;
use super::{callout, clock};
use crate::authenticator::{self, Decision, Errand, Step};
use crate::budget::Budget;
use crate::cache::{Known, Recollection, Seal};
use crate::check::{Answer, Fault, MAX_ANSWER_LEN, Question};
use crate::config::Config;
use crate::denial::Bodies;
use crate::feed::{Sight, Slot};
use crate::flights::{Flights, Joined, Landed, Sent};
use crate::key_source::Credential;
use crate::now::Now;
use crate::outcome::CacheState;
use crate::reachability::Reachability;
use crate::request::{Arrival, Request};

/// How often the feed, deadlines and open streams are looked at.
const TICK: Duration = Duration::from_millis(100);
/// How long an entry whose refresh has been seen to is left alone.
const REFRESH_PAUSE_MS: u64 = 100;

/// The shared state of one plugin on one worker.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) config: Config,
    pub(super) bodies: Bodies,
    pub(super) metrics: Metrics,
    pub(super) streams: StreamGuard,
    root_id: u32,
    /// A random number that spreads what all workers would do at the same moment.
    jitter: u8,
    memory: Memory,
    feed: FeedPoll,
    budget: RefCell<Budget>,
    wake_up: WakeUp,
    flights: RefCell<Flights<SharedExchange>>,
    reachability: Cell<Reachability>,
    /// The feed's revision when streams were last looked at.
    reviewed: Cell<(u32, u64)>,
    /// Waiters and checks as last told to the gauges.
    reported: Cell<(usize, usize)>,
}

impl Worker {
    pub(super) fn new(root_id: u32, config: Config) -> Result<Self, Status> {
        let seal = Rc::new(Seal::derive(&config.control_plane));
        let me = random();
        hostcalls::set_tick_period(TICK)?;
        Ok(Self {
            bodies: Bodies::new(&config.key_sources),
            metrics: Metrics::define()?,
            streams: StreamGuard::new(),
            root_id,
            jitter: me.to_le_bytes()[0],
            memory: Memory::new(Rc::clone(&seal), config.cache, [random(), random()]),
            feed: FeedPoll::new(seal, me, config.cache.unconfirmed_ttl_ms),
            budget: RefCell::new(Budget::new(config.limits.bad_key_checks_per_s)),
            wake_up: WakeUp::register(root_id)?,
            flights: RefCell::new(Flights::new(config.limits, config.control_plane.timeout_ms)),
            reachability: Cell::default(),
            reviewed: Cell::default(),
            reported: Cell::default(),
            config,
        })
    }

    /// Decides on a request, or makes it wait. Called in the headers callback of the request `id`.
    pub(super) fn handle_request(&self, id: u32, arrival: Arrival<'_>) -> (SharedExchange, Action) {
        let Some(subject) = arrival.subject() else {
            let now = clock::now();
            let exchange = Exchange::new(arrival.with_credential(Credential::Missing), None);
            let sight = self.sight(None);
            let step = authenticator::decide(
                &self.config,
                &exchange.request,
                &Known::default(),
                &sight,
                self.reachability.get(),
                now,
            );
            let action = match step {
                Step::Decided(decision) => exchange.apply(self, &decision),
                // Nothing has to be learnt about a request that is about nobody.
                Step::Ask => exchange.apply(self, &self.faulted(&exchange, now)),
            };
            return (exchange, action);
        };
        let name = self.memory.name(subject, &arrival.presented);
        let (recollection, credential, tier) = match self.memory.recall(&name) {
            Some(local) => {
                let credential = local.credential(&arrival.presented);
                (local, credential, CacheState::Hit)
            }
            None => {
                let credential = arrival.presented.credential();
                let shared =
                    self.memory
                        .recollect(subject, &arrival.presented, credential, &self.metrics);
                (shared, credential, CacheState::SharedHit)
            }
        };
        let request = arrival.with_credential(credential);
        self.decide(id, request, recollection, tier)
    }

    /// The request `id` will not be decided any more: its client left, or Envoy answered it.
    pub(super) fn handle_end(&self, id: u32, exchange: &SharedExchange) {
        if let Some(question) = exchange.abandon(self) {
            self.flights.borrow_mut().leave(&question, id);
            self.report_occupancy();
        }
    }

    /// The response to the request `id` began and goes on.
    pub(super) fn handle_open_response(&self, id: u32, exchange: &SharedExchange) {
        if self.config.end_streams_on_revoke
            && let Some(admitted_on) = exchange.admitted_on()
        {
            let now = clock::now_for(&admitted_on.known);
            self.streams.open(id, exchange, admitted_on, now);
        }
    }

    /// Sends what is to be asked. Called on the root, so that the answers come back to it.
    pub(super) fn handle_wake_up(&self) {
        self.wake_up.drain();
        self.send_checks();
    }

    /// Follows the feed, ends the waits that have lasted too long and the streams that may not go on.
    pub(super) fn handle_tick(&self) {
        let now = clock::now();
        self.feed
            .handle_tick(&self.config.control_plane, now, &self.metrics);
        let late = self.flights.borrow_mut().handle_timeout(now);
        if !late.is_empty() {
            self.note_fault(Fault::Timeout, now);
            self.settle_faulted(late, now);
        }
        self.review_streams(now);
        self.send_checks();
        self.report_occupancy();
    }

    /// The callout `token` ended.
    pub(super) fn handle_response(&self, token: u32, num_headers: usize, body_size: usize) {
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
            }
            Err(fault) => {
                self.note_fault(fault, now);
                self.give_back(&landed, now);
                self.settle_faulted(landed.into_waiters(), now);
            }
        }
        self.report_occupancy();
    }

    fn decide(
        &self,
        id: u32,
        request: Request,
        recollection: Rc<Recollection>,
        tier: CacheState,
    ) -> (SharedExchange, Action) {
        let mut recollection = recollection;
        let mut tier = tier;
        let mut now = clock::now_for(&recollection.known);
        let mut step = self.step(&request, &recollection, now);
        // Another worker may have learnt what this one lacks, or is about to ask for anew.
        if tier == CacheState::Hit
            && !is_served(&step, &recollection, now)
            && let Some(newer) = self.memory.look_again(&recollection, &self.metrics)
        {
            now = clock::now_for(&newer.known);
            step = self.step(&request, &newer, now);
            recollection = newer;
            tier = CacheState::SharedHit;
        }
        let exchange = Exchange::new(request, Some(Rc::clone(&recollection)));
        let action = match step {
            Step::Decided(mut decision) => {
                if decision.cache == CacheState::Hit {
                    decision.cache = tier;
                }
                let action = exchange.apply(self, &decision);
                if let Some(errand) = decision.errand {
                    self.run(errand, &recollection, now);
                }
                action
            }
            Step::Ask => self.wait(id, &exchange, &recollection, now),
        };
        (exchange, action)
    }

    fn step(&self, request: &Request, recollection: &Recollection, now: Now) -> Step {
        authenticator::decide(
            &self.config,
            request,
            &recollection.known,
            &self.sight(recollection.slot),
            self.reachability.get(),
            now,
        )
    }

    fn sight(&self, slot: Option<Slot>) -> Sight {
        self.feed.feed().sight(slot, self.jitter)
    }

    fn wait(
        &self,
        id: u32,
        exchange: &SharedExchange,
        recollection: &Recollection,
        now: Now,
    ) -> Action {
        let question = &recollection.question;
        let mut flights = self.flights.borrow_mut();
        let new = !flights.is_asking(question, now);
        let charged = new && question.key.is_some();
        let fault = if charged && !self.budget.borrow_mut().take(&question.subject, now) {
            Some(Fault::OverBudget)
        } else {
            match flights.join(question, id, SharedExchange::clone(exchange), now) {
                Joined::Leads => {
                    if charged {
                        flights.charge(question);
                    }
                    None
                }
                Joined::Follows => {
                    self.metrics.check_shared();
                    None
                }
                Joined::Full => Some(Fault::Overloaded),
            }
        };
        drop(flights);
        if let Some(fault) = fault {
            self.note_fault(fault, now);
            return exchange.apply(self, &self.faulted(exchange, now));
        }
        if new {
            self.metrics.check_asked(if recollection.known.is_empty() {
                Reason::Unknown
            } else {
                Reason::Recheck
            });
            self.wake_up.ring();
        }
        self.report_occupancy();
        exchange.wait(question.clone())
    }

    /// Asks something for which no request waits.
    fn run(&self, errand: Errand, recollection: &Recollection, now: Now) {
        let question = &recollection.question;
        if self.flights.borrow().is_asking(question, now) {
            return;
        }
        let until_ms = now.monotonic_ms + u64::from(self.config.control_plane.timeout_ms);
        match errand {
            Errand::Refresh => {
                if now.monotonic_ms < recollection.quiet_until_ms.get() {
                    return;
                }
                let quiet_until_ms = now.monotonic_ms + REFRESH_PAUSE_MS;
                recollection.quiet_until_ms.set(quiet_until_ms);
                if self.memory.claim(question, now, until_ms) {
                    self.ask(question, Reason::Refresh, now);
                }
            }
            Errand::Attribute => {
                if self.budget.borrow_mut().take(&question.subject, now) {
                    self.ask(question, Reason::Attribute, now);
                    self.flights.borrow_mut().charge(question);
                }
            }
            Errand::Probe => {
                self.reachability.set(Reachability::faulted(now));
                self.ask(question, Reason::Probe, now);
            }
        }
        self.wake_up.ring();
    }

    fn ask(&self, question: &Question, reason: Reason, now: Now) {
        let joined = self.flights.borrow_mut().ask(question, now);
        if joined == Joined::Leads {
            self.metrics.check_asked(reason);
            self.report_occupancy();
        }
    }

    fn send_checks(&self) {
        loop {
            let next = self.flights.borrow_mut().next_unsent();
            let Some(question) = next else {
                return;
            };
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
                    let landed = self.flights.borrow_mut().handle_not_sent(question);
                    self.note_fault(fault, now);
                    if let Some(landed) = landed {
                        self.give_back(&landed, now);
                        self.settle_faulted(landed.into_waiters(), now);
                    }
                    self.report_occupancy();
                }
            }
        }
    }

    fn settle_answered(&self, landed: Landed<SharedExchange>, answer: Answer, now: Now) {
        let known = answer.into_known(&self.config.cache, landed.sent.epoch, landed.sent.at_ms);
        let sight = self.sight(Slot::of_known(&known));
        if known.is_good() {
            self.give_back(&landed, now);
        }
        if !sight.believes(&known) {
            // The project changed while the answer was on its way. Asked again at the next tick, not at once: a
            // replica that lags behind would keep us asking.
            if landed.has_waiters() {
                self.metrics.check_asked(Reason::Recheck);
                self.flights.borrow_mut().ask_again(landed, now);
            }
            return;
        }
        let question = landed.question.clone();
        let recollection = self.memory.remember(question, &known, now, &self.metrics);
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

    fn settle_faulted(&self, waiters: Vec<(u32, SharedExchange)>, now: Now) {
        self.settle(waiters, |exchange| self.faulted(exchange, now));
    }

    fn faulted(&self, exchange: &Exchange, now: Now) -> Decision {
        let mut known = Known::default();
        if let Some(then) = exchange.recollection() {
            // Others may have learnt something since it came.
            let newer = self.memory.recall(&then.question.name);
            known = then
                .known
                .newest(newer.map_or_else(Known::default, |r| r.known.clone()));
        }
        let sight = self.sight(Slot::of_known(&known));
        authenticator::decide_faulted(&self.config, &exchange.request, &known, &sight, now)
    }

    /// Gives each waiter that is still there its decision. A context that is gone is one whose client left.
    fn settle(&self, waiters: Vec<(u32, SharedExchange)>, decide: impl Fn(&Exchange) -> Decision) {
        if waiters.is_empty() {
            return;
        }
        for (id, exchange) in waiters {
            if hostcalls::set_effective_context(id).is_ok() {
                let decision = decide(&exchange);
                exchange.apply(self, &decision);
            }
        }
        self.become_root();
    }

    fn review_streams(&self, now: Now) {
        let feed = self.feed.feed();
        let revision = (feed.mark.epoch, feed.mark.revision);
        let changed = self.reviewed.replace(revision) != revision;
        let control_plane = self.reachability.get();
        let (ended, ask) =
            self.streams
                .review(&self.config, &feed, control_plane, now, changed, |r| {
                    let local = self.memory.recall(&r.question.name);
                    let on = local.unwrap_or_else(|| Rc::clone(r));
                    Some(self.memory.look_again(&on, &self.metrics).unwrap_or(on))
                });
        drop(feed);
        if ended > 0 {
            self.metrics.streams_ended(ended);
            self.become_root();
        }
        if control_plane.is_down() && !control_plane.probe_due(now) {
            return;
        }
        for recollection in ask {
            self.ask(&recollection.question, Reason::Stream, now);
        }
    }

    /// What follows in this callback is the root's own.
    fn become_root(&self) {
        if hostcalls::set_effective_context(self.root_id).is_err() {
            log::error!("Envoy does not know the root context");
        }
    }

    fn give_back(&self, landed: &Landed<SharedExchange>, now: Now) {
        if landed.charged {
            let subject = &landed.question.subject;
            self.budget.borrow_mut().give_back(subject, now);
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

    fn report_occupancy(&self) {
        let occupancy = self.flights.borrow().occupancy();
        let before = self.reported.replace(occupancy);
        self.metrics.occupancy_changed(before, occupancy);
    }
}

/// Whether a step needs nothing more than what this worker remembers.
fn is_served(step: &Step, recollection: &Recollection, now: Now) -> bool {
    match step {
        Step::Ask => false,
        Step::Decided(decision) => {
            decision.errand != Some(Errand::Refresh)
                || now.monotonic_ms < recollection.quiet_until_ms.get()
        }
    }
}
