//! Every way a request is refused or fails, and what its caller is told.
//!
//! Handlers return an [`ApiError`]; it travels as an extension of an empty response, and
//! [`crate::request_id`] writes the body once the request's id is known. The statuses, codes and
//! slugs stand in one table, `table`.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};

use crate::store::StoreError;

pub mod envelope;
mod table;

/// Why a request is not answered as it asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// No `x-api-key` header.
    #[error("no API key was sent")]
    NoApiKey,
    /// Several `x-api-key` headers.
    #[error("more than one x-api-key header was sent")]
    AmbiguousApiKey,
    /// A key that opens no project: malformed, unknown, revoked, expired or disabled.
    /// **One variant for all of them, so that no caller can tell them apart.**
    #[error("the API key is not valid")]
    InvalidApiKey,
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
    /// No such path.
    #[error("there is nothing at this path")]
    NotFound,
    /// The key's project is gone.
    #[error("the project no longer exists")]
    ProjectNotFound,
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
    /// A handler panicked.
    #[error("the service failed")]
    Panicked,
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::NotAuthorised) {
            // It was good when the request came in; the caller is told what it will be told next time.
            Self::InvalidApiKey
        } else if error.is_temporary() {
            Self::NotReady(Some(Arc::new(error)))
        } else {
            Self::Internal(Arc::new(error))
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.row().status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
