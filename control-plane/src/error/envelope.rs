//! The body of every error.

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiError;
use crate::request_id::RequestId;

/// What every error answers.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorEnvelope {
    error: ErrorBody,
}

/// An error, for people and programs.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    /// What is wrong, in words.
    #[schema(example = "no API key was sent")]
    message: String,
    /// A number that never changes its meaning.
    #[schema(example = 906)]
    code: u16,
    /// A word that never changes its meaning.
    #[schema(example = "NO_AUTH_PROVIDED")]
    slug: &'static str,
    /// The HTTP status.
    #[schema(example = 401)]
    status: u16,
    /// The request's id, as in the header `x-request-id`: quote it when asking for help.
    request_id: String,
    /// What to do about it.
    #[schema(example = "send one of the project's API keys in the header 'x-api-key'")]
    suggested_fix: &'static str,
    /// One sentence for each thing that is wrong.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    #[schema(required = false)]
    errors: Vec<String>,
}

/// Writes the response of an error.
pub(crate) fn respond(error: ApiError, request_id: &RequestId) -> Response {
    let row = error.row();
    let challenge = error.challenge();
    let retry_after = error.retry_after();
    let body = ErrorBody {
        message: error.to_string(),
        code: row.code,
        slug: row.slug,
        status: row.status.as_u16(),
        request_id: request_id.to_string(),
        suggested_fix: row.suggested_fix,
        errors: match error {
            ApiError::InvalidFields(errors) => errors,
            _ => Vec::new(),
        },
    };
    let mut response = (row.status, Json(ErrorEnvelope { error: body })).into_response();
    if let Some(challenge) = challenge {
        response.headers_mut().insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(challenge),
        );
    }
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
