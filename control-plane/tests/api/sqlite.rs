//! Black-box tests of the control plane on SQLite: its routes, its command line, its process.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so and ends"
)]

mod rig;
mod sqlite_only;
mod suite;

/// The database that the suite runs on.
use sqlite_only::test_database::TestDatabase;
