//! The words of `doctor`.

use std::{convert::Infallible, fmt, path::PathBuf, str::FromStr};

use clap::Args;

use super::key_header::KeyHeader;
use crate::{client::target::Target, config::quiet::Quiet};

/// The environment variable that holds the key.
pub const KEY_VARIABLE: &str = "MCP_KEY_AUTH_DOCTOR_KEY";

/// What to examine.
#[derive(Debug, Clone, Args)]
pub struct DoctorOptions {
    /// URL of the MCP server at the gateway, as a client is given it
    #[arg(long, value_name = "URL", value_parser = Quiet::<Target>::new())]
    pub gateway: Target,
    /// The API key that the client sends; `-` reads it from standard input
    ///
    /// Better there or in the environment than on the command line, which everybody on the machine can
    /// read. It is never printed. Without a key, a request without one is examined.
    #[arg(long, env = KEY_VARIABLE, hide_env_values = true, value_name = "KEY")]
    pub key: Option<KeyArgument>,
    /// URL of the control plane's public API, which tells the key's holder about the key and its project
    ///
    /// Without it, and with --database, the database is looked into, which knows more.
    #[arg(long, value_name = "URL", value_parser = Quiet::<Target>::new())]
    pub control_plane: Option<Target>,
    /// Header that the client puts the key in, with the word before it if there is one: "authorization: Bearer"
    #[arg(long, default_value = "x-api-key", value_name = "HEADER")]
    pub header: KeyHeader,
    /// PEM file of authorities to trust for https, beside the system's
    #[arg(long, value_name = "PATH")]
    pub ca: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A key, or the word that it comes on standard input. `Debug` prints no part of it.
#[derive(Clone)]
pub struct KeyArgument(String);

impl KeyArgument {
    pub(super) fn is_stdin(&self) -> bool {
        self.0 == "-"
    }

    /// The raw text. Never print or log it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

/// Whatever it is: a malformed key is what the doctor is there for.
impl FromStr for KeyArgument {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for KeyArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyArgument(redacted)")
    }
}
