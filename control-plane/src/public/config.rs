//! `GET` and `PATCH /api/v3/org/project/config`: the settings of the caller's project.

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use tracing::info;

use super::{authenticate::Caller, config_patch};
use crate::{
    app::AppState,
    body::JsonBody,
    error::{ApiError, envelope::ErrorEnvelope},
    model::project_config::{ConfigPatch, ProjectConfig},
};

/// Get the project's settings
///
/// The project is the one that the presented key belongs to.
#[utoipa::path(
    get,
    path = "/api/v3/org/project/config",
    operation_id = "getOrgProjectConfig",
    tag = "project",
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    responses(
        (status = 200, description = "The settings.", body = ProjectConfig, example = json!({
            "require_mcp_api_key": false,
            "is_2FA_enabled": true,
            "mask_secret_keys_in_connected_account": true,
            "log_visibility_setting": "show_all"
        })),
        (status = 400, description = "An organisation key without `x-project-id`.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project no longer exists.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn get_config(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let config = state.store.project_config(&caller.project_id).await?;
    Ok(answer(config))
}

/// Change some of the project's settings
///
/// Settings that the body does not name stay as they are. `null` unsets an optional setting. On any
/// error nothing is changed.
#[utoipa::path(
    patch,
    path = "/api/v3/org/project/config",
    operation_id = "patchOrgProjectConfig",
    tag = "project",
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    request_body(content = ConfigPatch, example = json!({"require_mcp_api_key": true})),
    responses(
        (status = 200, description = "All settings after the change.", body = ProjectConfig, example = json!({
            "require_mcp_api_key": true,
            "is_2FA_enabled": true,
            "mask_secret_keys_in_connected_account": true,
            "log_visibility_setting": "show_all"
        })),
        (status = 400, description = "The body is no JSON object, or a field is unknown or has a wrong value; `errors` names each.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project no longer exists.", body = ErrorEnvelope),
        (status = 413, description = "The body is larger than 64 KiB.", body = ErrorEnvelope),
        (status = 415, description = "The body is not declared as JSON.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn patch_config(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let patch = config_patch::parse(&body)?;
    let updated = state
        .store
        .update_project_config(&caller.author, &caller.project_id, &patch)
        .await?;
    if let Some(revision) = updated.revision {
        info!(
            project_id = %caller.project_id,
            key_id = caller.author.actor.key_id().map(tracing::field::display),
            request_id = caller.author.request_id,
            revision,
            require_mcp_api_key = updated.config.require_mcp_api_key,
            "project settings changed"
        );
    }
    Ok(answer(updated.config))
}

fn answer(config: ProjectConfig) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Json(config)).into_response()
}
