//! MCP servers.

use sqlx::any::AnyRow;

use super::{Entity, Store, StoreError, column};
use crate::model::server::McpServer;

impl Store {
    /// Adds an MCP server to an existing project.
    pub async fn create_server(&self, server: &McpServer) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let owned = sqlx::query(
            "INSERT INTO mcp_servers (id, project_id, name, created_at)
             SELECT $1, id, $3, $4 FROM projects WHERE id = $2",
        )
        .bind(server.id.as_str())
        .bind(server.project_id.as_str())
        .bind(server.name.as_str())
        .bind(server.created_at.as_millisecond())
        .execute(&mut *transaction)
        .await
        .map_err(|error| StoreError::on_insert(error, Entity::Server, &server.id))?
        .rows_affected();
        if owned == 0 {
            return Err(StoreError::NotFound {
                entity: Entity::Project,
                id: server.project_id.clone(),
            });
        }
        self.commit_change(transaction, &server.project_id).await?;
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
