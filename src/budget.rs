//! How many checks bad keys may cost: a token bucket per project, so that somebody who tries keys on one project slows
//! down neither the control plane nor the other projects.
//!
//! A check takes a token and gives it back unless the key turns out bad, so that good keys cost nothing however many
//! come at once. Buckets are a fixed number; projects share them by hash.

use edge_api::id::Id;
use siphasher::sip::SipHasher13;

use crate::now::Now;

/// Buckets; two projects in one share its tokens.
const BUCKETS: usize = 1_024;
/// How many seconds' worth may be spent at once.
const BURST_S: u64 = 5;
/// Parts of a token, so that a fraction of a second counts.
const PARTS: u64 = 1_000;

/// The budgets of all projects on one worker.
#[derive(Debug)]
pub(crate) struct Budget {
    per_s: u64,
    buckets: Vec<Spent>,
}

/// What one bucket has spent.
#[derive(Debug, Clone, Copy, Default)]
struct Spent {
    /// Thousandths of tokens that have not grown back.
    parts: u64,
    /// When that was so, on the monotonic clock.
    at_ms: u64,
}

impl Budget {
    /// Budgets of `per_s` checks a second.
    pub(crate) fn new(per_s: u32) -> Self {
        Self {
            per_s: per_s.into(),
            buckets: vec![Spent::default(); BUCKETS],
        }
    }

    /// Takes a token of `project` for a check; false when there is none.
    pub(crate) fn take(&mut self, project: &Id, now: Now) -> bool {
        let room = self.per_s * BURST_S * PARTS;
        match self.bucket(project, now) {
            Some(spent) if spent.parts + PARTS <= room => {
                spent.parts += PARTS;
                true
            }
            _ => false,
        }
    }

    /// Gives back the token of a check that was not about a bad key.
    pub(crate) fn give_back(&mut self, project: &Id, now: Now) {
        if let Some(spent) = self.bucket(project, now) {
            spent.parts = spent.parts.saturating_sub(PARTS);
        }
    }

    /// Thousandths of tokens that are out, of all projects.
    #[cfg(test)]
    pub(crate) fn spent(&self) -> u64 {
        self.buckets.iter().map(|spent| spent.parts).sum()
    }

    /// The bucket of `project`, with what has grown back by now.
    fn bucket(&mut self, project: &Id, now: Now) -> Option<&mut Spent> {
        let index = SipHasher13::new().hash(project.as_str().as_bytes()) % BUCKETS as u64;
        let spent = self.buckets.get_mut(usize::try_from(index).ok()?)?;
        let elapsed_ms = now.monotonic_ms.saturating_sub(spent.at_ms);
        let grown = elapsed_ms.saturating_mul(self.per_s * PARTS) / 1_000;
        spent.parts = spent.parts.saturating_sub(grown);
        spent.at_ms = now.monotonic_ms;
        Some(spent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(monotonic_ms: u64) -> Now {
        Now {
            monotonic_ms,
            unix_ms: 0,
        }
    }

    fn project(id: &str) -> Id {
        Id::parse(id).unwrap()
    }

    fn takes(budget: &mut Budget, id: &str, now: Now) -> usize {
        (0..1_000)
            .take_while(|_| budget.take(&project(id), now))
            .count()
    }

    #[test]
    fn a_projects_budget_is_five_seconds_worth_and_grows_back() {
        let mut budget = Budget::new(10);
        assert_eq!(takes(&mut budget, "p1", at(1_000)), 50);
        assert_eq!(
            takes(&mut budget, "p2", at(1_000)),
            50,
            "each project has its own"
        );
        assert_eq!(takes(&mut budget, "p1", at(1_099)), 0);
        assert_eq!(takes(&mut budget, "p1", at(1_300)), 3);
        assert_eq!(
            takes(&mut budget, "p1", at(3_600_000)),
            50,
            "never more than the burst"
        );
    }

    #[test]
    fn a_budget_is_whole_after_however_long_a_rest() {
        let mut budget = Budget::new(100_000);
        assert!(budget.take(&project("p1"), at(0)));
        assert!(budget.take(&project("p1"), at(u64::MAX)));
        assert_eq!(budget.spent(), PARTS);
    }

    #[test]
    fn good_keys_cost_nothing() {
        let mut budget = Budget::new(1);
        for _ in 0..1_000 {
            assert!(budget.take(&project("p1"), at(1)));
            budget.give_back(&project("p1"), at(1));
        }
        assert_eq!(takes(&mut budget, "p1", at(1)), 5);
    }
}
