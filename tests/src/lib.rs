//! The rig: starts real Envoys, control planes and MCP servers, for the stack tests and for `make run`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a rig that cannot start stops the test with a clear message"
)]

pub mod bench;
pub mod bootstrap;
pub mod browser;
mod cargo_build;
pub mod certificates;
pub mod clients;
pub mod deadline;
mod debian_packages;
pub mod demo;
pub mod envoy_binary;
mod envoy_image;
pub mod envoy_runner;
pub mod gateway;
pub mod http;
pub mod images;
pub mod keys;
pub mod last_will;
mod loopback_server;
pub mod mcp_server;
mod postgres_binaries;
pub mod postgres_server;
mod process_state;
pub mod python_packages;
pub mod real_control_plane;
pub mod repo;
pub mod scripted_control_plane;
pub mod stack;
pub mod tls_client;
pub mod upstream;
pub mod wasm;
pub mod wire;
