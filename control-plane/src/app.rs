//! The two routers, ready to be served or to be called by tests.

use std::{any::Any, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use tokio_util::sync::CancellationToken;
use tower_http::{catch_panic::CatchPanicLayer, trace::TraceLayer};
use tracing::error;

use crate::{
    clock::Clock,
    dashboard::{self, Dashboard},
    edge::{self, edge_token::EdgeToken, ttl::Ttls},
    error::ApiError,
    health,
    metrics::{self, Api, Metrics},
    model::limits::Limits,
    public, request_id, request_log,
    store::Store,
};

/// The largest request body, in bytes.
pub const MAX_BODY: usize = 64 * 1024;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Shared>);

/// What an [`AppState`] is made of.
pub struct Shared {
    /// The database.
    pub store: Store,
    /// What is counted.
    pub metrics: Metrics,
    /// The time.
    pub clock: Box<dyn Clock>,
    /// What the edge API's callers must present.
    pub edge_token: EdgeToken,
    /// How long the edge API's answers may be served.
    pub ttls: Ttls,
    /// How much one project or organisation may have.
    pub limits: Limits,
    /// What the dashboard needs.
    pub dashboard: Dashboard,
    /// How long a request may take that is not a long poll.
    pub request_timeout: Duration,
    /// Cancelled when the process shuts down: long polls end at once.
    pub shutdown: CancellationToken,
}

impl AppState {
    /// Shares `shared` between the handlers.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }
}

impl std::ops::Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// The public API, the dashboard, health.
pub fn public_app(state: AppState) -> Router {
    let routes = public::routes()
        .merge(dashboard::routes())
        .merge(health::routes());
    layered(with_timeout(routes, &state), state, Api::Public)
}

/// The edge API: checks, changes, health.
pub fn edge_app(state: AppState) -> Router {
    let quick = with_timeout(edge::check_routes(&state).merge(health::routes()), &state);
    layered(quick.merge(edge::change_routes(&state)), state, Api::Edge)
}

fn with_timeout(routes: Router<AppState>, state: &AppState) -> Router<AppState> {
    routes.route_layer(middleware::from_fn_with_state(state.clone(), end_in_time))
}

async fn end_in_time(State(state): State<AppState>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(state.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::Timeout.into_response(),
    }
}

/// What every route gets. The last layer is the outermost.
fn layered(routes: Router<AppState>, state: AppState, api: Api) -> Router {
    let counted = (state.metrics.clone(), api);
    let trace = TraceLayer::new_for_http()
        .make_span_with(request_log::span)
        .on_request(())
        .on_response(request_log::answered)
        .on_failure(());
    routes
        .fallback(async || ApiError::NotFound)
        .method_not_allowed_fallback(async || ApiError::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(trace)
        .layer(middleware::from_fn_with_state(
            counted,
            metrics::http::layer,
        ))
        .layer(middleware::from_fn(request_id::layer))
        .with_state(state)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the panic over"
)]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    error!(message, "a handler panicked");
    ApiError::Panicked.into_response()
}
