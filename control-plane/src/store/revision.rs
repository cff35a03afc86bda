//! The revision: raised with every change, watched by the long polls.

use edge_api::id::Id;
use sqlx::{Any, AnyPool, Transaction};
use tokio::sync::watch;

use super::{KEPT_CHANGES, Store, StoreError, authority::Change};

impl Store {
    /// The revision of the latest committed change.
    pub async fn revision(&self) -> Result<u64, StoreError> {
        current(&self.reads).await
    }

    /// Announces each rise of the revision: at once for a commit of this process, and for another
    /// process's while [`follow`](Self::follow) runs.
    #[must_use]
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// Records that `project` changed, commits, and wakes who waits for it.
    pub(super) async fn commit_change(
        &self,
        mut change: Change<'_>,
        project: &Id,
    ) -> Result<u64, StoreError> {
        let revision = raise(&mut change.transaction, project).await?;
        change.transaction.commit().await?;
        self.announce(revision);
        Ok(revision)
    }

    /// Wakes who waits, if `revision` is news.
    pub(super) fn announce(&self, revision: u64) {
        self.revision.send_if_modified(|known| {
            let higher = revision > *known;
            *known = revision.max(*known);
            higher
        });
    }
}

/// The revision of the latest committed change.
pub(super) async fn current(pool: &AnyPool) -> Result<u64, StoreError> {
    let value: i64 = sqlx::query_scalar("SELECT value FROM revision WHERE id = 1")
        .fetch_one(pool)
        .await?;
    to_u64(value)
}

/// Raises the revision, logs the change, and drops what the change log need not keep.
async fn raise(transaction: &mut Transaction<'_, Any>, project: &Id) -> Result<u64, StoreError> {
    let value: i64 =
        sqlx::query_scalar("UPDATE revision SET value = value + 1 WHERE id = 1 RETURNING value")
            .fetch_one(&mut **transaction)
            .await?;
    sqlx::query("INSERT INTO changes (revision, project_id) VALUES ($1, $2)")
        .bind(value)
        .bind(project.as_str())
        .execute(&mut **transaction)
        .await?;
    sqlx::query("DELETE FROM changes WHERE revision <= $1")
        .bind(value.saturating_sub(KEPT_CHANGES))
        .execute(&mut **transaction)
        .await?;
    to_u64(value)
}

fn to_u64(value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|error| super::column::corrupt("revision.value", &error))
}
