//! The decision: a request and what is remembered in, a [`Step`] out. Knows no Envoy, no clock, no cache.
//!
//! **Every request gets exactly one [`Decision`]: at once from [`decide`], or after one check from
//! [`decide_answered`] or [`decide_faulted`].** The order of the rules is the outcome table's.

use edge_api::check::Verdict;
use edge_api::id::Id;

use crate::cache::{Entry, KeyVerdict, Known, Policy, Remembered};
use crate::check::Question;
use crate::config::{Config, FailureMode, StripKey};
use crate::denial::{Denial, InvalidKey};
use crate::freshness::{Freshness, freshness};
use crate::key_source::Credential;
use crate::now::Now;
use crate::outcome::{Allowed, CacheState, Outcome};
use crate::reachability::Reachability;
use crate::request::Request;
use crate::route::Route;

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Carry this out.
    Decided(Decision),
    /// Let the request wait and ask.
    Ask(Question),
}

/// The end of the matter for one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Continue or not, and why.
    pub(crate) ruling: Ruling,
    /// The project that the request reached, where known.
    pub(crate) project: Option<Id>,
    /// The key it was made with, where known; also of a key that was refused.
    pub(crate) key_id: Option<Id>,
    /// Where the decision came from.
    pub(crate) cache: CacheState,
    /// Something to ask without making the request wait.
    pub(crate) background: Option<Question>,
}

/// Continue or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// Send it upstream, with or without its key.
    Continue { allowed: Allowed, strip_key: bool },
    /// Answer it.
    Deny(Denial),
}

/// How much of what is remembered may be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Only what is within its life.
    Fresh,
    /// Also what is last known good: the control plane cannot be asked.
    LastKnownGood,
    /// All of it: it is the answer to this very request.
    Answer,
}

/// Decides from what is remembered, as far as that goes.
pub(crate) fn decide(
    config: &Config,
    request: &Request,
    known: &Known,
    control_plane: Reachability,
    now: Now,
) -> Step {
    if request.preflight {
        return Step::Decided(passed(config, Allowed::Preflight));
    }
    let subject = match &request.route {
        Route::Exempt => return Step::Decided(passed(config, Allowed::Exempt)),
        Route::Outside => return Step::Decided(passed(config, Allowed::Unmatched)),
        Route::Nowhere => {
            return Step::Decided(Decision::new(Ruling::Deny(Denial::UnmatchedPath)));
        }
        Route::Subject(subject) => subject,
    };
    let question = Question {
        subject: subject.clone(),
        key: request.presented.credential.key(),
    };
    let trust = if control_plane.is_down() {
        Trust::LastKnownGood
    } else {
        Trust::Fresh
    };
    match judge(config, request, known, trust, now) {
        Some(mut decision) => {
            let stale = decision.cache == CacheState::Stale;
            let unattributed = question.key.is_some()
                && decision.key_id.is_none()
                && is_attributable(&decision)
                && usable(config, known.verdict.as_ref(), trust, now).is_none();
            let ask = if control_plane.is_down() {
                control_plane.probe_due(now) && (stale || unattributed)
            } else {
                unattributed
            };
            decision.background = ask.then_some(question);
            Step::Decided(decision)
        }
        None => Step::Ask(question),
    }
}

/// Decides with the answer to the request's own question.
pub(crate) fn decide_answered(
    config: &Config,
    request: &Request,
    answer: &Known,
    now: Now,
) -> Decision {
    match judge(config, request, answer, Trust::Answer, now) {
        Some(decision) => Decision {
            cache: CacheState::Miss,
            ..decision
        },
        // An answer is checked to hold a policy, and a verdict where one was asked for.
        None => fault(config),
    }
}

/// Decides without an answer, from what was remembered when the request came. **Never a refusal that
/// a sound control plane might not have given.**
pub(crate) fn decide_faulted(
    config: &Config,
    request: &Request,
    known: &Known,
    now: Now,
) -> Decision {
    judge(config, request, known, Trust::LastKnownGood, now).unwrap_or_else(|| fault(config))
}

/// The rules from "project unknown" on. `None` when something must be learnt first.
fn judge(
    config: &Config,
    request: &Request,
    known: &Known,
    trust: Trust,
    now: Now,
) -> Option<Decision> {
    let (policy, policy_state) = usable(config, known.policy.as_ref(), trust, now)?;
    let verdict = usable(config, known.verdict.as_ref(), trust, now);
    match policy {
        Policy::UnknownProject => Some(Decision {
            cache: policy_state,
            ..Decision::new(Ruling::Deny(Denial::UnknownProject))
        }),
        Policy::Open(project) => Some(Decision {
            project: Some(project.clone()),
            key_id: verdict
                .filter(|(verdict, _)| is_live(verdict, now))
                .and_then(|(verdict, _)| verdict.key_id.clone()),
            cache: policy_state,
            ..Decision::new(Ruling::Continue {
                allowed: Allowed::NotRequired,
                strip_key: config.strip_key == StripKey::Always,
            })
        }),
        Policy::Required(project) => {
            let denied = |denial| Decision {
                project: Some(project.clone()),
                cache: policy_state,
                ..Decision::new(Ruling::Deny(denial))
            };
            match request.presented.credential {
                Credential::Missing => Some(denied(Denial::MissingKey)),
                Credential::Ambiguous => Some(denied(Denial::AmbiguousKey)),
                Credential::Malformed => Some(denied(Denial::InvalidKey(InvalidKey::Malformed))),
                Credential::Key(_) => {
                    let (verdict, verdict_state) = verdict?;
                    let expired = verdict.verdict == Verdict::Valid && !is_live(verdict, now);
                    if expired && trust != Trust::Answer {
                        // Its owner may have moved the expiry since: not served, but asked about.
                        return None;
                    }
                    let against = if expired {
                        Some(InvalidKey::Expired)
                    } else {
                        InvalidKey::from_verdict(verdict.verdict)
                    };
                    Some(Decision {
                        ruling: against.map_or(
                            Ruling::Continue {
                                allowed: Allowed::ValidKey,
                                strip_key: config.strip_key != StripKey::Never,
                            },
                            |reason| Ruling::Deny(Denial::InvalidKey(reason)),
                        ),
                        key_id: verdict.key_id.clone(),
                        cache: policy_state.or_worse(verdict_state),
                        ..denied(Denial::MissingKey)
                    })
                }
            }
        }
    }
}

/// The entry's value if `trust` reaches that far, and what that makes of the request's cache state.
fn usable<'k, T: Remembered>(
    config: &Config,
    entry: Option<&'k Entry<T>>,
    trust: Trust,
    now: Now,
) -> Option<(&'k T, CacheState)> {
    let entry = entry?;
    let state = match (freshness(entry, &config.cache, now), trust) {
        (_, Trust::Answer) => CacheState::Miss,
        (Freshness::Fresh, _) => CacheState::Hit,
        (Freshness::LastKnownGood, Trust::LastKnownGood) => CacheState::Stale,
        (Freshness::LastKnownGood | Freshness::Expired, _) => return None,
    };
    Some((&entry.value, state))
}

/// Whether a verdict opens the door at this moment. A key's own expiry is looked at on every use.
fn is_live(verdict: &KeyVerdict, now: Now) -> bool {
    verdict.verdict == Verdict::Valid
        && verdict
            .expires_at_ms
            .is_none_or(|expires_at_ms| now.unix_ms < expires_at_ms)
}

/// A request that continues whatever its project and key.
fn passed(config: &Config, allowed: Allowed) -> Decision {
    Decision::new(Ruling::Continue {
        allowed,
        strip_key: config.strip_key == StripKey::Always,
    })
}

/// What the failure mode makes of a request about which nothing can be learnt.
fn fault(config: &Config) -> Decision {
    Decision {
        cache: CacheState::Miss,
        ..Decision::new(match config.failure_mode {
            FailureMode::Allow => Ruling::Continue {
                allowed: Allowed::ControlPlaneFault,
                // Its project may be a locked one, whose upstream has never been given a key.
                strip_key: config.strip_key != StripKey::Never,
            },
            FailureMode::Deny => Ruling::Deny(Denial::ControlPlaneFault),
        })
    }
}

/// Whether the request goes on to a project that does not ask for its key.
fn is_attributable(decision: &Decision) -> bool {
    matches!(
        decision.ruling,
        Ruling::Continue {
            allowed: Allowed::NotRequired,
            ..
        }
    )
}

impl Decision {
    fn new(ruling: Ruling) -> Self {
        Self {
            ruling,
            project: None,
            key_id: None,
            cache: CacheState::Unused,
            background: None,
        }
    }

    /// The request's outcome.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.ruling {
            Ruling::Continue { allowed, .. } => Outcome::Allowed(allowed),
            Ruling::Deny(denial) => Outcome::Denied(denial),
        }
    }
}

#[cfg(test)]
mod tests;
