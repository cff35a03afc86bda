//! What differs between the two databases and can be said as data. No query for the control plane's
//! own questions stands here: those are the same for both.

use std::time::Duration;

use sqlx::migrate::Migrator;

/// The database's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// A file, with its writes in a log of its own beside it.
    Sqlite,
    /// A server.
    Postgres,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Bringing the schema up to date; waits for as long as others do that.
    Migrate,
    /// Reading; cannot write.
    Read,
    /// Writing.
    Write,
}

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("./migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("./migrations/postgres");

impl Dialect {
    /// The schema, step by step. Both have the same steps under the same numbers.
    pub(super) fn migrations(self) -> &'static Migrator {
        match self {
            Self::Sqlite => &SQLITE_MIGRATIONS,
            Self::Postgres => &POSTGRES_MIGRATIONS,
        }
    }

    /// Begins the one transaction of all migrations, which no other process can be in.
    pub(super) fn begin_migrations(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            // Any number does, so long as every version of this program uses the same.
            Self::Postgres => "BEGIN; SELECT pg_advisory_xact_lock(5215463172064)",
        }
    }

    /// What a new connection is told first.
    pub(super) fn settings(self, purpose: Purpose) -> &'static str {
        match (self, purpose) {
            // A file keeps its journal's mode: this is for all that open it later.
            (Self::Sqlite, Purpose::Migrate) => {
                "PRAGMA busy_timeout = 60000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
                 PRAGMA foreign_keys = ON"
            }
            // An acknowledged revocation survives a power cut: FULL. A writer waits 3 s for another
            // process's writer.
            (Self::Sqlite, Purpose::Write) => {
                "PRAGMA busy_timeout = 3000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON"
            }
            (Self::Sqlite, Purpose::Read) => {
                "PRAGMA busy_timeout = 3000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                 PRAGMA query_only = ON"
            }
            // "It exists already" is no news.
            (Self::Postgres, Purpose::Migrate) => "SET client_min_messages = warning",
            (Self::Postgres, Purpose::Read) => "SET default_transaction_read_only = on",
            // A replica that freezes or is cut off within a change holds up the others for 5 s.
            (Self::Postgres, Purpose::Write) => {
                "SET lock_timeout = '3s'; SET idle_in_transaction_session_timeout = '5s'"
            }
        }
    }

    /// How many connections a process keeps for `purpose`, beside those of checks.
    pub(super) fn connections(self, purpose: Purpose) -> u32 {
        match (self, purpose) {
            // One writer at a time: others wait for it here rather than in the database.
            (_, Purpose::Migrate | Purpose::Write) => 1,
            // Reads are short and served from memory; more would add threads, not speed.
            (_, Purpose::Read) => 4,
        }
    }

    /// How long a call waits for a connection.
    pub(super) fn acquire_timeout(self, purpose: Purpose) -> Duration {
        match purpose {
            Purpose::Migrate | Purpose::Write => Duration::from_secs(3),
            // Whoever asks has better things to do than to wait for a database that is away.
            Purpose::Read => Duration::from_secs(1),
        }
    }

    /// How often the database is asked for changes that other processes committed. PostgreSQL tells
    /// of them; there it only makes up for what was not heard.
    pub(super) fn follow_interval(self) -> Duration {
        match self {
            Self::Sqlite => Duration::from_millis(50),
            Self::Postgres => Duration::from_millis(500),
        }
    }
}
