//! MCP servers.

use edge_api::id::Id;
use sqlx::any::AnyRow;

use super::{Entity, Place, Store, StoreError, audit::Said, authority::Change, column};
use crate::model::{
    audit::{Action, Author, TargetKind},
    server::McpServer,
};

impl Store {
    /// Adds an MCP server to an existing project that has less than `limit` of them. An id that another
    /// organisation's server had is taken.
    pub async fn create_server(
        &self,
        author: &Author,
        server: &McpServer,
        limit: u32,
    ) -> Result<(), StoreError> {
        let mut change = self.change(author).await?;
        let organisation = change.organisation_of(&server.project_id).await?;
        require_room(&mut change, &server.project_id, limit).await?;
        require_free(&mut change, &organisation, &server.id).await?;
        sqlx::query(
            "INSERT INTO mcp_servers (id, project_id, name, created_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(server.id.as_str())
        .bind(server.project_id.as_str())
        .bind(server.name.as_str())
        .bind(server.created_at.as_millisecond())
        .execute(&mut *change.transaction)
        .await
        .map_err(|error| StoreError::on_insert(error, Entity::Server, &server.id))?;
        change
            .record(Said {
                action: Action::ServerCreated,
                organisation: &organisation,
                project: Some(&server.project_id),
                target: (TargetKind::McpServer, &server.id, &server.name),
                before: None,
                after: Some(server),
            })
            .await?;
        self.commit_change(change, &server.project_id).await?;
        Ok(())
    }

    /// Removes an MCP server. `project`: where it must be; elsewhere it is not found. `None`: anywhere.
    pub async fn remove_server(
        &self,
        author: &Author,
        project: Option<&Id>,
        id: &Id,
    ) -> Result<McpServer, StoreError> {
        let mut change = self.change(author).await?;
        let row =
            sqlx::query("SELECT id, project_id, name, created_at FROM mcp_servers WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional(&mut *change.transaction)
                .await?;
        let server = row.as_ref().map(read).transpose()?;
        let server = server
            .filter(|server| project.is_none_or(|project| *project == server.project_id))
            .ok_or_else(|| StoreError::NotFound {
                entity: Entity::Server,
                id: id.clone(),
            })?;
        let organisation = change.organisation_of(&server.project_id).await?;
        sqlx::query(
            "INSERT INTO retired_servers (id, organisation_id) VALUES ($1, $2)
             ON CONFLICT (id) DO NOTHING",
        )
        .bind(id.as_str())
        .bind(organisation.as_str())
        .execute(&mut *change.transaction)
        .await?;
        sqlx::query("DELETE FROM mcp_servers WHERE id = $1")
            .bind(id.as_str())
            .execute(&mut *change.transaction)
            .await?;
        change
            .record(Said {
                action: Action::ServerRemoved,
                organisation: &organisation,
                project: Some(&server.project_id),
                target: (TargetKind::McpServer, id, &server.name),
                before: Some(&server),
                after: None,
            })
            .await?;
        self.commit_change(change, &server.project_id).await?;
        Ok(server)
    }

    /// MCP servers of a project after a place, latest first.
    pub async fn project_servers(
        &self,
        project: &Id,
        before: Option<&Place>,
        limit: u32,
    ) -> Result<Vec<McpServer>, StoreError> {
        sqlx::query(
            "SELECT id, project_id, name, created_at FROM mcp_servers
             WHERE project_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
             ORDER BY created_at DESC, id DESC LIMIT $4",
        )
        .bind(project.as_str())
        .bind(before.map_or(i64::MAX, |place| place.at))
        .bind(before.map_or("", |place| place.id.as_str()))
        .bind(i64::from(limit))
        .fetch_all(&self.reads)
        .await?
        .iter()
        .map(read)
        .collect()
    }

    /// All MCP servers, oldest first.
    pub async fn servers(&self) -> Result<Vec<McpServer>, StoreError> {
        sqlx::query(
            "SELECT id, project_id, name, created_at FROM mcp_servers ORDER BY created_at, id",
        )
        .fetch_all(&self.reads)
        .await?
        .iter()
        .map(read)
        .collect()
    }
}

/// Removes the MCP servers of a project, and reserves their ids for their organisation.
pub(super) async fn remove_all(
    change: &mut Change<'_>,
    organisation: &Id,
    project: &Id,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO retired_servers (id, organisation_id)
         SELECT id, $1 FROM mcp_servers WHERE project_id = $2 ON CONFLICT (id) DO NOTHING",
    )
    .bind(organisation.as_str())
    .bind(project.as_str())
    .execute(&mut *change.transaction)
    .await?;
    sqlx::query("DELETE FROM mcp_servers WHERE project_id = $1")
        .bind(project.as_str())
        .execute(&mut *change.transaction)
        .await?;
    Ok(())
}

/// Fails if a server of another organisation had that id.
async fn require_free(
    change: &mut Change<'_>,
    organisation: &Id,
    id: &Id,
) -> Result<(), StoreError> {
    let taken =
        sqlx::query("SELECT id FROM retired_servers WHERE id = $1 AND organisation_id <> $2")
            .bind(id.as_str())
            .bind(organisation.as_str())
            .fetch_optional(&mut *change.transaction)
            .await?;
    match taken {
        None => Ok(()),
        Some(_) => Err(StoreError::AlreadyExists {
            entity: Entity::Server,
            id: id.clone(),
        }),
    }
}

/// Fails if the project has `limit` MCP servers.
async fn require_room(change: &mut Change<'_>, project: &Id, limit: u32) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT CAST(count(*) AS BIGINT) AS servers FROM mcp_servers WHERE project_id = $1",
    )
    .bind(project.as_str())
    .fetch_one(&mut *change.transaction)
    .await?;
    if column::unsigned(&row, "servers")? < u64::from(limit) {
        Ok(())
    } else {
        Err(StoreError::TooMany {
            entity: Entity::Server,
            limit,
        })
    }
}

fn read(row: &AnyRow) -> Result<McpServer, StoreError> {
    Ok(McpServer {
        id: column::id(row, "id")?,
        project_id: column::id(row, "project_id")?,
        name: column::name(row, "name")?,
        created_at: column::time(row, "created_at")?,
    })
}
