//! Changes to keys.

use edge_api::{id::Id, key_sha256::KeySha256};
use jiff::Timestamp;

use super::{
    KeyRefusal, Store, StoreError,
    authority::Change,
    key::{by_id, insert, not_found, record, require_room},
};
use crate::model::{
    api_key::{ApiKey, KeyPatch, KeyStatus},
    audit::{Action, Author},
};

/// A key and the one that replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The replaced key, with the expiry that the rotation gave it.
    pub old: ApiKey,
    /// Its replacement.
    pub new: ApiKey,
}

// `project` says where a key must be; elsewhere it is not found. `None`: anywhere.
impl Store {
    /// Ends a key for good. A key that was revoked before keeps its time and raises no revision.
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

    /// Changes what may be changed of a key that is not revoked. A key that is that way already raises
    /// no revision. `limit`: how many keys its project may have, should an expired one come back.
    pub async fn update_key(
        &self,
        author: &Author,
        project: &Id,
        id: &Id,
        patch: &KeyPatch,
        limit: u32,
    ) -> Result<ApiKey, StoreError> {
        let mut change = self.change(author).await?;
        let (organisation, before) = owned(&mut change, Some(project), id).await?;
        let status = before.lifecycle.status(author.at);
        if status == KeyStatus::Revoked {
            return Err(KeyRefusal::Revoked.into());
        }
        let after = before.patched(patch, author.at);
        if before.replaced_by.is_some() && after.lifecycle.outlives(&before.lifecycle) {
            return Err(KeyRefusal::Replaced.into());
        }
        if status == KeyStatus::Expired && after.lifecycle.status(author.at) != status {
            require_room(&mut change, project, limit).await?;
        }
        if after == before {
            return Ok(after);
        }
        self.replace(change, Action::KeyChanged, &organisation, &before, &after)
            .await?;
        Ok(after)
    }

    /// Adds `new`, and lets the live key `id` expire at `expires_at` unless it does so earlier.
    pub async fn rotate_key(
        &self,
        author: &Author,
        project: Option<&Id>,
        id: &Id,
        expires_at: Timestamp,
        new: impl FnOnce(&ApiKey) -> (ApiKey, KeySha256),
        limit: u32,
    ) -> Result<Rotated, StoreError> {
        let mut change = self.change(author).await?;
        let (organisation, before) = owned(&mut change, project, id).await?;
        match before.lifecycle.status(author.at) {
            KeyStatus::Live => {}
            KeyStatus::Revoked => return Err(KeyRefusal::Revoked.into()),
            KeyStatus::Expired | KeyStatus::Disabled => return Err(KeyRefusal::NotLive.into()),
        }
        if before.replaced_by.is_some() {
            return Err(KeyRefusal::Replaced.into());
        }
        require_room(&mut change, &before.project_id, limit).await?;
        let (new, sha256) = new(&before);
        insert(&mut change, &organisation, &new, sha256).await?;
        let mut old = before.clone();
        old.replaced_by = Some(new.id.clone());
        old.lifecycle.expires_at = old
            .lifecycle
            .expires_at
            .map_or(Some(expires_at), |earlier| Some(earlier.min(expires_at)));
        self.replace(change, Action::KeyRotated, &organisation, &before, &old)
            .await?;
        Ok(Rotated { old, new })
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
        let (organisation, before) = owned(&mut change, project, id).await?;
        let mut after = before.clone();
        apply(&mut after);
        if after != before {
            self.replace(change, action, &organisation, &before, &after)
                .await?;
        }
        Ok(after)
    }

    /// Writes what became of a key, and commits.
    async fn replace(
        &self,
        mut change: Change<'_>,
        action: Action,
        organisation: &Id,
        before: &ApiKey,
        after: &ApiKey,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE api_keys SET name = $2, expires_at = $3, revoked_at = $4, disabled_at = $5,
                                 replaced_by = $6
             WHERE id = $1",
        )
        .bind(after.id.as_str())
        .bind(after.name.as_str())
        .bind(after.lifecycle.expires_at.map(Timestamp::as_millisecond))
        .bind(after.lifecycle.revoked_at.map(Timestamp::as_millisecond))
        .bind(after.lifecycle.disabled_at.map(Timestamp::as_millisecond))
        .bind(after.replaced_by.as_ref().map(Id::as_str))
        .execute(&mut *change.transaction)
        .await?;
        record(&mut change, action, organisation, Some(before), after).await?;
        self.commit_change(change, &after.project_id).await?;
        Ok(())
    }
}

/// A key that the author may change, and its organisation.
async fn owned(
    change: &mut Change<'_>,
    project: Option<&Id>,
    id: &Id,
) -> Result<(Id, ApiKey), StoreError> {
    let key = by_id(&mut *change.transaction, id).await?;
    if project.is_some_and(|project| *project != key.project_id) {
        return Err(not_found(id));
    }
    let organisation = change.organisation_of(&key.project_id).await?;
    Ok((organisation, key))
}
