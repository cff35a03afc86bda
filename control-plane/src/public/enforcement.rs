//! `GET /api/v3/org/project/mcp_enforcement`: what requiring a key would have refused, and which gateways enforce what.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use edge_api::{id::Id, usage::Outcome};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::authenticate::Caller;
use crate::{
    app::AppState,
    error::{ApiError, envelope::ErrorEnvelope},
    model::{
        name::Name,
        usage::{Enforcer, RefusedKey, UsageCount},
    },
    store::{Apart, Store, StoreError},
};

/// What the preview looks back on.
const PREVIEW_RANGE: SignedDuration = SignedDuration::from_hours(24);
/// The most keys that a preview names.
const MAX_REFUSED_KEYS: u8 = 20;
/// Gateways report at least every half minute; one that was silent for longer is not told of.
const ALIVE: SignedDuration = SignedDuration::from_secs(90);

/// Whether the project's MCP servers require a key, and what that means.
#[derive(Debug, Serialize, ToSchema)]
pub struct Enforcement {
    /// Whether they do.
    require_mcp_api_key: bool,
    /// What turning it on would have meant; absent while it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<Preview>,
    /// Which gateways have the project's latest change in force.
    in_force: InForce,
}

/// What would have become of the requests of the last 24 hours if a key had been required.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Preview {
    /// All of it in one sentence.
    #[schema(
        example = "Turning this on now would have refused 3 of 10 requests in the last 24 h: 2 without a key, 1 with a key of another project."
    )]
    summary: String,
    /// Requests that were made while no key was required.
    requests: u64,
    /// Those that would have been refused.
    would_be_refused: u64,
    /// Those whose key was not looked up, because it came for the first time or too many unknown ones came.
    not_checked: u64,
    /// Those that would have been refused, by reason.
    #[schema(value_type = BTreeMap<String, u64>, example = json!({"denied_missing_key": 2, "denied_key_of_other_project": 1}))]
    by_reason: BTreeMap<&'static str, u64>,
    /// The project's own keys among those that would have been refused, at most 20, those with the most requests.
    refused_keys: Vec<PreviewKey>,
    /// Requests by the hour; hours without requests are left out.
    hours: Vec<PreviewHour>,
}

/// A key of the project that would have been refused.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PreviewKey {
    /// The key.
    key_id: String,
    /// Its name.
    name: Name,
    /// Why it would have been refused: `denied_…` and the reason.
    #[schema(value_type = String, example = "denied_revoked_key")]
    reason: Outcome,
    /// Requests that came with it.
    requests: u64,
}

/// One hour of a preview.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct PreviewHour {
    /// Its beginning.
    #[schema(value_type = String, format = DateTime)]
    hour: Timestamp,
    /// Requests that were made while no key was required.
    requests: u64,
    /// Those that would have been refused.
    would_be_refused: u64,
}

/// How far the project's latest change has come.
#[derive(Debug, Serialize, ToSchema)]
pub struct InForce {
    /// The change's revision; null when it is older than what is remembered of changes.
    revision: Option<u64>,
    /// Envoys that have reported within the last 90 seconds.
    envoys: usize,
    /// Those all of whose workers enforce the change.
    envoys_in_force: usize,
    /// When the last of these took it over; null when none has, or that is more than an hour ago.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

impl InForce {
    /// How far the latest change to `project` has come.
    pub(crate) async fn read(
        store: &Store,
        project: &Id,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let revision = store.last_change(project).await?;
        let alive = now.saturating_sub(ALIVE).unwrap_or(now);
        let enforcers = store.enforcers(revision.unwrap_or(0), alive, now).await?;
        Ok(in_force(revision, &enforcers))
    }

    /// How many Envoys have reported lately, and how many of them have the change in force.
    pub(crate) fn envoys(&self) -> (usize, usize) {
        (self.envoys, self.envoys_in_force)
    }
}

/// Preview and follow the requirement of a key
///
/// While no key is required: what would have been refused. Always: how many gateways have the latest change in force.
#[utoipa::path(
    get,
    path = "/api/v3/org/project/mcp_enforcement",
    operation_id = "getOrgProjectMcpEnforcement",
    tag = "usage",
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    responses(
        (status = 200, description = "The preview and the state of enforcement.", body = Enforcement),
        (status = 400, description = "An organisation key without `x-project-id`.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project no longer exists.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn get_enforcement(
    State(state): State<AppState>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let now = state.clock.now();
    let (store, project) = (&state.store, &caller.project_id);
    let config = store.project_config(project).await?.config;
    let preview = if config.require_mcp_api_key {
        None
    } else {
        let from = now.saturating_sub(PREVIEW_RANGE).unwrap_or(now);
        let apart = Apart {
            hours: true,
            keys: false,
        };
        let counts = store.usage(project, from, now, apart).await?;
        let keys = store.keys_to_be_refused(project, from, MAX_REFUSED_KEYS);
        // A day has few hours, and counts few outcomes.
        Some(preview(&counts.unwrap_or_default(), keys.await?))
    };
    let in_force = InForce::read(store, project, now).await?;
    let enforcement = Enforcement {
        require_mcp_api_key: config.require_mcp_api_key,
        preview,
        in_force,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(enforcement)).into_response())
}

fn preview(counts: &[UsageCount], keys: Vec<RefusedKey>) -> Preview {
    let (mut requests, mut refused, mut not_checked) = (0, 0, 0);
    let mut by_reason: BTreeMap<Outcome, u64> = BTreeMap::new();
    let mut hours: BTreeMap<Timestamp, PreviewHour> = BTreeMap::new();
    let open = counts
        .iter()
        .filter(|count| count.outcome == Outcome::AllowedNotRequired);
    for count in open {
        let would_be_refused = match count.preview {
            None => {
                not_checked += count.count;
                0
            }
            Some(Outcome::Allowed | Outcome::AllowedNotRequired) => 0,
            Some(reason) => {
                *by_reason.entry(reason).or_default() += count.count;
                count.count
            }
        };
        requests += count.count;
        refused += would_be_refused;
        let Some(hour) = count.hour else { continue };
        let of_hour = hours.entry(hour).or_insert(PreviewHour {
            hour,
            requests: 0,
            would_be_refused: 0,
        });
        of_hour.requests += count.count;
        of_hour.would_be_refused += would_be_refused;
    }
    Preview {
        summary: summary(requests, refused, not_checked, &by_reason),
        requests,
        would_be_refused: refused,
        not_checked,
        by_reason: by_reason
            .into_iter()
            .map(|(reason, count)| (reason.name(), count))
            .collect(),
        refused_keys: keys.into_iter().map(PreviewKey::from).collect(),
        hours: hours.into_values().collect(),
    }
}

impl From<RefusedKey> for PreviewKey {
    fn from(key: RefusedKey) -> Self {
        Self {
            key_id: key.id.to_string(),
            name: key.name,
            reason: key.reason,
            requests: key.count,
        }
    }
}

fn summary(
    requests: u64,
    refused: u64,
    not_checked: u64,
    by_reason: &BTreeMap<Outcome, u64>,
) -> String {
    if requests == 0 {
        return "No requests in the last 24 h.".to_owned();
    }
    let mut text = format!(
        "Turning this on now would have refused {refused} of {requests} requests in the last 24 h"
    );
    let reasons: Vec<_> = by_reason
        .iter()
        .map(|(reason, count)| format!("{count} {}", in_words(*reason)))
        .collect();
    if !reasons.is_empty() {
        text.push_str(": ");
        text.push_str(&reasons.join(", "));
    }
    text.push('.');
    if not_checked > 0 {
        text.push_str(&format!(
            " {not_checked} of them carried a key that was not looked up and may be refused or not."
        ));
    }
    text
}

fn in_words(reason: Outcome) -> &'static str {
    match reason {
        Outcome::DeniedMissingKey => "without a key",
        Outcome::DeniedAmbiguousKey => "with more than one key",
        Outcome::DeniedMalformedKey => "with something that is no project key",
        Outcome::DeniedUnknownKey => "with an unknown key",
        Outcome::DeniedRevokedKey => "with a revoked key",
        Outcome::DeniedExpiredKey => "with an expired key",
        Outcome::DeniedDisabledKey => "with a disabled key",
        Outcome::DeniedKeyOfOtherProject => "with a key of another project",
        Outcome::Allowed | Outcome::AllowedNotRequired => "with a good key",
    }
}

fn in_force(revision: Option<u64>, enforcers: &[Enforcer]) -> InForce {
    let needed = revision.unwrap_or(0);
    let mut envoys: BTreeMap<&str, (bool, Option<Timestamp>)> = BTreeMap::new();
    for worker in enforcers {
        let there = worker.in_force.is_some_and(|revision| revision >= needed);
        let (all, latest) = envoys.entry(worker.envoy.as_str()).or_insert((true, None));
        *all &= there;
        *latest = (*latest).max(worker.since);
    }
    let there = || envoys.values().filter(|(all, _)| *all);
    InForce {
        revision,
        envoys: envoys.len(),
        envoys_in_force: there().count(),
        since: there().filter_map(|(_, latest)| *latest).max(),
    }
}
