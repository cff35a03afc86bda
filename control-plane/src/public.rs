//! The public API: a project and all that is its, for who holds one of its keys or of its organisation's.

use axum::{Json, Router, routing::get};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

mod api_keys;
mod audit_log;
pub mod authenticate;

pub mod config;
pub mod config_patch;
pub mod enforcement;
mod etag;
pub(crate) mod fields;
mod id_in_path;
mod mcp_servers;
mod members;
pub mod openapi;
mod page;
mod projects;
pub mod usage;

/// The routes of the public API, and the document that describes them.
pub(crate) fn routes() -> Router<AppState> {
    let (router, document) = described().split_for_parts();
    router.route("/openapi.json", get(async move || Json(document)))
}

/// The routes and their descriptions, which cannot drift apart.
fn described() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::head())
        .routes(routes!(config::get_config, config::patch_config))
        .routes(routes!(usage::get_usage))
        .routes(routes!(enforcement::get_enforcement))
        .routes(routes!(api_keys::list_keys, api_keys::create_key))
        .routes(routes!(
            api_keys::change::patch_key,
            api_keys::change::revoke_key
        ))
        .routes(routes!(api_keys::rotate::rotate_key))
        .routes(routes!(
            mcp_servers::list_servers,
            mcp_servers::create_server
        ))
        .routes(routes!(mcp_servers::remove_server))
        .routes(routes!(projects::list_projects, projects::create_project))
        .routes(routes!(
            projects::change::rename_project,
            projects::change::delete_project
        ))
        .routes(routes!(audit_log::list_audit_log))
}
