//! Reading the change log.

use edge_api::id::Id;
use sqlx::Row as _;

use super::{Standing, Store, StoreError, column};

/// How many revisions the change log keeps. A caller further behind starts over.
pub const KEPT_CHANGES: i64 = 10_000;

/// What happened after a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Where the database stands.
    pub standing: Standing,
    /// Every project that changed up to there, with the revision of its latest change, in that
    /// order. `None` when the log does not reach back that far, or the caller knows a revision that
    /// never was: anything may have changed.
    pub projects: Option<Vec<(Id, u64)>>,
}

impl Changes {
    /// Whether it is known that nothing changed.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.projects.as_ref().is_some_and(Vec::is_empty)
    }
}

impl Store {
    /// The projects that changed after revision `after`.
    pub async fn changes_after(&self, after: u64) -> Result<Changes, StoreError> {
        // One statement, so that all of it is of one moment and of one database, should that be
        // restored just now.
        // The log's oldest row is at revision 1 or was preceded by rows that were dropped.
        let rows = sqlx::query(
            "SELECT i.value AS incarnation,
                    r.value AS revision,
                    (SELECT min(revision) FROM changes) AS oldest,
                    c.project_id AS project_id,
                    max(c.revision) AS changed_at
             FROM revision r
             JOIN incarnation i ON i.id = 1
             LEFT JOIN changes c ON c.revision > $1
             WHERE r.id = 1
             GROUP BY i.value, r.value, c.project_id
             ORDER BY changed_at",
        )
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .fetch_all(&self.reads)
        .await?;

        let Some(first) = rows.first() else {
            return Err(column::corrupt(
                "revision",
                &"its row, or that of incarnation, is missing",
            ));
        };
        let revision = column::unsigned(first, "revision")?;
        let standing = Standing {
            incarnation: column::id(first, "incarnation")?,
            revision,
        };
        let oldest = match first.try_get::<Option<i64>, _>("oldest")? {
            Some(_) => column::unsigned(first, "oldest")?,
            None => revision.saturating_add(1),
        };
        if after > revision || after.saturating_add(1) < oldest {
            return Ok(Changes {
                standing,
                projects: None,
            });
        }
        let mut projects = Vec::with_capacity(rows.len());
        for row in &rows {
            if let Some(project) = column::optional_id(row, "project_id")? {
                projects.push((project, column::unsigned(row, "changed_at")?));
            }
        }
        Ok(Changes {
            standing,
            projects: Some(projects),
        })
    }
}
