//! Where the database is.

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use sqlx::{ConnectOptions as _, any::AnyConnectOptions, postgres::PgConnectOptions};
use url::Url;

use super::dialect::Dialect;

/// Where the database is. Printing it shows no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file, written `sqlite://relative.db` or `sqlite:///absolute.db`.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server, written `postgres://user:password@host:port/database`.
    Postgres(PostgresUrl),
}

/// The URL of a PostgreSQL database. Printing it shows no password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(Box<Url>);

/// Why a text is not a [`DatabaseUrl`]. **No variant repeats the text: it may hold a password.**
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// Another database, or none.
    #[error(
        "a database is written sqlite://relative.db, sqlite:///absolute.db or postgres://user@host/database"
    )]
    Scheme,
    /// Nothing would outlive the process, and the admin commands could not see it.
    #[error("a database in memory cannot be shared; name a file, as in sqlite://mcp-key-auth.db")]
    Memory,
    /// Options after a SQLite file's question mark.
    #[error(
        "a SQLite database takes no options; write the path alone, as in sqlite://mcp-key-auth.db"
    )]
    Options,
    /// A PostgreSQL URL without a database.
    #[error("name the database at the server, as in postgres://user@host/database")]
    NoDatabase,
    /// A PostgreSQL URL with a mistake.
    #[error("the postgres:// URL is not valid: {0}; write it as in postgres://user@host/database")]
    Postgres(String),
}

/// A file in the folder where the program runs.
impl Default for DatabaseUrl {
    fn default() -> Self {
        Self::Sqlite("mcp-key-auth.db".into())
    }
}

impl DatabaseUrl {
    /// The database file of SQLite.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }

    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// How to connect. Statements are not logged: they are the same all the time.
    pub(super) fn connect_options(&self) -> sqlx::Result<AnyConnectOptions> {
        let options = match self {
            Self::Sqlite(path) => sqlite_options(path)?,
            Self::Postgres(url) => AnyConnectOptions::from_url(&url.0)?,
        };
        Ok(options.disable_statement_logging())
    }
}

impl PostgresUrl {
    /// How to connect without `sqlx::Any` in between.
    pub(super) fn native_options(&self) -> sqlx::Result<PgConnectOptions> {
        Ok(PgConnectOptions::from_url(&self.0)?.disable_statement_logging())
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
        if text.starts_with("postgres:") || text.starts_with("postgresql:") {
            return parse_postgres(text).map(Self::Postgres);
        }
        let rest = text
            .strip_prefix("sqlite:")
            .ok_or(InvalidDatabaseUrl::Scheme)?;
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.is_empty() {
            return Err(InvalidDatabaseUrl::Scheme);
        }
        if path.starts_with(":memory:") {
            return Err(InvalidDatabaseUrl::Memory);
        }
        if path.contains('?') {
            return Err(InvalidDatabaseUrl::Options);
        }
        Ok(Self::Sqlite(path.into()))
    }
}

fn parse_postgres(text: &str) -> Result<PostgresUrl, InvalidDatabaseUrl> {
    let invalid = |error: &dyn fmt::Display| InvalidDatabaseUrl::Postgres(error.to_string());
    let url: Url = text.parse().map_err(|error| invalid(&error))?;
    if url.path().trim_start_matches('/').is_empty() {
        return Err(InvalidDatabaseUrl::NoDatabase);
    }
    PgConnectOptions::from_url(&url).map_err(|error| match error {
        sqlx::Error::Configuration(reason) => invalid(&reason),
        other => invalid(&other),
    })?;
    Ok(PostgresUrl(Box::new(url)))
}

/// The driver takes a URL alone, in which the path must be escaped.
fn sqlite_options(path: &Path) -> sqlx::Result<AnyConnectOptions> {
    let absolute = std::path::absolute(path).map_err(sqlx::Error::Io)?;
    let file = Url::from_file_path(absolute)
        .map_err(|()| sqlx::Error::Configuration("the path is no file's".into()))?;
    format!("sqlite://{}", file.path()).parse()
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.0.clone();
        // Options may hold a password, too.
        url.set_query(None);
        if url.password().is_some() && url.set_password(Some("***")).is_err() {
            return f.write_str("postgres://…");
        }
        url.fmt(f)
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
