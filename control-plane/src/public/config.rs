//! `GET` and `PATCH /api/v3/org/project/config`: the settings of the caller's project.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use tracing::info;
use utoipa::IntoParams;

use super::{
    authenticate::Caller,
    config_patch,
    etag::{Conditions, ETag},
};
use crate::{
    app::AppState,
    body::JsonBody,
    error::{ApiError, envelope::ErrorEnvelope},
    model::project_config::{ConfigPatch, ProjectConfig, VersionedConfig},
};

/// The header that tells from which revision on the answered settings are in force.
const REVISION_HEADER: HeaderName = HeaderName::from_static("x-config-revision");

/// The condition under which something is done.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes the headers, which `Conditions` reads")]
struct ConditionHeaders {
    /// Only if the settings have one of these entity tags; 412 otherwise.
    #[param(
        rename = "if-match",
        value_type = String,
        required = false,
        pattern = "^(\\*|(W/)?\"[!#-+\\--~]*\"( *, *(W/)?\"[!#-+\\--~]*\")*)$"
    )]
    if_match: Option<String>,
    /// Only if the settings have none of these entity tags; otherwise a GET answers 304, a PATCH 412.
    #[param(
        rename = "if-none-match",
        value_type = String,
        required = false,
        pattern = "^(\\*|(W/)?\"[!#-+\\--~]*\"( *, *(W/)?\"[!#-+\\--~]*\")*)$"
    )]
    if_none_match: Option<String>,
}

/// Get the project's settings
///
/// The project is the one that the presented key belongs to.
#[utoipa::path(
    get,
    path = "/api/v3/org/project/config",
    operation_id = "getOrgProjectConfig",
    tag = "project",
    params(ConditionHeaders),
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    responses(
        (status = 200, description = "The settings.", body = ProjectConfig, headers(
            ("etag" = String, description = "The version of the settings, for `if-match` and `if-none-match`."),
            ("x-config-revision" = u64, description = "The revision from which on these settings are in force: a gateway enforces them once it has this one."),
        ), example = json!({
            "require_mcp_api_key": false,
            "is_2FA_enabled": true,
            "mask_secret_keys_in_connected_account": true,
            "log_visibility_setting": "show_all"
        })),
        (status = 304, description = "The settings are those that the caller has."),
        (status = 400, description = "An organisation key without `x-project-id`, or a condition that cannot be read.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project no longer exists.", body = ErrorEnvelope),
        (status = 412, description = "The settings have changed since they were read; nothing was changed.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn get_config(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let conditions = Conditions::read(&headers)?;
    let settings = state.store.project_config(&caller.project_id).await?;
    let etag = ETag::of(&settings);
    if conditions.fail(&etag) {
        return Err(ApiError::ConditionFailed);
    }
    if conditions.is_known(&etag) {
        let headers = version(&etag, settings.revision);
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok(answer(settings))
}

/// Change some of the project's settings
///
/// Settings that the body does not name stay as they are. `null` unsets an optional setting. On any
/// error nothing is changed. With the `etag` of the settings in `if-match`, two who change them at once do
/// not overwrite each other: the second gets a 412.
#[utoipa::path(
    patch,
    path = "/api/v3/org/project/config",
    operation_id = "patchOrgProjectConfig",
    tag = "project",
    params(ConditionHeaders),
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    request_body(content = ConfigPatch, example = json!({"require_mcp_api_key": true})),
    responses(
        (status = 200, description = "All settings after the change.", body = ProjectConfig, headers(
            ("etag" = String, description = "The version of the settings, for `if-match` and `if-none-match`."),
            ("x-config-revision" = u64, description = "The revision from which on these settings are in force: a gateway enforces them once it has this one."),
        ), example = json!({
            "require_mcp_api_key": true,
            "is_2FA_enabled": true,
            "mask_secret_keys_in_connected_account": true,
            "log_visibility_setting": "show_all"
        })),
        (status = 400, description = "The body is no JSON object, or a field is unknown or has a wrong value; `errors` names each.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project no longer exists.", body = ErrorEnvelope),
        (status = 412, description = "The settings have changed since they were read; nothing was changed.", body = ErrorEnvelope),
        (status = 413, description = "The body is larger than 64 KiB.", body = ErrorEnvelope),
        (status = 415, description = "The body is not declared as JSON.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn patch_config(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let patch = config_patch::parse(&body)?;
    let conditions = Conditions::read(&headers)?;
    let updated = state
        .store
        .update_project_config(&caller.author, &caller.project_id, &patch, |current| {
            conditions.allow(&ETag::of(current))
        })
        .await?;
    let settings = updated.settings;
    if updated.changed {
        info!(
            project_id = %caller.project_id,
            key_id = caller.author.actor.key_id().map(tracing::field::display),
            request_id = caller.author.request_id,
            revision = settings.revision,
            require_mcp_api_key = settings.config.require_mcp_api_key,
            "project settings changed"
        );
    }
    Ok(answer(settings))
}

fn answer(settings: VersionedConfig) -> Response {
    let headers = version(&ETag::of(&settings), settings.revision);
    (headers, Json(settings.config)).into_response()
}

/// The headers that tell which settings these are.
fn version(etag: &ETag, revision: u64) -> [(HeaderName, String); 3] {
    [
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::ETAG, etag.to_string()),
        (REVISION_HEADER, revision.to_string()),
    ]
}
