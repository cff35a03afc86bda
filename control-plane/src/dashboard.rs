//! The dashboard: pages for a project's owner, and the session that a browser has with them.
//!
//! The pages are static and talk to the public API like anybody else, with the cookie of a session in
//! place of a key. Nothing here knows what the API does.

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, header},
    middleware::{self, Next},
    response::{Redirect, Response},
    routing::get,
};
use ipnet::IpNet;
use jiff::SignedDuration;

use self::{mcp_url::McpUrl, sign_in_limit::SignInLimit};
use crate::app::AppState;

mod assets;
pub(crate) mod cookie;
pub mod mcp_url;
pub(crate) mod own_page;
mod peer;
mod session;
mod sign_in;
pub mod sign_in_limit;

/// Nothing but the dashboard's own files, no inline script or style, no frame around it, and no way for
/// text to become markup.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// What the dashboard is told by its operator, and what it keeps in memory.
#[derive(Debug)]
pub struct Dashboard {
    /// How long a session lasts.
    pub session_ttl: SignedDuration,
    /// Where the projects' MCP servers are; `None`: the pages ask their reader.
    pub mcp_url: Option<McpUrl>,
    /// Proxies that are believed when they say for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
    /// Who may try to sign in.
    pub sign_ins: SignInLimit,
}

/// The pages and the session.
pub(crate) fn routes() -> Router<AppState> {
    let to_dashboard = get(async || Redirect::to("/dashboard/"));
    Router::new()
        .route("/", to_dashboard.clone())
        .route("/dashboard", to_dashboard)
        .route("/dashboard/", get(assets::page))
        .route("/dashboard/{*page}", get(assets::page))
        .route("/dashboard/assets/{*file}", get(assets::file))
        .route(
            "/dashboard/session",
            get(session::get)
                .post(sign_in::post)
                .delete(session::delete),
        )
        .layer(middleware::from_fn(harden))
}

async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(
        "cross-origin-opener-policy",
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("same-origin"),
    );
    response
}
