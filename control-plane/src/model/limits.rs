//! How much of everything one customer may have.

use clap::Args;

/// How much one project and one organisation may have through the public API. The command line is not bound by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct Limits {
    /// How many keys a project may have that are neither revoked nor expired
    #[arg(
        long = "max-keys",
        env = "MCP_KEY_AUTH_MAX_KEYS",
        default_value_t = 1_000,
        value_name = "NUMBER"
    )]
    pub keys_per_project: u32,
    /// How many MCP servers a project may have
    #[arg(
        long = "max-servers",
        env = "MCP_KEY_AUTH_MAX_SERVERS",
        default_value_t = 1_000,
        value_name = "NUMBER"
    )]
    pub servers_per_project: u32,
    /// How many projects an organisation may have
    #[arg(
        long = "max-projects",
        env = "MCP_KEY_AUTH_MAX_PROJECTS",
        default_value_t = 10_000,
        value_name = "NUMBER"
    )]
    pub projects_per_organisation: u32,
}

/// No limit.
pub const UNLIMITED: u32 = u32::MAX;
