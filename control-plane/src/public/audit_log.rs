//! `GET /api/v3/org/project/audit_log`: who changed what.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use edge_api::id::Id;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{
    authenticate::AnyCaller,
    page::{Limit, Page},
};
use crate::{
    app::AppState,
    error::{ApiError, envelope::ErrorEnvelope},
    model::audit::{Action, AuditEntry},
    store::{AuditQuery, AuditScope},
};

/// Which entries to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AuditLogQuery {
    /// With an organisation key: only what concerns this project, even if it was deleted.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9_-]{1,64}$")]
    project_id: Option<Id>,
    /// Only what was done so.
    #[param(value_type = Option<Action>)]
    action: Option<Action>,
    /// Only what was done with the key that has this id.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9_-]{1,64}$")]
    actor_id: Option<Id>,
    /// Only what was done to the thing that has this id.
    #[param(value_type = Option<String>, pattern = "^[A-Za-z0-9_-]{1,64}$")]
    target_id: Option<Id>,
    /// Only what happened at this time or later.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Only what happened before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// How many entries a page has at most.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<String>, pattern = "^[0-9]{1,15}$")]
    cursor: Option<u64>,
}

/// List the changes to the project, latest first
///
/// Every change to the project, its settings, keys and MCP servers has an entry, written together with
/// it. Entries are never changed or removed and hold no secret. An organisation key without
/// `x-project-id` sees all of its organisation, deleted projects too.
#[utoipa::path(
    get,
    path = "/api/v3/org/project/audit_log",
    operation_id = "getOrgProjectAuditLog",
    tag = "audit log",
    security(("ApiKey" = []), ("OrgApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    params(AuditLogQuery),
    responses(
        (status = 200, description = "A page of entries.", body = Page<AuditEntry>),
        (status = 400, description = "The query is wrong.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The organisation has no such project.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn list_audit_log(
    State(state): State<AppState>,
    caller: AnyCaller,
    query: Result<Query<AuditLogQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|rejection| ApiError::InvalidQuery(rejection.body_text()))?;
    let scope = match caller {
        AnyCaller::Project(caller) => {
            // Its own project, whatever it asks for.
            if query.project_id.is_some_and(|id| id != caller.project_id) {
                return Err(ApiError::ProjectNotFound);
            }
            AuditScope::Project(caller.project_id)
        }
        AnyCaller::Organisation(caller) => {
            AuditScope::Organisation(caller.organisation_id, query.project_id)
        }
    };
    let entries = state
        .store
        .audit_log(&AuditQuery {
            scope,
            action: query.action,
            actor_id: query.actor_id,
            target_id: query.target_id,
            since: query.since,
            until: query.until,
            before: query.cursor,
            limit: query.limit.to_read(),
        })
        .await?;
    let page = query.limit.page(entries, |entry| entry.id.to_string());
    Ok(page.answer())
}
