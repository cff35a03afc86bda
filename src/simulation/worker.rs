//! `host::worker` with its stream guard, line by line. The pure modules in it are the real ones.

mod asking;
mod settling;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::cast::{self, Shows, Target};
use super::envoy::Envoy;
use super::exchange::{By, Exchange};
use super::feed_poll::FeedPoll;
use super::memory::Memory;
use crate::authenticator::{self, Errand, Step};
use crate::cache::{Known, Recollection, Seal};
use crate::check::{Fault, Question};
use crate::feed::{Sight, Slot};
use crate::flights::Flights;
use crate::now::Now;
use crate::outcome::CacheState;
use crate::reachability::Reachability;
use crate::request::{Arrival, Request};
use crate::streams::Streams;

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
    reachability: Cell<Reachability>,
    last_asked: RefCell<Option<Question>>,
    to_ask: RefCell<Vec<Rc<Recollection>>>,
    streams: RefCell<Streams<Rc<Exchange>>>,
    reviewed: Cell<(u32, u64)>,
    reviewed_ms: Cell<u64>,
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
            reachability: Cell::default(),
            last_asked: RefCell::default(),
            to_ask: RefCell::default(),
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
        let late = self.flights.borrow_mut().handle_tick(now);
        if !late.is_empty() {
            self.note_fault(Fault::Timeout, now);
            self.settle_faulted(late, Fault::Timeout, now);
        }
        self.review_streams(now);
        self.probe(now);
        self.send_checks().await;
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
        // Who tells of a change answers, whatever became of the last check.
        let in_vain = !changed && control_plane.is_down() && !control_plane.probe_due(now);
        self.to_ask
            .replace(if in_vain { Vec::new() } else { review.ask });
        self.ask_about_streams(now);
    }

    fn ask_about_streams(&self, now: Now) {
        while self.flights.borrow().has_room_to_ask() {
            let Some(next) = self.to_ask.borrow_mut().pop() else {
                return;
            };
            let known = self.memory.recall(&next.question.name);
            if known.is_none_or(|known| Rc::ptr_eq(&known, &next)) {
                self.flights.borrow_mut().ask(&next.question, now);
            }
        }
    }
}

fn is_served(step: &Step, recollection: &Recollection, now: Now) -> bool {
    match step {
        Step::Ask => false,
        Step::Decided(decision) => {
            let refreshes = decision.errand == Some(Errand::Refresh)
                && now.monotonic_ms >= recollection.quiet_until_ms.get();
            !refreshes && decision.cache != CacheState::Stale
        }
    }
}
