//! The id at the end of a path.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use edge_api::id::Id;

/// The id in the path; `None`: what stands there is none, and so names nothing.
#[derive(Debug, Clone)]
pub(super) struct IdInPath(pub(super) Option<Id>);

impl<S: Send + Sync> FromRequestParts<S> for IdInPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let text = Path::<String>::from_request_parts(parts, state).await.ok();
        Ok(Self(text.and_then(|Path(text)| Id::parse(&text).ok())))
    }
}
