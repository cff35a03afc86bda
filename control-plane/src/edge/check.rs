//! `POST /edge/v1/check`: the policy of a project and the verdict on a key.

use axum::{Json, extract::State};
use edge_api::check::{CheckRequest, CheckResponse, Key, Verdict};
use jiff::Timestamp;

use super::ttl::Ttls;
use crate::{
    app::AppState,
    body::AnyBody,
    error::ApiError,
    model::api_key::KeyStatus,
    store::{CheckedKey, Snapshot},
};

/// Answers a check.
pub(super) async fn check(
    State(state): State<AppState>,
    AnyBody(body): AnyBody,
) -> Result<Json<CheckResponse>, ApiError> {
    let request: CheckRequest =
        serde_json::from_slice(&body).map_err(|error| ApiError::InvalidBody(error.to_string()))?;
    let snapshot = state
        .store
        .snapshot(&request.subject, request.key_sha256)
        .await?;
    let asked = request.key_sha256.is_some();
    // Read after the rows: a key that expires in between is called expired.
    let answer = answer(snapshot, asked, &state.ttls, state.clock.now());
    state.metrics.checked(&answer);
    Ok(Json(answer))
}

fn answer(snapshot: Snapshot, key_asked: bool, ttls: &Ttls, now: Timestamp) -> CheckResponse {
    let key = match &snapshot.project {
        Some(project) if key_asked => Some(verdict(snapshot.key, &project.id, now)),
        _ => None,
    };
    CheckResponse {
        revision: snapshot.revision,
        ttl_ms: ttls.of_answer(snapshot.project.is_some(), key.as_ref(), now),
        project: snapshot.project,
        key,
    }
}

fn verdict(found: Option<CheckedKey>, project: &edge_api::id::Id, now: Timestamp) -> Key {
    let Some(found) = found else {
        return Key {
            verdict: Verdict::Unknown,
            id: None,
            expires_at: None,
        };
    };
    let verdict = if found.project_id == *project {
        match found.lifecycle.status(now) {
            KeyStatus::Live => Verdict::Valid,
            KeyStatus::Revoked => Verdict::Revoked,
            KeyStatus::Expired => Verdict::Expired,
            KeyStatus::Disabled => Verdict::Disabled,
        }
    } else {
        Verdict::OtherProject
    };
    let expires_at = found.lifecycle.expires_at;
    Key {
        verdict,
        id: Some(found.id),
        expires_at: expires_at.map(|at| u64::try_from(at.as_millisecond()).unwrap_or_default()),
    }
}
