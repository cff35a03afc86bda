//! Bringing the schema up to date.

use std::{cmp::Ordering, time::Duration};

use sqlx::{AnyConnection, Connection as _, migrate::MigrateError};
use tokio::time::{Instant, sleep};

use super::{
    DatabaseUrl, OpenError, WhenMissing, connect,
    dialect::{Dialect, Purpose},
    error::is_busy,
};

/// How long to wait for other processes that open the same new file.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait before the next attempt.
const PAUSE: Duration = Duration::from_millis(10);

/// Applies all missing migrations, or none of them, in one transaction that no other process can be in.
pub(super) async fn migrate(url: &DatabaseUrl, missing: WhenMissing) -> Result<(), OpenError> {
    let open_error = |error| OpenError::Open(url.clone(), error);
    let mut connection = connect(url).await.map_err(open_error)?;
    if missing == WhenMissing::Refuse && is_empty(url, &mut connection).await.map_err(open_error)? {
        return Err(OpenError::Empty(url.clone()));
    }
    let dialect = url.dialect();
    let mut transaction = connection
        .begin_with(dialect.begin_migrations())
        .await
        .map_err(open_error)?;
    dialect
        .migrations()
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(|error| match error {
            MigrateError::VersionMissing(version) => OpenError::Newer(url.clone(), version),
            other => OpenError::Migrate(url.clone(), other),
        })?;
    transaction.commit().await.map_err(open_error)?;
    connection.close().await.map_err(open_error)
}

/// Refuses a database whose schema is not this program's own. It is only looked at.
pub(super) async fn require_current(url: &DatabaseUrl) -> Result<(), OpenError> {
    let open_error = |error| OpenError::Open(url.clone(), error);
    let mut connection = connect::connection(url, Purpose::Read)
        .await
        .map_err(open_error)?;
    if is_empty(url, &mut connection).await.map_err(open_error)? {
        return Err(OpenError::Empty(url.clone()));
    }
    let found: Option<i64> = sqlx::query_scalar("SELECT max(version) FROM _sqlx_migrations")
        .fetch_one(&mut connection)
        .await
        .map_err(open_error)?;
    connection.close().await.map_err(open_error)?;
    let ours = url.dialect().migrations().iter().map(|step| step.version);
    let (found, ours) = (found.unwrap_or_default(), ours.max().unwrap_or_default());
    match found.cmp(&ours) {
        Ordering::Less => Err(OpenError::Older(url.clone(), found)),
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(OpenError::Newer(url.clone(), found)),
    }
}

/// Connects. Where several processes find a new SQLite file, its journal can become a write-ahead log
/// only for one of them at a time, and SQLite does not wait for that itself.
async fn connect(url: &DatabaseUrl) -> sqlx::Result<AnyConnection> {
    let started = Instant::now();
    loop {
        match connect::connection(url, Purpose::Migrate).await {
            Err(error) if is_busy(&error) && started.elapsed() < PATIENCE => sleep(PAUSE).await,
            result => return result,
        }
    }
}

/// Whether a database at a server was never set up. A file's absence was noticed before.
async fn is_empty(url: &DatabaseUrl, connection: &mut AnyConnection) -> sqlx::Result<bool> {
    match url.dialect() {
        Dialect::Sqlite => Ok(false),
        Dialect::Postgres => {
            sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NULL")
                .fetch_one(connection)
                .await
        }
    }
}
