//! Changes and who may make them. **What a caller may do is judged in the transaction that does it**:
//! a key that was revoked since the request was let in changes nothing.

use edge_api::id::Id;
use sqlx::{Any, Transaction};

use super::{Entity, Store, StoreError, column, error::if_found, key, organisation_key};
use crate::model::{
    api_key::KeyStatus,
    audit::{Actor, Author},
    name::Name,
};

/// A transaction that no other change can be in, by an author whose authority still holds.
pub(super) struct Change<'a> {
    /// The transaction; dropping it changes nothing.
    pub(super) transaction: Transaction<'static, Any>,
    pub(super) author: &'a Author,
    /// The name of the author's key.
    pub(super) author_name: Option<Name>,
    reach: Reach,
}

/// What an author may change.
enum Reach {
    /// One project.
    Project(Id),
    /// One organisation, with all its projects.
    Organisation(Id),
    /// Everything.
    All,
}

impl Store {
    /// Begins a change, if the author's key is still live.
    pub(super) async fn change<'a>(&self, author: &'a Author) -> Result<Change<'a>, StoreError> {
        let mut transaction = self.begin().await?;
        let (reach, author_name) = match &author.actor {
            Actor::Cli => (Reach::All, None),
            Actor::ProjectKey(id) => {
                let key = if_found(key::by_id(&mut *transaction, id).await)?
                    .ok_or(StoreError::NotAuthorised)?;
                match key.lifecycle.status(author.at) {
                    KeyStatus::Live => (Reach::Project(key.project_id), Some(key.name)),
                    KeyStatus::Revoked | KeyStatus::Expired | KeyStatus::Disabled => {
                        return Err(StoreError::NotAuthorised);
                    }
                }
            }
            Actor::OrganisationKey(id) => {
                let key = if_found(organisation_key::by_id(&mut *transaction, id).await)?
                    .ok_or(StoreError::NotAuthorised)?;
                match key.status(author.at) {
                    KeyStatus::Live => (Reach::Organisation(key.organisation_id), Some(key.name)),
                    KeyStatus::Revoked | KeyStatus::Expired | KeyStatus::Disabled => {
                        return Err(StoreError::NotAuthorised);
                    }
                }
            }
        };
        Ok(Change {
            transaction,
            author,
            author_name,
            reach,
        })
    }
}

impl Change<'_> {
    /// Fails unless the author may change all of that organisation. One out of reach is not told from
    /// one that does not exist.
    pub(super) fn require_organisation(&self, organisation: &Id) -> Result<(), StoreError> {
        match &self.reach {
            Reach::All => Ok(()),
            Reach::Organisation(own) if own == organisation => Ok(()),
            Reach::Organisation(_) | Reach::Project(_) => Err(StoreError::NotFound {
                entity: Entity::Organisation,
                id: organisation.clone(),
            }),
        }
    }

    /// The organisation of a project that the author may change. One out of reach is not told from
    /// one that does not exist.
    pub(super) async fn organisation_of(&mut self, project: &Id) -> Result<Id, StoreError> {
        let row = sqlx::query("SELECT organisation_id FROM projects WHERE id = $1")
            .bind(project.as_str())
            .fetch_optional(&mut *self.transaction)
            .await?;
        let organisation = row
            .map(|row| column::id(&row, "organisation_id"))
            .transpose()?;
        let within = |organisation: &Id| match &self.reach {
            Reach::Project(own) => own == project,
            Reach::Organisation(own) => own == organisation,
            Reach::All => true,
        };
        organisation
            .filter(within)
            .ok_or_else(|| StoreError::NotFound {
                entity: Entity::Project,
                id: project.clone(),
            })
    }
}
