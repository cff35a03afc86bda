//! Black-box tests of the control plane on PostgreSQL: the same as on SQLite, and several replicas on one database.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so and ends"
)]

mod postgres_only;
mod rig;
mod suite;

/// The database that the suite runs on.
use postgres_only::test_database::TestDatabase;
