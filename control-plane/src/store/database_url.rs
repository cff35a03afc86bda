//! Where the database is.

use std::{fmt, path::PathBuf, str::FromStr};

/// A SQLite file, written `sqlite://relative.db` or `sqlite:///absolute.db`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseUrl(PathBuf);

/// Why a text is not a [`DatabaseUrl`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDatabaseUrl {
    /// Another database, or none.
    #[error("a database is written sqlite://relative.db or sqlite:///absolute.db")]
    Scheme,
    /// Nothing would outlive the process, and the admin commands could not see it.
    #[error("a database in memory cannot be shared; name a file, as in sqlite://mcp-key-auth.db")]
    Memory,
    /// Options after a question mark.
    #[error("a database takes no options; write the path alone, as in sqlite://mcp-key-auth.db")]
    Options,
}

impl DatabaseUrl {
    /// The database file.
    #[must_use]
    pub fn path(&self) -> &std::path::Path {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidDatabaseUrl> {
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
        Ok(Self(path.into()))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sqlite://{}", self.0.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_a_file() {
        let path = |text: &str| text.parse::<DatabaseUrl>().map(|url| url.0);
        assert_eq!(path("sqlite://a.db"), Ok("a.db".into()));
        assert_eq!(
            path("sqlite:///var/lib/a b.db"),
            Ok("/var/lib/a b.db".into())
        );
        assert_eq!(path("sqlite:a.db"), Ok("a.db".into()));
        assert_eq!(path("sqlite://:memory:"), Err(InvalidDatabaseUrl::Memory));
        assert_eq!(
            path("sqlite://a.db?mode=ro"),
            Err(InvalidDatabaseUrl::Options)
        );
        for bad in ["", "a.db", "sqlite://", "postgres://localhost/a"] {
            assert_eq!(path(bad), Err(InvalidDatabaseUrl::Scheme), "{bad}");
        }
    }
}
