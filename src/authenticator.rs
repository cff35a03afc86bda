//! The decision: a request and what is remembered in, a [`Step`] out. Knows no Envoy, no clock, no cache.
//!
//! **Every request gets exactly one [`Decision`]: at once from [`decide`], or after one check from
//! [`decide_answered`] or [`decide_faulted`].** The order of the rules is the outcome table's.

mod view;

use edge_api::check::Verdict;
use edge_api::id::Id;

use self::view::{Trust, Usable, View};
use crate::cache::{KeyVerdict, Known, Policy};
use crate::check::Fault;
use crate::config::{Config, FailureMode, StripKey};
use crate::denial::{Denial, InvalidKey};
use crate::feed::Sight;
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
    Ask,
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
    /// Why the request's question should be asked, too, without making it wait.
    pub(crate) errand: Option<Errand>,
    /// What would have become of it if the project, which requires no key, did; `None` where that is not known.
    pub(crate) preview: Option<Preview>,
}

/// What would have become of a request to a project that requires no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Preview {
    pub(crate) ruling: Ruling,
    /// The key that it would have been refused for, where known. It says nothing about who made the request, so that
    /// neither upstream nor access log are told.
    pub(crate) refused_key: Option<Id>,
}

/// Why something is asked for which no request waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand {
    /// To tell whose key was sent to a project that asks for none.
    Attribute,
    /// To know the answer anew before the one at hand ends.
    Refresh,
    /// To find out whether the control plane is back.
    Probe,
}

/// Continue or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ruling {
    /// Send it upstream, with or without its key.
    Continue { allowed: Allowed, strip_key: bool },
    /// Answer it.
    Deny(Denial),
}

/// Decides from what is remembered, as far as that goes.
pub(crate) fn decide(
    config: &Config,
    request: &Request,
    known: &Known,
    sight: &Sight,
    control_plane: Reachability,
    now: Now,
) -> Step {
    if request.preflight {
        return Step::Decided(passed(config, Allowed::Preflight));
    }
    match &request.route {
        Route::Exempt => return Step::Decided(passed(config, Allowed::Exempt)),
        Route::Outside => return Step::Decided(passed(config, Allowed::Unmatched)),
        Route::Nowhere => {
            return Step::Decided(Decision::new(Ruling::Deny(Denial::UnmatchedPath)));
        }
        Route::DeadEnd(dead_end) => {
            return Step::Decided(Decision::new(Ruling::Deny(Denial::DeadEnd(*dead_end))));
        }
        Route::Subject(_) => {}
    }
    let trust = if control_plane.is_down() {
        Trust::LastKnownGood
    } else {
        Trust::Fresh
    };
    let view = View {
        known,
        sight,
        trust,
        now,
    };
    match judge(config, request, view) {
        Some(mut decision) => {
            decision.errand = errand(config, request, view, &decision).and_then(|errand| {
                if !control_plane.is_down() {
                    Some(errand)
                } else {
                    control_plane.probe_due(now).then_some(Errand::Probe)
                }
            });
            Step::Decided(decision)
        }
        None => Step::Ask,
    }
}

/// What should be asked although the request is decided.
fn errand(
    config: &Config,
    request: &Request,
    view: View<'_>,
    decision: &Decision,
) -> Option<Errand> {
    let policy = view.usable(config, view.known.policy.as_ref());
    let verdict = view.usable(config, view.known.verdict.as_ref());
    let ending =
        policy.is_some_and(|usable| usable.ending) || verdict.is_some_and(|usable| usable.ending);
    if ending {
        return Some(Errand::Refresh);
    }
    let unattributed = request.credential.key().is_some()
        && verdict.is_none()
        && matches!(
            decision.ruling,
            Ruling::Continue {
                allowed: Allowed::NotRequired,
                ..
            }
        );
    unattributed.then_some(Errand::Attribute)
}

/// Decides with the answer to the request's own question.
pub(crate) fn decide_answered(
    config: &Config,
    request: &Request,
    answer: &Known,
    sight: &Sight,
    now: Now,
) -> Decision {
    let view = View {
        known: answer,
        sight,
        trust: Trust::Answer,
        now,
    };
    match judge(config, request, view) {
        Some(decision) => Decision {
            cache: CacheState::Miss,
            ..decision
        },
        // An answer is checked to hold a policy, and a verdict where one was asked for.
        None => unlearnt(config, Fault::Schema),
    }
}

/// Decides without an answer, because of `fault`, from what was remembered when the request came. **No key is refused on
/// the word of something past its life**; a request without one is, by the policy last known good.
///
/// What is last known good serves while the control plane cannot be asked, and not because this worker is at a limit: its
/// clients bring it there whenever they like.
pub(crate) fn decide_faulted(
    config: &Config,
    request: &Request,
    known: &Known,
    sight: &Sight,
    fault: Fault,
    now: Now,
) -> Decision {
    let view = View {
        known,
        sight,
        trust: if fault.is_control_planes() {
            Trust::LastKnownGood
        } else {
            Trust::Fresh
        },
        now,
    };
    judge(config, request, view).unwrap_or_else(|| unlearnt(config, fault))
}

/// The rules from "project unknown" on. `None` when something must be learnt first.
fn judge(config: &Config, request: &Request, view: View<'_>) -> Option<Decision> {
    let now = view.now;
    let policy = view.usable(config, view.known.policy.as_ref())?;
    let verdict = view.usable(config, view.known.verdict.as_ref());
    match policy.value {
        Policy::UnknownProject => Some(Decision {
            cache: policy.state,
            ..Decision::new(Ruling::Deny(Denial::UnknownProject))
        }),
        Policy::Open(project) => {
            let live = verdict.filter(|verdict| is_live(verdict.value, now));
            Some(Decision {
                project: Some(project.clone()),
                key_id: live.and_then(|verdict| verdict.value.key_id.clone()),
                cache: live.map_or(policy.state, |verdict| policy.state.or_worse(verdict.state)),
                preview: preview(config, request, verdict, view),
                ..Decision::new(Ruling::Continue {
                    allowed: Allowed::NotRequired,
                    strip_key: config.strip_key == StripKey::Always,
                })
            })
        }
        Policy::Required(project) => {
            let ruling = require_key(config, request, verdict, view)?;
            let verdict = verdict.filter(|_| request.credential.key().is_some());
            Some(Decision {
                project: Some(project.clone()),
                key_id: verdict.and_then(|verdict| verdict.value.key_id.clone()),
                cache: verdict.map_or(policy.state, |verdict| policy.state.or_worse(verdict.state)),
                ..Decision::new(ruling)
            })
        }
    }
}

fn preview(
    config: &Config,
    request: &Request,
    verdict: Option<Usable<'_, KeyVerdict>>,
    view: View<'_>,
) -> Option<Preview> {
    let ruling = require_key(config, request, verdict, view)?;
    let refused = verdict.filter(|_| matches!(ruling, Ruling::Deny(Denial::InvalidKey(_))));
    Some(Preview {
        ruling,
        refused_key: refused.and_then(|verdict| verdict.value.key_id.clone()),
    })
}

/// What becomes of a request to a project that requires a key. `None` when the verdict must be learnt first.
fn require_key(
    config: &Config,
    request: &Request,
    verdict: Option<Usable<'_, KeyVerdict>>,
    view: View<'_>,
) -> Option<Ruling> {
    let denial = match request.credential {
        Credential::Missing => Denial::MissingKey,
        Credential::Ambiguous => Denial::AmbiguousKey,
        Credential::Malformed => Denial::InvalidKey(InvalidKey::Malformed),
        Credential::OtherKind(kind) => Denial::OtherKind(kind),
        Credential::Key(_) => {
            let key = verdict?.value;
            let expired = key.verdict == Verdict::Valid && !is_live(key, view.now);
            if expired && view.trust != Trust::Answer {
                // Its owner may have moved the expiry since: not served, but asked about.
                return None;
            }
            let against = if expired {
                Some(InvalidKey::Expired)
            } else {
                InvalidKey::from_verdict(key.verdict)
            };
            let Some(reason) = against else {
                return Some(Ruling::Continue {
                    allowed: Allowed::ValidKey,
                    strip_key: config.strip_key != StripKey::Never,
                });
            };
            Denial::InvalidKey(reason)
        }
    };
    Some(Ruling::Deny(denial))
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

/// What becomes of a request about which nothing can be learnt. The failure mode speaks for the control plane's faults
/// alone: a limit of this worker must open no door to those who reach it.
fn unlearnt(config: &Config, fault: Fault) -> Decision {
    let ruling = match (fault.is_control_planes(), config.failure_mode) {
        (false, _) => Ruling::Deny(Denial::OverLimit),
        (true, FailureMode::Allow) => Ruling::Continue {
            allowed: Allowed::ControlPlaneFault,
            // Its project may be a locked one, whose upstream has never been given a key.
            strip_key: config.strip_key != StripKey::Never,
        },
        (true, FailureMode::Deny) => Ruling::Deny(Denial::ControlPlaneFault),
    };
    Decision {
        cache: CacheState::Miss,
        ..Decision::new(ruling)
    }
}

impl Ruling {
    /// What it makes of a request.
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::Continue { allowed, .. } => Outcome::Allowed(allowed),
            Self::Deny(denial) => Outcome::Denied(denial),
        }
    }
}

impl Decision {
    fn new(ruling: Ruling) -> Self {
        Self {
            ruling,
            project: None,
            key_id: None,
            cache: CacheState::Unused,
            errand: None,
            preview: None,
        }
    }

    /// The request's outcome.
    pub(crate) fn outcome(&self) -> Outcome {
        self.ruling.outcome()
    }
}

#[cfg(test)]
mod tests;
