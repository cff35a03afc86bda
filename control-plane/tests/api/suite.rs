//! What holds on either database. Each file is one part of the outside: a route, the command line, the process.

mod api_keys;
mod api_keys_change;
mod api_keys_rotate;
mod audit_log;
mod audit_log_filters;
mod authority;
mod cli;
mod config_conditions;
mod config_get;
mod config_patch;
mod crash;
mod edge_auth;
mod edge_changes;
mod edge_check;
mod envelope;
mod health;
mod mcp_servers;
mod openapi;
mod organisation_keys;
mod process;
mod projects;
mod race;
mod replicas;
mod secrets;
mod usage;
