//! What only SQLite has: a file.

mod backup;
mod file;
pub(crate) mod test_database;
