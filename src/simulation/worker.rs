//! `host::worker` with its exchanges and its stream guard, line by line. The pure modules in it are the real ones.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::cast::{self, Shows, TIMEOUT_MS, Target};
use super::envoy::Envoy;
use super::feed_poll::FeedPoll;
use super::memory::Memory;
use super::network::{Ask, Reply};
use crate::authenticator::{self, Decision, Errand, Ruling, Step};
use crate::budget::Budget;
use crate::cache::{Known, Recollection, Seal};
use crate::check::{Answer, Fault, Question};
use crate::feed::{Mark, Sight, Slot};
use crate::flights::{Flights, Joined, Landed, Sent};
use crate::now::Now;
use crate::outcome::CacheState;
use crate::reachability::Reachability;
use crate::request::{Arrival, Request};
use crate::streams::Streams;

const REFRESH_PAUSE_MS: u64 = 100;
const CLAIM_MS: u64 = 200;
const REVIEW_MS: u64 = 200;

/// One worker's VM.
pub(super) struct Worker {
    pub(super) envoy: Rc<Envoy>,
    pub(super) vm: (usize, u32),
    pub(super) memory: Memory,
    pub(super) feed: FeedPoll,
    pub(super) flights: RefCell<Flights<Rc<Exchange>>>,
    pub(super) rung: Cell<bool>,
    /// What Envoy holds as contexts.
    waiting: RefCell<HashMap<u32, Rc<Exchange>>>,
    budget: RefCell<Budget>,
    reachability: Cell<Reachability>,
    streams: RefCell<Streams<Rc<Exchange>>>,
    reviewed: Cell<(u32, u64)>,
    reviewed_ms: Cell<u64>,
}

/// One request.
pub(super) struct Exchange {
    pub(super) id: u32,
    pub(super) target: Target,
    pub(super) shows: Shows,
    request: Request,
    recollection: RefCell<Rc<Recollection>>,
    waits_for: RefCell<Option<Question>>,
    /// Whether its response goes on.
    opens: bool,
    pub(super) decided: Cell<bool>,
}

/// How a request ended, for the oracle.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) id: u32,
    pub(super) worker: usize,
    pub(super) target: Target,
    pub(super) shows: Shows,
    pub(super) opens: bool,
    pub(super) at: Now,
    pub(super) decision: Decision,
    /// What the worker knew of the feed.
    pub(super) mark: Mark,
    /// Since when the answer could have been read, for a request that was answered.
    pub(super) asked_ms: Option<u64>,
    /// Whether this request's own check, or the worker's last one, failed.
    pub(super) faulted: bool,
}

/// Why a decision is what it is.
#[derive(Debug, Clone, Copy)]
enum By {
    Memory,
    Answer { asked_ms: u64 },
    Fault,
}

impl AsRef<Request> for Exchange {
    fn as_ref(&self) -> &Request {
        &self.request
    }
}

impl Worker {
    pub(super) fn new(envoy: &Rc<Envoy>, vm: (usize, u32)) -> Self {
        let seal = Rc::new(Seal::derive(&envoy.config.control_plane));
        let me = (vm.0 as u64) << 32 | u64::from(vm.1);
        let config = &envoy.config;
        Self {
            vm,
            memory: Memory::new(Rc::clone(envoy), Rc::clone(&seal), me),
            feed: FeedPoll::new(Rc::clone(envoy), seal, vm, me),
            flights: RefCell::new(Flights::new(config.limits, config.control_plane.timeout_ms)),
            rung: Cell::new(false),
            waiting: RefCell::default(),
            budget: RefCell::new(Budget::new(config.limits.bad_key_checks_per_s)),
            reachability: Cell::default(),
            streams: RefCell::new(Streams::new()),
            reviewed: Cell::default(),
            reviewed_ms: Cell::default(),
            envoy: Rc::clone(envoy),
        }
    }

    pub(super) async fn handle_request(&self, id: u32, target: Target, shows: Shows, opens: bool) {
        let headers = cast::headers(target, shows);
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let arrival = Arrival::read(headers, &self.envoy.config);
        let subject = arrival.subject().unwrap();
        let name = self.memory.name(subject, &arrival.presented);
        let (recollection, credential, tier) = match self.memory.recall(&name) {
            Some(local) => {
                let credential = local.credential(&arrival.presented);
                (local, credential, CacheState::Hit)
            }
            None => {
                let credential = arrival.presented.credential();
                let shared = self
                    .memory
                    .recollect(subject, &arrival.presented, credential)
                    .await;
                (shared, credential, CacheState::SharedHit)
            }
        };
        let request = arrival.with_credential(credential);
        let exchange = Rc::new(Exchange {
            id,
            target,
            shows,
            request,
            recollection: RefCell::new(recollection),
            waits_for: RefCell::default(),
            opens,
            decided: Cell::new(false),
        });
        self.decide(&exchange, tier).await;
    }

    pub(super) fn handle_leave(&self, id: u32) {
        let waiting = self.waiting.borrow_mut().remove(&id);
        if let Some(exchange) = waiting
            && let Some(question) = exchange.waits_for.take()
        {
            self.flights.borrow_mut().leave(&question, id);
        }
    }

    pub(super) fn handle_close(&self, id: u32) {
        self.streams.borrow_mut().close(id);
    }

    /// Whether this VM itself remembers the answer to a request.
    pub(super) fn remembers(&self, target: Target, shows: Shows) -> bool {
        let headers = cast::headers(target, shows);
        let headers = headers
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let arrival = Arrival::read(headers, &self.envoy.config);
        let name = arrival
            .subject()
            .map(|subject| self.memory.name(subject, &arrival.presented));
        name.is_some_and(|name| self.memory.recall(&name).is_some())
    }

    pub(super) async fn handle_wake_up(&self) {
        self.send_checks().await;
    }

    pub(super) async fn handle_tick(&self) {
        let now = self.envoy.now();
        self.feed.handle_tick(now).await;
        let late = self.flights.borrow_mut().handle_timeout(now);
        if !late.is_empty() {
            self.note_fault(Fault::Timeout, now);
            self.settle_faulted(late, now);
        }
        self.review_streams(now);
        self.send_checks().await;
    }

    pub(super) async fn handle_response(&self, token: u32, reply: Reply) {
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
            }
            Err(fault) => {
                self.note_fault(fault, now);
                self.give_back(&landed, now);
                self.settle_faulted(landed.into_waiters(), now);
            }
        }
    }

    async fn decide(&self, exchange: &Rc<Exchange>, tier: CacheState) {
        let mut tier = tier;
        let mut recollection = Rc::clone(&exchange.recollection.borrow());
        let mut now = self.now_for(&recollection.known);
        let mut step = self.step(&exchange.request, &recollection, now);
        if tier == CacheState::Hit
            && !is_served(&step, &recollection, now)
            && let Some(newer) = self.memory.look_again(&recollection)
        {
            now = self.now_for(&newer.known);
            step = self.step(&exchange.request, &newer, now);
            recollection = newer;
            tier = CacheState::SharedHit;
        }
        exchange.recollection.replace(Rc::clone(&recollection));
        match step {
            Step::Decided(mut decision) => {
                if decision.cache == CacheState::Hit {
                    decision.cache = tier;
                }
                let errand = decision.errand;
                self.apply(exchange, decision, By::Memory, now);
                if let Some(errand) = errand {
                    self.run(errand, &recollection, now).await;
                }
            }
            Step::Ask => self.wait(exchange, &recollection, now),
        }
    }

    fn step(&self, request: &Request, recollection: &Recollection, now: Now) -> Step {
        authenticator::decide(
            &self.envoy.config,
            request,
            &recollection.known,
            &self.sight(recollection.slot),
            self.reachability.get(),
            now,
        )
    }

    fn now_for(&self, known: &Known) -> Now {
        let verdict = known.verdict.as_ref();
        let now = self.envoy.now();
        match verdict.is_some_and(|entry| entry.value.expires_at_ms.is_some()) {
            true => now,
            false => Now {
                unix_ms: u64::MAX,
                ..now
            },
        }
    }

    fn sight(&self, slot: Option<Slot>) -> Sight {
        self.feed.feed.borrow().sight(slot, self.vm.0 as u8 * 100)
    }

    fn wait(&self, exchange: &Rc<Exchange>, recollection: &Recollection, now: Now) {
        let question = &recollection.question;
        let mut flights = self.flights.borrow_mut();
        let new = !flights.is_asking(question, now);
        let charged = new && question.key.is_some();
        let fault = if charged && !self.budget.borrow_mut().take(&question.subject, now) {
            Some(Fault::OverBudget)
        } else {
            match flights.join(question, exchange.id, Rc::clone(exchange), now) {
                Joined::Leads => {
                    if charged {
                        flights.charge(question);
                    }
                    None
                }
                Joined::Follows => None,
                Joined::Full => Some(Fault::Overloaded),
            }
        };
        drop(flights);
        if let Some(fault) = fault {
            self.note_fault(fault, now);
            let decision = self.faulted(exchange, now);
            self.apply(exchange, decision, By::Fault, now);
            return;
        }
        self.rung.set(true);
        exchange.waits_for.replace(Some(question.clone()));
        let held = Rc::clone(exchange);
        self.waiting.borrow_mut().insert(exchange.id, held);
    }

    async fn run(&self, errand: Errand, recollection: &Recollection, now: Now) {
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
                let mut budget = self.budget.borrow_mut();
                let mut flights = self.flights.borrow_mut();
                if budget.take(&question.subject, now) {
                    if flights.ask(question, now) == Joined::Leads {
                        flights.charge(question);
                    } else {
                        budget.give_back(&question.subject, now);
                    }
                }
            }
            Errand::Probe => {
                self.reachability.set(Reachability::faulted(now));
                self.flights.borrow_mut().ask(question, now);
            }
        }
        self.rung.set(true);
    }

    async fn send_checks(&self) {
        loop {
            let next = self.flights.borrow_mut().next_unsent();
            let Some(question) = next else {
                return;
            };
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
                    let landed = self.flights.borrow_mut().handle_not_sent(question);
                    self.note_fault(fault, now);
                    if let Some(landed) = landed {
                        self.give_back(&landed, now);
                        self.settle_faulted(landed.into_waiters(), now);
                    }
                }
            }
        }
    }

    async fn settle_answered(&self, landed: Landed<Rc<Exchange>>, answer: Answer, now: Now) {
        let asked_ms = landed.sent.at_ms;
        let known = answer.into_known(&self.envoy.config.cache, landed.sent.epoch, asked_ms);
        let sight = self.sight(Slot::of_known(&known));
        if known.is_good() {
            self.give_back(&landed, now);
        }
        if !sight.believes(&known) {
            if landed.has_waiters() {
                let left = self.flights.borrow_mut().ask_again(landed, now);
                if let Some(landed) = left {
                    self.settle_faulted(landed.into_waiters(), now);
                }
            }
            return;
        }
        let question = landed.question.clone();
        let recollection = self.memory.remember(question, &known, &sight, now).await;
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

    fn settle_faulted(&self, waiters: Vec<(u32, Rc<Exchange>)>, now: Now) {
        for (_, exchange) in waiters {
            let decision = self.faulted(&exchange, now);
            self.apply(&exchange, decision, By::Fault, now);
        }
    }

    fn faulted(&self, exchange: &Exchange, now: Now) -> Decision {
        let then = exchange.recollection.borrow();
        let newer = self.memory.recall(&then.question.name);
        let newer = newer.map_or_else(Known::default, |r| r.known.clone());
        let known = then.known.newest(newer);
        let sight = self.sight(Slot::of_known(&known));
        let config = &self.envoy.config;
        authenticator::decide_faulted(config, &exchange.request, &known, &sight, now)
    }

    fn review_streams(&self, now: Now) {
        let feed = self.feed.feed.borrow();
        let revision = (feed.mark.epoch, feed.mark.revision);
        let changed = self.reviewed.replace(revision) != revision;
        let due = now.monotonic_ms >= self.reviewed_ms.get() + REVIEW_MS;
        if !(due || changed) || self.streams.borrow().is_empty() {
            return;
        }
        self.reviewed_ms.set(now.monotonic_ms);
        let control_plane = self.reachability.get();
        let review =
            self.streams
                .borrow_mut()
                .review(&self.envoy.config, &feed, control_plane, now, |r| {
                    let local = self.memory.recall(&r.question.name);
                    let on = local.unwrap_or_else(|| Rc::clone(r));
                    Some(self.memory.look_again(&on).unwrap_or(on))
                });
        for id in review.end {
            self.handle_close(id);
            self.envoy.reset.borrow_mut().push(id);
        }
        if control_plane.is_down() && !control_plane.probe_due(now) {
            return;
        }
        for recollection in review.ask {
            self.flights.borrow_mut().ask(&recollection.question, now);
        }
    }

    fn give_back(&self, landed: &Landed<Rc<Exchange>>, now: Now) {
        if landed.charged {
            let subject = &landed.question.subject;
            self.budget.borrow_mut().give_back(subject, now);
        }
    }

    fn note_fault(&self, fault: Fault, now: Now) {
        if fault.is_control_planes() {
            self.reachability.set(Reachability::faulted(now));
        }
    }

    fn apply(&self, exchange: &Rc<Exchange>, decision: Decision, by: By, now: Now) {
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
                By::Memory | By::Fault => None,
            },
            faulted: matches!(by, By::Fault) || self.reachability.get().is_down(),
        });
    }
}

fn is_served(step: &Step, recollection: &Recollection, now: Now) -> bool {
    match step {
        Step::Ask => false,
        Step::Decided(decision) => {
            decision.errand != Some(Errand::Refresh)
                || now.monotonic_ms < recollection.quiet_until_ms.get()
        }
    }
}
