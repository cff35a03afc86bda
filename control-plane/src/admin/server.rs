//! `server create`.

use edge_api::id::Id;
use jiff::Timestamp;
use uuid::Uuid;

use super::{AdminError, command::CreateServer, output::Output};
use crate::{
    model::{audit::Author, server::McpServer},
    random::IdError,
    store::Store,
};

pub(super) async fn create(
    store: &Store,
    options: CreateServer,
    now: Timestamp,
) -> Result<Output, AdminError> {
    let id = match options.id {
        Some(id) => id,
        None => Id::parse(&Uuid::new_v4().to_string()).map_err(IdError::from)?,
    };
    let server = McpServer {
        id,
        project_id: options.project,
        name: options.name,
        created_at: now,
    };
    store.create_server(&Author::cli(now), &server).await?;
    Ok(options.format.one(
        &server,
        &[
            ("server", server.id.as_str()),
            ("project", server.project_id.as_str()),
            ("name", server.name.as_str()),
        ],
    ))
}
