//! An organisation: the owner of projects.

use edge_api::id::Id;
use jiff::Timestamp;
use serde::Serialize;

use super::name::Name;

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Organisation {
    /// `org_…`, or chosen at creation.
    pub id: Id,
    /// For people; need not be unique.
    pub name: Name,
    /// When it was created; decides a default of its projects, see
    /// [`ProjectConfig::for_organisation_created_at`](super::project_config::ProjectConfig::for_organisation_created_at).
    pub created_at: Timestamp,
}
