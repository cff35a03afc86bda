//! A SQLite database for one test.

use std::path::PathBuf;

use sqlx::{AnyConnection, Connection as _, any::install_default_drivers};
use tempfile::TempDir;

/// A database in a folder of its own, not set up yet.
pub(crate) struct TestDatabase {
    folder: TempDir,
}

impl TestDatabase {
    /// Begins a transaction that keeps every other writer out.
    pub(crate) const BEGIN_CHANGE: &str = "BEGIN IMMEDIATE";

    /// What a command says that does not set one up.
    pub(crate) const NOT_SET_UP: &str = "there is no database";

    pub(crate) fn fresh() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// As `--database` takes it.
    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.file().display())
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("test.db")
    }

    /// All of it, as an operator copies it while nothing serves.
    pub(crate) fn copy(&self) -> Vec<u8> {
        std::fs::read(self.file()).unwrap()
    }

    /// Puts a copy in its place, while nothing serves.
    pub(crate) fn put_back(&self, copy: &[u8]) {
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        std::fs::write(self.file(), copy).unwrap();
    }

    /// Whether anybody set it up.
    pub(crate) async fn is_set_up(&self) -> bool {
        self.file().exists()
    }

    /// A connection of its own to it, to look at or break what the program cannot.
    pub(crate) async fn connect(&self) -> AnyConnection {
        install_default_drivers();
        AnyConnection::connect(&self.url()).await.unwrap()
    }
}
