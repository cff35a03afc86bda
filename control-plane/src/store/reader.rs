//! The connections that checks are answered from. sqlx's pool spawns a task and asks the connection
//! for a sign of life after each use, which costs as much as a check itself; here a connection is
//! found to be dead by the next check, which then asks another one.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sqlx::{
    Any, AnyConnection, Connection as _,
    any::{AnyArguments, AnyRow},
    query::Query,
};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    DatabaseUrl, PoolUse, StoreError, connect,
    dialect::{Dialect, Purpose},
    error::is_disconnect,
};

/// How long an answer may take, with the wait for a connection. The filter asks for a second at most
/// unless it is told otherwise, and a query takes less than a millisecond.
const TIMEOUT: Duration = Duration::from_secs(2);

/// A few connections that read, opened when needed.
pub(super) struct Readers {
    url: DatabaseUrl,
    /// As many as there may be connections.
    permits: Semaphore,
    /// Those not in use. The last one used is used next.
    idle: Mutex<Vec<AnyConnection>>,
}

impl Readers {
    pub(super) fn new(url: DatabaseUrl) -> Self {
        Self {
            permits: Semaphore::new(connections(url.dialect())),
            url,
            idle: Mutex::default(),
        }
    }

    /// The one row of `query`, which must only read: it is asked again when a connection turns out
    /// to have died since its last use.
    pub(super) async fn fetch_one<'q>(
        &self,
        query: impl Fn() -> Query<'q, Any, AnyArguments>,
    ) -> Result<AnyRow, StoreError> {
        timeout(TIMEOUT, self.try_each(query))
            .await
            .map_err(|_| StoreError::Timeout)?
    }

    async fn try_each<'q>(
        &self,
        query: impl Fn() -> Query<'q, Any, AnyArguments>,
    ) -> Result<AnyRow, StoreError> {
        let _permit = self
            .permits
            .acquire()
            .await
            .map_err(|_| sqlx::Error::PoolClosed)?;
        loop {
            // It is not among the idle ones while in use: who is cancelled closes it.
            let used = self.idle().pop();
            let is_new = used.is_none();
            let mut connection = match used {
                Some(connection) => connection,
                None => connect::connection(&self.url, Purpose::Read).await?,
            };
            let result = query().fetch_one(&mut connection).await;
            match result {
                Err(error) if is_disconnect(&error) => {
                    if is_new {
                        return Err(error.into());
                    }
                }
                other => {
                    self.idle().push(connection);
                    return Ok(other?);
                }
            }
        }
    }

    /// How many connections there are.
    pub(super) fn in_use(&self) -> PoolUse {
        let free = self.permits.available_permits();
        PoolUse {
            name: "check",
            in_use: connections(self.url.dialect()).saturating_sub(free),
            idle: self.idle().len(),
        }
    }

    /// Closes all connections; further queries fail.
    pub(super) async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut *self.idle());
        for connection in idle {
            // One that does not close is closed by being dropped.
            drop(connection.close().await);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<AnyConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many there may be.
fn connections(dialect: Dialect) -> usize {
    match dialect {
        // Queries are short and served from memory; more would add threads, not speed.
        Dialect::Sqlite => 4,
        // Most of the time of a query is the way to the server and back.
        Dialect::Postgres => 8,
    }
}

impl fmt::Debug for Readers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}
