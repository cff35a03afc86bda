//! What may be served: everything that a decision claims must have been true at the control plane, and recently.

use edge_api::check::Verdict;

use super::cast::{self, NEGATIVE_MS, STALE_MS, Shows, Target, UNCONFIRMED_MS};
use super::control_plane::{ControlPlane, subject_project};
use super::exchange::Ended;
use super::snapshot::{Life, Snapshot};
use crate::authenticator::Ruling;
use crate::denial::{Denial, InvalidKey};
use crate::outcome::{Allowed, CacheState};

/// A decision, and how old its grounds may be.
struct Case<'c> {
    control_plane: &'c ControlPlane,
    ended: &'c Ended,
    project: Option<usize>,
    /// What the worker knows: nothing read before this generation and revision may be served.
    floor: (u32, u64),
    /// The oldest moment at which something good must have been true.
    good_from_ms: u64,
    /// The same of something bad.
    bad_from_ms: u64,
}

/// Checks a decision. With `bound_ms` the feed is known to be at work and nothing may be older than that.
pub(super) fn judge(control_plane: &ControlPlane, ended: &Ended, bound_ms: Option<u64>) {
    let at_ms = ended.at.monotonic_ms;
    let project = subject_project(&cast::subject(ended.target));
    let stale = ended.decision.cache == CacheState::Stale;
    let ago = |ms: u64| at_ms.saturating_sub(ms);
    // Until a restored database is noticed, an answer cannot be told from an older one.
    let settled = control_plane.is_followed_at(&ended.mark);
    let mut good_from_ms = ago(UNCONFIRMED_MS + if stale { STALE_MS } else { 0 });
    let mut bad_from_ms = ago(UNCONFIRMED_MS.min(NEGATIVE_MS));
    if let Some(asked_ms) = ended.asked_ms.filter(|_| settled) {
        good_from_ms = asked_ms;
        bad_from_ms = asked_ms;
    }
    if let Some(bound_ms) = bound_ms {
        good_from_ms = good_from_ms.max(ago(bound_ms));
        bad_from_ms = bad_from_ms.max(ago(bound_ms));
    }
    let case = Case {
        control_plane,
        ended,
        project,
        floor: floor(control_plane, ended, project, stale),
        good_from_ms,
        bad_from_ms,
    };
    assert!(
        !stale || ended.faulted,
        "invariant 5: stale without need: {ended:?}"
    );
    case.check();
}

/// What the worker knows to have changed.
fn floor(
    control_plane: &ControlPlane,
    ended: &Ended,
    project: Option<usize>,
    stale: bool,
) -> (u32, u64) {
    let mark = &ended.mark;
    let (Some(project), Some(generation)) = (project, control_plane.generation_of(mark)) else {
        return (0, 0);
    };
    if mark.confirmed_ms == 0 {
        return (0, 0);
    }
    let last = control_plane.last_change(project, generation, mark.revision);
    // Of changes before following began nothing is known; what is last known good is served across them, and an answer
    // that was under way to those who wait for it.
    if (stale || ended.asked_ms.is_some()) && last <= mark.baseline {
        return (generation, 0);
    }
    (generation, last)
}

impl Case<'_> {
    fn check(&self) {
        let invalid = |reason| {
            self.policy(|locked| locked == Some(true), self.good_from_ms);
            match reason {
                InvalidKey::Malformed => assert_eq!(self.ended.shows, Shows::Malformed),
                reason => self.bad_key(reason),
            }
        };
        match self.ended.decision.ruling {
            Ruling::Continue { allowed, .. } => match allowed {
                Allowed::ValidKey => {
                    self.policy(|locked| locked == Some(true), self.good_from_ms);
                    self.good_key();
                }
                Allowed::NotRequired => {
                    self.policy(|locked| locked == Some(false), self.good_from_ms);
                    if self.ended.decision.key_id.is_some() {
                        self.good_key();
                    }
                }
                Allowed::ControlPlaneFault => assert!(
                    self.ended.faulted,
                    "let by without a fault of the control plane: {:?}",
                    self.ended
                ),
                other => panic!("{other:?} of {:?}", self.ended),
            },
            Ruling::Deny(denial) => match denial {
                Denial::UnknownProject => self.policy(|locked| locked.is_none(), self.bad_from_ms),
                Denial::ControlPlaneFault => assert!(
                    self.ended.faulted,
                    "invariant 1: refused without a fault: {:?}",
                    self.ended
                ),
                Denial::OverLimit => assert!(
                    self.ended.over_limit,
                    "refused as over a limit below it: {:?}",
                    self.ended
                ),
                Denial::MissingKey => {
                    assert_eq!(self.ended.shows, Shows::Nothing);
                    self.policy(|locked| locked == Some(true), self.good_from_ms);
                }
                Denial::AmbiguousKey => {
                    assert_eq!(self.ended.shows, Shows::TwoKeys);
                    self.policy(|locked| locked == Some(true), self.good_from_ms);
                }
                Denial::OtherKind(_) => {
                    assert_eq!(self.ended.shows, Shows::OtherKind);
                    self.policy(|locked| locked == Some(true), self.good_from_ms);
                }
                Denial::InvalidKey(reason) => invalid(reason),
                Denial::UnmatchedPath | Denial::DeadEnd(_) => panic!("unmatched: {:?}", self.ended),
            },
        }
    }

    /// The policy was one that is `right`.
    fn policy(&self, right: impl Fn(Option<bool>) -> bool, from_ms: u64) {
        let was = |s: &Snapshot| right(self.project.and_then(|p| s.locked[p]));
        self.was_true("policy", from_ms, was);
    }

    /// The key opened the project, and has not expired since.
    fn good_key(&self) {
        let Shows::Key(k) = self.ended.shows else {
            panic!("no key of ours is good: {:?}", self.ended);
        };
        let id = self.ended.decision.key_id.as_ref();
        assert_eq!(id, Some(&cast::key_id(k)), "{:?}", self.ended);
        self.was_true("good key", self.good_from_ms, |s| {
            let key = s.keys[k];
            key.life == Life::Active
                && Some(key.home) == self.project
                && key
                    .expires_at_ms
                    .is_none_or(|at| self.ended.at.unix_ms < at)
        });
    }

    /// The key did not open the project, for a reason like this one.
    fn bad_key(&self, reason: InvalidKey) {
        let Some(sha) = cast::shown_sha256(self.ended.shows) else {
            panic!("refused a key that was not shown: {:?}", self.ended);
        };
        let project = self.project.unwrap_or_default();
        self.was_true("bad key", self.bad_from_ms, |s| {
            // Far in the future every key with an end is past it: the clocks may have stood there for a moment.
            let key = s.key(sha, project, u64::MAX);
            match (reason, key.verdict) {
                // A key of another project may have been created since, which tells this project nothing.
                (InvalidKey::Unknown | InvalidKey::OtherProject, verdict) => {
                    matches!(verdict, Verdict::Unknown | Verdict::OtherProject)
                }
                (reason, verdict) => InvalidKey::from_verdict(verdict) == Some(reason),
            }
        });
    }

    /// What was true of the project and its key lately.
    fn truth(&self) -> String {
        let history = &self.control_plane.history;
        let lately = &history[history.len().saturating_sub(8)..];
        let lines = lately.iter().map(|s| {
            let policy = self.project.map(|p| s.locked[p]);
            let key = match self.ended.shows {
                Shows::Key(k) => Some(s.keys[k]),
                _ => None,
            };
            let at = (s.since_ms, s.generation, s.revision);
            format!("\n  {at:?} locked {policy:?} key {key:?}")
        });
        lines.collect()
    }

    fn was_true(&self, what: &str, from_ms: u64, right: impl Fn(&Snapshot) -> bool) {
        let history = &self.control_plane.history;
        let ends = history.iter().skip(1).map(|s| s.since_ms);
        let found = history
            .iter()
            .zip(ends.chain([u64::MAX]))
            .filter(|(_, until_ms)| *until_ms >= from_ms)
            .filter(|(s, _)| (s.generation, s.revision) >= self.floor)
            .any(|(s, _)| right(s));
        assert!(
            found,
            "invariants 4 and 5: the {what} was not true since {from_ms} ms and {:?}: {:?}\ntruth: {}",
            self.floor,
            self.ended,
            self.truth()
        );
    }
}

/// Whether the control plane would let the request through.
pub(super) fn admits(present: &Snapshot, target: Target, shows: Shows, unix_ms: u64) -> bool {
    let Some(project) = subject_project(&cast::subject(target)) else {
        return false;
    };
    match (present.locked[project], cast::shown_sha256(shows)) {
        (Some(true), Some(sha)) => present.key(sha, project, unix_ms).verdict == Verdict::Valid,
        (locked, _) => locked == Some(false),
    }
}
