//! What a check is answered from: one row, by unique indexes.

use super::{Store, StoreError, column};
use crate::model::api_key::Lifecycle;
use edge_api::{
    check::{Project, Subject},
    id::Id,
    key_sha256::KeySha256,
};

/// A project and a key, as they are at `revision`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The revision that the rest was read at.
    pub revision: u64,
    /// The subject's project.
    pub project: Option<Project>,
    /// The key with the asked hash, of whatever project.
    pub key: Option<CheckedKey>,
}

/// What a check needs to know of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedKey {
    /// The key's id.
    pub id: Id,
    /// The project that it opens.
    pub project_id: Id,
    /// What may have ended it.
    pub lifecycle: Lifecycle,
}

// The revision stands in the same statement as the rows: both databases give a statement
// one snapshot, so the rows are never older than the revision. Two statements would have to read the
// revision first.
const BY_PROJECT: &str = "
    SELECT r.value AS revision,
           p.id AS project_id, p.require_mcp_api_key AS require_mcp_api_key,
           k.id AS key_id, k.project_id AS key_project_id,
           k.expires_at AS expires_at, k.revoked_at AS revoked_at, k.disabled_at AS disabled_at
    FROM revision r
    LEFT JOIN projects p ON p.id = $1
    LEFT JOIN api_keys k ON k.sha256 = $2
    WHERE r.id = 1";

const BY_SERVER: &str = "
    SELECT r.value AS revision,
           p.id AS project_id, p.require_mcp_api_key AS require_mcp_api_key,
           k.id AS key_id, k.project_id AS key_project_id,
           k.expires_at AS expires_at, k.revoked_at AS revoked_at, k.disabled_at AS disabled_at
    FROM revision r
    LEFT JOIN mcp_servers s ON s.id = $1
    LEFT JOIN projects p ON p.id = s.project_id
    LEFT JOIN api_keys k ON k.sha256 = $2
    WHERE r.id = 1";

impl Store {
    /// Reads the subject's project and the key with that hash, at one moment.
    pub async fn snapshot(
        &self,
        subject: &Subject,
        key: Option<KeySha256>,
    ) -> Result<Snapshot, StoreError> {
        let (statement, id) = match subject {
            Subject::ProjectId(id) => (BY_PROJECT, id),
            Subject::ServerId(id) => (BY_SERVER, id),
        };
        let row = self
            .readers
            .fetch_one(|| {
                sqlx::query(statement)
                    .bind(id.as_str())
                    .bind(key.map(|hash| hash.0.to_vec()))
            })
            .await?;

        let project = match column::optional_id(&row, "project_id")? {
            Some(id) => Some(Project {
                id,
                require_mcp_api_key: column::flag(&row, "require_mcp_api_key")?,
            }),
            None => None,
        };
        let key = match column::optional_id(&row, "key_id")? {
            Some(id) => Some(CheckedKey {
                id,
                project_id: column::id(&row, "key_project_id")?,
                lifecycle: Lifecycle {
                    expires_at: column::optional_time(&row, "expires_at")?,
                    revoked_at: column::optional_time(&row, "revoked_at")?,
                    disabled_at: column::optional_time(&row, "disabled_at")?,
                },
            }),
            None => None,
        };
        Ok(Snapshot {
            revision: column::unsigned(&row, "revision")?,
            project,
            key,
        })
    }
}
