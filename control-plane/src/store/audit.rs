//! The audit log. Rows are added in the transaction of the change and never changed or removed: the
//! database itself refuses that.

use edge_api::id::Id;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sqlx::{Row as _, any::AnyRow};

use super::{Store, StoreError, authority::Change, column};
use crate::model::{
    audit::{Action, AuditActor, AuditEntry, AuditTarget, TargetKind, difference},
    name::Name,
};

/// Which entries are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditQuery {
    /// Whose entries.
    pub scope: AuditScope,
    /// Only what was done so.
    pub action: Option<Action>,
    /// Only what was done with that key.
    pub actor_id: Option<Id>,
    /// Only what was done to that thing.
    pub target_id: Option<Id>,
    /// Only what happened at this time or later.
    pub since: Option<Timestamp>,
    /// Only what happened before this time.
    pub until: Option<Timestamp>,
    /// Only entries before this one.
    pub before: Option<u64>,
    /// How many entries at most.
    pub limit: u32,
}

/// Whose entries are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditScope {
    /// Those of an existing project. Entries of an earlier project with its id and another owner are
    /// not among them.
    Project(Id),
    /// Those of an organisation, or of one of its projects, even if that was deleted.
    Organisation(Id, Option<Id>),
}

/// What an entry says beside who and when.
pub(super) struct Said<'a, T> {
    pub(super) action: Action,
    pub(super) organisation: &'a Id,
    pub(super) project: Option<&'a Id>,
    pub(super) target: (TargetKind, &'a Id, &'a Name),
    pub(super) before: Option<&'a T>,
    pub(super) after: Option<&'a T>,
}

impl Change<'_> {
    /// Adds an entry about this change.
    pub(super) async fn record<T: Serialize>(
        &mut self,
        said: Said<'_, T>,
    ) -> Result<(), StoreError> {
        let (before, after) = difference(said.before, said.after);
        let (kind, id, name) = said.target;
        // Changes come one after the other, so the next number is nobody else's.
        sqlx::query(
            "INSERT INTO audit_log (
                 seq, at, organisation_id, project_id, actor_kind, actor_id, actor_name,
                 action, target_kind, target_id, target_name, before_json, after_json, request_id,
                 session_id)
             VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM audit_log),
                     $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(self.author.at.as_millisecond())
        .bind(said.organisation.as_str())
        .bind(said.project.map(Id::as_str))
        .bind(word(&self.author.kind()))
        .bind(self.author.actor.key_id().map(Id::as_str))
        .bind(self.author_name.as_ref().map(Name::as_str))
        .bind(word(&said.action))
        .bind(word(&kind))
        .bind(id.as_str())
        .bind(name.as_str())
        .bind(before.map(|value| value.to_string()))
        .bind(after.map(|value| value.to_string()))
        .bind(self.author.request_id.as_deref())
        .bind(self.author.session.as_ref().map(Id::as_str))
        .execute(&mut *self.transaction)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Entries of the audit log, latest first.
    pub async fn audit_log(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let (organisation, project) = match &query.scope {
            AuditScope::Project(project) => (None, Some(project)),
            AuditScope::Organisation(organisation, project) => {
                (Some(organisation), project.as_ref())
            }
        };
        sqlx::query(
            "SELECT seq, at, project_id, actor_kind, actor_id, actor_name,
                    action, target_kind, target_id, target_name, before_json, after_json, request_id,
                    session_id
             FROM audit_log
             WHERE organisation_id
                   = coalesce($9, (SELECT organisation_id FROM projects WHERE id = $1))
               AND (CAST($1 AS TEXT) IS NULL OR project_id = $1)
               AND seq < $2
               AND (CAST($3 AS TEXT) IS NULL OR action = $3)
               AND (CAST($4 AS TEXT) IS NULL OR actor_id = $4)
               AND (CAST($5 AS TEXT) IS NULL OR target_id = $5)
               AND at >= $6 AND at < $7
             ORDER BY seq DESC LIMIT $8",
        )
        .bind(project.map(Id::as_str))
        .bind(
            query
                .before
                .map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX)),
        )
        .bind(query.action.as_ref().map(word))
        .bind(query.actor_id.as_ref().map(Id::as_str))
        .bind(query.target_id.as_ref().map(Id::as_str))
        .bind(query.since.map_or(i64::MIN, Timestamp::as_millisecond))
        .bind(query.until.map_or(i64::MAX, Timestamp::as_millisecond))
        .bind(i64::from(query.limit))
        .bind(organisation.map(Id::as_str))
        .fetch_all(&self.reads)
        .await?
        .iter()
        .map(read)
        .collect()
    }
}

fn read(row: &AnyRow) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        id: column::unsigned(row, "seq")?,
        at: column::time(row, "at")?,
        actor: AuditActor {
            kind: row.try_get("actor_kind")?,
            id: column::optional_id(row, "actor_id")?,
            name: column::optional_text(row, "actor_name")?,
            session_id: column::optional_id(row, "session_id")?,
        },
        action: row.try_get("action")?,
        target: AuditTarget {
            kind: row.try_get("target_kind")?,
            id: column::id(row, "target_id")?,
            name: column::name(row, "target_name")?,
        },
        project_id: column::optional_id(row, "project_id")?,
        before: column::optional_text(row, "before_json")?,
        after: column::optional_text(row, "after_json")?,
        request_id: row.try_get("request_id")?,
    })
}

/// The word that a plain variant is written as.
fn word(variant: &impl Serialize) -> String {
    match serde_json::to_value(variant) {
        Ok(Value::String(word)) => word,
        // Only plain variants come here.
        _ => String::new(),
    }
}
