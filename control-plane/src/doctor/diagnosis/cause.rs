//! Every reason why a request passes or does not: in one word, in one sentence, and what to do about it.

use axum::http::StatusCode;
use edge_api::{id::Id, key_format::Kind};
use jiff::Timestamp;

use super::Verdict;
use crate::doctor::{command::KEY_VARIABLE, key::Malformation, known::InForce};

/// Why a request passes or does not.
#[derive(Debug)]
pub(in crate::doctor) enum Cause {
    KeyAccepted,
    NotRequired,
    /// It passes although a key is required, or nobody looks for one.
    NotEnforced(Gap),
    NoKey,
    /// The filter says that there is no key, though one was sent.
    KeyNotSeen {
        header: String,
        message: String,
    },
    SeveralKeys,
    OtherKind(Kind),
    Malformed(Malformation),
    UnknownKey,
    Revoked(Timestamp),
    Expired(Timestamp),
    Disabled(Timestamp),
    /// The key's holder is told no more.
    NotLive,
    OtherProject {
        of_url: Id,
        of_key: Id,
    },
    /// The key is good, and the URL names nothing of its project.
    NotOfUrl,
    /// Nobody but the filter was asked.
    InvalidUntold,
    NotInForce(InForce),
    /// The key is good, and the gateway does not think so.
    OtherControlPlane,
    ProjectUnknown,
    PathUnmatched,
    /// The filter has no answer from its control plane.
    CannotAsk,
    OtherRefusal(String),
    OtherGuard {
        status: StatusCode,
        challenge: Option<String>,
    },
    NoServer {
        status: StatusCode,
        text: String,
    },
    Redirected {
        to: String,
    },
    Unreachable(String),
}

/// Why nobody is refused where somebody should be.
#[derive(Debug)]
pub(in crate::doctor) enum Gap {
    NoFilter,
    NotInForce(InForce),
    LetThrough,
    /// The key opens the project, and should not any more.
    DeadKey,
}

impl Cause {
    pub(in crate::doctor) fn verdict(&self) -> Verdict {
        match self {
            Self::KeyAccepted | Self::NotRequired | Self::NotEnforced(_) => Verdict::Passes,
            Self::Unreachable(_) => Verdict::CannotTell,
            _ => Verdict::Refused,
        }
    }

    /// A word that never changes its meaning.
    pub(in crate::doctor) fn slug(&self) -> &'static str {
        match self {
            Self::KeyAccepted => "key_accepted",
            Self::NotRequired => "not_required",
            Self::NotEnforced(Gap::NoFilter) => "no_key_filter",
            Self::NotEnforced(Gap::NotInForce(_)) => "lock_not_in_force",
            Self::NotEnforced(Gap::LetThrough) => "not_enforced",
            Self::NotEnforced(Gap::DeadKey) => "dead_key_accepted",
            Self::NoKey => "no_key",
            Self::KeyNotSeen { .. } => "key_not_seen",
            Self::SeveralKeys => "several_keys",
            Self::OtherKind(_) => "other_kind",
            Self::Malformed(_) => "malformed_key",
            Self::UnknownKey => "unknown_key",
            Self::Revoked(_) => "revoked_key",
            Self::Expired(_) => "expired_key",
            Self::Disabled(_) => "disabled_key",
            Self::NotLive => "key_not_live",
            Self::OtherProject { .. } => "key_of_other_project",
            Self::NotOfUrl => "url_not_of_key",
            Self::InvalidUntold => "invalid_key",
            Self::NotInForce(_) => "key_not_in_force",
            Self::OtherControlPlane => "other_control_plane",
            Self::ProjectUnknown => "unknown_project",
            Self::PathUnmatched => "unmatched_path",
            Self::CannotAsk => "control_plane_fault",
            Self::OtherRefusal(_) => "other_refusal",
            Self::OtherGuard { .. } => "other_guard",
            Self::NoServer { .. } => "no_server",
            Self::Redirected { .. } => "redirected",
            Self::Unreachable(_) => "gateway_unreachable",
        }
    }

    /// The verdict with its reason, in one sentence.
    pub(in crate::doctor) fn says(&self) -> String {
        match self {
            Self::KeyAccepted => "The request passes: the project requires a key, and this one opens it.".into(),
            Self::NotRequired => "The request passes: the project does not require a key.".into(),
            Self::NotEnforced(Gap::NoFilter) => "The request passes because nobody looks for a key: no key filter answers on this path.".into(),
            Self::NotEnforced(Gap::NotInForce(in_force)) => format!("The request passes although the project requires a key: its latest change is in force on {} of {} gateways that report.", in_force.envoys_in_force, in_force.envoys),
            Self::NotEnforced(Gap::LetThrough) => "The request passes although the project requires a key, and the key filter is there.".into(),
            Self::NotEnforced(Gap::DeadKey) => "The request passes although the key is not good for this project by what was asked.".into(),
            Self::NoKey => "The request is refused: the project requires a key, and none was given.".into(),
            Self::KeyNotSeen { header, .. } => format!("The request is refused: the key was sent in the header {header}, and the gateway sees none."),
            Self::SeveralKeys => "The request is refused: the gateway sees more than one key.".into(),
            Self::OtherKind(kind) => format!("The request is refused: the key is {}, not a project key (ak_…).", kind_words(*kind)),
            Self::Malformed(_) => "The request is refused: the key does not look like any project key.".into(),
            Self::UnknownKey => "The request is refused: nobody has this key.".into(),
            Self::Revoked(at) => format!("The request is refused: the key was revoked at {at}."),
            Self::Expired(at) => format!("The request is refused: the key expired at {at}."),
            Self::Disabled(at) => format!("The request is refused: the key is switched off, since {at}."),
            Self::NotLive => "The request is refused: the control plane does not know this key, or it is revoked, expired or switched off.".into(),
            Self::OtherProject { of_url, of_key } => format!("The request is refused: the key belongs to project {of_key}, and the URL to {of_url}."),
            Self::NotOfUrl => "The request is refused: the key is good, but the URL names neither its project nor an MCP server of it.".into(),
            Self::InvalidUntold => "The request is refused: the key does not open this project.".into(),
            Self::NotInForce(in_force) => format!("The request is refused: the key is good, but its latest change is in force on {} of {} gateways that report.", in_force.envoys_in_force, in_force.envoys),
            Self::OtherControlPlane => "The request is refused: the key is good by what was asked, and the gateway says otherwise.".into(),
            Self::ProjectUnknown => "The request is refused: the gateway knows no project and no MCP server by this URL.".into(),
            Self::PathUnmatched => "The request is refused: the project exists, but the gateway does not find it by this URL.".into(),
            Self::CannotAsk => "The request is refused for now: the gateway cannot ask its control plane.".into(),
            Self::OtherRefusal(message) => format!("The request is refused by the key filter: {message}"),
            Self::OtherGuard { status, .. } => format!("The request is refused with {}, but not by the key filter.", status.as_u16()),
            Self::NoServer { status, text } if text.is_empty() => format!("The request fails: there is no MCP server behind this URL ({}).", status.as_u16()),
            Self::NoServer { status, text } => format!("The request fails: there is no MCP server behind this URL ({}: {text}).", status.as_u16()),
            Self::Redirected { to } => format!("The request fails: the gateway sends it elsewhere, to {to}."),
            Self::Unreachable(trouble) => format!("It cannot be told: the gateway is not reached, because {trouble}."),
        }
    }

    /// What to do.
    pub(in crate::doctor) fn remedy(&self) -> String {
        match self {
            Self::KeyAccepted => "Nothing.",
            Self::NotRequired => "Nothing; to have keys required, set require_mcp_api_key.",
            Self::NotEnforced(Gap::NoFilter) => "Have the operator load the filter on this listener, or take the path off its `exempt` list.",
            Self::NotEnforced(Gap::NotInForce(_)) | Self::NotInForce(_) => "Wait a minute and try again; if it stays, the gateway's change feed is cut off, or it asks another control plane.",
            Self::NotEnforced(Gap::LetThrough) => "Have the operator look for this path in `exempt`, for `failure_mode_allow`, and whether the gateway asks this control plane.",
            Self::NotEnforced(Gap::DeadKey) => "Wait a minute and try again; if it stays, the gateway cannot ask its control plane, or asks another one.",
            Self::NoKey => return format!("Send one of the project's keys; give it to the doctor in {KEY_VARIABLE}."),
            Self::KeyNotSeen { message, .. } => return format!("Put the key where the gateway looks for it, or find who removes the header on the way. It says: {message}"),
            Self::SeveralKeys => "Send the key once; something on the way adds another, such as a proxy with a key of its own.",
            Self::OtherKind(_) => "Create a project key (ak_…) in the project's settings, and send that.",
            Self::Malformed(malformation) => return format!("The key: {malformation}."),
            Self::UnknownKey => "Use a key that exists: copy it again, or create one in the project's settings.",
            Self::Revoked(_) => "Create a new key in the project's settings; a revoked one stays as it is.",
            Self::Expired(_) => "Create a new key, or move its expiry in the project's settings.",
            Self::Disabled(_) => "Switch the key on in the project's settings, or use another.",
            Self::NotLive => "Copy the key again; if it is right, look up its state with another key of the project, or create a new one.",
            Self::OtherProject { .. } => "Use a key of the URL's project, or the URL of the key's project.",
            Self::NotOfUrl => "Use a URL of the key's project, or a key of the URL's project; if the MCP server is the project's, register it.",
            Self::InvalidUntold => "Name the control plane with --control-plane, to learn more of the key.",
            Self::OtherControlPlane => "Have the operator see which control plane the gateway asks; it may also answer from what it remembers while it cannot ask.",
            Self::ProjectUnknown => "Check the URL's spelling; register the MCP server if its id is in the URL; else the filter has no rule for this path.",
            Self::PathUnmatched => "Have the operator compare the URL with the filter's `rules`, and see which control plane the gateway asks.",
            Self::CannotAsk => "Have the operator see that the control plane runs, that the gateway's cluster leads to its edge port, with TLS if it has, and that both have the same edge token.",
            Self::OtherRefusal(_) => "Do what it says.",
            Self::OtherGuard { challenge: Some(challenge), .. } => return format!("Ask whoever runs the server or a proxy on the way; the answer asks for: {challenge}"),
            Self::OtherGuard { challenge: None, .. } => "Ask whoever runs the server or a proxy on the way.",
            Self::NoServer { .. } => "Have the operator see that the gateway has a route for this path, and that the MCP server runs.",
            Self::Redirected { .. } => "Use that URL; clients do not take a key along to another one.",
            Self::Unreachable(_) => "See to that first.",
        }
        .to_owned()
    }
}

fn kind_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Project => "a project key (ak_…)",
        Kind::Organisation => "an organisation key (oak_…)",
        Kind::User => "a user key (uak_…)",
        Kind::Consumer => "a consumer key (ck_…)",
    }
}
