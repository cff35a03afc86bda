//! Opening the database.

use std::{io, path::Path, sync::Arc};

use sqlx::migrate::MigrateError;
use tokio::sync::watch;

use super::{
    DatabaseUrl, Store, StoreError, connect, dialect::Purpose, migrate, reader::Readers, revision,
};

/// What to do when there is no database yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenMissing {
    /// Set one up. A SQLite file is readable by this user alone; a database at a server must exist.
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
    /// The database at the server was never set up, and was not to be.
    #[error(
        "the database {0} is empty; start `serve`, or create an organisation with `org create`, or name another with --database"
    )]
    Empty(DatabaseUrl),
    /// The file cannot be made.
    #[error("cannot create the database {0}: {1}; its folder must exist and be writable")]
    Create(DatabaseUrl, #[source] io::Error),
    /// The schema was written by a newer version of this program.
    #[error("the database {0} was written by a newer version (migration {1}); run that version")]
    Newer(DatabaseUrl, i64),
    /// The schema was written by an older version of this program.
    #[error(
        "the database {0} was written by an older version (migration {1}); use the `control-plane` that serves it"
    )]
    Older(DatabaseUrl, i64),
    /// The schema could not be brought up to date.
    #[error("cannot bring the database {0} up to date: {1}")]
    Migrate(DatabaseUrl, #[source] MigrateError),
    /// The file is no database, or the server cannot be reached or refuses.
    #[error("cannot open the database {0}: {1}")]
    Open(DatabaseUrl, #[source] sqlx::Error),
    /// The opened database cannot be read.
    #[error("cannot read the database {0}: {1}")]
    Read(DatabaseUrl, #[source] StoreError),
}

impl Store {
    /// Opens the database and brings its schema up to date.
    pub async fn open(url: &DatabaseUrl, missing: WhenMissing) -> Result<Self, OpenError> {
        if let DatabaseUrl::Sqlite(path) = url {
            match (path.exists(), missing) {
                (true, _) => {}
                (false, WhenMissing::Refuse) => return Err(OpenError::Missing(url.clone())),
                (false, WhenMissing::Create) => {
                    create_file(path).map_err(|error| OpenError::Create(url.clone(), error))?;
                }
            }
        }
        migrate::migrate(url, missing).await?;
        Self::opened(url, Purpose::Write).await
    }
}

impl Store {
    /// Opens the database to look at it: nothing is set up or brought up to date, and nothing can be
    /// changed. It must be just as new as this program.
    pub async fn open_to_read(url: &DatabaseUrl) -> Result<Self, OpenError> {
        if url.file().is_some_and(|path| !path.exists()) {
            return Err(OpenError::Missing(url.clone()));
        }
        migrate::require_current(url).await?;
        Self::opened(url, Purpose::Read).await
    }

    /// The opened database; `writes` says what its connections to write with are for.
    async fn opened(url: &DatabaseUrl, writes: Purpose) -> Result<Self, OpenError> {
        let open_error = |error| OpenError::Open(url.clone(), error);
        let read_error = |error| OpenError::Read(url.clone(), error);
        let writes = connect::pool(url, writes).await.map_err(open_error)?;
        let reads = connect::pool(url, Purpose::Read)
            .await
            .map_err(open_error)?;
        let current = revision::current(&reads).await.map_err(read_error)?;
        Ok(Self {
            reads,
            writes,
            readers: Arc::new(Readers::new(url.clone())),
            standing: Arc::new(watch::Sender::new(current)),
            woken: Arc::default(),
            url: url.clone(),
        })
    }
}

/// Makes an empty file that this user alone can read. One that exists by now is left alone.
fn create_file(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}
