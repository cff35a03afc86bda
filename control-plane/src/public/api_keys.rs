//! `/api/v3/org/project/api_keys`: the keys of the caller's project.

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tracing::info;
use utoipa::{IntoParams, ToSchema};

use self::record::{ApiKeyRecord, NewApiKey};
use super::{
    authenticate::Caller,
    fields::Fields,
    page::{Limit, Page, cursor, place},
};
use crate::{
    app::AppState,
    body::JsonBody,
    error::{ApiError, envelope::ErrorEnvelope},
    key::PlainKey,
    model::{
        api_key::{ApiKey, KeyStatus},
        name::Name,
    },
    random,
    store::KeyQuery,
};

pub(super) mod change;
pub(super) mod record;
pub(super) mod rotate;

/// Which keys to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ApiKeysQuery {
    /// Only keys in this state. Without it, all but the revoked ones.
    #[param(value_type = Option<KeyFilter>)]
    status: Option<KeyFilter>,
    /// How many keys a page has at most.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Limit,
    /// `next_cursor` of the page before.
    #[param(pattern = "^[0-9]{1,15}\\.[A-Za-z0-9_-]{1,64}$")]
    cursor: Option<String>,
}

/// A choice of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum KeyFilter {
    /// Keys that open the project.
    Live,
    /// Keys that are switched off.
    Disabled,
    /// Keys past their expiry.
    Expired,
    /// Revoked keys.
    Revoked,
    /// All keys.
    All,
}

/// A new key.
#[derive(ToSchema)]
#[schema(as = ApiKeyRequest)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body, which `create_key` reads")]
pub(super) struct ApiKeyRequest {
    /// For people; need not be unique.
    name: Name,
    /// From when on it is refused, a time to come. `null` or left out: never.
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    expires_at: Option<String>,
}

/// List the project's keys, latest first
///
/// Keys are shown masked: their prefix and last four characters.
#[utoipa::path(
    get,
    path = "/api/v3/org/project/api_keys",
    operation_id = "getOrgProjectApiKeys",
    tag = "API keys",
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    params(ApiKeysQuery),
    responses(
        (status = 200, description = "A page of keys.", body = Page<ApiKeyRecord>),
        (status = 400, description = "The query is wrong.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project does not exist.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn list_keys(
    State(state): State<AppState>,
    caller: Caller,
    query: Result<Query<ApiKeysQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|rejection| ApiError::InvalidQuery(rejection.body_text()))?;
    let keys = state
        .store
        .project_keys(&KeyQuery {
            project: caller.project_id.clone(),
            statuses: query.status.map_or_else(current, KeyFilter::statuses),
            now: caller.author.at,
            before: query.cursor.as_deref().map(place).transpose()?,
            limit: query.limit.to_read(),
        })
        .await?;
    let page = query
        .limit
        .page(keys, |key| cursor(key.created_at, &key.id));
    Ok(page.map(|key| ApiKeyRecord::of(key, &caller)).answer())
}

/// Create a key of the project
///
/// The answer shows the key, this once: only its hash is kept.
#[utoipa::path(
    post,
    path = "/api/v3/org/project/api_keys",
    operation_id = "postOrgProjectApiKeys",
    tag = "API keys",
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    request_body(content = ApiKeyRequest, example = json!({"name": "ci"})),
    responses(
        (status = 201, description = "The new key.", body = NewApiKey),
        (status = 400, description = "The body is no JSON object, or a field is unknown or has a wrong value; `errors` names each.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project no longer exists.", body = ErrorEnvelope),
        (status = 409, description = "The project has as many keys as it may have.", body = ErrorEnvelope),
        (status = 413, description = "The body is larger than 64 KiB.", body = ErrorEnvelope),
        (status = 415, description = "The body is not declared as JSON.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn create_key(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let now = caller.author.at;
    let mut fields = Fields::parse(&body)?;
    let (name, expires_at) = (fields.required_name(), fields.expires_at(now).flatten());
    let name = fields.finish_with(name)?;
    let plain = PlainKey::generate()?;
    let key = ApiKey::new(
        random::id("key_")?,
        caller.project_id.clone(),
        name,
        now,
        expires_at,
        plain.masked(),
    );
    let limit = state.limits.keys_per_project;
    state
        .store
        .create_key(&caller.author, &key, plain.sha256(), limit)
        .await?;
    info!(
        project_id = %caller.project_id,
        created = %key.id,
        key_id = caller.author.actor.key_id().map(tracing::field::display),
        request_id = caller.author.request_id,
        "API key created"
    );
    let created = NewApiKey::of(key, &plain, &caller);
    Ok(unstored(StatusCode::CREATED, created))
}

/// An answer that nobody keeps.
fn unstored(status: StatusCode, body: impl serde::Serialize) -> Response {
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn current() -> Vec<KeyStatus> {
    vec![KeyStatus::Live, KeyStatus::Disabled, KeyStatus::Expired]
}

impl KeyFilter {
    fn statuses(self) -> Vec<KeyStatus> {
        match self {
            Self::Live => vec![KeyStatus::Live],
            Self::Disabled => vec![KeyStatus::Disabled],
            Self::Expired => vec![KeyStatus::Expired],
            Self::Revoked => vec![KeyStatus::Revoked],
            Self::All => [current(), vec![KeyStatus::Revoked]].concat(),
        }
    }
}
