//! Copying a SQLite database while it is in use.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};

use super::{DatabaseUrl, Store};

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// PostgreSQL has a better way.
    #[error(
        "`backup` copies SQLite databases; {0} is PostgreSQL: use pg_dump, which copies it while it is in use"
    )]
    Postgres(DatabaseUrl),
    /// There is no such database.
    #[error("there is no database {0}; name another with --database")]
    Missing(DatabaseUrl),
    /// Nothing is overwritten.
    #[error("--to {0}: the file exists already; name a new one, or remove it")]
    Exists(PathBuf),
    /// The copy cannot be written.
    #[error("--to {0}: {1}; its folder must exist and be writable")]
    Write(PathBuf, #[source] io::Error),
    /// The database cannot be copied.
    #[error("cannot copy the database {0}: {1}")]
    Copy(DatabaseUrl, #[source] sqlx::Error),
}

impl Store {
    /// Copies the SQLite database to the new file `to`, which this user alone can read: all of it as
    /// it is at one moment, whoever works on it meanwhile. The schema is left as it is. **The copy
    /// gets an [`incarnation`](Self::incarnation) of its own**, so that a system restored from it can
    /// be told from the one it was taken of. `to` appears complete or not at all.
    pub async fn backup(url: &DatabaseUrl, to: &Path) -> Result<(), BackupError> {
        let Some(file) = url.file() else {
            return Err(BackupError::Postgres(url.clone()));
        };
        if !file.exists() {
            return Err(BackupError::Missing(url.clone()));
        }
        if to.exists() {
            return Err(BackupError::Exists(to.to_owned()));
        }
        let write_error = |error| BackupError::Write(to.to_owned(), error);
        let folder = match to.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        let copy = tempfile::Builder::new()
            .prefix(".backup-")
            .tempfile_in(folder)
            .map_err(write_error)?;
        fill(file, copy.path())
            .await
            .map_err(|error| BackupError::Copy(url.clone(), error))?;

        copy.as_file().sync_all().map_err(write_error)?;
        copy.persist_noclobber(to)
            .map_err(|failed| match failed.error.kind() {
                io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
                _ => write_error(failed.error),
            })?;
        // The name survives a power cut, too.
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(write_error)
    }
}

/// Fills the empty file `copy` with the database `file`.
async fn fill(file: &Path, copy: &Path) -> sqlx::Result<()> {
    let mut database = SqliteConnectOptions::new().filename(file).connect().await?;
    sqlx::query("VACUUM INTO $1")
        .bind(copy.to_string_lossy().into_owned())
        .execute(&mut database)
        .await?;
    database.close().await?;

    let mut copy = SqliteConnectOptions::new()
        .filename(copy)
        .journal_mode(SqliteJournalMode::Delete)
        .connect()
        .await?;
    renew_incarnation(&mut copy).await?;
    copy.close().await
}

/// A database of an older version has none yet; it gets one when it is opened.
async fn renew_incarnation(copy: &mut SqliteConnection) -> sqlx::Result<()> {
    let has_one: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'incarnation')",
    )
    .fetch_one(&mut *copy)
    .await?;
    if has_one {
        sqlx::query("UPDATE incarnation SET value = lower(hex(randomblob(16))) WHERE id = 1")
            .execute(copy)
            .await?;
    }
    Ok(())
}
