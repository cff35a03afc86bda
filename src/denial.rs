//! Every way a request is refused, in one table: status, body, challenge, response code details, counter.

mod body;
mod challenge;

use edge_api::check::Verdict;

use crate::key_kind::KeyKind;
use crate::oauth_dead_end::DeadEnd;

pub(crate) use self::body::Bodies;
pub(crate) use self::challenge::Challenge;

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// Its path leads to nobody that could be asked about.
    UnmatchedPath,
    /// It looks for a login, and there is none.
    DeadEnd(DeadEnd),
    /// The control plane knows no such project or server.
    UnknownProject,
    /// The policy or the verdict could not be learnt from the control plane. Says nothing about the key.
    ControlPlaneFault,
    /// The policy or the verdict would have to be learnt, and this worker asks no more for now. Says nothing about the key.
    OverLimit,
    /// A key is required and none was sent.
    MissingKey,
    /// A key is required and more than one was sent.
    AmbiguousKey,
    /// A key is required and the one sent is not a project's, by its own word.
    OtherKind(KeyKind),
    /// A key is required and the one sent does not open the project.
    InvalidKey(InvalidKey),
}

/// Why a key does not open a project. For logs and metrics alone: the client is told the same for all,
/// so that nobody learns that a key exists elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvalidKey {
    /// No project key looks like it.
    Malformed,
    /// There is no such key.
    Unknown,
    /// Its owner revoked it.
    Revoked,
    /// It is past its expiry.
    Expired,
    /// Its owner switched it off.
    Disabled,
    /// It belongs to another project.
    OtherProject,
}

/// What the client sees of a [`Denial`]; several denials look the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 401, no key.
    MissingKey,
    /// 401, more than one key.
    AmbiguousKey,
    /// 401, a user's key.
    UserKey,
    /// 401, an organisation's key.
    OrganisationKey,
    /// 401, a consumer's key.
    ConsumerKey,
    /// 401, a key that does not open the project.
    InvalidKey,
    /// 403, there is nothing to register for.
    NoOAuth,
    /// 404, plain: there is no metadata.
    NoMetadata,
    /// 404.
    UnknownProject,
    /// 503, to be tried again.
    Unavailable,
}

impl Denial {
    /// Every denial, in the order of its counter.
    pub(crate) const ALL: [Self; 17] = [
        Self::UnmatchedPath,
        Self::DeadEnd(DeadEnd::Registration),
        Self::DeadEnd(DeadEnd::Metadata),
        Self::UnknownProject,
        Self::ControlPlaneFault,
        Self::OverLimit,
        Self::MissingKey,
        Self::AmbiguousKey,
        Self::OtherKind(KeyKind::User),
        Self::OtherKind(KeyKind::Organisation),
        Self::OtherKind(KeyKind::Consumer),
        Self::InvalidKey(InvalidKey::Malformed),
        Self::InvalidKey(InvalidKey::Unknown),
        Self::InvalidKey(InvalidKey::Revoked),
        Self::InvalidKey(InvalidKey::Expired),
        Self::InvalidKey(InvalidKey::Disabled),
        Self::InvalidKey(InvalidKey::OtherProject),
    ];

    /// The denial's place in [`Denial::ALL`].
    pub(crate) fn index(self) -> usize {
        match self {
            Self::UnmatchedPath => 0,
            Self::DeadEnd(dead_end) => 1 + dead_end as usize,
            Self::UnknownProject => 3,
            Self::ControlPlaneFault => 4,
            Self::OverLimit => 5,
            Self::MissingKey => 6,
            Self::AmbiguousKey => 7,
            Self::OtherKind(kind) => 8 + kind as usize,
            Self::InvalidKey(reason) => 11 + reason as usize,
        }
    }

    /// What the client sees.
    pub(crate) fn refusal(self) -> Refusal {
        match self {
            Self::UnmatchedPath | Self::UnknownProject => Refusal::UnknownProject,
            Self::DeadEnd(DeadEnd::Registration) => Refusal::NoOAuth,
            Self::DeadEnd(DeadEnd::Metadata) => Refusal::NoMetadata,
            Self::ControlPlaneFault | Self::OverLimit => Refusal::Unavailable,
            Self::MissingKey => Refusal::MissingKey,
            Self::AmbiguousKey => Refusal::AmbiguousKey,
            Self::OtherKind(KeyKind::User) => Refusal::UserKey,
            Self::OtherKind(KeyKind::Organisation) => Refusal::OrganisationKey,
            Self::OtherKind(KeyKind::Consumer) => Refusal::ConsumerKey,
            Self::InvalidKey(_) => Refusal::InvalidKey,
        }
    }

    /// The denial's name as an outcome.
    pub(crate) fn outcome_name(self) -> &'static str {
        match self {
            Self::UnmatchedPath => "denied_unmatched_path",
            Self::DeadEnd(DeadEnd::Registration) => "denied_oauth_registration",
            Self::DeadEnd(DeadEnd::Metadata) => "denied_oauth_metadata",
            Self::UnknownProject => "denied_unknown_project",
            Self::ControlPlaneFault => "denied_control_plane_fault",
            Self::OverLimit => "denied_over_limit",
            Self::MissingKey => "denied_missing_key",
            Self::AmbiguousKey => "denied_ambiguous_key",
            Self::OtherKind(KeyKind::User) => "denied_user_key",
            Self::OtherKind(KeyKind::Organisation) => "denied_organisation_key",
            Self::OtherKind(KeyKind::Consumer) => "denied_consumer_key",
            Self::InvalidKey(InvalidKey::Malformed) => "denied_malformed_key",
            Self::InvalidKey(InvalidKey::Unknown) => "denied_unknown_key",
            Self::InvalidKey(InvalidKey::Revoked) => "denied_revoked_key",
            Self::InvalidKey(InvalidKey::Expired) => "denied_expired_key",
            Self::InvalidKey(InvalidKey::Disabled) => "denied_disabled_key",
            Self::InvalidKey(InvalidKey::OtherProject) => "denied_key_of_other_project",
        }
    }

    /// Envoy's response code details, for the access log.
    pub(crate) fn details(self) -> &'static str {
        match self {
            Self::UnmatchedPath => "mcp_key_auth_unmatched_path",
            Self::DeadEnd(DeadEnd::Registration) => "mcp_key_auth_oauth_registration",
            Self::DeadEnd(DeadEnd::Metadata) => "mcp_key_auth_oauth_metadata",
            Self::UnknownProject => "mcp_key_auth_unknown_project",
            Self::ControlPlaneFault => "mcp_key_auth_control_plane_fault",
            Self::OverLimit => "mcp_key_auth_over_limit",
            Self::MissingKey => "mcp_key_auth_missing_api_key",
            Self::AmbiguousKey => "mcp_key_auth_ambiguous_api_key",
            Self::OtherKind(KeyKind::User) => "mcp_key_auth_user_api_key",
            Self::OtherKind(KeyKind::Organisation) => "mcp_key_auth_organisation_api_key",
            Self::OtherKind(KeyKind::Consumer) => "mcp_key_auth_consumer_api_key",
            Self::InvalidKey(InvalidKey::Malformed) => "mcp_key_auth_malformed_api_key",
            Self::InvalidKey(InvalidKey::Unknown) => "mcp_key_auth_unknown_api_key",
            Self::InvalidKey(InvalidKey::Revoked) => "mcp_key_auth_revoked_api_key",
            Self::InvalidKey(InvalidKey::Expired) => "mcp_key_auth_expired_api_key",
            Self::InvalidKey(InvalidKey::Disabled) => "mcp_key_auth_disabled_api_key",
            Self::InvalidKey(InvalidKey::OtherProject) => "mcp_key_auth_api_key_of_other_project",
        }
    }
}

impl InvalidKey {
    /// What a verdict says against a key; `None` when it says nothing.
    pub(crate) fn from_verdict(verdict: Verdict) -> Option<Self> {
        match verdict {
            Verdict::Valid => None,
            Verdict::Unknown => Some(Self::Unknown),
            Verdict::Revoked => Some(Self::Revoked),
            Verdict::Expired => Some(Self::Expired),
            Verdict::Disabled => Some(Self::Disabled),
            Verdict::OtherProject => Some(Self::OtherProject),
        }
    }
}

impl Refusal {
    /// Every refusal, in the order of its body.
    pub(crate) const ALL: [Self; 10] = [
        Self::MissingKey,
        Self::AmbiguousKey,
        Self::UserKey,
        Self::OrganisationKey,
        Self::ConsumerKey,
        Self::InvalidKey,
        Self::NoOAuth,
        Self::NoMetadata,
        Self::UnknownProject,
        Self::Unavailable,
    ];

    /// The HTTP status.
    pub(crate) fn status(self) -> u32 {
        match self {
            Self::MissingKey
            | Self::AmbiguousKey
            | Self::UserKey
            | Self::OrganisationKey
            | Self::ConsumerKey
            | Self::InvalidKey => 401,
            Self::NoOAuth => 403,
            Self::NoMetadata | Self::UnknownProject => 404,
            Self::Unavailable => 503,
        }
    }

    /// The media type of its body.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::NoMetadata => "text/plain",
            _ => "application/json",
        }
    }

    /// `error.slug`, for programs. The dead end speaks OAuth, which has none.
    pub(crate) fn slug(self) -> &'static str {
        match self {
            Self::NoOAuth | Self::NoMetadata => "",
            Self::MissingKey => "MCP_API_KEY_MISSING",
            Self::AmbiguousKey => "MCP_API_KEY_AMBIGUOUS",
            Self::UserKey | Self::OrganisationKey | Self::ConsumerKey => "MCP_API_KEY_WRONG_KIND",
            Self::InvalidKey => "MCP_API_KEY_INVALID",
            Self::UnknownProject => "MCP_PROJECT_NOT_FOUND",
            Self::Unavailable => "MCP_AUTH_UNAVAILABLE",
        }
    }
}

#[cfg(test)]
mod tests;
