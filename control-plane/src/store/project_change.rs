//! An organisation's projects: listing, renaming and removing them.

use edge_api::id::Id;

use super::{
    Entity, Place, Store, StoreError,
    audit::Said,
    authority::Change,
    column,
    project::{by_id, read, select_projects},
    server,
};
use crate::model::{
    audit::{Action, Author, TargetKind},
    name::Name,
    project::Project,
};

impl Store {
    /// Projects of an organisation after a place, latest first.
    pub async fn organisation_projects(
        &self,
        organisation: &Id,
        before: Option<&Place>,
        limit: u32,
    ) -> Result<Vec<Project>, StoreError> {
        sqlx::query(select_projects!(
            "WHERE organisation_id = $1 AND (created_at < $2 OR (created_at = $2 AND id < $3))
             ORDER BY created_at DESC, id DESC LIMIT $4"
        ))
        .bind(organisation.as_str())
        .bind(before.map_or(i64::MAX, |place| place.at))
        .bind(before.map_or("", |place| place.id.as_str()))
        .bind(i64::from(limit))
        .fetch_all(&self.reads)
        .await?
        .iter()
        .map(read)
        .collect()
    }

    /// The organisation that owns a project.
    pub async fn owner_of_project(&self, project: &Id) -> Result<Option<Id>, StoreError> {
        sqlx::query("SELECT organisation_id FROM projects WHERE id = $1")
            .bind(project.as_str())
            .fetch_optional(&self.reads)
            .await?
            .map(|row| column::id(&row, "organisation_id"))
            .transpose()
    }

    /// Renames a project. One of that name already raises no revision.
    pub async fn rename_project(
        &self,
        author: &Author,
        project: &Id,
        name: &Name,
    ) -> Result<Project, StoreError> {
        let mut change = self.change(author).await?;
        let before = owned(&mut change, project).await?;
        let after = Project {
            name: name.clone(),
            ..before.clone()
        };
        if after == before {
            return Ok(after);
        }
        sqlx::query("UPDATE projects SET name = $2 WHERE id = $1")
            .bind(project.as_str())
            .bind(name.as_str())
            .execute(&mut *change.transaction)
            .await?;
        change
            .record(Said {
                action: Action::ProjectRenamed,
                organisation: &before.organisation_id,
                project: Some(project),
                target: (TargetKind::Project, project, name),
                before: Some(&before),
                after: Some(&after),
            })
            .await?;
        self.commit_change(change, project).await?;
        Ok(after)
    }

    /// Removes a project with its keys and MCP servers. What the audit log says of them stays.
    pub async fn delete_project(&self, author: &Author, project: &Id) -> Result<(), StoreError> {
        let mut change = self.change(author).await?;
        let before = owned(&mut change, project).await?;
        server::remove_all(&mut change, &before.organisation_id, project).await?;
        for statement in [
            "DELETE FROM api_keys WHERE project_id = $1",
            "DELETE FROM projects WHERE id = $1",
        ] {
            sqlx::query(statement)
                .bind(project.as_str())
                .execute(&mut *change.transaction)
                .await?;
        }
        change
            .record(Said {
                action: Action::ProjectDeleted,
                organisation: &before.organisation_id,
                project: Some(project),
                target: (TargetKind::Project, project, &before.name),
                before: Some(&before),
                after: None,
            })
            .await?;
        self.commit_change(change, project).await?;
        Ok(())
    }
}

/// A project whose whole organisation the author may change.
async fn owned(change: &mut Change<'_>, project: &Id) -> Result<Project, StoreError> {
    let organisation = change.organisation_of(project).await?;
    // A project's own key is no authority over whether there is a project.
    change
        .require_organisation(&organisation)
        .map_err(|_| StoreError::NotFound {
            entity: Entity::Project,
            id: project.clone(),
        })?;
    by_id(&mut *change.transaction, project).await
}

/// Fails if the organisation has `limit` projects.
pub(super) async fn require_room(
    change: &mut Change<'_>,
    organisation: &Id,
    limit: u32,
) -> Result<(), StoreError> {
    let row = sqlx::query(
        "SELECT CAST(count(*) AS BIGINT) AS projects FROM projects WHERE organisation_id = $1",
    )
    .bind(organisation.as_str())
    .fetch_one(&mut *change.transaction)
    .await?;
    if column::unsigned(&row, "projects")? < u64::from(limit) {
        Ok(())
    } else {
        Err(StoreError::TooMany {
            entity: Entity::Project,
            limit,
        })
    }
}
