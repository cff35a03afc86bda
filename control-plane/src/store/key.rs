//! API keys. Only hashes come in here; a raw key never does.

use edge_api::{id::Id, key_sha256::KeySha256};
use jiff::Timestamp;
use sqlx::{Any, Transaction, any::AnyRow};

use super::{Entity, Store, StoreError, column};
use crate::model::api_key::{ApiKey, Lifecycle};

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
    pub async fn create_key(&self, key: &ApiKey, sha256: KeySha256) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let owned = sqlx::query(
            "INSERT INTO api_keys (id, project_id, name, sha256, created_at, expires_at, revoked_at, disabled_at)
             SELECT $1, id, $3, $4, $5, $6, $7, $8 FROM projects WHERE id = $2",
        )
        .bind(key.id.as_str())
        .bind(key.project_id.as_str())
        .bind(key.name.as_str())
        .bind(sha256.0.to_vec())
        .bind(key.created_at.as_millisecond())
        .bind(key.lifecycle.expires_at.map(Timestamp::as_millisecond))
        .bind(key.lifecycle.revoked_at.map(Timestamp::as_millisecond))
        .bind(key.lifecycle.disabled_at.map(Timestamp::as_millisecond))
        .execute(&mut *transaction)
        .await
        .map_err(|error| StoreError::on_insert(error, Entity::Key, &key.id))?
        .rows_affected();
        if owned == 0 {
            return Err(StoreError::NotFound {
                entity: Entity::Project,
                id: key.project_id.clone(),
            });
        }
        self.commit_change(transaction, &key.project_id).await?;
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
    pub async fn revoke_key(&self, id: &Id, now: Timestamp) -> Result<ApiKey, StoreError> {
        self.change_lifecycle(id, |lifecycle| Lifecycle {
            revoked_at: lifecycle.revoked_at.or(Some(now)),
            ..lifecycle
        })
        .await
    }

    /// Switches a key off. A key that was off before keeps its time and raises no revision.
    pub async fn disable_key(&self, id: &Id, now: Timestamp) -> Result<ApiKey, StoreError> {
        self.change_lifecycle(id, |lifecycle| Lifecycle {
            disabled_at: lifecycle.disabled_at.or(Some(now)),
            ..lifecycle
        })
        .await
    }

    /// Switches a key on again. A key that was on before raises no revision.
    pub async fn enable_key(&self, id: &Id) -> Result<ApiKey, StoreError> {
        self.change_lifecycle(id, |lifecycle| Lifecycle {
            disabled_at: None,
            ..lifecycle
        })
        .await
    }

    async fn change_lifecycle(
        &self,
        id: &Id,
        change: impl FnOnce(Lifecycle) -> Lifecycle,
    ) -> Result<ApiKey, StoreError> {
        let mut transaction = self.begin().await?;
        let mut key = key_by_id(&mut transaction, id).await?;
        let lifecycle = change(key.lifecycle);
        if lifecycle == key.lifecycle {
            return Ok(key);
        }
        key.lifecycle = lifecycle;
        sqlx::query("UPDATE api_keys SET revoked_at = $2, disabled_at = $3 WHERE id = $1")
            .bind(id.as_str())
            .bind(lifecycle.revoked_at.map(Timestamp::as_millisecond))
            .bind(lifecycle.disabled_at.map(Timestamp::as_millisecond))
            .execute(&mut *transaction)
            .await?;
        self.commit_change(transaction, &key.project_id).await?;
        Ok(key)
    }
}

async fn key_by_id(transaction: &mut Transaction<'_, Any>, id: &Id) -> Result<ApiKey, StoreError> {
    let row = sqlx::query(select_keys!("WHERE id = $1"))
        .bind(id.as_str())
        .fetch_optional(&mut **transaction)
        .await?;
    match row {
        Some(row) => read(&row),
        None => Err(StoreError::NotFound {
            entity: Entity::Key,
            id: id.clone(),
        }),
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
