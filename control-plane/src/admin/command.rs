//! The admin commands' words.

use clap::{Args, Subcommand};
use edge_api::id::Id;
use jiff::{SignedDuration, Timestamp};

use super::output::Format;
use crate::{clock, model::name::Name};

/// A command on the database.
#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Organisations, which own projects.
    #[command(subcommand)]
    Org(OrgCommand),
    /// Projects, which own MCP servers and API keys.
    #[command(subcommand)]
    Project(ProjectCommand),
    /// MCP servers, whose ids stand in URLs.
    #[command(subcommand)]
    Server(ServerCommand),
    /// API keys.
    #[command(subcommand)]
    Key(KeyCommand),
    /// List what there is, oldest first.
    #[command(subcommand)]
    List(ListCommand),
}

/// A command on organisations.
#[derive(Debug, Subcommand)]
pub enum OrgCommand {
    /// Create an organisation, and the database if there is none.
    Create(CreateOrg),
    /// Keys that manage an organisation's projects through the API.
    #[command(subcommand)]
    Key(OrgKeyCommand),
}

/// A command on keys of organisations.
#[derive(Debug, Subcommand)]
pub enum OrgKeyCommand {
    /// Create a key and print it. It cannot be shown again.
    Create(CreateOrgKey),
    /// List the keys, oldest first; what is stored of them, which is not the keys themselves.
    List(ListOrgKeys),
    /// Revoke a key for good.
    Revoke(KeyId),
}

/// A command on projects.
#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// Create a project.
    Create(CreateProject),
}

/// A command on MCP servers.
#[derive(Debug, Subcommand)]
pub enum ServerCommand {
    /// Create an MCP server.
    Create(CreateServer),
    /// Remove an MCP server; its id stays reserved for its organisation.
    Remove(RemoveServer),
}

/// A command on API keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Create a key and print it. It cannot be shown again.
    Create(CreateKey),
    /// Replace a key by a new one and print that. It cannot be shown again.
    Rotate(RotateKey),
    /// Revoke a key for good.
    Revoke(KeyId),
    /// Switch a key off.
    Disable(KeyId),
    /// Switch a disabled key on again.
    Enable(KeyId),
}

/// What to list.
#[derive(Debug, Subcommand)]
pub enum ListCommand {
    /// All organisations.
    Orgs(Format),
    /// All projects.
    Projects(Format),
    /// All MCP servers.
    Servers(Format),
    /// All API keys; what is stored of them, which is not the keys themselves.
    Keys(Format),
}

/// A new organisation.
#[derive(Debug, Args)]
pub struct CreateOrg {
    /// Name, for people
    #[arg(long)]
    pub name: Name,
    /// Id, instead of a random one: 1 to 64 of A-Z a-z 0-9 _ -
    #[arg(long, value_parser = Id::parse)]
    pub id: Option<Id>,
    /// When it was created, instead of now, as in 2026-02-28T23:59:59Z. Projects of organisations
    /// created on or after 2026-03-01T00:00:00Z require a key by default
    #[arg(long, value_name = "RFC3339", value_parser = time)]
    pub created_at: Option<Timestamp>,
    /// How to print it.
    #[command(flatten)]
    pub format: Format,
}

/// A new key of an organisation.
#[derive(Debug, Args)]
pub struct CreateOrgKey {
    /// Id of the organisation that it manages
    #[arg(long, value_parser = Id::parse)]
    pub org: Id,
    /// Name, for people
    #[arg(long)]
    pub name: Name,
    /// From when on it is refused, as in 2027-01-31T12:00:00Z; never, if left out
    #[arg(long, value_name = "RFC3339", value_parser = time)]
    pub expires_at: Option<Timestamp>,
    /// How to print it.
    #[command(flatten)]
    pub format: Format,
}

/// Which keys of organisations to list.
#[derive(Debug, Args)]
pub struct ListOrgKeys {
    /// Only keys of the organisation with this id
    #[arg(long, value_parser = Id::parse)]
    pub org: Option<Id>,
    /// How to print them.
    #[command(flatten)]
    pub format: Format,
}

/// A new project.
#[derive(Debug, Args)]
pub struct CreateProject {
    /// Id of the organisation that owns it
    #[arg(long, value_parser = Id::parse)]
    pub org: Id,
    /// Name, for people
    #[arg(long)]
    pub name: Name,
    /// Id, instead of a random one: 1 to 64 of A-Z a-z 0-9 _ -
    #[arg(long, value_parser = Id::parse)]
    pub id: Option<Id>,
    /// Whether its MCP servers require a key, instead of the default, which depends on the organisation's age
    #[arg(long, value_name = "true|false")]
    pub require_mcp_api_key: Option<bool>,
    /// How to print it.
    #[command(flatten)]
    pub format: Format,
}

/// A new MCP server.
#[derive(Debug, Args)]
pub struct CreateServer {
    /// Id of the project that it belongs to
    #[arg(long, value_parser = Id::parse)]
    pub project: Id,
    /// Name, for people
    #[arg(long)]
    pub name: Name,
    /// Id, instead of a random UUID: 1 to 64 of A-Z a-z 0-9 _ -
    #[arg(long, value_parser = Id::parse)]
    pub id: Option<Id>,
    /// How to print it.
    #[command(flatten)]
    pub format: Format,
}

/// An existing MCP server.
#[derive(Debug, Args)]
pub struct RemoveServer {
    /// Id of the MCP server
    #[arg(long, value_parser = Id::parse)]
    pub id: Id,
    /// How to print it.
    #[command(flatten)]
    pub format: Format,
}

/// A new API key.
#[derive(Debug, Args)]
pub struct CreateKey {
    /// Id of the project that it opens
    #[arg(long, value_parser = Id::parse)]
    pub project: Id,
    /// Name, for people
    #[arg(long)]
    pub name: Name,
    /// From when on it is refused, as in 2027-01-31T12:00:00Z; never, if left out
    #[arg(long, value_name = "RFC3339", value_parser = time)]
    pub expires_at: Option<Timestamp>,
    /// How to print it.
    #[command(flatten)]
    pub format: Format,
}

/// A key to replace.
#[derive(Debug, Args)]
pub struct RotateKey {
    /// Id of the key, key_…
    #[arg(long, value_parser = Id::parse)]
    pub id: Id,
    /// How long the old key still works, as in 24h; 0s is not at all
    #[arg(long, value_name = "DURATION", value_parser = grace)]
    pub grace: SignedDuration,
    /// From when on the new key is refused, as in 2027-01-31T12:00:00Z; never, if left out
    #[arg(long, value_name = "RFC3339", value_parser = time)]
    pub expires_at: Option<Timestamp>,
    /// How to print it.
    #[command(flatten)]
    pub format: Format,
}

/// An existing key.
#[derive(Debug, Args)]
pub struct KeyId {
    /// Id of the key, key_… or okey_…
    #[arg(long, value_parser = Id::parse)]
    pub id: Id,
    /// How to print it.
    #[command(flatten)]
    pub format: Format,
}

fn grace(text: &str) -> Result<SignedDuration, &'static str> {
    let days_90 = SignedDuration::from_hours(90 * 24);
    text.parse()
        .ok()
        .filter(|grace| (SignedDuration::ZERO..=days_90).contains(grace))
        .ok_or("write a duration of up to 90 days, as in 24h or 0s")
}

fn time(text: &str) -> Result<Timestamp, &'static str> {
    text.parse()
        .map(clock::whole_milliseconds)
        .map_err(|_| "write a time with its offset, as in 2026-03-01T00:00:00Z")
}
