//! What is known of the requests to a project's MCP servers: counts, never a single request.

use edge_api::{id::Id, usage::Outcome};
use jiff::Timestamp;

use super::name::Name;

/// Requests that are alike, within one hour or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageCount {
    /// The hour's beginning; `None` where hours are summed up.
    pub hour: Option<Timestamp>,
    /// The key, where it is one of the project's.
    pub key_id: Option<Id>,
    /// What became of them.
    pub outcome: Outcome,
    /// What would have become of them if the project had required a key, where it did not and that is known.
    pub preview: Option<Outcome>,
    /// How many.
    pub count: u64,
    /// When the first of them was decided.
    pub first_at: Timestamp,
    /// When the last of them was.
    pub last_at: Timestamp,
}

/// A key of a project that would have been refused if the project had required one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedKey {
    /// The key.
    pub id: Id,
    /// Its name.
    pub name: Name,
    /// Why it would have been refused.
    pub reason: Outcome,
    /// How many requests came with it.
    pub count: u64,
}

/// A worker of an Envoy that reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enforcer {
    /// The worker.
    pub instance: Id,
    /// The Envoy that it belongs to.
    pub envoy: Id,
    /// The revision that it enforces; `None` when it cannot know of the latest changes.
    pub in_force: Option<u64>,
    /// When it first told of the asked revision or a later one; `None` when it has not, or that is long ago.
    pub since: Option<Timestamp>,
    /// When it was last heard.
    pub seen_at: Timestamp,
}
