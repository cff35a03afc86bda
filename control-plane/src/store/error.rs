//! How a call to the store may fail.

use std::fmt;

use edge_api::id::Id;
use sqlx::{error::DatabaseError, postgres::PgDatabaseError};

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// What the call refers to does not exist; nothing was changed.
    #[error("no {entity} \"{id}\"")]
    NotFound {
        /// What kind of thing is missing.
        entity: Entity,
        /// The id it was looked for by.
        id: Id,
    },
    /// The id is taken; nothing was changed.
    #[error("there is already a {entity} \"{id}\"")]
    AlreadyExists {
        /// What kind of thing exists.
        entity: Entity,
        /// Its id.
        id: Id,
    },
    /// The author's key is not live any more; nothing was changed.
    #[error("the key is not valid any more")]
    NotAuthorised,
    /// What was to be changed is not what the caller said it is; nothing was changed.
    #[error("the settings are other ones")]
    ConditionFailed,
    /// There are as many as there may be; nothing was changed.
    #[error("there are {limit} of kind {entity} already, which is the limit")]
    TooMany {
        /// What there is too much of.
        entity: Entity,
        /// How many there may be.
        limit: u32,
    },
    /// The key is not in a state for that; nothing was changed.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    /// A stored value is not what this program writes.
    #[error("the database holds a bad value in {column}: {reason}")]
    Corrupt {
        /// Where it is.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The database did not answer in time.
    #[error("the database did not answer in time")]
    Timeout,
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
}

/// What was looked for by its id; `None` where there is no such thing.
pub(super) fn if_found<T>(found: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match found {
        Err(StoreError::NotFound { .. }) => Ok(None),
        other => other.map(Some),
    }
}

/// Why a key stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// It is revoked, which is for good.
    #[error("the key is revoked")]
    Revoked,
    /// It is expired or disabled, so that nobody depends on it.
    #[error("the key is not live")]
    NotLive,
    /// It was rotated: another key takes its place, and it may not live longer than it was given then.
    #[error("the key was rotated before")]
    Replaced,
}

/// What is wrong with a database that does not do what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It cannot be reached.
    Unavailable,
    /// Others held it for longer than a call waits.
    Busy,
    /// It did not answer in time.
    Timeout,
    /// It holds what this program does not write.
    Corrupt,
    /// It refused.
    Failed,
}

/// A kind of thing that has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entity {
    /// An organisation.
    Organisation,
    /// A project.
    Project,
    /// An MCP server.
    Server,
    /// An API key.
    Key,
    /// An organisation's key.
    OrganisationKey,
    /// A session of the dashboard.
    Session,
}

impl StoreError {
    /// Whether trying again can help: the database is away, or another writer held it for longer than
    /// a call waits.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(
            self.trouble(),
            Some(Trouble::Unavailable | Trouble::Busy | Trouble::Timeout)
        )
    }

    /// What is wrong with the database, if it is the database that failed.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Timeout => Some(Trouble::Timeout),
            Self::Database(error) if is_disconnect(error) => Some(Trouble::Unavailable),
            Self::Database(error) if is_busy(error) => Some(Trouble::Busy),
            Self::Database(_) => Some(Trouble::Failed),
            Self::Corrupt { .. } => Some(Trouble::Corrupt),
            Self::NotFound { .. }
            | Self::AlreadyExists { .. }
            | Self::NotAuthorised
            | Self::ConditionFailed
            | Self::TooMany { .. }
            | Self::Key(_) => None,
        }
    }

    /// A failed insert of `entity`: a taken id is told apart from other failures.
    pub(super) fn on_insert(error: sqlx::Error, entity: Entity, id: &Id) -> Self {
        match &error {
            sqlx::Error::Database(database) if database.is_unique_violation() => {
                Self::AlreadyExists {
                    entity,
                    id: id.clone(),
                }
            }
            _ => Self::Database(error),
        }
    }
}

impl Trouble {
    /// Each, once.
    pub const ALL: [Self; 5] = [
        Self::Unavailable,
        Self::Busy,
        Self::Timeout,
        Self::Corrupt,
        Self::Failed,
    ];

    /// Its name in statistics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Busy => "busy",
            Self::Timeout => "timeout",
            Self::Corrupt => "corrupt",
            Self::Failed => "failed",
        }
    }
}

/// Whether a call waited in vain for a lock or a connection.
pub(super) fn is_busy(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            if is_postgres(error.as_ref()) {
                // Too many connections, a row locked for too long, chosen to give way to another
                // transaction, or for now a standby that cannot be written.
                matches!(&*code, "53300" | "55P03" | "40001" | "40P01" | "25006")
            } else {
                // The low byte is the primary code; 5 is SQLITE_BUSY.
                code.parse::<u32>().is_ok_and(|code| code & 0xff == 5)
            }
        }
        _ => false,
    }
}

/// Whether the connection is lost or could not be made. It must not be used again; another may work.
pub(super) fn is_disconnect(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) if is_postgres(error.as_ref()) => {
            let code = error.code().unwrap_or_default();
            // Connection exceptions, and a server that shuts down, crashes, starts, or ends a
            // connection that idled within a transaction.
            code.starts_with("08") || code.starts_with("57P") || code == "25P03"
        }
        _ => false,
    }
}

fn is_postgres(error: &dyn DatabaseError) -> bool {
    error.try_downcast_ref::<PgDatabaseError>().is_some()
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Organisation => "organisation",
            Self::Project => "project",
            Self::Server => "server",
            Self::Key => "key",
            Self::OrganisationKey => "organisation key",
            Self::Session => "dashboard session",
        })
    }
}
