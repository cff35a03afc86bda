//! `GET /edge/v1/changes`: a long poll for changed projects.

use std::time::Duration;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use edge_api::changes::{Change, ChangesQuery, ChangesResponse, MAX_WAIT_MS};
use tokio::time::{Instant, timeout_at};

use crate::{app::AppState, error::ApiError, store::Changes};

/// Answers when a project changes, when the database turns out to have been restored, when the wait is over, or when the
/// process shuts down.
pub(super) async fn changes(
    State(state): State<AppState>,
    query: Result<Query<ChangesQuery>, QueryRejection>,
) -> Result<Json<ChangesResponse>, ApiError> {
    let Query(query) = query.map_err(|rejection| ApiError::InvalidQuery(rejection.body_text()))?;
    let deadline = Instant::now() + wait(query.wait_ms);
    // Subscribed before the first read, so that no commit falls between the two.
    let mut standings = state.store.standings();
    standings.mark_unchanged();
    let mut changes = state.store.changes_after(query.after).await?;
    let incarnation = changes.standing.incarnation.clone();
    while changes.are_none() && changes.standing.incarnation == incarnation {
        let woken = state
            .shutdown
            .run_until_cancelled(timeout_at(deadline, standings.changed()))
            .await;
        if !matches!(woken, Some(Ok(Ok(())))) {
            break;
        }
        let standing = standings.borrow_and_update().clone();
        changes = state.store.changes_since(&standing, query.after).await?;
    }
    Ok(Json(answer(changes)))
}

fn wait(wish_ms: u64) -> Duration {
    Duration::from_millis(wish_ms.min(MAX_WAIT_MS))
}

fn answer(changes: Changes) -> ChangesResponse {
    ChangesResponse {
        incarnation: Some(changes.standing.incarnation),
        revision: changes.standing.revision,
        reset: changes.projects.is_none(),
        changes: changes
            .projects
            .into_iter()
            .flatten()
            .map(|(project_id, revision)| Change {
                project_id,
                revision,
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_wish_is_cut_to_a_minute() {
        for (wish_ms, seconds) in [
            (0, 0),
            (30_000, 30),
            (60_000, 60),
            (60_001, 60),
            (u64::MAX, 60),
        ] {
            assert_eq!(wait(wish_ms), Duration::from_secs(seconds), "{wish_ms}");
        }
    }
}
