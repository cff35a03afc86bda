//! What only SQLite has: a file.

mod file;
pub(crate) mod test_database;
