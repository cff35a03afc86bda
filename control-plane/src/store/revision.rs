//! The revision: raised with every change, watched by the long polls together with the database's incarnation.

use edge_api::id::Id;
use sqlx::{Any, AnyPool, Transaction};
use tokio::sync::watch;

use super::{KEPT_CHANGES, Store, StoreError, authority::Change, column};

/// Where the database stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Which database it is; see [`Store::incarnation`].
    pub incarnation: Id,
    /// The revision of its latest committed change.
    pub revision: u64,
}

impl Store {
    /// The revision of the latest committed change.
    pub async fn revision(&self) -> Result<u64, StoreError> {
        Ok(current(&self.reads).await?.revision)
    }

    /// Announces each rise of the revision, and another incarnation: at once for a commit of this
    /// process, and for another process's while [`follow`](Self::follow) runs.
    #[must_use]
    pub fn standings(&self) -> watch::Receiver<Standing> {
        self.standing.subscribe()
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

    /// Looks where the database stands, and wakes who waits if that is news.
    pub(super) async fn look(&self) -> Result<(), StoreError> {
        let current = current(&self.reads).await?;
        let is_another = current.incarnation != self.standing.borrow().incarnation;
        if is_another {
            self.standing.send_replace(current);
        } else {
            self.announce(current.revision);
        }
        Ok(())
    }

    /// Wakes who waits, if `revision` is news.
    fn announce(&self, revision: u64) {
        self.standing.send_if_modified(|known| {
            let higher = revision > known.revision;
            known.revision = revision.max(known.revision);
            higher
        });
    }
}

/// Where the database stands.
pub(super) async fn current(pool: &AnyPool) -> Result<Standing, StoreError> {
    let row = sqlx::query(
        "SELECT r.value AS revision, i.value AS incarnation
         FROM revision r CROSS JOIN incarnation i WHERE r.id = 1 AND i.id = 1",
    )
    .fetch_one(pool)
    .await?;
    Ok(Standing {
        incarnation: column::id(&row, "incarnation")?,
        revision: column::unsigned(&row, "revision")?,
    })
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
