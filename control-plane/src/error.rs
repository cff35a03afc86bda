//! Every way a request is refused or fails, and what its caller is told.
//!
//! Handlers return an [`ApiError`]; it travels as an extension of an empty response, and
//! [`crate::request_id`] writes the body once the request's id is known. The statuses, codes and
//! slugs stand in one table, `table`.

use std::sync::Arc;

use axum::{
    http::HeaderName,
    response::{IntoResponse, Response},
};

use edge_api::key_format::Kind;

use crate::{
    random::{IdError, NoRandomness},
    store::{Entity, KeyRefusal, StoreError},
};

pub mod envelope;
mod table;

/// Why a request is not answered as it asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// No `x-api-key` header.
    #[error("no API key was sent")]
    NoApiKey,
    /// Several keys.
    #[error("more than one API key was sent")]
    AmbiguousApiKey,
    /// A key that opens no project: malformed, unknown, revoked, expired or disabled.
    /// **One variant for all of them, so that no caller can tell them apart.**
    #[error("the API key is not valid")]
    InvalidApiKey,
    /// A key whose prefix says that it belongs into another header, or nowhere here.
    #[error("the header {header} does not take {}", kind(*.found))]
    WrongKeyKind {
        /// The header that it was sent in.
        header: &'static str,
        /// What it calls itself.
        found: Kind,
    },
    /// A call by the dashboard without a session, or with one that has ended: signed out, expired, or its key is not
    /// valid any more.
    #[error("there is no session, or it has ended")]
    NoSession,
    /// A call with a session that another site's page made a browser send.
    #[error("the request does not come from the dashboard's own page")]
    ForeignPage,
    /// Too many attempts to sign in from one address.
    #[error("there were too many attempts to sign in")]
    TooManySignIns {
        /// How long to wait, in seconds.
        retry_after: u64,
    },
    /// A project key where only an organisation key will do.
    #[error("this call needs an organisation key")]
    OrganisationKeyNeeded,
    /// An organisation key without the project that the call is about.
    #[error("the header x-project-id is missing or sent more than once")]
    NoProjectId,
    /// The edge token is missing or another one.
    #[error("the edge token is missing or wrong")]
    InvalidEdgeToken,
    /// The body cannot be read to its end.
    #[error("the request body could not be read")]
    UnreadableBody,
    /// The body is not of the wanted form as a whole.
    #[error("the request body is not valid: {0}")]
    InvalidBody(String),
    /// Fields of the body are wrong; one sentence each.
    #[error("the request body has {} invalid field{}", .0.len(), if .0.len() == 1 { "" } else { "s" })]
    InvalidFields(Vec<String>),
    /// The query is wrong.
    #[error("the query is not valid: {0}")]
    InvalidQuery(String),
    /// A header of a conditional request cannot be read.
    #[error("the header {0} holds no entity tag")]
    InvalidCondition(HeaderName),
    /// The settings are not those that the caller has seen.
    #[error("the settings have changed since they were read")]
    ConditionFailed,
    /// No such path.
    #[error("there is nothing at this path")]
    NotFound,
    /// The key's project is gone.
    #[error("the project no longer exists")]
    ProjectNotFound,
    /// The project has no such key. **The same for a key of another project.**
    #[error("the project has no such API key")]
    KeyNotFound,
    /// The project has no such MCP server. **The same for a server of another project.**
    #[error("the project has no such MCP server")]
    ServerNotFound,
    /// There is, or was elsewhere, an MCP server with that id.
    #[error("the id of the MCP server is taken")]
    ServerIdTaken,
    /// The key is not in a state for that.
    #[error(transparent)]
    KeyRefusal(KeyRefusal),
    /// There is as much as there may be.
    #[error("there can be {limit} {entity}s at most")]
    TooMany {
        /// What there is too much of.
        entity: Entity,
        /// How many there may be.
        limit: u32,
    },
    /// The path has other methods.
    #[error("this path does not answer to this method")]
    MethodNotAllowed,
    /// The body is above the limit.
    #[error("the request body is larger than 64 KiB")]
    BodyTooLarge,
    /// The body is not declared to be JSON.
    #[error("the request body is not declared as JSON")]
    UnsupportedMediaType,
    /// The request was not finished in time.
    #[error("the request was not finished in time")]
    Timeout,
    /// The database does not answer, or another process keeps it from being written.
    #[error("the service is not ready")]
    NotReady(#[source] Option<Arc<StoreError>>),
    /// A failure of ours. The cause is logged, never sent.
    #[error("the service failed")]
    Internal(#[source] Arc<StoreError>),
    /// The system gave no randomness, so nothing secret can be made.
    #[error("the service failed")]
    NoRandomness,
    /// A handler panicked.
    #[error("the service failed")]
    Panicked,
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Project => "project keys (ak_…)",
        Kind::Organisation => "organisation keys (oak_…)",
        Kind::User => "user keys (uak_…)",
        Kind::Consumer => "consumer keys (ck_…)",
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            // It was good when the request came in; the caller is told what it will be told next time.
            StoreError::NotAuthorised => Self::InvalidApiKey,
            StoreError::NotFound {
                entity: Entity::Project,
                ..
            } => Self::ProjectNotFound,
            StoreError::NotFound {
                entity: Entity::Key,
                ..
            } => Self::KeyNotFound,
            StoreError::NotFound {
                entity: Entity::Server,
                ..
            } => Self::ServerNotFound,
            StoreError::AlreadyExists {
                entity: Entity::Server,
                ..
            } => Self::ServerIdTaken,
            StoreError::ConditionFailed => Self::ConditionFailed,
            StoreError::Key(refusal) => Self::KeyRefusal(refusal),
            StoreError::TooMany { entity, limit } => Self::TooMany { entity, limit },
            error if error.is_temporary() => Self::NotReady(Some(Arc::new(error))),
            error => Self::Internal(Arc::new(error)),
        }
    }
}

impl From<NoRandomness> for ApiError {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

impl From<IdError> for ApiError {
    fn from(_: IdError) -> Self {
        Self::NoRandomness
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.row().status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
