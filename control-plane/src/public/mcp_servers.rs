//! `/api/v3/org/project/mcp_servers`: the ids in MCP URLs that stand for the caller's project.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use edge_api::id::Id;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::info;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{
    authenticate::Caller,
    fields::Fields,
    id_in_path::IdInPath,
    page::{Limit, Page, cursor, place},
};
use crate::{
    app::AppState,
    body::JsonBody,
    error::{ApiError, envelope::ErrorEnvelope},
    model::{name::Name, server::McpServer},
    random::IdError,
};

/// Which MCP servers to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct McpServersQuery {
    /// How many servers a page has at most.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,15}\\.[A-Za-z0-9_-]{1,64}$")]
    cursor: Option<String>,
}

/// An MCP server of the project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = McpServer)]
pub(super) struct McpServerRecord {
    /// The id in the server's URL.
    #[schema(value_type = String, example = "6f1ed002-ab5c-4e1c-8c0a-9d0b4d1a7c11")]
    id: Id,
    /// For people; need not be unique.
    #[schema(value_type = String, example = "github tools")]
    name: Name,
    /// When it was registered.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// A new MCP server.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body, which `create_server` reads")]
pub(super) struct McpServerRequest {
    /// For people; need not be unique.
    name: Name,
    /// The id in the server's URL, the same for all of the system. Left out, it is a random UUID.
    #[schema(value_type = String, required = false, pattern = "^[A-Za-z0-9_-]{1,64}$")]
    id: Option<String>,
}

/// List the project's MCP servers, latest first
#[utoipa::path(
    get,
    path = "/api/v3/org/project/mcp_servers",
    operation_id = "getOrgProjectMcpServers",
    tag = "MCP servers",
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    params(McpServersQuery),
    responses(
        (status = 200, description = "A page of MCP servers.", body = Page<McpServerRecord>),
        (status = 400, description = "The query is wrong, or an organisation key without `x-project-id`.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project does not exist.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn list_servers(
    State(state): State<AppState>,
    caller: Caller,
    query: Result<Query<McpServersQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|rejection| ApiError::InvalidQuery(rejection.body_text()))?;
    let before = query.cursor.as_deref().map(place).transpose()?;
    let servers = state
        .store
        .project_servers(&caller.project_id, before.as_ref(), query.limit.to_read())
        .await?;
    let page = query
        .limit
        .page(servers, |server| cursor(server.created_at, &server.id));
    Ok(page.map(McpServerRecord::from).answer())
}

/// Register an MCP server
///
/// From then on, at the latest within seconds, calls to its URL are decided by this project's settings and
/// keys. An id can be registered once in the whole system, and is afterwards reserved for the organisation.
#[utoipa::path(
    post,
    path = "/api/v3/org/project/mcp_servers",
    operation_id = "postOrgProjectMcpServers",
    tag = "MCP servers",
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    request_body(content = McpServerRequest, example = json!({"name": "github tools"})),
    responses(
        (status = 201, description = "The new MCP server.", body = McpServerRecord),
        (status = 400, description = "The body is no JSON object, or a field is unknown or has a wrong value; `errors` names each.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project does not exist.", body = ErrorEnvelope),
        (status = 409, description = "The id is taken, or the project has as many MCP servers as it may have.", body = ErrorEnvelope),
        (status = 413, description = "The body is larger than 64 KiB.", body = ErrorEnvelope),
        (status = 415, description = "The body is not declared as JSON.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn create_server(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let mut fields = Fields::parse(&body)?;
    let name = fields.required_name();
    let rule = "1 to 64 of the characters A-Z a-z 0-9 _ -";
    let id = fields.optional("id", rule, |value| Id::parse(value.as_str()?).ok());
    let name = fields.finish_with(name)?;
    let id = match id {
        Some(id) => id,
        None => Id::parse(&Uuid::new_v4().to_string()).map_err(IdError::from)?,
    };
    let server = McpServer {
        id,
        project_id: caller.project_id.clone(),
        name,
        created_at: caller.author.at,
    };
    let limit = state.limits.servers_per_project;
    state
        .store
        .create_server(&caller.author, &server, limit)
        .await?;
    info!(
        project_id = %caller.project_id,
        server_id = %server.id,
        key_id = caller.author.actor.key_id().map(tracing::field::display),
        request_id = caller.author.request_id,
        "MCP server registered"
    );
    let headers = [(header::CACHE_CONTROL, "no-store")];
    let body = Json(McpServerRecord::from(server));
    Ok((StatusCode::CREATED, headers, body).into_response())
}

/// Remove an MCP server
///
/// Calls to its URL are answered with 404 within a second. The id stays reserved for the organisation.
#[utoipa::path(
    delete,
    path = "/api/v3/org/project/mcp_servers/{id}",
    operation_id = "deleteOrgProjectMcpServer",
    tag = "MCP servers",
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    params(("id" = String, Path, description = "The MCP server's id.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 400, description = "An organisation key without `x-project-id`.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project has no such MCP server.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn remove_server(
    State(state): State<AppState>,
    caller: Caller,
    IdInPath(id): IdInPath,
) -> Result<Response, ApiError> {
    let id = id.ok_or(ApiError::ServerNotFound)?;
    state
        .store
        .remove_server(&caller.author, Some(&caller.project_id), &id)
        .await?;
    info!(
        project_id = %caller.project_id,
        server_id = %id,
        key_id = caller.author.actor.key_id().map(tracing::field::display),
        request_id = caller.author.request_id,
        "MCP server removed"
    );
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl From<McpServer> for McpServerRecord {
    fn from(server: McpServer) -> Self {
        Self {
            id: server.id,
            name: server.name,
            created_at: server.created_at,
        }
    }
}
