//! The rig: starts real Envoys, control planes and MCP servers, for the stack tests and for `make run`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a rig that cannot start stops the test with a clear message"
)]

pub mod mcp_server;
