//! API keys. Only hashes come in here; a raw key never does.

use edge_api::{id::Id, key_sha256::KeySha256};
use jiff::Timestamp;
use sqlx::{Any, Transaction, any::AnyRow};

use super::{Entity, Store, StoreError, audit::Said, authority::Change, column};
use crate::model::{
    api_key::{ApiKey, Lifecycle},
    audit::{Action, Author, TargetKind},
};

/// Columns are named: the plan of a `*` breaks when another process adds a column.
macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT id, project_id, name, created_at, expires_at, revoked_at, disabled_at
             FROM api_keys ",
            $rest
        )
    };
}

impl Store {
    /// Adds a key to an existing project.
    pub async fn create_key(
        &self,
        author: &Author,
        key: &ApiKey,
        sha256: KeySha256,
    ) -> Result<(), StoreError> {
        let mut change = self.change(author).await?;
        let organisation = change.organisation_of(&key.project_id).await?;
        sqlx::query(
            "INSERT INTO api_keys (id, project_id, name, sha256, created_at, expires_at, revoked_at, disabled_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(key.id.as_str())
        .bind(key.project_id.as_str())
        .bind(key.name.as_str())
        .bind(sha256.0.to_vec())
        .bind(key.created_at.as_millisecond())
        .bind(key.lifecycle.expires_at.map(Timestamp::as_millisecond))
        .bind(key.lifecycle.revoked_at.map(Timestamp::as_millisecond))
        .bind(key.lifecycle.disabled_at.map(Timestamp::as_millisecond))
        .execute(&mut *change.transaction)
        .await
        .map_err(|error| StoreError::on_insert(error, Entity::Key, &key.id))?;
        record(&mut change, Action::KeyCreated, &organisation, None, key).await?;
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

    /// All keys, oldest first.
    pub async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        sqlx::query(select_keys!("ORDER BY created_at, id"))
            .fetch_all(&self.reads)
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// Ends a key for good. A key that was revoked before keeps its time and raises no revision.
    ///
    /// `project`: where the key must be; elsewhere it is not found. `None`: anywhere.
    pub async fn revoke_key(
        &self,
        author: &Author,
        project: Option<&Id>,
        id: &Id,
    ) -> Result<ApiKey, StoreError> {
        self.change_key(author, project, id, Action::KeyRevoked, |key| {
            key.lifecycle.revoked_at = key.lifecycle.revoked_at.or(Some(author.at));
        })
        .await
    }

    /// Switches a key off. A key that was off before keeps its time and raises no revision.
    pub async fn disable_key(
        &self,
        author: &Author,
        project: Option<&Id>,
        id: &Id,
    ) -> Result<ApiKey, StoreError> {
        self.change_key(author, project, id, Action::KeyChanged, |key| {
            key.lifecycle.disabled_at = key.lifecycle.disabled_at.or(Some(author.at));
        })
        .await
    }

    /// Switches a key on again. A key that was on before raises no revision.
    pub async fn enable_key(
        &self,
        author: &Author,
        project: Option<&Id>,
        id: &Id,
    ) -> Result<ApiKey, StoreError> {
        self.change_key(author, project, id, Action::KeyChanged, |key| {
            key.lifecycle.disabled_at = None;
        })
        .await
    }

    async fn change_key(
        &self,
        author: &Author,
        project: Option<&Id>,
        id: &Id,
        action: Action,
        apply: impl FnOnce(&mut ApiKey),
    ) -> Result<ApiKey, StoreError> {
        let mut change = self.change(author).await?;
        let before = by_id(&mut change.transaction, id).await?;
        if project.is_some_and(|project| *project != before.project_id) {
            return Err(not_found(id));
        }
        let organisation = change.organisation_of(&before.project_id).await?;
        let mut after = before.clone();
        apply(&mut after);
        if after == before {
            return Ok(after);
        }
        sqlx::query("UPDATE api_keys SET revoked_at = $2, disabled_at = $3 WHERE id = $1")
            .bind(id.as_str())
            .bind(after.lifecycle.revoked_at.map(Timestamp::as_millisecond))
            .bind(after.lifecycle.disabled_at.map(Timestamp::as_millisecond))
            .execute(&mut *change.transaction)
            .await?;
        record(&mut change, action, &organisation, Some(&before), &after).await?;
        self.commit_change(change, &after.project_id).await?;
        Ok(after)
    }
}

/// Enters what became of a key in the audit log.
async fn record(
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
pub(super) async fn by_id(
    transaction: &mut Transaction<'_, Any>,
    id: &Id,
) -> Result<ApiKey, StoreError> {
    let row = sqlx::query(select_keys!("WHERE id = $1"))
        .bind(id.as_str())
        .fetch_optional(&mut **transaction)
        .await?;
    match row {
        Some(row) => read(&row),
        None => Err(not_found(id)),
    }
}

fn not_found(id: &Id) -> StoreError {
    StoreError::NotFound {
        entity: Entity::Key,
        id: id.clone(),
    }
}

fn read(row: &AnyRow) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: column::id(row, "id")?,
        project_id: column::id(row, "project_id")?,
        name: column::text(row, "name")?,
        created_at: column::time(row, "created_at")?,
        lifecycle: Lifecycle {
            expires_at: column::optional_time(row, "expires_at")?,
            revoked_at: column::optional_time(row, "revoked_at")?,
            disabled_at: column::optional_time(row, "disabled_at")?,
        },
    })
}
