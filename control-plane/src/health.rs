//! `/healthz`: the process is alive. `/readyz`: the database answers. On both ports, without a key.

use std::{sync::Arc, time::Duration};

use axum::{Json, Router, extract::State, routing::get};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{app::AppState, error::ApiError, error::envelope::ErrorEnvelope};

/// How long the database may take to answer.
const READY_TIMEOUT: Duration = Duration::from_secs(1);

/// The answer of both.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// The routes of this file.
pub(crate) fn routes() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
}

/// Whether the process is alive
#[utoipa::path(get, path = "/healthz", tag = "health", responses(
    (status = 200, description = "The process is alive.", body = Health),
))]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// Whether requests can be served
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "The database answers.", body = Health),
    (status = 503, description = "The database does not answer.", body = ErrorEnvelope),
))]
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<Json<Health>, ApiError> {
    match tokio::time::timeout(READY_TIMEOUT, state.store.revision()).await {
        Ok(Ok(_)) => Ok(Json(Health { status: "ok" })),
        Ok(Err(error)) => Err(ApiError::NotReady(Some(Arc::new(error)))),
        Err(_) => Err(ApiError::NotReady(None)),
    }
}
