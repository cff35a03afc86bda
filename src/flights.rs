//! Checks under way and the requests that wait for them: one check per question, however many ask it.
//!
//! **Every waiter leaves exactly once: with the answer, at its deadline, or because its request ended. Every token that a
//! check took of a budget comes back, unless the key turned out bad.** Bounded in waiters and in checks. Knows nothing of
//! what a waiter is.

use std::collections::{HashMap, VecDeque};

use edge_api::check::Subject;
use edge_api::id::Id;

use crate::budget::Budget;
use crate::by_id::ById;
use crate::cache::{Known, Recollection, Remembered};
use crate::check::{Fault, Question};
use crate::config::Limits;
use crate::now::Now;

/// How long past its time limit an answer is still hoped for. Envoy itself ends a check at the limit; this only
/// catches what Envoy lost.
const GRACE_MS: u64 = 100;
/// Requests that may wait for one check, as a part of all that may wait: one question never keeps out all others.
const SHARE_OF_ONE_CHECK: usize = 4;

/// The checks under way in one worker.
#[derive(Debug)]
pub(crate) struct Flights<W> {
    limits: Limits,
    timeout_ms: u64,
    flights: HashMap<Question, Flight<W>>,
    budget: Budget,
    tokens: ById<Question>,
    unsent: VecDeque<Question>,
    /// To be sent from the next tick on.
    put_off: VecDeque<Question>,
    waiting: usize,
}

/// One check and who waits for it.
#[derive(Debug)]
struct Flight<W> {
    waiters: ById<Waiter<W>>,
    token: Option<u32>,
    sent: Sent,
    /// Whose token it took.
    payer: Option<Id>,
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
    /// A limit of this worker is reached: the request is not waiting, and nothing is asked for it.
    Refused(Fault),
}

/// A check that ended, with all who waited for it.
#[derive(Debug)]
pub(crate) struct Landed<W> {
    /// What had been asked.
    pub(crate) question: Question,
    /// When.
    pub(crate) sent: Sent,
    payer: Option<Id>,
    waiters: ById<Waiter<W>>,
}

impl<W> Flights<W> {
    pub(crate) fn new(limits: Limits, timeout_ms: u32) -> Self {
        Self {
            limits,
            timeout_ms: timeout_ms.into(),
            flights: HashMap::new(),
            budget: Budget::new(limits.bad_key_checks_per_s),
            tokens: ById::new(),
            unsent: VecDeque::new(),
            put_off: VecDeque::new(),
            waiting: 0,
        }
    }

    /// Makes `waiter`, of the request `id`, wait for the answer to what `on` would ask.
    pub(crate) fn join(&mut self, on: &Recollection, id: u32, waiter: W, now: Now) -> Joined {
        let question = &on.question;
        let beside = self.flights.get(question).map_or(0, |f| f.waiters.len());
        let most_beside = self.limits.max_waiters.div_ceil(SHARE_OF_ONE_CHECK);
        if self.waiting >= self.limits.max_waiters || beside >= most_beside {
            return Joined::Refused(Fault::Overloaded);
        }
        let joined = self.begin(question, self.limits.max_checks, payer(on), now);
        if matches!(joined, Joined::Leads | Joined::Follows)
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

    /// Has `question` asked with nobody waiting for it and at nobody's expense. Takes at most half of the room for checks,
    /// so that requests that must wait for one find some.
    pub(crate) fn ask(&mut self, question: &Question, now: Now) -> Joined {
        self.begin(question, self.background_checks(), None, now)
    }

    /// Whether there is room for one more question with nobody waiting for it.
    pub(crate) fn has_room_to_ask(&self) -> bool {
        self.flights.len() < self.background_checks()
    }

    fn background_checks(&self) -> usize {
        self.limits.max_checks.div_ceil(2)
    }

    /// The same about a key that may be anybody's, within the project's budget.
    pub(crate) fn ask_within_budget(&mut self, on: &Recollection, now: Now) -> Joined {
        self.begin(&on.question, self.background_checks(), payer(on), now)
    }

    fn begin(
        &mut self,
        question: &Question,
        max_checks: usize,
        payer: Option<&Id>,
        now: Now,
    ) -> Joined {
        let ends_at_ms = now.monotonic_ms + self.timeout_ms + GRACE_MS;
        if let Some(flight) = self.flights.get_mut(question) {
            if flight.ends_at_ms > now.monotonic_ms {
                return Joined::Follows;
            }
            // Its answer was lost: asked anew, for those who still wait as well, and for what it took then.
            if let Some(token) = flight.token.take() {
                self.tokens.remove(token);
            }
            flight.ends_at_ms = ends_at_ms;
            if !self.unsent.contains(question) && !self.put_off.contains(question) {
                self.unsent.push_back(question.clone());
            }
            return Joined::Leads;
        }
        if self.flights.len() >= max_checks {
            return Joined::Refused(Fault::Overloaded);
        }
        if payer.is_some_and(|payer| !self.budget.take(payer, now)) {
            return Joined::Refused(Fault::OverBudget);
        }
        let flight = Flight {
            waiters: ById::new(),
            token: None,
            sent: Sent::default(),
            payer: payer.cloned(),
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

    /// The check `token` ended; `None` when nobody is interested any more. What is landed goes on to one of
    /// [`handle_answer`](Self::handle_answer) and [`handle_fault`](Self::handle_fault).
    pub(crate) fn handle_response(&mut self, token: u32) -> Option<Landed<W>> {
        let question = self.tokens.remove(token)?;
        self.land(question)
    }

    /// The check was answered with `known`: a good key costs nothing.
    pub(crate) fn handle_answer(&mut self, landed: &mut Landed<W>, known: &Known, now: Now) {
        if known.is_good() {
            self.give_back(landed.payer.take(), now);
        }
    }

    /// The check ended without an answer. Context ids and waiters, in the order of their coming.
    pub(crate) fn handle_fault(&mut self, landed: Landed<W>, now: Now) -> Vec<(u32, W)> {
        self.give_back(landed.payer, now);
        into_waiters(landed.waiters)
    }

    /// The check of `question` could not be sent. Context ids and waiters.
    pub(crate) fn handle_not_sent(&mut self, question: Question, now: Now) -> Vec<(u32, W)> {
        let landed = self.land(question);
        landed.map_or_else(Vec::new, |landed| self.handle_fault(landed, now))
    }

    /// The answer came too late to be believed: asks again for those who still wait, whose time goes on running. Not
    /// before the next tick: a replica that lags behind would keep us asking.
    ///
    /// # Errors
    /// Context ids and waiters, when there is no room.
    pub(crate) fn ask_again(&mut self, landed: Landed<W>, now: Now) -> Result<(), Vec<(u32, W)>> {
        let question = &landed.question;
        let joined = self.begin(question, self.limits.max_checks, None, now);
        if joined == Joined::Leads {
            self.unsent.retain(|unsent| unsent != question);
            self.put_off.push_back(question.clone());
        }
        let Some(flight) = self.flights.get_mut(question) else {
            return Err(self.handle_fault(landed, now));
        };
        self.waiting += landed.waiters.len();
        for (id, waiter) in landed.waiters {
            flight.waiters.insert(id, waiter);
        }
        // Of two tokens one is enough.
        let spare = std::mem::replace(&mut flight.payer, landed.payer);
        self.give_back(spare, now);
        Ok(())
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

    /// At each tick: takes out whoever has waited too long, forgets checks whose answer was lost, and lets those be sent
    /// that were put off.
    pub(crate) fn handle_tick(&mut self, now: Now) -> Vec<(u32, W)> {
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
        let (tokens, budget) = (&mut self.tokens, &mut self.budget);
        self.flights.retain(|_, flight| {
            let lost = flight.waiters.is_empty() && flight.ends_at_ms <= now.monotonic_ms;
            if lost && let Some(token) = flight.token {
                tokens.remove(token);
            }
            if lost && let Some(payer) = &flight.payer {
                budget.give_back(payer, now);
            }
            !lost
        });
        self.unsent.append(&mut self.put_off);
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
            payer: flight.payer,
            waiters: flight.waiters,
        })
    }

    fn give_back(&mut self, payer: Option<Id>, now: Now) {
        if let Some(payer) = payer {
            self.budget.give_back(&payer, now);
        }
    }
}

impl<W> Landed<W> {
    /// Whether anybody waited to the end.
    pub(crate) fn has_waiters(&self) -> bool {
        !self.waiters.is_empty()
    }

    /// Context ids and waiters, in the order of their coming.
    pub(crate) fn into_waiters(self) -> Vec<(u32, W)> {
        into_waiters(self.waiters)
    }
}

fn into_waiters<W>(waiters: ById<Waiter<W>>) -> Vec<(u32, W)> {
    let waiters = waiters.into_iter();
    waiters.map(|(id, waiter)| (id, waiter.waiter)).collect()
}

/// Whose budget a check is charged to: the project's, where it is known, however many ids lead to it. A key that was
/// good is not charged for being asked about again, nor is a question about the policy alone.
fn payer(on: &Recollection) -> Option<&Id> {
    let verdict = on.known.verdict.as_ref();
    let was_good = verdict.is_some_and(|entry| entry.value.is_good());
    if on.question.key.is_none() || was_good {
        return None;
    }
    let (Subject::ProjectId(named) | Subject::ServerId(named)) = &on.question.subject;
    Some(on.known.project().unwrap_or(named))
}

#[cfg(test)]
mod tests;
