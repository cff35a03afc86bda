//! What only PostgreSQL has: a server, which may be away, and which tells of commits.

mod listening;
mod outage;
mod server;
pub(crate) mod test_database;
