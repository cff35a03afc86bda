//! How a call to the store may fail.

use std::fmt;

use edge_api::id::Id;

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
    /// A stored value is not what this program writes.
    #[error("the database holds a bad value in {column}: {reason}")]
    Corrupt {
        /// Where it is.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The database failed.
    #[error("the database failed: {0}")]
    Database(#[from] sqlx::Error),
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
}

impl StoreError {
    /// Whether another writer held the database for longer than a call waits: trying again can help.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        match self {
            Self::Database(error) => is_busy(error),
            _ => false,
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

/// Whether a call waited in vain for a lock or a connection.
fn is_busy(error: &sqlx::Error) -> bool {
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return true;
    }
    let code = error.as_database_error().and_then(|error| error.code());
    // The low byte is the primary code; 5 is SQLITE_BUSY.
    code.and_then(|code| code.parse::<u32>().ok())
        .is_some_and(|code| code & 0xff == 5)
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Organisation => "organisation",
            Self::Project => "project",
            Self::Server => "server",
            Self::Key => "key",
        })
    }
}
