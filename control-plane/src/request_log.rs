//! One debug line per request. It holds no header, no query and no raw path: a caller may put a secret there.

use std::time::Duration;

use axum::{
    body::Body,
    extract::MatchedPath,
    http::{Request, Response},
};
use tracing::{Span, debug, debug_span};

use crate::request_id::RequestId;

/// The span that a request is served in.
pub(crate) fn span(request: &Request<Body>) -> Span {
    let extensions = request.extensions();
    debug_span!(
        "request",
        method = %request.method(),
        // The route, not the path.
        route = extensions.get::<MatchedPath>().map_or("none", MatchedPath::as_str),
        request_id = extensions.get::<RequestId>().map(tracing::field::display),
    )
}

/// Logs that the request was answered.
pub(crate) fn answered(response: &Response<Body>, latency: Duration, _: &Span) {
    debug!(
        status = response.status().as_u16(),
        latency_us = latency.as_micros(),
        "answered"
    );
}
