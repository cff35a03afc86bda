//! `server create` and `remove`.

use edge_api::id::Id;
use jiff::Timestamp;
use uuid::Uuid;

use super::{
    AdminError,
    command::{CreateServer, RemoveServer},
    output::Output,
};
use crate::{
    model::{audit::Author, limits::UNLIMITED, server::McpServer},
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
    store
        .create_server(&Author::cli(now), &server, UNLIMITED)
        .await?;
    Ok(options.format.one(
        &server,
        &[
            ("server", server.id.as_str()),
            ("project", server.project_id.as_str()),
            ("name", server.name.as_str()),
        ],
    ))
}

pub(super) async fn remove(
    store: &Store,
    options: RemoveServer,
    now: Timestamp,
) -> Result<Output, AdminError> {
    let server = store
        .remove_server(&Author::cli(now), None, &options.id)
        .await?;
    Ok(options.format.one(
        &server,
        &[
            ("removed", server.id.as_str()),
            ("project", server.project_id.as_str()),
            ("name", server.name.as_str()),
        ],
    ))
}
