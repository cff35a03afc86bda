//! The things the control plane keeps: organisations, projects, MCP servers and API keys.
//!
//! Plain data and pure rules; no I/O, no SQL, no HTTP.

pub mod api_key;
pub mod audit;
pub mod config_value;
pub mod limits;
pub mod masked_key;
pub mod name;
pub mod organisation;
pub mod organisation_key;
pub mod project;
pub mod project_config;
pub mod server;
pub mod session;
pub mod usage;
