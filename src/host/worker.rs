//! What the contexts of one plugin on one worker share, and how a request goes through it: remembered, decided, or
//! made to wait for a check.

mod asking;
mod settling;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{Action, Status};

use super::clock;
use super::exchange::{Exchange, SharedExchange};
use super::feed_poll::FeedPoll;
use super::memory::Memory;
use super::metrics::{Metrics, Reason};
use super::random::random;
use super::stream_guard::StreamGuard;
use super::usage_report::UsageReport;
use super::wake_up::WakeUp;
use crate::authenticator::{self, Decision, Errand, Step};
use crate::cache::{Known, Recollection, Seal};
use crate::check::{Fault, Question};
use crate::config::Config;
use crate::denial::Bodies;
use crate::feed::{Sight, Slot};
use crate::flights::Flights;
use crate::key_source::Credential;
use crate::now::Now;
use crate::outcome::CacheState;
use crate::reachability::Reachability;
use crate::request::{Arrival, Request};

/// How often the feed, deadlines and open streams are looked at.
const TICK: Duration = Duration::from_millis(100);

/// The shared state of one plugin on one worker.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) config: Config,
    pub(super) bodies: Bodies,
    pub(super) metrics: Metrics,
    pub(super) streams: StreamGuard,
    pub(super) usage: UsageReport,
    root_id: u32,
    /// A random number that spreads what all workers would do at the same moment.
    jitter: u8,
    memory: Memory,
    feed: FeedPoll,
    wake_up: WakeUp,
    flights: RefCell<Flights<SharedExchange>>,
    /// Decisions on requests that waited, yet to be carried out; no more than may wait.
    decided: RefCell<VecDeque<(u32, SharedExchange, Decision)>>,
    reachability: Cell<Reachability>,
    /// What a probe asks when no request does.
    last_asked: RefCell<Option<Question>>,
    /// What is to be asked about open streams as soon as there is room; no more than there are streams.
    to_ask: RefCell<Vec<Rc<Recollection>>>,
    /// The feed's revision when streams were last looked at.
    reviewed: Cell<(u32, u64)>,
}

impl Worker {
    pub(super) fn new(root_id: u32, config: Config) -> Result<Self, Status> {
        let seal = Rc::new(Seal::derive(&config.control_plane));
        let me = random();
        let jitter = me.to_le_bytes()[0];
        hostcalls::set_tick_period(TICK)?;
        Ok(Self {
            bodies: Bodies::new(&config.key_sources),
            metrics: Metrics::define()?,
            streams: StreamGuard::new(),
            root_id,
            jitter,
            usage: UsageReport::new(
                Rc::clone(&seal),
                config.usage_interval_ms,
                jitter,
                clock::now(),
            ),
            memory: Memory::new(Rc::clone(&seal), config.cache, [random(), random()]),
            feed: FeedPoll::new(seal, me, config.cache.unconfirmed_ttl_ms, clock::now()),
            wake_up: WakeUp::register()?,
            flights: RefCell::new(Flights::new(config.limits, config.control_plane.timeout_ms)),
            decided: RefCell::default(),
            reachability: Cell::default(),
            last_asked: RefCell::default(),
            to_ask: RefCell::default(),
            reviewed: Cell::default(),
            config,
        })
    }

    /// Decides on a request, or makes it wait. Called in the headers callback of the request `id`.
    pub(super) fn handle_request(&self, id: u32, arrival: Arrival<'_>) -> (SharedExchange, Action) {
        let Some(subject) = arrival.subject() else {
            let now = clock::now();
            let exchange = Exchange::new(arrival.with_credential(Credential::Missing), None);
            exchange.unmask();
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
                Step::Decided(decision) => self.apply(id, &exchange, &decision, now),
                // Nothing has to be learnt about a request that is about nobody.
                Step::Ask => {
                    let decision = self.faulted(&exchange, Fault::NotSent, now);
                    self.apply(id, &exchange, &decision, now)
                }
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

    /// The request `id` is over: answered, or its client left.
    pub(super) fn handle_end(&self, id: u32, exchange: &SharedExchange) {
        self.streams.close(id);
        if let Some(question) = exchange.abandon(self) {
            self.flights.borrow_mut().leave(&question, id);
            self.report_occupancy();
        }
    }

    /// Carries out a decision on the request `id`, whose context must be the effective one.
    pub(super) fn apply(
        &self,
        id: u32,
        exchange: &SharedExchange,
        decision: &Decision,
        now: Now,
    ) -> Action {
        let action = exchange.apply(self, decision, now);
        if self.config.end_streams_on_revoke
            && let Some(admitted_on) = exchange.admitted_on()
        {
            self.streams.open(id, exchange, admitted_on, now);
        }
        action
    }

    /// Sends what is to be asked. Called on the root, so that the answers come back to it.
    pub(super) fn handle_wake_up(&self) {
        self.wake_up.drain();
        self.carry_out();
        self.send_checks();
    }

    /// Follows the feed, ends the waits that have lasted too long and the streams that may not go on.
    pub(super) fn handle_tick(&self) {
        let now = clock::now();
        self.feed
            .handle_tick(&self.config.control_plane, now, &self.metrics);
        let late = self.flights.borrow_mut().handle_tick(now);
        if !late.is_empty() {
            self.note_fault(Fault::Timeout, now);
            self.settle_faulted(late, Fault::Timeout, now);
        }
        self.carry_out();
        self.review_streams(now);
        self.probe(now);
        self.send_checks();
        self.report_occupancy();
        self.usage.handle_tick(
            &self.config.control_plane,
            self.in_force(now),
            now,
            &self.metrics,
        );
    }

    /// The revision that this worker enforces; `None` while it cannot know of the latest changes.
    fn in_force(&self, now: Now) -> Option<u64> {
        let mark = self.feed.feed().mark;
        let age_ms = now.monotonic_ms.saturating_sub(mark.confirmed_ms);
        let confirmed = mark.confirmed_ms > 0 && age_ms <= self.config.cache.unconfirmed_ttl_ms;
        confirmed.then_some(mark.revision)
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
        // Another worker may have learnt what this one lacks, is about to ask for anew, or would serve unconfirmed.
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
        exchange.unmask();
        let action = match step {
            Step::Decided(mut decision) => {
                if decision.cache == CacheState::Hit {
                    decision.cache = tier;
                }
                let action = self.apply(id, &exchange, &decision, now);
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

    fn review_streams(&self, now: Now) {
        let feed = self.feed.feed();
        let revision = (feed.mark.epoch, feed.mark.revision);
        let changed = self.reviewed.replace(revision) != revision;
        let control_plane = self.reachability.get();
        let review = self
            .streams
            .review(&self.config, &feed, control_plane, now, changed, |r| {
                let local = self.memory.recall(&r.question.name);
                let on = local.unwrap_or_else(|| Rc::clone(r));
                Some(self.memory.look_again(&on, &self.metrics).unwrap_or(on))
            });
        drop(feed);
        let Some((ended, ask)) = review else {
            return;
        };
        self.become_root();
        if ended > 0 {
            self.metrics.streams_ended(ended);
        }
        // Who tells of a change answers, whatever became of the last check.
        let in_vain = !changed && control_plane.is_down() && !control_plane.probe_due(now);
        self.to_ask.replace(if in_vain { Vec::new() } else { ask });
        self.ask_about_streams(now);
    }

    /// Has asked what must be known of open streams, as far as there is room.
    fn ask_about_streams(&self, now: Now) {
        while self.flights.borrow().has_room_to_ask() {
            let Some(next) = self.to_ask.borrow_mut().pop() else {
                return;
            };
            // Many streams have one key: what has come since is judged at the next review.
            let known = self.memory.recall(&next.question.name);
            if known.is_none_or(|known| Rc::ptr_eq(&known, &next)) {
                self.ask(&next.question, Reason::Stream, now);
            }
        }
    }
}

/// Whether a step needs nothing more than what this worker remembers.
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
