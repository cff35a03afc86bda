//! Who calls: the holder of a live project key.

use axum::{extract::FromRequestParts, http::request::Parts};
use edge_api::id::Id;

use crate::{
    app::AppState,
    error::ApiError,
    key::PlainKey,
    model::{
        api_key::KeyStatus,
        audit::{Actor, Author},
    },
    request_id::RequestId,
};

/// The header that carries the key.
pub const HEADER: &str = "x-api-key";

/// A caller who has presented a live key. **A handler that takes one cannot be reached without.**
#[derive(Debug, Clone)]
pub struct Caller {
    /// The key's project: the only one that the caller may read or change.
    pub project_id: Id,
    /// Who the caller is, when and on which request: what a change is made and entered as.
    pub author: Author,
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let mut values = parts.headers.get_all(HEADER).iter();
        let presented = match (values.next(), values.next()) {
            (None, _) => return Err(ApiError::NoApiKey),
            (Some(_), Some(_)) => return Err(ApiError::AmbiguousApiKey),
            (Some(value), None) => PlainKey::parse(value.as_bytes()),
        };
        let presented = presented.ok_or(ApiError::InvalidApiKey)?;
        let found = state.store.key_by_sha256(presented.sha256()).await?;
        let key = found.ok_or(ApiError::InvalidApiKey)?;
        let now = state.clock.now();
        match key.lifecycle.status(now) {
            KeyStatus::Live => Ok(Self {
                project_id: key.project_id,
                author: Author {
                    actor: Actor::ProjectKey(key.id),
                    at: now,
                    request_id: parts.extensions.get().map(RequestId::to_string),
                },
            }),
            KeyStatus::Revoked | KeyStatus::Expired | KeyStatus::Disabled => {
                Err(ApiError::InvalidApiKey)
            }
        }
    }
}
