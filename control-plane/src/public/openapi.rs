//! The OpenAPI document of the public API.

use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, SecurityScheme},
};

use super::{
    api_keys::KeyFilter,
    authenticate,
    usage::{Granularity, Keys},
};
use crate::health;

/// The document as it is served at `/openapi.json`.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    super::described().into_openapi()
}

/// The document without the routes that describe themselves.
pub(super) fn head() -> utoipa::openapi::OpenApi {
    Head::openapi()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "mcp-key-auth control plane",
        description = "Settings of a project, among them whether its MCP servers require an API key."
    ),
    paths(health::healthz, health::readyz),
    // Only queries speak of these, and what queries speak of is not found by itself.
    components(schemas(KeyFilter, Granularity, Keys)),
    tags(
        (name = "project", description = "The settings of the presented key's project."),
        (name = "usage", description = "How many requests there were, with which key, and what a lock would change."),
        (name = "API keys", description = "The keys of the presented key's project."),
        (name = "MCP servers", description = "The MCP servers of the presented key's project."),
        (name = "projects", description = "The projects of the presented organisation key's organisation."),
        (name = "audit log", description = "Who changed what."),
        (name = "health", description = "Whether the service is alive and ready."),
    ),
    modifiers(&ApiKeyScheme),
)]
struct Head;

struct ApiKeyScheme;

impl Modify for ApiKeyScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, header, description) in [
            (
                "ApiKey",
                authenticate::HEADER,
                "An API key of the project, `ak_…`.",
            ),
            (
                "OrgApiKey",
                authenticate::ORGANISATION_HEADER,
                "An API key of the organisation, `oak_…`.",
            ),
            (
                "ProjectId",
                authenticate::PROJECT_HEADER,
                "The id of the organisation's project that the call is about.",
            ),
        ] {
            let value = ApiKeyValue::with_description(header, description);
            let scheme = SecurityScheme::ApiKey(ApiKey::Header(value));
            components.add_security_scheme(name, scheme);
        }
    }
}
