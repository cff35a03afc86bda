//! The one table of what each error is to its caller.

use axum::http::StatusCode;

use edge_api::key_format::Kind;

use super::ApiError;
use crate::store::KeyRefusal;

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    /// The HTTP status.
    pub(super) status: StatusCode,
    /// A number that never changes its meaning.
    pub(super) code: u16,
    /// A word that never changes its meaning.
    pub(super) slug: &'static str,
    /// What the caller can do.
    pub(super) suggested_fix: &'static str,
}

impl ApiError {
    /// The word of this error that never changes its meaning.
    pub(crate) fn slug(&self) -> &'static str {
        self.row().slug
    }

    /// What this error is to its caller. 902 and 906 are the published codes of the settings API;
    /// the others are this service's own, 10000 and the status.
    pub(super) fn row(&self) -> Row {
        let (status, code, slug, suggested_fix) = match self {
            Self::NoApiKey => (
                StatusCode::UNAUTHORIZED,
                906,
                "NO_AUTH_PROVIDED",
                "send one of the project's API keys in the header 'x-api-key'",
            ),
            Self::AmbiguousApiKey => (
                StatusCode::UNAUTHORIZED,
                907,
                "AMBIGUOUS_AUTH_PROVIDED",
                "send one key: a project key in 'x-api-key', or an organisation key in 'x-org-api-key'",
            ),
            Self::InvalidApiKey => (
                StatusCode::UNAUTHORIZED,
                902,
                "INVALID_API_KEY",
                "check that 'x-api-key' holds a whole, current API key of the project",
            ),
            Self::WrongKeyKind { found, .. } => (
                StatusCode::UNAUTHORIZED,
                10_401,
                "WRONG_KEY_KIND",
                match found {
                    Kind::Project => "send a project key (ak_…) in the header 'x-api-key'",
                    Kind::Organisation => {
                        "send an organisation key (oak_…) in the header 'x-org-api-key', and the project's id in 'x-project-id'"
                    }
                    Kind::User | Kind::Consumer => {
                        "send a project key (ak_…) in the header 'x-api-key' instead"
                    }
                },
            ),
            Self::NoSession => (
                StatusCode::UNAUTHORIZED,
                10_401,
                "SESSION_MISSING",
                "sign in to the dashboard again",
            ),
            Self::ForeignPage => (
                StatusCode::FORBIDDEN,
                10_403,
                "FOREIGN_PAGE",
                "open the dashboard itself, or call the API with a key",
            ),
            Self::TooManySignIns { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                10_429,
                "TOO_MANY_SIGN_INS",
                "wait for as many seconds as 'retry-after' says",
            ),
            Self::OrganisationKeyNeeded => (
                StatusCode::UNAUTHORIZED,
                10_401,
                "ORGANISATION_KEY_NEEDED",
                "send an organisation key (oak_…) in the header 'x-org-api-key'",
            ),
            Self::NoProjectId => (
                StatusCode::BAD_REQUEST,
                10_400,
                "NO_PROJECT_ID",
                "send the project's id in one header 'x-project-id' beside the organisation key",
            ),
            Self::InvalidEdgeToken => (
                StatusCode::UNAUTHORIZED,
                10_401,
                "INVALID_EDGE_TOKEN",
                "send 'Authorization: Bearer <token>' with the value of MCP_KEY_AUTH_EDGE_TOKEN",
            ),
            Self::UnreadableBody => (
                StatusCode::BAD_REQUEST,
                10_400,
                "UNREADABLE_BODY",
                "send the whole body",
            ),
            Self::InvalidBody(_) => (
                StatusCode::BAD_REQUEST,
                10_400,
                "INVALID_BODY",
                "send a JSON object as /openapi.json describes it",
            ),
            Self::InvalidFields(_) => (
                StatusCode::BAD_REQUEST,
                10_400,
                "INVALID_FIELDS",
                "correct the fields listed in 'errors'; nothing was changed",
            ),
            Self::InvalidQuery(_) => (
                StatusCode::BAD_REQUEST,
                10_400,
                "INVALID_QUERY",
                "correct the query parameters",
            ),
            Self::InvalidCondition(_) => (
                StatusCode::BAD_REQUEST,
                10_400,
                "INVALID_CONDITION",
                "send the value of 'etag' as it was answered, with its quotes, or leave the header out",
            ),
            Self::ConditionFailed => (
                StatusCode::PRECONDITION_FAILED,
                10_412,
                "SETTINGS_CHANGED",
                "read the settings again, and send the change with their new 'etag' in 'if-match'",
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                10_404,
                "NOT_FOUND",
                "check the path; /openapi.json lists all of them",
            ),
            Self::ProjectNotFound => (
                StatusCode::NOT_FOUND,
                10_404,
                "PROJECT_NOT_FOUND",
                "use the id or a key of one of your projects",
            ),
            Self::KeyNotFound => (
                StatusCode::NOT_FOUND,
                10_404,
                "API_KEY_NOT_FOUND",
                "send the id of one of the project's keys, as GET /api/v3/org/project/api_keys lists them",
            ),
            Self::ServerNotFound => (
                StatusCode::NOT_FOUND,
                10_404,
                "MCP_SERVER_NOT_FOUND",
                "send the id of one of the project's servers, as GET /api/v3/org/project/mcp_servers lists them",
            ),
            Self::ServerIdTaken => (
                StatusCode::CONFLICT,
                10_409,
                "MCP_SERVER_ID_TAKEN",
                "choose another id, or leave it out",
            ),
            Self::KeyRefusal(KeyRefusal::Revoked) => (
                StatusCode::CONFLICT,
                10_409,
                "API_KEY_REVOKED",
                "create a new key; a revoked one stays as it is",
            ),
            Self::KeyRefusal(KeyRefusal::NotLive) => (
                StatusCode::CONFLICT,
                10_409,
                "API_KEY_NOT_LIVE",
                "create a new key, or first enable this one or move its expiry",
            ),
            Self::KeyRefusal(KeyRefusal::Replaced) => (
                StatusCode::CONFLICT,
                10_409,
                "API_KEY_REPLACED",
                "use the key named in its 'replaced_by', or create a new one",
            ),
            Self::TooMany { .. } => (
                StatusCode::CONFLICT,
                10_409,
                "LIMIT_REACHED",
                "remove what is not needed any more; revoked and expired keys do not count",
            ),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                10_405,
                "METHOD_NOT_ALLOWED",
                "use a method from the header 'allow'",
            ),
            Self::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                10_413,
                "BODY_TOO_LARGE",
                "send at most 65536 bytes",
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                10_415,
                "UNSUPPORTED_MEDIA_TYPE",
                "send JSON with the header 'content-type: application/json'",
            ),
            Self::Timeout => (
                StatusCode::SERVICE_UNAVAILABLE,
                10_503,
                "TIMEOUT",
                "send the whole request at once, or try again later",
            ),
            Self::NotReady(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                10_503,
                "NOT_READY",
                "try again later",
            ),
            Self::Internal(_) | Self::NoRandomness | Self::Panicked => (
                StatusCode::INTERNAL_SERVER_ERROR,
                10_500,
                "INTERNAL_ERROR",
                "try again; if it persists, report the request id",
            ),
        };
        Row {
            status,
            code,
            slug,
            suggested_fix,
        }
    }

    /// When to try again, in seconds, where that is known to help.
    pub(super) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManySignIns { retry_after } => Some(*retry_after),
            _ if self.row().status == StatusCode::SERVICE_UNAVAILABLE => Some(1),
            _ => None,
        }
    }

    /// The value of `www-authenticate`, which a 401 must carry.
    pub(super) fn challenge(&self) -> Option<&'static str> {
        match self {
            Self::InvalidEdgeToken => Some("Bearer realm=\"edge\""),
            _ if self.row().status == StatusCode::UNAUTHORIZED => {
                Some("ApiKey realm=\"api\", header=\"x-api-key\"")
            }
            _ => None,
        }
    }
}
