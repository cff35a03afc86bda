//! Projects and their settings.

use edge_api::id::Id;
use sqlx::{
    Row as _,
    any::{AnyExecutor, AnyRow},
};

use super::{Entity, Store, StoreError, audit::Said, column, project_change::require_room};
use crate::model::{
    audit::{Action, Author, TargetKind},
    config_value::{DisplayName, LogoUrl, SignedUrlExpiry},
    project::Project,
    project_config::{ConfigPatch, LogVisibility, ProjectConfig, VersionedConfig},
};

/// The outcome of a change to a project's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updated {
    /// The settings from here on.
    pub settings: VersionedConfig,
    /// Whether they were other ones before.
    pub changed: bool,
}

/// Columns are named: the plan of a `*` breaks when another process adds a column.
macro_rules! select_projects {
    ($rest:literal) => {
        concat!(
            "SELECT id, organisation_id, name, created_at,
                    require_mcp_api_key, is_2fa_enabled, mask_secret_keys_in_connected_account,
                    log_visibility_setting, logo_url, display_name,
                    is_composio_link_enabled_for_managed_auth, signed_url_file_expiry_in_seconds,
                    config_revision
             FROM projects ",
            $rest
        )
    };
}

pub(super) use select_projects;

impl Store {
    /// Adds a project to an existing organisation that has less than `limit` of them.
    pub async fn create_project(
        &self,
        author: &Author,
        project: &Project,
        limit: u32,
    ) -> Result<(), StoreError> {
        let mut change = self.change(author).await?;
        change.require_organisation(&project.organisation_id)?;
        require_room(&mut change, &project.organisation_id, limit).await?;
        let config = &project.config;
        let owned = sqlx::query(
            "INSERT INTO projects (
                 id, organisation_id, name, created_at,
                 require_mcp_api_key, is_2fa_enabled, mask_secret_keys_in_connected_account,
                 log_visibility_setting, logo_url, display_name,
                 is_composio_link_enabled_for_managed_auth, signed_url_file_expiry_in_seconds,
                 config_revision)
             SELECT $1, id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
                    (SELECT value + 1 FROM revision WHERE id = 1)
             FROM organisations WHERE id = $2",
        )
        .bind(project.id.as_str())
        .bind(project.organisation_id.as_str())
        .bind(project.name.as_str())
        .bind(project.created_at.as_millisecond())
        .bind(i64::from(config.require_mcp_api_key))
        .bind(i64::from(config.is_2fa_enabled))
        .bind(i64::from(config.mask_secret_keys_in_connected_account))
        .bind(log_visibility_text(config.log_visibility_setting))
        .bind(config.logo_url.as_ref().map(LogoUrl::as_str))
        .bind(config.display_name.as_ref().map(DisplayName::as_str))
        .bind(
            config
                .is_composio_link_enabled_for_managed_auth
                .map(i64::from),
        )
        .bind(
            config
                .signed_url_file_expiry_in_seconds
                .map(|expiry| i64::from(expiry.seconds())),
        )
        .execute(&mut *change.transaction)
        .await
        .map_err(|error| StoreError::on_insert(error, Entity::Project, &project.id))?
        .rows_affected();
        if owned == 0 {
            return Err(StoreError::NotFound {
                entity: Entity::Organisation,
                id: project.organisation_id.clone(),
            });
        }
        change
            .record(Said {
                action: Action::ProjectCreated,
                organisation: &project.organisation_id,
                project: Some(&project.id),
                target: (TargetKind::Project, &project.id, &project.name),
                before: None,
                after: Some(project),
            })
            .await?;
        self.commit_change(change, &project.id).await?;
        Ok(())
    }

    /// All projects, oldest first.
    pub async fn projects(&self) -> Result<Vec<Project>, StoreError> {
        sqlx::query(select_projects!("ORDER BY created_at, id"))
            .fetch_all(&self.reads)
            .await?
            .iter()
            .map(read)
            .collect()
    }

    /// A project.
    pub async fn project(&self, project: &Id) -> Result<Project, StoreError> {
        by_id(&self.reads, project).await
    }

    /// The settings of a project.
    pub async fn project_config(&self, project: &Id) -> Result<VersionedConfig, StoreError> {
        let row = sqlx::query(select_projects!("WHERE id = $1"))
            .bind(project.as_str())
            .fetch_optional(&self.reads)
            .await?;
        read_versioned(&found(row, project)?)
    }

    /// Changes some settings of a project, if `allow` says so of what they are. Settings that are that
    /// way already raise no revision.
    pub async fn update_project_config(
        &self,
        author: &Author,
        project: &Id,
        patch: &ConfigPatch,
        allow: impl FnOnce(&VersionedConfig) -> bool,
    ) -> Result<Updated, StoreError> {
        let mut change = self.change(author).await?;
        let organisation = change.organisation_of(project).await?;
        let row = sqlx::query(select_projects!("WHERE id = $1"))
            .bind(project.as_str())
            .fetch_optional(&mut *change.transaction)
            .await?;
        let row = found(row, project)?;
        let (current, name) = (read_versioned(&row)?, column::name(&row, "name")?);
        if !allow(&current) {
            return Err(StoreError::ConditionFailed);
        }
        let config = current.config.patched(patch);
        if config == current.config {
            return Ok(Updated {
                settings: current,
                changed: false,
            });
        }
        // Nobody else raises the revision before this change commits, and it raises it by one.
        sqlx::query(
            "UPDATE projects SET
                 require_mcp_api_key = $2, is_2fa_enabled = $3,
                 mask_secret_keys_in_connected_account = $4, log_visibility_setting = $5,
                 logo_url = $6, display_name = $7,
                 is_composio_link_enabled_for_managed_auth = $8,
                 signed_url_file_expiry_in_seconds = $9,
                 config_revision = (SELECT value + 1 FROM revision WHERE id = 1)
             WHERE id = $1",
        )
        .bind(project.as_str())
        .bind(i64::from(config.require_mcp_api_key))
        .bind(i64::from(config.is_2fa_enabled))
        .bind(i64::from(config.mask_secret_keys_in_connected_account))
        .bind(log_visibility_text(config.log_visibility_setting))
        .bind(config.logo_url.as_ref().map(LogoUrl::as_str))
        .bind(config.display_name.as_ref().map(DisplayName::as_str))
        .bind(
            config
                .is_composio_link_enabled_for_managed_auth
                .map(i64::from),
        )
        .bind(
            config
                .signed_url_file_expiry_in_seconds
                .map(|expiry| i64::from(expiry.seconds())),
        )
        .execute(&mut *change.transaction)
        .await?;
        change
            .record(Said {
                action: Action::SettingsChanged,
                organisation: &organisation,
                project: Some(project),
                target: (TargetKind::Project, project, &name),
                before: Some(&current.config),
                after: Some(&config),
            })
            .await?;
        let revision = self.commit_change(change, project).await?;
        Ok(Updated {
            settings: VersionedConfig { config, revision },
            changed: true,
        })
    }
}

fn found(row: Option<AnyRow>, project: &Id) -> Result<AnyRow, StoreError> {
    row.ok_or_else(|| StoreError::NotFound {
        entity: Entity::Project,
        id: project.clone(),
    })
}

fn read_versioned(row: &AnyRow) -> Result<VersionedConfig, StoreError> {
    Ok(VersionedConfig {
        config: read_config(row)?,
        revision: column::unsigned(row, "config_revision")?,
    })
}

pub(super) async fn by_id(
    executor: impl AnyExecutor<'_>,
    project: &Id,
) -> Result<Project, StoreError> {
    let row = sqlx::query(select_projects!("WHERE id = $1"))
        .bind(project.as_str())
        .fetch_optional(executor)
        .await?;
    read(&found(row, project)?)
}

pub(super) fn read(row: &AnyRow) -> Result<Project, StoreError> {
    Ok(Project {
        id: column::id(row, "id")?,
        organisation_id: column::id(row, "organisation_id")?,
        name: column::name(row, "name")?,
        created_at: column::time(row, "created_at")?,
        config: read_config(row)?,
    })
}

fn read_config(row: &AnyRow) -> Result<ProjectConfig, StoreError> {
    let log_visibility_setting = match row.try_get("log_visibility_setting")? {
        "show_all" => LogVisibility::ShowAll,
        "dont_store_data" => LogVisibility::DontStoreData,
        other => return Err(column::corrupt("projects.log_visibility_setting", &other)),
    };
    Ok(ProjectConfig {
        require_mcp_api_key: column::flag(row, "require_mcp_api_key")?,
        is_2fa_enabled: column::flag(row, "is_2fa_enabled")?,
        mask_secret_keys_in_connected_account: column::flag(
            row,
            "mask_secret_keys_in_connected_account",
        )?,
        log_visibility_setting,
        logo_url: row
            .try_get::<Option<&str>, _>("logo_url")?
            .and_then(LogoUrl::parse),
        display_name: row
            .try_get::<Option<&str>, _>("display_name")?
            .and_then(DisplayName::parse),
        is_composio_link_enabled_for_managed_auth: column::optional_flag(
            row,
            "is_composio_link_enabled_for_managed_auth",
        )?,
        signed_url_file_expiry_in_seconds: row
            .try_get::<Option<i64>, _>("signed_url_file_expiry_in_seconds")?
            .and_then(|seconds| SignedUrlExpiry::new(seconds.try_into().ok()?)),
    })
}

fn log_visibility_text(setting: LogVisibility) -> &'static str {
    match setting {
        LogVisibility::ShowAll => "show_all",
        LogVisibility::DontStoreData => "dont_store_data",
    }
}
