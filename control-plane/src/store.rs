//! The database: everything the control plane remembers. **The only place with SQL.**
//!
//! The methods of [`Store`] take and give the types of [`crate::model`], so that another database
//! can stand behind them.

use std::sync::Arc;

use sqlx::{Sqlite, SqlitePool, Transaction};
use tokio::sync::watch;

pub use self::{
    change::{Changes, KEPT_CHANGES},
    check::{CheckedKey, Snapshot},
    database_url::{DatabaseUrl, InvalidDatabaseUrl},
    error::{Entity, StoreError},
    open::{OpenError, WhenMissing},
    project::Updated,
};

mod change;
mod check;
mod column;
mod database_url;
mod error;
mod key;
mod open;
mod organisation;
mod project;
mod revision;
mod server;

/// The database behind both APIs and the admin commands. Cheap to clone.
///
/// **Every change to a project, key or server raises the revision in its own transaction.**
#[derive(Debug, Clone)]
pub struct Store {
    /// Connections that cannot write; they never wait for a writer.
    reads: SqlitePool,
    /// The one connection that writes; SQLite has one writer at a time.
    writes: SqlitePool,
    /// The highest revision that this process knows of; at most the database's.
    revision: Arc<watch::Sender<u64>>,
}

impl Store {
    /// Closes all connections and folds the write-ahead log into the database file.
    pub async fn close(&self) {
        self.reads.close().await;
        self.writes.close().await;
    }

    /// Begins a transaction that holds the write lock from its first statement on, so that what it
    /// reads is still true when it writes.
    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writes.begin_with("BEGIN IMMEDIATE").await?)
    }
}
