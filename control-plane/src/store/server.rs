//! MCP servers.

use sqlx::any::AnyRow;

use super::{Entity, Store, StoreError, audit::Said, column};
use crate::model::{
    audit::{Action, Author, TargetKind},
    server::McpServer,
};

impl Store {
    /// Adds an MCP server to an existing project.
    pub async fn create_server(
        &self,
        author: &Author,
        server: &McpServer,
    ) -> Result<(), StoreError> {
        let mut change = self.change(author).await?;
        let organisation = change.organisation_of(&server.project_id).await?;
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

fn read(row: &AnyRow) -> Result<McpServer, StoreError> {
    Ok(McpServer {
        id: column::id(row, "id")?,
        project_id: column::id(row, "project_id")?,
        name: column::text(row, "name")?,
        created_at: column::time(row, "created_at")?,
    })
}
