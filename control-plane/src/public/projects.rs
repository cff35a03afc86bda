//! `/api/v3/org/projects`: the projects of an organisation, for who holds one of its keys.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use edge_api::id::Id;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracing::info;
use utoipa::{IntoParams, ToSchema};

use super::{
    authenticate::OrganisationCaller,
    fields::Fields,
    page::{Limit, Page, cursor, place},
};
use crate::{
    app::AppState,
    body::JsonBody,
    error::{ApiError, envelope::ErrorEnvelope},
    model::{name::Name, project::Project, project_config::ProjectConfig},
    random,
};

pub(super) mod change;

/// Which projects to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ProjectsQuery {
    /// How many projects a page has at most.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,15}\\.[A-Za-z0-9_-]{1,64}$")]
    cursor: Option<String>,
}

/// A project of the organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Project)]
pub(super) struct ProjectRecord {
    /// What `x-project-id` and MCP URLs name it by.
    #[schema(value_type = String, example = "pr_demo")]
    id: Id,
    /// For people; need not be unique.
    #[schema(value_type = String, example = "shop")]
    name: Name,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Its settings.
    config: ProjectConfig,
}

/// A new project.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body, which `create_project` reads")]
pub(super) struct ProjectRequest {
    /// For people; need not be unique.
    name: Name,
    /// Whether its MCP servers may be called only with one of its keys. Left out, it is on for organisations created on or
    /// after 2026-03-01T00:00:00Z.
    #[schema(value_type = bool, required = false)]
    require_mcp_api_key: Option<bool>,
}

/// List the organisation's projects, latest first
#[utoipa::path(
    get,
    path = "/api/v3/org/projects",
    operation_id = "getOrgProjects",
    tag = "projects",
    security(("OrgApiKey" = [])),
    params(ProjectsQuery),
    responses(
        (status = 200, description = "A page of projects.", body = Page<ProjectRecord>),
        (status = 400, description = "The query is wrong.", body = ErrorEnvelope),
        (status = 401, description = "No organisation key, or none that is valid.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn list_projects(
    State(state): State<AppState>,
    caller: OrganisationCaller,
    query: Result<Query<ProjectsQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|rejection| ApiError::InvalidQuery(rejection.body_text()))?;
    let before = query.cursor.as_deref().map(place).transpose()?;
    let organisation = &caller.organisation_id;
    let projects = state
        .store
        .organisation_projects(organisation, before.as_ref(), query.limit.to_read())
        .await?;
    let page = query
        .limit
        .page(projects, |project| cursor(project.created_at, &project.id));
    Ok(page.map(ProjectRecord::from).answer())
}

/// Create a project of the organisation
#[utoipa::path(
    post,
    path = "/api/v3/org/projects",
    operation_id = "postOrgProjects",
    tag = "projects",
    security(("OrgApiKey" = [])),
    request_body(content = ProjectRequest, example = json!({"name": "shop"})),
    responses(
        (status = 201, description = "The new project.", body = ProjectRecord),
        (status = 400, description = "The body is no JSON object, or a field is unknown or has a wrong value; `errors` names each.", body = ErrorEnvelope),
        (status = 401, description = "No organisation key, or none that is valid.", body = ErrorEnvelope),
        (status = 409, description = "The organisation has as many projects as it may have.", body = ErrorEnvelope),
        (status = 413, description = "The body is larger than 64 KiB.", body = ErrorEnvelope),
        (status = 415, description = "The body is not declared as JSON.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn create_project(
    State(state): State<AppState>,
    caller: OrganisationCaller,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let mut fields = Fields::parse(&body)?;
    let name = fields.required_name();
    let required = fields.optional("require_mcp_api_key", "true or false", Value::as_bool);
    let name = fields.finish_with(name)?;
    let organisation = state.store.organisation(&caller.organisation_id).await?;
    let mut config = ProjectConfig::for_organisation_created_at(organisation.created_at);
    config.require_mcp_api_key = required.unwrap_or(config.require_mcp_api_key);
    let project = Project {
        id: random::id("pr_")?,
        organisation_id: organisation.id,
        name,
        created_at: caller.author.at,
        config,
    };
    let limit = state.limits.projects_per_organisation;
    state
        .store
        .create_project(&caller.author, &project, limit)
        .await?;
    info!(
        project_id = %project.id,
        key_id = caller.author.actor.key_id().map(tracing::field::display),
        request_id = caller.author.request_id,
        "project created"
    );
    Ok(answer(StatusCode::CREATED, project))
}

fn answer(status: StatusCode, project: Project) -> Response {
    let body = Json(ProjectRecord::from(project));
    (status, [(header::CACHE_CONTROL, "no-store")], body).into_response()
}

impl From<Project> for ProjectRecord {
    fn from(project: Project) -> Self {
        Self {
            id: project.id,
            name: project.name,
            created_at: project.created_at,
            config: project.config,
        }
    }
}
