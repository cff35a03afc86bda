//! `PATCH` and `DELETE /api/v3/org/projects/{id}`.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use tracing::info;
use utoipa::ToSchema;

use super::{ProjectRecord, answer};
use crate::{
    app::AppState,
    body::JsonBody,
    error::{ApiError, envelope::ErrorEnvelope},
    model::name::Name,
    public::{authenticate::OrganisationCaller, fields::Fields, id_in_path::IdInPath},
};

/// A change to a project.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body, which `rename_project` reads")]
pub(in crate::public) struct ProjectPatch {
    /// For people; need not be unique.
    name: Name,
}

/// Rename a project
///
/// Its settings are changed with `PATCH /api/v3/org/project/config` and the header `x-project-id`.
#[utoipa::path(
    patch,
    path = "/api/v3/org/projects/{id}",
    operation_id = "patchOrgProject",
    tag = "projects",
    security(("OrgApiKey" = [])),
    params(("id" = String, Path, description = "The project's id.")),
    request_body(content = ProjectPatch, example = json!({"name": "shop"})),
    responses(
        (status = 200, description = "The project after the change.", body = ProjectRecord),
        (status = 400, description = "The body is no JSON object, or a field is unknown or has a wrong value; `errors` names each.", body = ErrorEnvelope),
        (status = 401, description = "No organisation key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The organisation has no such project.", body = ErrorEnvelope),
        (status = 413, description = "The body is larger than 64 KiB.", body = ErrorEnvelope),
        (status = 415, description = "The body is not declared as JSON.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(in crate::public) async fn rename_project(
    State(state): State<AppState>,
    caller: OrganisationCaller,
    IdInPath(id): IdInPath,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let mut fields = Fields::parse(&body)?;
    let name = fields.required_name();
    let name = fields.finish_with(name)?;
    let id = id.ok_or(ApiError::ProjectNotFound)?;
    let project = state
        .store
        .rename_project(&caller.author, &id, &name)
        .await?;
    Ok(answer(StatusCode::OK, project))
}

/// Delete a project with its keys and MCP servers, for good
///
/// Its keys are refused everywhere, and its MCP servers unknown, within a second. What the audit log says
/// of it stays.
#[utoipa::path(
    delete,
    path = "/api/v3/org/projects/{id}",
    operation_id = "deleteOrgProject",
    tag = "projects",
    security(("OrgApiKey" = [])),
    params(("id" = String, Path, description = "The project's id.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 401, description = "No organisation key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The organisation has no such project.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(in crate::public) async fn delete_project(
    State(state): State<AppState>,
    caller: OrganisationCaller,
    IdInPath(id): IdInPath,
) -> Result<Response, ApiError> {
    let id = id.ok_or(ApiError::ProjectNotFound)?;
    state.store.delete_project(&caller.author, &id).await?;
    info!(
        project_id = %id,
        key_id = caller.author.actor.key_id().map(tracing::field::display),
        request_id = caller.author.request_id,
        "project deleted"
    );
    Ok(StatusCode::NO_CONTENT.into_response())
}
