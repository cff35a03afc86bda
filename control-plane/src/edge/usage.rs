//! `POST /edge/v1/usage`: takes counts of requests.

use axum::{Json, extract::State};
use edge_api::usage::{MAX_ROWS, UsageBatch, UsageResponse};

use crate::{app::AppState, body::AnyBody, error::ApiError};

/// More requests than a worker can count between two reports.
const MAX_COUNT: u64 = 1 << 40;

/// Counts a batch, unless it was counted before.
pub(super) async fn usage(
    State(state): State<AppState>,
    AnyBody(body): AnyBody,
) -> Result<Json<UsageResponse>, ApiError> {
    let batch: UsageBatch = serde_json::from_slice(&body).map_err(|error| {
        state.metrics.refused_usage(0);
        ApiError::InvalidBody(error.to_string())
    })?;
    let rows = batch.rows.len();
    check(&batch).inspect_err(|_| state.metrics.refused_usage(rows))?;
    let counted = state.store.count_usage(&batch, state.clock.now()).await?;
    state.metrics.took_usage(counted.batch, rows);
    Ok(Json(UsageResponse {
        sequence: counted.sequence,
    }))
}

fn check(batch: &UsageBatch) -> Result<(), ApiError> {
    let refuse = |problem: &str| Err(ApiError::InvalidBody(problem.to_owned()));
    if batch.rows.len() > MAX_ROWS {
        return refuse("rows holds more than 150 rows; send them in several batches");
    }
    if !batch
        .rows
        .iter()
        .all(|row| (1..=MAX_COUNT).contains(&row.count))
    {
        return refuse("a row's count is 0 or larger than 2^40");
    }
    Ok(())
}
