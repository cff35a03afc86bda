//! A project: what a policy applies to and what keys belong to.

use edge_api::id::Id;
use jiff::Timestamp;
use serde::Serialize;

use super::{name::Name, project_config::ProjectConfig};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Project {
    /// `pr_…`, or chosen at creation.
    pub id: Id,
    /// The organisation that owns it.
    pub organisation_id: Id,
    /// For people; need not be unique.
    pub name: Name,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its settings.
    pub config: ProjectConfig,
}
