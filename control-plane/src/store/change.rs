//! Reading the change log.

use edge_api::id::Id;
use sqlx::Row as _;

use super::{Store, StoreError, column};

/// How many revisions the change log keeps. A caller further behind starts over.
pub const KEPT_CHANGES: i64 = 10_000;

/// What happened after a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// Every project that changed, with the revision of its latest change, in that order.
    Since {
        /// The revision up to which `projects` is complete.
        revision: u64,
        /// The changed projects.
        projects: Vec<(Id, u64)>,
    },
    /// The log does not reach back that far, or the caller knows a revision that never was:
    /// anything may have changed.
    Unknown {
        /// The current revision.
        revision: u64,
    },
}

impl Store {
    /// The projects that changed after revision `after`.
    pub async fn changes_after(&self, after: u64) -> Result<Changes, StoreError> {
        // One statement, so that the revision, the log's reach and its rows are of one moment.
        // The log's oldest row is at revision 1 or was preceded by rows that were dropped.
        let rows = sqlx::query(
            "SELECT r.value AS revision,
                    (SELECT min(revision) FROM changes) AS oldest,
                    c.project_id AS project_id,
                    max(c.revision) AS changed_at
             FROM revision r LEFT JOIN changes c ON c.revision > $1
             WHERE r.id = 1
             GROUP BY r.value, c.project_id
             ORDER BY changed_at",
        )
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .fetch_all(&self.reads)
        .await?;

        let Some(first) = rows.first() else {
            return Err(column::corrupt("revision", &"its row is missing"));
        };
        let revision = column::unsigned(first, "revision")?;
        let oldest = match first.try_get::<Option<i64>, _>("oldest")? {
            Some(_) => column::unsigned(first, "oldest")?,
            None => revision.saturating_add(1),
        };
        if after > revision || after.saturating_add(1) < oldest {
            return Ok(Changes::Unknown { revision });
        }
        let mut projects = Vec::with_capacity(rows.len());
        for row in &rows {
            if let Some(project) = column::optional_id(row, "project_id")? {
                projects.push((project, column::unsigned(row, "changed_at")?));
            }
        }
        Ok(Changes::Since { revision, projects })
    }
}
