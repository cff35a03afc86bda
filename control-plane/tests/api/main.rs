//! Black-box tests of the control plane: its routes, its command line, its process.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on says so and ends"
)]

mod cli;
mod config_get;
mod config_patch;
mod edge_auth;
mod edge_changes;
mod edge_check;
mod envelope;
mod health;
mod openapi;
mod process;
mod race;
mod rig;
mod secrets;
