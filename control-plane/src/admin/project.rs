//! `project create`.

use jiff::Timestamp;

use super::{AdminError, command::CreateProject, output::Output};
use crate::{
    model::{audit::Author, limits::UNLIMITED, project::Project, project_config::ProjectConfig},
    random,
    store::Store,
};

pub(super) async fn create(
    store: &Store,
    options: CreateProject,
    now: Timestamp,
) -> Result<Output, AdminError> {
    let organisation = store.organisation(&options.org).await?;
    let mut config = ProjectConfig::for_organisation_created_at(organisation.created_at);
    if let Some(required) = options.require_mcp_api_key {
        config.require_mcp_api_key = required;
    }
    let project = Project {
        id: options.id.map_or_else(|| random::id("pr_"), Ok)?,
        organisation_id: organisation.id,
        name: options.name,
        created_at: now,
        config,
    };
    store
        .create_project(&Author::cli(now), &project, UNLIMITED)
        .await?;
    Ok(options.format.one(
        &project,
        &[
            ("project", project.id.as_str()),
            ("organisation", project.organisation_id.as_str()),
            ("name", project.name.as_str()),
            (
                "require_mcp_api_key",
                &project.config.require_mcp_api_key.to_string(),
            ),
        ],
    ))
}
