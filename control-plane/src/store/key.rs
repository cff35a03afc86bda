//! API keys. Only hashes come in here; a raw key never does.

use edge_api::{id::Id, key_sha256::KeySha256};
use jiff::Timestamp;
use sqlx::any::{AnyExecutor, AnyRow};

use super::{Entity, Store, StoreError, audit::Said, authority::Change, column, error::if_found};
use crate::model::{
    api_key::{ApiKey, KeyStatus, Lifecycle},
    audit::{Action, Author, TargetKind},
};

/// Which keys of a project are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyQuery {
    /// The project.
    pub project: Id,
    /// Only keys in one of these states, judged at `now`.
    pub statuses: Vec<KeyStatus>,
    /// What time it is.
    pub now: Timestamp,
    /// Only keys that come after this place.
    pub before: Option<Place>,
    /// How many keys at most.
    pub limit: u32,
}

/// A place in a list that is ordered by creation, latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// When the item there was created, in milliseconds since the Unix epoch.
    pub at: i64,
    /// Its id.
    pub id: Id,
}

/// Columns are named: the plan of a `*` breaks when another process adds a column.
macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT id, project_id, name, created_at, expires_at, revoked_at, disabled_at,
                    masked_key, last_used_at, replaced_by
             FROM api_keys ",
            $rest
        )
    };
}

impl Store {
    /// Adds a key to an existing project that has less than `limit` of them.
    pub async fn create_key(
        &self,
        author: &Author,
        key: &ApiKey,
        sha256: KeySha256,
        limit: u32,
    ) -> Result<(), StoreError> {
        let mut change = self.change(author).await?;
        let organisation = change.organisation_of(&key.project_id).await?;
        require_room(&mut change, &key.project_id, limit).await?;
        insert(&mut change, &organisation, key, sha256).await?;
        self.commit_change(change, &key.project_id).await?;
        Ok(())
    }

    /// The key with that hash, whatever its state.
    pub async fn key_by_sha256(&self, sha256: KeySha256) -> Result<Option<ApiKey>, StoreError> {
        sqlx::query(select_keys!("WHERE sha256 = $1"))
            .bind(sha256.0.to_vec())
            .fetch_optional(&self.reads)
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    /// The key with that id, whatever its state.
    pub async fn key(&self, id: &Id) -> Result<Option<ApiKey>, StoreError> {
        if_found(by_id(&self.reads, id).await)
    }

    /// All keys, oldest first.
    pub async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        sqlx::query(select_keys!("ORDER BY created_at, id"))
            .fetch_all(&self.reads)
            .await?
            .iter()
            .map(read)
            .collect()
    }
}

impl Store {
    /// Keys of a project, latest first.
    pub async fn project_keys(&self, query: &KeyQuery) -> Result<Vec<ApiKey>, StoreError> {
        let wanted = |status: KeyStatus| i64::from(query.statuses.contains(&status));
        // The same order of reasons as `Lifecycle::status`.
        sqlx::query(select_keys!(
            "WHERE project_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
               AND CASE WHEN revoked_at IS NOT NULL THEN $5
                        WHEN expires_at <= $4 THEN $6
                        WHEN disabled_at IS NOT NULL THEN $7
                        ELSE $8 END = 1
             ORDER BY created_at DESC, id DESC LIMIT $9"
        ))
        .bind(query.project.as_str())
        .bind(query.before.as_ref().map_or(i64::MAX, |place| place.at))
        .bind(query.before.as_ref().map_or("", |place| place.id.as_str()))
        .bind(query.now.as_millisecond())
        .bind(wanted(KeyStatus::Revoked))
        .bind(wanted(KeyStatus::Expired))
        .bind(wanted(KeyStatus::Disabled))
        .bind(wanted(KeyStatus::Live))
        .bind(i64::from(query.limit))
        .fetch_all(&self.reads)
        .await?
        .iter()
        .map(read)
        .collect()
    }
}

/// Fails if the project has `limit` keys that are neither revoked nor expired.
pub(super) async fn require_room(
    change: &mut Change<'_>,
    project: &Id,
    limit: u32,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT CAST(count(*) AS BIGINT) AS keys FROM api_keys
         WHERE project_id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(project.as_str())
    .bind(change.author.at.as_millisecond())
    .fetch_one(&mut *change.transaction)
    .await?;
    if column::unsigned(&row, "keys")? < u64::from(limit) {
        Ok(())
    } else {
        Err(StoreError::TooMany {
            entity: Entity::Key,
            limit,
        })
    }
}

/// Adds a row and its entry in the audit log.
pub(super) async fn insert(
    change: &mut Change<'_>,
    organisation: &Id,
    key: &ApiKey,
    sha256: KeySha256,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO api_keys (id, project_id, name, sha256, created_at, expires_at, revoked_at, disabled_at,
                               masked_key)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(key.id.as_str())
    .bind(key.project_id.as_str())
    .bind(key.name.as_str())
    .bind(sha256.0.to_vec())
    .bind(key.created_at.as_millisecond())
    .bind(key.lifecycle.expires_at.map(Timestamp::as_millisecond))
    .bind(key.lifecycle.revoked_at.map(Timestamp::as_millisecond))
    .bind(key.lifecycle.disabled_at.map(Timestamp::as_millisecond))
    .bind(key.masked_key.as_str())
    .execute(&mut *change.transaction)
    .await
    .map_err(|error| StoreError::on_insert(error, Entity::Key, &key.id))?;
    record(change, Action::KeyCreated, organisation, None, key).await
}

/// Enters what became of a key in the audit log.
pub(super) async fn record(
    change: &mut Change<'_>,
    action: Action,
    organisation: &Id,
    before: Option<&ApiKey>,
    after: &ApiKey,
) -> Result<(), StoreError> {
    change
        .record(Said {
            action,
            organisation,
            project: Some(&after.project_id),
            target: (TargetKind::ApiKey, &after.id, &after.name),
            before,
            after: Some(after),
        })
        .await
}

/// The key with that id, whatever its state and project.
pub(super) async fn by_id(executor: impl AnyExecutor<'_>, id: &Id) -> Result<ApiKey, StoreError> {
    let row = sqlx::query(select_keys!("WHERE id = $1"))
        .bind(id.as_str())
        .fetch_optional(executor)
        .await?;
    match row {
        Some(row) => read(&row),
        None => Err(not_found(id)),
    }
}

pub(super) fn not_found(id: &Id) -> StoreError {
    StoreError::NotFound {
        entity: Entity::Key,
        id: id.clone(),
    }
}

fn read(row: &AnyRow) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: column::id(row, "id")?,
        project_id: column::id(row, "project_id")?,
        name: column::name(row, "name")?,
        created_at: column::time(row, "created_at")?,
        lifecycle: Lifecycle {
            expires_at: column::optional_time(row, "expires_at")?,
            revoked_at: column::optional_time(row, "revoked_at")?,
            disabled_at: column::optional_time(row, "disabled_at")?,
        },
        masked_key: column::text(row, "masked_key")?,
        last_used_at: column::optional_time(row, "last_used_at")?,
        replaced_by: column::optional_id(row, "replaced_by")?,
    })
}
