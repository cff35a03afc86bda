//! `GET /api/v3/org/project/usage`: how many requests were made, with which key, and what became of them.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    http::header,
    response::{IntoResponse, Response},
};
use edge_api::usage::Outcome;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::authenticate::Caller;
use crate::{
    app::AppState,
    error::{ApiError, envelope::ErrorEnvelope},
    model::usage::UsageCount,
    store::Apart,
};

/// What is told when the query names no time.
const DEFAULT_RANGE: SignedDuration = SignedDuration::from_hours(24);
/// The longest time that can be told hour by hour.
const MAX_HOURLY_RANGE: SignedDuration = SignedDuration::from_hours(31 * 24);

/// From when to when, and how finely.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// The first hour, as a time within it; by default 24 hours before `to`.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-23T00:00:00Z")]
    from: Option<Timestamp>,
    /// The last hour, as a time within it; by default now.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// `total` sums the hours up, `hour` tells each apart, for at most 31 days.
    #[serde(default)]
    by: Granularity,
    /// `apart` tells each key apart, `together` counts all requests as one's.
    #[serde(default)]
    keys: Keys,
}

/// How finely.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// Hours summed up.
    #[default]
    Total,
    /// Each hour apart.
    Hour,
}

/// Whether keys are told apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keys {
    /// Each key apart.
    #[default]
    Apart,
    /// All of them as one.
    Together,
}

/// The requests to a project's MCP servers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usage {
    /// The first hour that is counted.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The moment up to which is counted.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// All requests.
    requests: u64,
    /// Requests by key and what became of them.
    rows: Vec<UsageRow>,
}

/// Requests that are alike.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageRow {
    /// The hour's beginning; absent where hours are summed up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    hour: Option<Timestamp>,
    /// The key; null for requests without a key of the project, and for those of all keys together.
    key_id: Option<String>,
    /// What became of them: `allowed`, `allowed_not_required`, or `denied_…` and the reason.
    #[schema(value_type = String, example = "allowed")]
    outcome: Outcome,
    /// How many.
    requests: u64,
    /// When the first of them was decided.
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    /// When the last of them was.
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
}

/// Count the project's requests
///
/// By key and outcome, as the gateways reported them: a request is counted within seconds. No single request is kept.
#[utoipa::path(
    get,
    path = "/api/v3/org/project/usage",
    operation_id = "getOrgProjectUsage",
    tag = "usage",
    params(UsageQuery),
    security(("ApiKey" = []), ("OrgApiKey" = [], "ProjectId" = [])),
    responses(
        (status = 200, description = "The counts.", body = Usage),
        (status = 400, description = "The query is wrong.", body = ErrorEnvelope),
        (status = 401, description = "No key, or none that is valid.", body = ErrorEnvelope),
        (status = 404, description = "The project does not exist.", body = ErrorEnvelope),
        (status = 500, description = "The service failed.", body = ErrorEnvelope),
        (status = 503, description = "Not now: the request was not finished in time, or the database is busy.", body = ErrorEnvelope),
    ),
)]
pub(super) async fn get_usage(
    State(state): State<AppState>,
    caller: Caller,
    query: Result<Query<UsageQuery>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|rejection| ApiError::InvalidQuery(rejection.body_text()))?;
    let (from, to) = range(&query, state.clock.now())?;
    let apart = Apart {
        hours: query.by == Granularity::Hour,
        keys: query.keys == Keys::Apart,
    };
    let counts = state.store.usage(&caller.project_id, from, to, apart);
    let Some(counts) = counts.await? else {
        return Err(ApiError::InvalidQuery(
            "these are too many counts to tell at once; ask for a shorter time, keys=together or by=total"
                .to_owned(),
        ));
    };
    let rows = merged(&counts);
    let usage = Usage {
        from,
        to,
        requests: rows.iter().map(|row| row.requests).sum(),
        rows,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(usage)).into_response())
}

fn range(query: &UsageQuery, now: Timestamp) -> Result<(Timestamp, Timestamp), ApiError> {
    let refuse = |problem: &str| Err(ApiError::InvalidQuery(problem.to_owned()));
    let to = query.to.unwrap_or(now);
    let from = match query.from {
        Some(from) => from,
        None => to.saturating_sub(DEFAULT_RANGE).unwrap_or(to),
    };
    if from > to {
        return refuse("from is later than to; swap them");
    }
    if query.by == Granularity::Hour && to.duration_since(from) > MAX_HOURLY_RANGE {
        return refuse("from and to are more than 31 days apart; ask for less, or by=total");
    }
    Ok((from, to))
}

/// Previews are told elsewhere: here they make no difference.
fn merged(counts: &[UsageCount]) -> Vec<UsageRow> {
    let mut rows: BTreeMap<_, UsageRow> = BTreeMap::new();
    for count in counts {
        let who = (count.hour, count.key_id.as_ref(), count.outcome);
        rows.entry(who)
            .and_modify(|row| {
                row.requests += count.count;
                row.first_at = row.first_at.min(count.first_at);
                row.last_at = row.last_at.max(count.last_at);
            })
            .or_insert_with(|| UsageRow {
                hour: count.hour,
                key_id: count.key_id.as_ref().map(ToString::to_string),
                outcome: count.outcome,
                requests: count.count,
                first_at: count.first_at,
                last_at: count.last_at,
            });
    }
    rows.into_values().collect()
}
