//! `POST /api/v3/org/project/api_keys/{id}/rotate`.

use axum::{extract::State, http::StatusCode, response::Response};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tracing::info;
use utoipa::ToSchema;

use super::{
    record::{ApiKeyRecord, NewApiKey},
    unstored,
};
use crate::{
    app::AppState,
    body::JsonBody,
    error::{ApiError, envelope::ErrorEnvelope},
    key::PlainKey,
    model::api_key::ApiKey,
    public::{
        authenticate::Caller,
        fields::{Fields, whole_number},
        id_in_path::IdInPath,
    },
    random,
};

/// The longest grace period, in seconds: 90 days.
const MAX_GRACE: i64 = 7_776_000;

/// How to rotate a key.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes the body, which `rotate_key` reads")]
pub(in crate::public) struct RotationRequest {
    /// How long the old key still works, in seconds; 0: not at all.
    #[schema(minimum = 0, maximum = 7_776_000)]
    grace_period_seconds: u32,
    /// From when on the new key is refused, a time to come. `null` or left out: never.
    #[schema(value_type = Option<String>, format = DateTime, required = false)]
    expires_at: Option<String>,
}

/// A key and its replacement.
#[derive(Serialize, ToSchema)]
pub(in crate::public) struct Rotation {
    /// The new key, with the key itself, shown this once.
    new_key: NewApiKey,
    /// The old key. It expires at the end of the grace period, or earlier if it was to.
    old_key: ApiKeyRecord,
}

/// Replace a key by a new one, with a grace period during which both work
///
/// The new key has the old one's name. A key may rotate itself: with a grace period of 0 it is refused
/// from the next request on. Only a live key that was not rotated before can be rotated.
#[utoipa::path(
    post,
    path = "/api/v3/org/project/api_keys/{id}/rotate",
    operation_id = "postOrgProjectApiKeyRotate",
    tag = "API keys",
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    params(("id" = String, Path, description = "The key's id, not the key.")),
    request_body(content = RotationRequest, example = json!({"grace_period_seconds": 86400})),
    responses(
        (status = 201, description = "Both keys.", body = Rotation),
        (status = 400, description = "The body is no JSON object, or a field is unknown or has a wrong value; `errors` names each.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project has no such key.", body = ErrorEnvelope),
        (status = 409, description = "The key is revoked, expired, disabled or was rotated before, or the project has as many keys as it may have.", body = ErrorEnvelope),
        (status = 413, description = "The body is larger than 64 KiB.", body = ErrorEnvelope),
        (status = 415, description = "The body is not declared as JSON.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(in crate::public) async fn rotate_key(
    State(state): State<AppState>,
    caller: Caller,
    IdInPath(id): IdInPath,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let now = caller.author.at;
    let mut fields = Fields::parse(&body)?;
    let rule = "a whole number of seconds from 0 to 7776000, for how long the old key still works";
    let ends_at = fields.required("grace_period_seconds", rule, |value| {
        end_of_grace(now, whole_number(value)?)
    });
    let expires_at = fields.expires_at(now).flatten();
    let ends_at = fields.finish_with(ends_at)?;
    let id = id.ok_or(ApiError::KeyNotFound)?;
    let (plain, new_id) = (PlainKey::generate()?, random::id("key_")?);
    let renew = |old: &ApiKey| {
        let (project, name) = (old.project_id.clone(), old.name.clone());
        let new = ApiKey::new(new_id, project, name, now, expires_at, plain.masked());
        (new, plain.sha256())
    };
    let limit = state.limits.keys_per_project;
    let (author, project) = (&caller.author, Some(&caller.project_id));
    let rotated = state
        .store
        .rotate_key(author, project, &id, ends_at, renew, limit)
        .await?;
    info!(
        project_id = %caller.project_id,
        rotated = %rotated.old.id,
        created = %rotated.new.id,
        key_id = author.actor.key_id().map(tracing::field::display),
        request_id = author.request_id,
        "API key rotated"
    );
    let rotation = Rotation {
        new_key: NewApiKey::of(rotated.new, &plain, &caller),
        old_key: ApiKeyRecord::of(rotated.old, &caller),
    };
    Ok(unstored(StatusCode::CREATED, rotation))
}

/// When a key ends that is rotated at `now`.
fn end_of_grace(now: Timestamp, seconds: i64) -> Option<Timestamp> {
    let grace = (0..=MAX_GRACE)
        .contains(&seconds)
        .then(|| SignedDuration::from_secs(seconds))?;
    now.checked_add(grace).ok()
}
