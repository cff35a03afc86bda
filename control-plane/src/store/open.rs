//! Opening the database: connections, their settings, and migrations.

use std::{io, path::Path, sync::Arc, time::Duration};

use sqlx::{
    ConnectOptions as _, Connection as _,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::watch;

use super::{DatabaseUrl, Store, StoreError, revision};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a writer waits for another process's writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(3);

/// What to do when the database file does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenMissing {
    /// Create it, readable by this user alone.
    Create,
    /// Fail.
    Refuse,
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no such file, and none was to be made.
    #[error(
        "there is no database {0}; start `serve`, or create an organisation with `org create`, or name another with --database"
    )]
    Missing(DatabaseUrl),
    /// The file cannot be made.
    #[error("cannot create the database {0}: {1}; its folder must exist and be writable")]
    Create(DatabaseUrl, #[source] io::Error),
    /// The file's schema was written by a newer version of this program.
    #[error("the database {0} was written by a newer version (migration {1}); run that version")]
    Newer(DatabaseUrl, i64),
    /// The schema could not be brought up to date.
    #[error("cannot bring the database {0} up to date: {1}")]
    Migrate(DatabaseUrl, #[source] MigrateError),
    /// The file is no database, or cannot be read and written.
    #[error("cannot open the database {0}: {1}")]
    Open(DatabaseUrl, #[source] sqlx::Error),
    /// The opened database cannot be read.
    #[error("cannot read the database {0}: {1}")]
    Read(DatabaseUrl, #[source] StoreError),
}

impl Store {
    /// Opens the database and brings its schema up to date.
    pub async fn open(url: &DatabaseUrl, missing: WhenMissing) -> Result<Self, OpenError> {
        match (url.path().exists(), missing) {
            (true, _) => {}
            (false, WhenMissing::Refuse) => return Err(OpenError::Missing(url.clone())),
            (false, WhenMissing::Create) => {
                create_file(url.path()).map_err(|error| OpenError::Create(url.clone(), error))?;
            }
        }
        let options = options(url);
        migrate(url, &options).await?;

        let open_error = |error| OpenError::Open(url.clone(), error);
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(BUSY_TIMEOUT)
                // A connection to a local file does not go stale: asking it first would only cost time.
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        let writes = pool()
            .max_connections(1)
            .connect_with(options.clone())
            .await
            .map_err(open_error)?;
        let reads = pool()
            .max_connections(READ_CONNECTIONS)
            .connect_with(options.pragma("query_only", "ON"))
            .await
            .map_err(open_error)?;
        let current = revision::current(&reads)
            .await
            .map_err(|error| OpenError::Read(url.clone(), error))?;
        Ok(Self {
            reads,
            writes,
            revision: Arc::new(watch::Sender::new(current)),
        })
    }
}

/// Reads are short and served from the page cache; more connections would add threads, not speed.
const READ_CONNECTIONS: u32 = 4;

fn options(url: &DatabaseUrl) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(url.path())
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // An acknowledged revocation survives a power cut.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging()
}

/// Applies all missing migrations in one transaction that no other process can be in.
async fn migrate(url: &DatabaseUrl, options: &SqliteConnectOptions) -> Result<(), OpenError> {
    let open_error = |error| OpenError::Open(url.clone(), error);
    let mut connection = options.connect().await.map_err(open_error)?;
    let mut transaction = connection
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(open_error)?;
    MIGRATIONS
        .run_direct(None, &mut *transaction, false)
        .await
        .map_err(|error| match error {
            MigrateError::VersionMissing(version) => OpenError::Newer(url.clone(), version),
            other => OpenError::Migrate(url.clone(), other),
        })?;
    transaction.commit().await.map_err(open_error)?;
    connection.close().await.map_err(open_error)
}

/// Makes an empty file that this user alone can read. One that exists by now is left alone.
fn create_file(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
