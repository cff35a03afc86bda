//! The database: everything the control plane remembers. **The only place with SQL.**
//!
//! One set of SQL runs on SQLite and on PostgreSQL, through `sqlx::Any`: with `$1` placeholders,
//! `ON CONFLICT`, `RETURNING`, `CAST(sum(…) AS BIGINT)`, and in columns nothing but text, 64-bit
//! numbers and bytes (yes and no are 1 and 0; see `column`). That way a query is written once and
//! the tests run it twice. Where the two differ stands in `dialect`, which is small: how to connect,
//! how a change begins, and a folder of migrations each. `Any` copies every row once more, which
//! costs a check little beside the pool's own work; so checks bypass the pool instead, see `reader`.

use std::sync::Arc;

use sqlx::{Any, AnyPool, Transaction};
use tokio::sync::watch;

pub use self::{
    audit::{AuditQuery, AuditScope},
    backup::BackupError,
    change::{Changes, KEPT_CHANGES},
    check::{CheckedKey, Snapshot},
    database_url::{DatabaseUrl, InvalidDatabaseUrl, PostgresUrl},
    error::{Entity, KeyRefusal, StoreError, Trouble},
    key::{KeyQuery, Place},
    key_change::Rotated,
    open::{OpenError, WhenMissing},
    pool_use::PoolUse,
    project::Updated,
    revision::Standing,
    usage::{Apart, Counted, UsageCounted},
};
use self::{dialect::Dialect, reader::Readers, woken::Woken};

mod audit;
mod authority;
mod backup;
mod change;
mod check;
mod column;
mod connect;
mod database_url;
mod dialect;
mod error;
mod follow;
mod incarnation;
mod key;
mod key_change;
mod listen;
mod migrate;
mod open;
mod organisation;
mod organisation_key;
mod pool_use;
mod project;
mod project_change;
mod reader;
mod revision;
mod server;
mod session;
mod usage;
mod woken;

/// The database behind both APIs and the admin commands. Cheap to clone.
///
/// **Every change to a project, key or server raises the revision and is entered in the audit log in
/// its own transaction, in which it is also judged whether its author may make it.**
#[derive(Debug, Clone)]
pub struct Store {
    /// Connections that cannot write; they never wait for a writer.
    reads: AnyPool,
    /// Connections that write, one after the other; see [`begin`](Self::begin).
    writes: AnyPool,
    /// The connections that checks are answered from.
    readers: Arc<Readers>,
    /// Where the database stands, as far as this process knows: the revision is at most the database's.
    standing: Arc<watch::Sender<Standing>>,
    /// What those have read whom the latest change woke.
    woken: Arc<Woken>,
    /// Where it is.
    url: DatabaseUrl,
}

impl Store {
    /// Closes all connections and, with SQLite, folds the write-ahead log into the database file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.reads.close().await;
        self.writes.close().await;
    }

    /// Begins a transaction that no other change can be in, in this process or another, until it
    /// ends: what it reads is still true when it writes, and revisions are committed in order.
    ///
    /// **Whatever writes begins here**, also a single statement: only so is it rolled back if its
    /// caller goes away.
    async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        match self.dialect() {
            // SQLite has one writer at a time; it becomes that before it reads.
            Dialect::Sqlite => Ok(self.writes.begin_with("BEGIN IMMEDIATE").await?),
            // Each statement sees what was committed before it began, and the next one begins once
            // the lock is held. The lock goes with the commit, after the change can be seen: so
            // whoever raises to N + 1 has seen N.
            Dialect::Postgres => {
                let mut transaction = self.writes.begin().await?;
                sqlx::query("SELECT value FROM revision WHERE id = 1 FOR UPDATE")
                    .execute(&mut *transaction)
                    .await?;
                Ok(transaction)
            }
        }
    }

    fn dialect(&self) -> Dialect {
        self.url.dialect()
    }
}
