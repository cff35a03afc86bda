//! Keys of organisations. Only hashes come in here; a raw key never does.

use edge_api::{id::Id, key_sha256::KeySha256};
use jiff::Timestamp;
use sqlx::any::{AnyExecutor, AnyRow};

use super::{Entity, Store, StoreError, audit::Said, column, error::if_found};
use crate::model::{
    audit::{Action, Author, TargetKind},
    organisation_key::OrganisationKey,
};

/// Columns are named: the plan of a `*` breaks when another process adds a column.
macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT id, organisation_id, name, masked_key, created_at, expires_at, revoked_at
             FROM organisation_keys ",
            $rest
        )
    };
}

impl Store {
    /// Adds a key to an existing organisation.
    pub async fn create_organisation_key(
        &self,
        author: &Author,
        key: &OrganisationKey,
        sha256: KeySha256,
    ) -> Result<(), StoreError> {
        let mut change = self.change(author).await?;
        change.require_organisation(&key.organisation_id)?;
        let owned = sqlx::query(
            "INSERT INTO organisation_keys (id, organisation_id, name, sha256, masked_key, created_at, expires_at)
             SELECT $1, id, $3, $4, $5, $6, $7 FROM organisations WHERE id = $2",
        )
        .bind(key.id.as_str())
        .bind(key.organisation_id.as_str())
        .bind(key.name.as_str())
        .bind(sha256.0.to_vec())
        .bind(key.masked_key.as_str())
        .bind(key.created_at.as_millisecond())
        .bind(key.expires_at.map(Timestamp::as_millisecond))
        .execute(&mut *change.transaction)
        .await
        .map_err(|error| StoreError::on_insert(error, Entity::OrganisationKey, &key.id))?
        .rows_affected();
        if owned == 0 {
            return Err(StoreError::NotFound {
                entity: Entity::Organisation,
                id: key.organisation_id.clone(),
            });
        }
        change
            .record(Said {
                action: Action::OrganisationKeyCreated,
                organisation: &key.organisation_id,
                project: None,
                target: (TargetKind::OrganisationKey, &key.id, &key.name),
                before: None,
                after: Some(key),
            })
            .await?;
        change.transaction.commit().await?;
        Ok(())
    }

    /// Ends a key for good. A key that was revoked before keeps its time.
    pub async fn revoke_organisation_key(
        &self,
        author: &Author,
        id: &Id,
    ) -> Result<OrganisationKey, StoreError> {
        let mut change = self.change(author).await?;
        let before = by_id(&mut *change.transaction, id).await?;
        change.require_organisation(&before.organisation_id)?;
        if before.revoked_at.is_some() {
            return Ok(before);
        }
        let after = OrganisationKey {
            revoked_at: Some(author.at),
            ..before.clone()
        };
        sqlx::query("UPDATE organisation_keys SET revoked_at = $2 WHERE id = $1")
            .bind(id.as_str())
            .bind(author.at.as_millisecond())
            .execute(&mut *change.transaction)
            .await?;
        change
            .record(Said {
                action: Action::OrganisationKeyRevoked,
                organisation: &after.organisation_id,
                project: None,
                target: (TargetKind::OrganisationKey, &after.id, &after.name),
                before: Some(&before),
                after: Some(&after),
            })
            .await?;
        change.transaction.commit().await?;
        Ok(after)
    }

    /// The key with that hash, whatever its state.
    pub async fn organisation_key_by_sha256(
        &self,
        sha256: KeySha256,
    ) -> Result<Option<OrganisationKey>, StoreError> {
        sqlx::query(select_keys!("WHERE sha256 = $1"))
            .bind(sha256.0.to_vec())
            .fetch_optional(&self.reads)
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    /// The key with that id, whatever its state.
    pub async fn organisation_key(&self, id: &Id) -> Result<Option<OrganisationKey>, StoreError> {
        if_found(by_id(&self.reads, id).await)
    }

    /// All keys of organisations, oldest first.
    pub async fn organisation_keys(&self) -> Result<Vec<OrganisationKey>, StoreError> {
        sqlx::query(select_keys!("ORDER BY created_at, id"))
            .fetch_all(&self.reads)
            .await?
            .iter()
            .map(read)
            .collect()
    }
}

/// The key with that id, whatever its state and organisation.
pub(super) async fn by_id(
    executor: impl AnyExecutor<'_>,
    id: &Id,
) -> Result<OrganisationKey, StoreError> {
    let row = sqlx::query(select_keys!("WHERE id = $1"))
        .bind(id.as_str())
        .fetch_optional(executor)
        .await?;
    match row {
        Some(row) => read(&row),
        None => Err(StoreError::NotFound {
            entity: Entity::OrganisationKey,
            id: id.clone(),
        }),
    }
}

fn read(row: &AnyRow) -> Result<OrganisationKey, StoreError> {
    Ok(OrganisationKey {
        id: column::id(row, "id")?,
        organisation_id: column::id(row, "organisation_id")?,
        name: column::name(row, "name")?,
        masked_key: column::text(row, "masked_key")?,
        created_at: column::time(row, "created_at")?,
        expires_at: column::optional_time(row, "expires_at")?,
        revoked_at: column::optional_time(row, "revoked_at")?,
    })
}
