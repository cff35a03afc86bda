//! Checks under way and the requests that wait for them: one check per question, however many ask it.
//!
//! **Every waiter leaves exactly once: with the answer, at its deadline, or because its request ended.** Bounded in
//! waiters and in checks. Knows nothing of what a waiter is.

use std::collections::{HashMap, VecDeque};

use crate::by_id::ById;
use crate::check::Question;
use crate::config::Limits;
use crate::now::Now;

/// How long past its time limit an answer is still hoped for. Envoy itself ends a check at the limit; this only
/// catches what Envoy lost.
const GRACE_MS: u64 = 100;

/// The checks under way in one worker.
#[derive(Debug)]
pub(crate) struct Flights<W> {
    limits: Limits,
    timeout_ms: u64,
    flights: HashMap<Question, Flight<W>>,
    tokens: ById<Question>,
    unsent: VecDeque<Question>,
    /// To be sent from the next tick on.
    again: Vec<Question>,
    waiting: usize,
}

/// One check and who waits for it.
#[derive(Debug)]
struct Flight<W> {
    waiters: ById<Waiter<W>>,
    token: Option<u32>,
    sent: Sent,
    charged: bool,
    ends_at_ms: u64,
}

/// When a check was sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// On the monotonic clock.
    pub(crate) at_ms: u64,
    /// The feed's epoch then.
    pub(crate) epoch: u32,
}

#[derive(Debug)]
struct Waiter<W> {
    waiter: W,
    ends_at_ms: u64,
}

/// How a request was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Joined {
    /// Nobody had asked: a check is to be sent.
    Leads,
    /// The question is being asked already.
    Follows,
    /// There is no room: the request is not waiting.
    Full,
}

/// A check that ended, with all who waited for it.
#[derive(Debug)]
pub(crate) struct Landed<W> {
    /// What had been asked.
    pub(crate) question: Question,
    /// When.
    pub(crate) sent: Sent,
    /// Whether it took a token of its project's budget.
    pub(crate) charged: bool,
    waiters: ById<Waiter<W>>,
}

impl<W> Flights<W> {
    pub(crate) fn new(limits: Limits, timeout_ms: u32) -> Self {
        Self {
            limits,
            timeout_ms: timeout_ms.into(),
            flights: HashMap::new(),
            tokens: ById::new(),
            unsent: VecDeque::new(),
            again: Vec::new(),
            waiting: 0,
        }
    }

    /// Makes `waiter`, of the request `id`, wait for the answer to `question`.
    pub(crate) fn join(&mut self, question: &Question, id: u32, waiter: W, now: Now) -> Joined {
        if self.waiting >= self.limits.max_waiters {
            return Joined::Full;
        }
        let joined = self.begin(question, self.limits.max_checks, now);
        if joined != Joined::Full
            && let Some(flight) = self.flights.get_mut(question)
        {
            let waiter = Waiter {
                waiter,
                ends_at_ms: now.monotonic_ms + self.timeout_ms + GRACE_MS,
            };
            if flight.waiters.insert(id, waiter) {
                self.waiting += 1;
            }
        }
        joined
    }

    /// Has `question` asked with nobody waiting for it. Takes at most half of the room for checks, so that requests
    /// that must wait for one find some.
    pub(crate) fn ask(&mut self, question: &Question, now: Now) -> Joined {
        self.begin(question, self.background_checks(), now)
    }

    /// Whether there is room for one more question with nobody waiting for it.
    pub(crate) fn has_room_to_ask(&self) -> bool {
        self.flights.len() < self.background_checks()
    }

    fn background_checks(&self) -> usize {
        self.limits.max_checks.div_ceil(2)
    }

    fn begin(&mut self, question: &Question, max_checks: usize, now: Now) -> Joined {
        let ends_at_ms = now.monotonic_ms + self.timeout_ms + GRACE_MS;
        if let Some(flight) = self.flights.get_mut(question) {
            if flight.ends_at_ms > now.monotonic_ms {
                return Joined::Follows;
            }
            // Its answer was lost: asked anew, for those who still wait as well.
            if let Some(token) = flight.token.take() {
                self.tokens.remove(token);
            }
            flight.ends_at_ms = ends_at_ms;
            if !self.unsent.contains(question) {
                self.unsent.push_back(question.clone());
            }
            return Joined::Leads;
        }
        if self.flights.len() >= max_checks {
            return Joined::Full;
        }
        let flight = Flight {
            waiters: ById::new(),
            token: None,
            sent: Sent::default(),
            charged: false,
            ends_at_ms,
        };
        self.flights.insert(question.clone(), flight);
        self.unsent.push_back(question.clone());
        Joined::Leads
    }

    /// Takes the next question for which a check is to be sent.
    pub(crate) fn next_unsent(&mut self) -> Option<Question> {
        self.unsent.pop_front()
    }

    /// Whoever leads the check of `question`, if somebody waits for it.
    pub(crate) fn leader(&self, question: &Question) -> Option<&W> {
        let leader = self.flights.get(question)?.waiters.first()?;
        Some(&leader.waiter)
    }

    /// The check of `question` is under way as `token`.
    pub(crate) fn handle_sent(&mut self, question: Question, token: u32, sent: Sent) {
        if let Some(flight) = self.flights.get_mut(&question) {
            flight.token = Some(token);
            flight.sent = sent;
            flight.ends_at_ms = sent.at_ms + self.timeout_ms + GRACE_MS;
            self.tokens.insert(token, question);
        }
    }

    /// The check `token` ended; `None` when nobody is interested any more.
    pub(crate) fn handle_response(&mut self, token: u32) -> Option<Landed<W>> {
        let question = self.tokens.remove(token)?;
        self.land(question)
    }

    /// The check of `question` could not be sent.
    pub(crate) fn handle_not_sent(&mut self, question: Question) -> Option<Landed<W>> {
        self.land(question)
    }

    /// The answer came too late to be believed: asks again for those who still wait, whose time goes on running, but not
    /// before the next tick. Gives them back when there is no room.
    pub(crate) fn ask_again(&mut self, landed: Landed<W>, now: Now) -> Option<Landed<W>> {
        match self.begin(&landed.question, self.limits.max_checks, now) {
            Joined::Full => return Some(landed),
            Joined::Leads => {
                if let Some(question) = self.unsent.pop_back() {
                    self.again.push(question);
                }
            }
            Joined::Follows => {}
        }
        if let Some(flight) = self.flights.get_mut(&landed.question) {
            self.waiting += landed.waiters.len();
            for (id, waiter) in landed.waiters {
                flight.waiters.insert(id, waiter);
            }
        }
        None
    }

    /// The check of `question` took a token of its project's budget.
    pub(crate) fn charge(&mut self, question: &Question) {
        if let Some(flight) = self.flights.get_mut(question) {
            flight.charged = true;
        }
    }

    /// Whether `question` is being asked.
    pub(crate) fn is_asking(&self, question: &Question, now: Now) -> bool {
        let flight = self.flights.get(question);
        flight.is_some_and(|flight| flight.ends_at_ms > now.monotonic_ms)
    }

    /// The request `id` ended while it waited.
    pub(crate) fn leave(&mut self, question: &Question, id: u32) {
        if let Some(flight) = self.flights.get_mut(question)
            && flight.waiters.remove(id).is_some()
        {
            self.waiting -= 1;
        }
    }

    /// Takes out whoever has waited too long, forgets checks whose answer was lost, and lets go those to be sent again.
    pub(crate) fn handle_timeout(&mut self, now: Now) -> Vec<(u32, W)> {
        let mut late = Vec::new();
        for flight in self.flights.values_mut() {
            late.extend(
                flight
                    .waiters
                    .take_if(|waiter| waiter.ends_at_ms <= now.monotonic_ms)
                    .map(|(id, waiter)| (id, waiter.waiter)),
            );
        }
        self.waiting -= late.len();
        let tokens = &mut self.tokens;
        self.flights.retain(|_, flight| {
            let lost = flight.waiters.is_empty() && flight.ends_at_ms <= now.monotonic_ms;
            if lost && let Some(token) = flight.token {
                tokens.remove(token);
            }
            !lost
        });
        while let Some(question) = self.again.pop() {
            self.unsent.push_back(question);
        }
        self.unsent
            .retain(|question| self.flights.contains_key(question));
        late
    }

    /// Requests that wait, and checks under way.
    pub(crate) fn occupancy(&self) -> (usize, usize) {
        (self.waiting, self.flights.len())
    }

    fn land(&mut self, question: Question) -> Option<Landed<W>> {
        let flight = self.flights.remove(&question)?;
        self.waiting -= flight.waiters.len();
        Some(Landed {
            question,
            sent: flight.sent,
            charged: flight.charged,
            waiters: flight.waiters,
        })
    }
}

impl<W> Landed<W> {
    /// Whether anybody waited to the end.
    pub(crate) fn has_waiters(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Context ids and waiters, in the order of their coming.
    pub(crate) fn into_waiters(self) -> Vec<(u32, W)> {
        let waiters = self.waiters.into_iter();
        waiters.map(|(id, waiter)| (id, waiter.waiter)).collect()
    }
}

#[cfg(test)]
mod tests;
