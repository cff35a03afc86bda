//! The command line and the environment.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;
use jiff::SignedDuration;
use tracing_subscriber::EnvFilter;

use self::{quiet::Quiet, tls::TlsOptions};
use crate::{
    admin::command::AdminCommand, dashboard::mcp_url::McpUrl, doctor::command::DoctorOptions,
    edge::ttl::Ttl, logging::LogFormat, model::limits::Limits, ready::ReadyOptions,
    store::DatabaseUrl,
};

pub mod quiet;
pub mod tls;

/// Settings, API keys and the edge API for API-key enforcement in front of MCP servers.
#[derive(Debug, Parser)]
#[command(name = "control-plane", version, max_term_width = 100)]
pub struct Cli {
    /// The database: a SQLite file, sqlite://relative.db or sqlite:///absolute.db, or a PostgreSQL
    /// database that exists, postgres://user@host/database; sqlite://mcp-key-auth.db, if left out
    ///
    /// PostgreSQL is for several replicas, which then serve one system. Its URL may carry a port, a
    /// password and what follows: ?sslmode=verify-full&sslrootcert=PATH asks for TLS, ?host=PATH for
    /// the socket in that folder. A password is better kept in the environment than
    /// on the command line, which everybody on the machine can read: here, or in PGPASSWORD or ~/.pgpass.
    #[arg(
        long,
        global = true,
        env = "MCP_KEY_AUTH_DATABASE",
        hide_env_values = true,
        value_name = "URL",
        value_parser = Quiet::<DatabaseUrl>::new()
    )]
    pub database: Option<DatabaseUrl>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What the program does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the public API and the edge API until SIGTERM or SIGINT.
    ///
    /// The edge token, which the filter presents, is read from MCP_KEY_AUTH_EDGE_TOKEN: at least 16 characters.
    Serve(Box<ServeOptions>),
    /// Print the OpenAPI document of the public API.
    Openapi,
    /// Copy the SQLite database to a new file, also while it is in use.
    ///
    /// The copy is complete as of one moment and readable by this user alone. To restore it, stop every server, put it in the
    /// place of the database file, remove the files beside that end in -wal and -shm, and run `restored`. For PostgreSQL, use
    /// pg_dump.
    Backup(BackupOptions),
    /// Tell by the exit code whether the server on this machine is ready: for a container's health check.
    Ready(ReadyOptions),
    /// Say why a request to an MCP server is let through or refused, step by step.
    ///
    /// It sends the gateway GET requests, with the key and without, and reads what the control plane
    /// knows, from its public API or, with --database, from there; it changes nothing. Its exit code is
    /// 0 when the request passes, 1 when it is refused or fails, 2 when that cannot be told.
    Doctor(Box<DoctorOptions>),
    /// Say that the database was put back to what it was, so that every Envoy asks about everything again.
    ///
    /// Run it each time that a database was restored, by whatever means, and where a PostgreSQL standby took over that may
    /// lack the last changes; best before the servers are started. Without it an Envoy that was cut off meanwhile may go on
    /// serving what it learnt before. Once too often costs no more than one check for everything that is in use.
    Restored,
    /// Work on the database, whether or not a server runs on it.
    #[command(flatten)]
    Admin(AdminCommand),
}

/// Where to copy the database to.
#[derive(Debug, Clone, Args)]
pub struct BackupOptions {
    /// The file to write; it must not exist
    #[arg(long, value_name = "PATH")]
    pub to: PathBuf,
}

/// How to serve.
#[derive(Debug, Clone, Args)]
pub struct ServeOptions {
    /// Address of the public API; port 0 lets the system choose
    #[arg(
        long,
        env = "MCP_KEY_AUTH_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "IP:PORT"
    )]
    pub listen: SocketAddr,
    /// Address of the edge API; port 0 lets the system choose
    #[arg(
        long,
        env = "MCP_KEY_AUTH_EDGE_LISTEN",
        default_value = "127.0.0.1:8081",
        value_name = "IP:PORT"
    )]
    pub edge_listen: SocketAddr,
    /// Address that answers GET /metrics, for Prometheus; port 0 lets the system choose. Nowhere, if left out
    ///
    /// Whoever reaches it may read it: counts of requests, no id and no key.
    #[arg(long, env = "MCP_KEY_AUTH_METRICS_LISTEN", value_name = "IP:PORT")]
    pub metrics_listen: Option<SocketAddr>,
    /// TLS of both ports.
    #[command(flatten)]
    pub tls: TlsOptions,
    /// How long the filter may serve a policy or a valid key without asking again: 0s to 1h
    #[arg(
        long,
        env = "MCP_KEY_AUTH_CHECK_TTL",
        default_value = "10m",
        value_name = "DURATION"
    )]
    pub check_ttl: Ttl,
    /// How long it may serve an unknown project or a key that is not valid: 0s to 1h
    #[arg(
        long,
        env = "MCP_KEY_AUTH_NEGATIVE_TTL",
        default_value = "5s",
        value_name = "DURATION"
    )]
    pub negative_ttl: Ttl,
    /// How long a request may take that is not a long poll: 1s to 5m
    #[arg(long, env = "MCP_KEY_AUTH_REQUEST_TIMEOUT", default_value = "10s", value_name = "DURATION", value_parser = limit)]
    pub request_timeout: std::time::Duration,
    /// How long a new connection may take to bring its first request, and before that the TLS handshake: 1s to 5m
    #[arg(long, env = "MCP_KEY_AUTH_CONNECT_TIMEOUT", default_value = "10s", value_name = "DURATION", value_parser = limit)]
    pub connect_timeout: std::time::Duration,
    /// How long an HTTP/1 connection is kept without a further request: 1s to 1h
    ///
    /// A proxy or load balancer in front must give up idle connections earlier than this.
    #[arg(long, env = "MCP_KEY_AUTH_IDLE_TIMEOUT", default_value = "75s", value_name = "DURATION", value_parser = idle)]
    pub idle_timeout: std::time::Duration,
    /// How long requests in flight may take after SIGTERM: 1s to 5m
    #[arg(long, env = "MCP_KEY_AUTH_DRAIN_TIMEOUT", default_value = "10s", value_name = "DURATION", value_parser = limit)]
    pub drain_timeout: std::time::Duration,
    /// How many days counts of requests are kept: 1 to 3650
    #[arg(long, env = "MCP_KEY_AUTH_USAGE_DAYS", default_value_t = 90, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub usage_days: u16,
    /// How long a session of the dashboard lasts: 5m to 30d
    #[arg(long, env = "MCP_KEY_AUTH_SESSION_TTL", default_value = "12h", value_name = "DURATION", value_parser = session_ttl)]
    pub session_ttl: SignedDuration,
    /// URL of the projects' MCP servers with {project_id} or {server_id} in it, for the dashboard to show
    #[arg(long, env = "MCP_KEY_AUTH_MCP_URL", value_name = "URL")]
    pub mcp_url: Option<McpUrl>,
    /// Networks of proxies that are believed about who signs in to the dashboard: the address that they add to x-forwarded-for
    #[arg(
        long,
        env = "MCP_KEY_AUTH_TRUSTED_PROXIES",
        value_name = "NETWORK",
        value_delimiter = ',',
        value_parser = network
    )]
    pub trusted_proxies: Vec<IpNet>,
    /// How much one project or organisation may have.
    #[command(flatten)]
    pub limits: Limits,
    /// Write the bound addresses to this file, as JSON, once requests are served; removed at the end
    #[arg(long, value_name = "PATH")]
    pub ready_file: Option<PathBuf>,
    /// What log lines, on standard error, look like
    #[arg(
        long,
        env = "MCP_KEY_AUTH_LOG_FORMAT",
        value_enum,
        default_value = "text"
    )]
    pub log_format: LogFormat,
    /// Which log lines to write: error, warn, info, debug, or directives per module
    #[arg(long, env = "MCP_KEY_AUTH_LOG", default_value = "info", value_name = "FILTER", value_parser = log_filter)]
    pub log: LogFilter,
}

/// A filter of log lines that is known to be sound.
#[derive(Debug, Clone)]
pub struct LogFilter(String);

impl LogFilter {
    /// The filter to start logging with.
    #[must_use]
    pub fn to_env_filter(&self) -> EnvFilter {
        EnvFilter::new(&self.0)
    }
}

fn log_filter(text: &str) -> Result<LogFilter, String> {
    EnvFilter::try_new(text)
        .map(|_| LogFilter(text.to_owned()))
        .map_err(|error| format!("{error}; write a level, as in info, or module=level pairs"))
}

fn limit(text: &str) -> Result<std::time::Duration, &'static str> {
    seconds(text, 300).ok_or("write a duration from 1s to 5m, as in 10s")
}

fn idle(text: &str) -> Result<std::time::Duration, &'static str> {
    seconds(text, 3600).ok_or("write a duration from 1s to 1h, as in 75s")
}

/// A duration from 1 second to as many.
fn seconds(text: &str, most: u64) -> Option<std::time::Duration> {
    let duration = text.parse::<SignedDuration>().ok()?;
    let seconds = u64::try_from(duration.as_secs()).ok()?;
    (1..=most)
        .contains(&seconds)
        .then(|| std::time::Duration::from_secs(seconds))
}

fn network(text: &str) -> Result<IpNet, &'static str> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address
        .or_else(|_| text.parse())
        .map_err(|_| "write an address or a network, as in 10.0.0.0/8")
}

fn session_ttl(text: &str) -> Result<SignedDuration, &'static str> {
    let days = SignedDuration::from_hours(24 * 30);
    let duration = match text.strip_suffix('d').map(str::parse::<u8>) {
        // A duration has no days of its own, since not every day has 24 hours.
        Some(Ok(days)) => Some(SignedDuration::from_hours(24 * i64::from(days))),
        _ => text.parse().ok(),
    };
    duration
        .filter(|ttl| (SignedDuration::from_mins(5)..=days).contains(ttl))
        .ok_or("write a duration from 5m to 30d, as in 12h")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_network_may_be_one_address() {
        assert_eq!(network("10.0.0.1").unwrap().to_string(), "10.0.0.1/32");
        assert_eq!(network("::/0").unwrap().to_string(), "::/0");
        assert!(network("proxy.example").is_err());
    }

    #[test]
    fn a_session_lasts_minutes_to_days() {
        for (text, seconds) in [
            ("5m", Some(300)),
            ("12h", Some(43_200)),
            ("30d", Some(2_592_000)),
            ("720h", Some(2_592_000)),
            ("4m", None),
            ("31d", None),
            ("-1h", None),
            ("x", None),
        ] {
            let ttl = session_ttl(text).ok().map(|ttl| ttl.as_secs());
            assert_eq!(ttl, seconds, "{text}");
        }
    }

    #[test]
    fn limits_are_seconds_to_minutes() {
        for (text, good) in [
            ("1s", true),
            ("5m", true),
            ("0s", false),
            ("301s", false),
            ("-5s", false),
            ("x", false),
        ] {
            assert_eq!(limit(text).is_ok(), good, "{text}");
        }
    }
}
