//! Organisations.

use sqlx::any::AnyRow;

use super::{Entity, Store, StoreError, audit::Said, column};
use crate::model::{
    audit::{Action, Author, TargetKind},
    organisation::Organisation,
};

impl Store {
    /// Adds an organisation. Raises no revision: no answer of the edge API depends on it.
    pub async fn create_organisation(
        &self,
        author: &Author,
        organisation: &Organisation,
    ) -> Result<(), StoreError> {
        let mut change = self.change(author).await?;
        change.require_organisation(&organisation.id)?;
        sqlx::query("INSERT INTO organisations (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(organisation.id.as_str())
            .bind(organisation.name.as_str())
            .bind(organisation.created_at.as_millisecond())
            .execute(&mut *change.transaction)
            .await
            .map_err(|error| {
                StoreError::on_insert(error, Entity::Organisation, &organisation.id)
            })?;
        change
            .record(Said {
                action: Action::OrganisationCreated,
                organisation: &organisation.id,
                project: None,
                target: (
                    TargetKind::Organisation,
                    &organisation.id,
                    &organisation.name,
                ),
                before: None,
                after: Some(organisation),
            })
            .await?;
        change.transaction.commit().await?;
        Ok(())
    }

    /// The organisation with that id.
    pub async fn organisation(&self, id: &edge_api::id::Id) -> Result<Organisation, StoreError> {
        let row = sqlx::query("SELECT id, name, created_at FROM organisations WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.reads)
            .await?;
        match row {
            Some(row) => read(&row),
            None => Err(StoreError::NotFound {
                entity: Entity::Organisation,
                id: id.clone(),
            }),
        }
    }

    /// All organisations, oldest first.
    pub async fn organisations(&self) -> Result<Vec<Organisation>, StoreError> {
        sqlx::query("SELECT id, name, created_at FROM organisations ORDER BY created_at, id")
            .fetch_all(&self.reads)
            .await?
            .iter()
            .map(read)
            .collect()
    }
}

fn read(row: &AnyRow) -> Result<Organisation, StoreError> {
    Ok(Organisation {
        id: column::id(row, "id")?,
        name: column::name(row, "name")?,
        created_at: column::time(row, "created_at")?,
    })
}
