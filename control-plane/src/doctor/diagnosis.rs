//! From what was observed and what is known to one verdict. It asks nobody.

use super::{
    diagnosis::cause::{Cause, Gap},
    gateway::{Observed, Reply, Slug, Speaker},
    key::{PresentedKey, Shape},
    known::{Facts, KeyState, Place},
};
use crate::client::trouble::Trouble;

pub(super) mod cause;

/// What becomes of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It reaches its MCP server.
    Passes,
    /// It is refused, or fails on its way.
    Refused,
    /// That cannot be told.
    CannotTell,
}

/// Why the request passes or does not.
pub(super) fn diagnose(
    key: Option<&PresentedKey>,
    facts: Option<&Facts>,
    observed: &Result<Observed, Trouble>,
) -> Cause {
    let observed = match observed {
        Ok(observed) => observed,
        Err(trouble) => return Cause::Unreachable(trouble.to_string()),
    };
    let decisive = observed.keyed.as_ref().unwrap_or(&observed.keyless);
    match &decisive.speaker {
        Speaker::KeyFilter { slug, message } => refused(*slug, message, key, facts, observed),
        Speaker::Upstream => passed(key, facts, observed),
        Speaker::Gateway { text } => Cause::NoServer {
            status: decisive.status,
            text: text.clone(),
        },
        Speaker::Guard { challenge } => Cause::OtherGuard {
            status: decisive.status,
            challenge: challenge.clone(),
        },
        Speaker::Redirect { to } => Cause::Redirected { to: to.clone() },
    }
}

/// Why the key filter refuses.
fn refused(
    slug: Slug,
    message: &str,
    key: Option<&PresentedKey>,
    facts: Option<&Facts>,
    observed: &Observed,
) -> Cause {
    match slug {
        Slug::Missing => match (key.map(PresentedKey::shape), &observed.keyed) {
            (None, _) => Cause::NoKey,
            // No header can hold it, so it was not sent.
            (Some(Shape::Malformed(malformation)), None) => Cause::Malformed(*malformation),
            (Some(_), _) => Cause::KeyNotSeen {
                header: observed.header.to_string(),
                message: message.to_owned(),
            },
        },
        Slug::Ambiguous => Cause::SeveralKeys,
        Slug::WrongKind | Slug::Invalid => match key.map(PresentedKey::shape) {
            Some(Shape::OtherKind(kind)) => Cause::OtherKind(*kind),
            Some(Shape::Malformed(malformation)) => Cause::Malformed(*malformation),
            Some(Shape::ProjectKey(_)) => invalid(facts),
            None => Cause::OtherRefusal(message.to_owned()),
        },
        Slug::ProjectNotFound => match facts.map(|facts| &facts.place) {
            Some(Place::Project(_) | Place::Server(_) | Place::Elsewhere { .. }) => {
                Cause::PathUnmatched
            }
            Some(Place::NotOfKey | Place::Nobody | Place::NotKnown) | None => Cause::ProjectUnknown,
        },
        Slug::Unavailable => Cause::CannotAsk,
        Slug::Other => Cause::OtherRefusal(message.to_owned()),
    }
}

/// Why a key with the right shape is refused.
fn invalid(facts: Option<&Facts>) -> Cause {
    let Some(facts) = facts else {
        return Cause::InvalidUntold;
    };
    match (&facts.key, &facts.place) {
        (KeyState::Unknown, _) => Cause::UnknownKey,
        (KeyState::Revoked(at), _) => Cause::Revoked(*at),
        (KeyState::Expired(at), _) => Cause::Expired(*at),
        (KeyState::Disabled(at), _) => Cause::Disabled(*at),
        (KeyState::NotLive, _) => Cause::NotLive,
        (KeyState::None, _) => Cause::InvalidUntold,
        (
            KeyState::Live,
            Place::Elsewhere {
                of_project, of_key, ..
            },
        ) => Cause::OtherProject {
            of_url: of_project.clone(),
            of_key: of_key.clone(),
        },
        (KeyState::Live, Place::NotOfKey | Place::Nobody) => Cause::NotOfUrl,
        (KeyState::Live, Place::Project(_) | Place::Server(_) | Place::NotKnown) => {
            match &facts.in_force {
                Some(in_force) if !in_force.everywhere() => Cause::NotInForce(in_force.clone()),
                _ => Cause::OtherControlPlane,
            }
        }
    }
}

/// Whether the key opens what the URL names, as far as anybody tells.
fn opens(facts: &Facts) -> bool {
    let elsewhere = matches!(
        facts.place,
        Place::Elsewhere { .. } | Place::NotOfKey | Place::Nobody
    );
    facts.key == KeyState::Live && !elsewhere
}

/// Why the request is let through.
fn passed(key: Option<&PresentedKey>, facts: Option<&Facts>, observed: &Observed) -> Cause {
    let is_refusal = |reply: &Reply| matches!(reply.speaker, Speaker::KeyFilter { .. });
    if key.is_some() && is_refusal(&observed.keyless) {
        return match facts.map(opens) {
            Some(false) => Cause::NotEnforced(Gap::DeadKey),
            Some(true) | None => Cause::KeyAccepted,
        };
    }
    let in_force = facts.and_then(|facts| facts.in_force.as_ref());
    match facts.and_then(|facts| facts.required) {
        Some(false) => Cause::NotRequired,
        None if observed.has_key_filter() => Cause::NotRequired,
        Some(true) | None => Cause::NotEnforced(match in_force {
            _ if !observed.has_key_filter() => Gap::NoFilter,
            Some(in_force) if !in_force.everywhere() => Gap::NotInForce(in_force.clone()),
            _ => Gap::LetThrough,
        }),
    }
}
