//! `PATCH` and `DELETE /api/v3/org/project/api_keys/{id}`.

use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::Value;
use tracing::info;
use utoipa::ToSchema;

use super::{record::ApiKeyRecord, unstored};
use crate::{
    app::AppState,
    body::JsonBody,
    error::{ApiError, envelope::ErrorEnvelope},
    model::{api_key::KeyPatch, name::Name},
    public::{authenticate::Caller, fields::Fields, id_in_path::IdInPath},
};

/// A partial change to a key: what is left out stays as it is.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body, which `patch_key` reads")]
pub(in crate::public) struct ApiKeyPatch {
    /// For people; need not be unique.
    #[schema(value_type = Name, required = false)]
    name: Option<Name>,
    /// Whether the key is switched off.
    #[schema(value_type = bool, required = false)]
    disabled: Option<bool>,
    /// From when on it is refused, a time to come; `null`: never. A key that was rotated cannot be given
    /// a longer life.
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    expires_at: Option<String>,
}

/// Rename a key, switch it off or on, or move its expiry
///
/// A change is in force at the gateways within a second. A key may do this to itself: switched off, it
/// is refused from the next request on, and another key must switch it on.
#[utoipa::path(
    patch,
    path = "/api/v3/org/project/api_keys/{id}",
    operation_id = "patchOrgProjectApiKey",
    tag = "API keys",
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    params(("id" = String, Path, description = "The key's id, not the key.")),
    request_body(content = ApiKeyPatch, example = json!({"disabled": true})),
    responses(
        (status = 200, description = "The key after the change.", body = ApiKeyRecord),
        (status = 400, description = "The body is no JSON object, or a field is unknown or has a wrong value; `errors` names each.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project has no such key.", body = ErrorEnvelope),
        (status = 409, description = "The key is revoked, or was rotated and would live longer, or the project has as many keys as it may have.", body = ErrorEnvelope),
        (status = 413, description = "The body is larger than 64 KiB.", body = ErrorEnvelope),
        (status = 415, description = "The body is not declared as JSON.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(in crate::public) async fn patch_key(
    State(state): State<AppState>,
    caller: Caller,
    IdInPath(id): IdInPath,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let mut fields = Fields::parse(&body)?;
    let patch = KeyPatch {
        name: fields.optional_name(),
        disabled: fields.optional("disabled", "true or false", Value::as_bool),
        expires_at: fields.expires_at(caller.author.at),
    };
    fields.finish()?;
    let limit = state.limits.keys_per_project;
    let key = state
        .store
        .update_key(
            &caller.author,
            &caller.project_id,
            &id.ok_or(ApiError::KeyNotFound)?,
            &patch,
            limit,
        )
        .await?;
    Ok(unstored(StatusCode::OK, ApiKeyRecord::of(key, &caller)))
}

/// Revoke a key for good
///
/// In force at the gateways within a second. The key stays listed among the revoked ones. A key may
/// revoke itself: `is_presented_key` of the answer says so, and it is refused from the next request on.
/// A key that is revoked already stays as it is.
#[utoipa::path(
    delete,
    path = "/api/v3/org/project/api_keys/{id}",
    operation_id = "deleteOrgProjectApiKey",
    tag = "API keys",
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    params(("id" = String, Path, description = "The key's id, not the key.")),
    responses(
        (status = 200, description = "The revoked key.", body = ApiKeyRecord),
        (status = 400, description = "An organisation key without `x-project-id`.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project has no such key.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(in crate::public) async fn revoke_key(
    State(state): State<AppState>,
    caller: Caller,
    IdInPath(id): IdInPath,
) -> Result<Response, ApiError> {
    let key = state
        .store
        .revoke_key(
            &caller.author,
            Some(&caller.project_id),
            &id.ok_or(ApiError::KeyNotFound)?,
        )
        .await?;
    info!(
        project_id = %caller.project_id,
        revoked = %key.id,
        key_id = caller.author.actor.key_id().map(tracing::field::display),
        request_id = caller.author.request_id,
        "API key revoked"
    );
    Ok(unstored(StatusCode::OK, ApiKeyRecord::of(key, &caller)))
}
