//! The edge API: what the filter asks. Its own port, its own token.

use axum::{
    Router,
    extract::{Request, State},
    http::header,
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};

use crate::{app::AppState, error::ApiError};

pub mod changes;
pub mod check;
pub mod edge_token;
pub mod ttl;
pub mod usage;

/// The routes that answer at once.
pub(crate) fn check_routes(state: &AppState) -> Router<AppState> {
    guarded(
        Router::new()
            .route(edge_api::CHECK_PATH, post(check::check))
            .route(edge_api::USAGE_PATH, post(usage::usage)),
        state,
    )
}

/// The routes that may wait.
pub(crate) fn change_routes(state: &AppState) -> Router<AppState> {
    let changes = get(changes::changes)
        .route_layer(middleware::from_fn_with_state(state.clone(), count_poll));
    guarded(Router::new().route(edge_api::CHANGES_PATH, changes), state)
}

/// No route of the edge API can be reached without the token.
fn guarded(routes: Router<AppState>, state: &AppState) -> Router<AppState> {
    routes.route_layer(middleware::from_fn_with_state(state.clone(), require_token))
}

async fn count_poll(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let _waits = state.metrics.poll_waits();
    next.run(request).await
}

async fn require_token(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let presented = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.as_bytes().split_at_checked(7))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer "))
        .map(|(_, token)| token);
    match presented {
        Some(token) if state.edge_token.is(token) => Ok(next.run(request).await),
        _ => Err(ApiError::InvalidEdgeToken),
    }
}
