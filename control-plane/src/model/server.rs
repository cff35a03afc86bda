//! An MCP server: an id in a URL that stands for its project.

use edge_api::id::Id;
use jiff::Timestamp;
use serde::Serialize;

use super::name::Name;

/// An MCP server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct McpServer {
    /// UUID v4, or chosen at creation.
    pub id: Id,
    /// The project that it belongs to.
    pub project_id: Id,
    /// For people; need not be unique.
    pub name: Name,
    /// When it was created.
    pub created_at: Timestamp,
}
