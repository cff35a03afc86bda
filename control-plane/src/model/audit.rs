//! The audit log: who changed what, when, from what to what.

use edge_api::id::Id;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::name::Name;

/// Who makes a change, when and on which request. **Every change names one.**
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// On whose authority.
    pub actor: Actor,
    /// The dashboard session that the key was presented for; `None`: it came with the request.
    pub session: Option<Id>,
    /// When.
    pub at: Timestamp,
    /// The id of the request that asks for it; `None`: no request does.
    pub request_id: Option<String>,
}

/// On whose authority a change is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The holder of the project key with that id: may change its project.
    ProjectKey(Id),
    /// The holder of the organisation key with that id: may change its organisation's projects.
    OrganisationKey(Id),
    /// Whoever works on the database itself, from the command line: may change everything.
    Cli,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum Action {
    /// An organisation was created.
    #[serde(rename = "organisation.created")]
    OrganisationCreated,
    /// An organisation key was created.
    #[serde(rename = "organisation_key.created")]
    OrganisationKeyCreated,
    /// An organisation key was revoked for good.
    #[serde(rename = "organisation_key.revoked")]
    OrganisationKeyRevoked,
    /// A project was created.
    #[serde(rename = "project.created")]
    ProjectCreated,
    /// A project was renamed.
    #[serde(rename = "project.renamed")]
    ProjectRenamed,
    /// A project was deleted, with its keys and MCP servers.
    #[serde(rename = "project.deleted")]
    ProjectDeleted,
    /// A project's settings were changed.
    #[serde(rename = "settings.changed")]
    SettingsChanged,
    /// A key was created.
    #[serde(rename = "api_key.created")]
    KeyCreated,
    /// A key was renamed, switched on or off, or its expiry moved.
    #[serde(rename = "api_key.changed")]
    KeyChanged,
    /// A key was replaced by another one, and expires.
    #[serde(rename = "api_key.rotated")]
    KeyRotated,
    /// A key was revoked for good.
    #[serde(rename = "api_key.revoked")]
    KeyRevoked,
    /// An MCP server was registered.
    #[serde(rename = "mcp_server.created")]
    ServerCreated,
    /// An MCP server was removed.
    #[serde(rename = "mcp_server.removed")]
    ServerRemoved,
}

/// A kind of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// The holder of a project key.
    ApiKey,
    /// The holder of an organisation key.
    OrganisationKey,
    /// Whoever has signed in to the dashboard with a key of either kind.
    DashboardSession,
    /// The command line.
    Cli,
}

/// A kind of thing that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// An organisation.
    Organisation,
    /// An organisation's key.
    OrganisationKey,
    /// A project.
    Project,
    /// An API key.
    ApiKey,
    /// An MCP server.
    McpServer,
}

/// An entry of the audit log. It outlives what it speaks of and is never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Counts up with every change; larger is later.
    #[schema(value_type = u64, example = 42)]
    pub id: u64,
    /// When it happened.
    #[schema(value_type = String, format = DateTime, example = "2026-11-23T12:00:00Z")]
    pub at: Timestamp,
    /// Who did it.
    pub actor: AuditActor,
    /// What was done.
    #[schema(value_type = Action)]
    pub action: String,
    /// What it was done to.
    pub target: AuditTarget,
    /// The project that it concerns; `null`: none in particular.
    #[schema(value_type = Option<String>, example = "pr_demo")]
    pub project_id: Option<Id>,
    /// The fields that changed, as they were; `null`: it did not exist.
    #[schema(value_type = Option<Object>, example = json!({"require_mcp_api_key": false}))]
    pub before: Option<Value>,
    /// The fields that changed, as they are since; `null`: it no longer exists.
    #[schema(value_type = Option<Object>, example = json!({"require_mcp_api_key": true}))]
    pub after: Option<Value>,
    /// The id of the request that asked for it; `null`: none did.
    pub request_id: Option<String>,
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditActor {
    /// What kind of caller.
    #[schema(value_type = ActorKind)]
    pub kind: String,
    /// The id of the key that was presented, with the request or to sign in; `null`: none was.
    #[schema(value_type = Option<String>, example = "key_4fZ0cL2mXv7QpT9aBd1E")]
    pub id: Option<Id>,
    /// The key's name at that time.
    #[schema(value_type = Option<String>)]
    pub name: Option<Name>,
    /// The id of the dashboard session; `null`: it was not done through the dashboard.
    #[schema(value_type = Option<String>, example = "ses_4fZ0cL2mXv7QpT9aBd1E")]
    pub session_id: Option<Id>,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditTarget {
    /// What kind of thing.
    #[schema(value_type = TargetKind)]
    pub kind: String,
    /// Its id.
    #[schema(value_type = String, example = "pr_demo")]
    pub id: Id,
    /// Its name after the change.
    #[schema(value_type = String)]
    pub name: Name,
}

impl Author {
    /// The command line.
    #[must_use]
    pub fn cli(at: Timestamp) -> Self {
        Self {
            actor: Actor::Cli,
            session: None,
            at,
            request_id: None,
        }
    }

    /// What kind of caller it is.
    #[must_use]
    pub fn kind(&self) -> ActorKind {
        match (&self.session, &self.actor) {
            (Some(_), _) => ActorKind::DashboardSession,
            (None, Actor::ProjectKey(_)) => ActorKind::ApiKey,
            (None, Actor::OrganisationKey(_)) => ActorKind::OrganisationKey,
            (None, Actor::Cli) => ActorKind::Cli,
        }
    }
}

impl Actor {
    /// The key that was presented.
    #[must_use]
    pub fn key_id(&self) -> Option<&Id> {
        match self {
            Self::ProjectKey(id) | Self::OrganisationKey(id) => Some(id),
            Self::Cli => None,
        }
    }
}

/// What differs between two states of one thing: the fields of `before` and `after` that are not the
/// same in both. A state that is not there stays `None`.
#[must_use]
pub fn difference(
    before: Option<&impl Serialize>,
    after: Option<&impl Serialize>,
) -> (Option<Value>, Option<Value>) {
    // Serialising plain data with text keys cannot fail.
    let mut before = before.map(|state| serde_json::to_value(state).unwrap_or_default());
    let mut after = after.map(|state| serde_json::to_value(state).unwrap_or_default());
    if let (Some(Value::Object(before)), Some(Value::Object(after))) = (&mut before, &mut after) {
        let same = |name: &String| before.get(name) == after.get(name);
        let same: Vec<_> = before.keys().filter(|name| same(name)).cloned().collect();
        for name in same {
            before.remove(&name);
            after.remove(&name);
        }
    }
    (before, after)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let check = |before: Option<Value>, after: Option<Value>, expected: (Value, Value)| {
            let (before, after) = difference(before.as_ref(), after.as_ref());
            assert_eq!(
                (before.unwrap_or(Value::Null), after.unwrap_or(Value::Null)),
                expected
            );
        };
        let (old, new) = (json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3, "c": 4}));
        check(
            Some(old.clone()),
            Some(new.clone()),
            (json!({"b": 2}), json!({"b": 3, "c": 4})),
        );
        check(None, Some(new.clone()), (Value::Null, new));
        check(Some(old.clone()), None, (old, Value::Null));
    }
}
