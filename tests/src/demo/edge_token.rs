//! The secret between Envoy and the control plane. It is made anew at each start and lives in memory and in the
//! environments of the two alone.

use std::fmt::{self, Write};

use anyhow::{Context, Result};

/// Bytes of randomness in a token.
const RANDOM_BYTES: usize = 32;

/// A token that nobody can guess.
pub(super) struct EdgeToken(String);

impl EdgeToken {
    pub(super) fn generate() -> Result<Self> {
        let mut bytes = [0; RANDOM_BYTES];
        getrandom::fill(&mut bytes).context("the system gives no random bytes")?;
        let mut token = String::with_capacity(2 * RANDOM_BYTES);
        for byte in bytes {
            write!(token, "{byte:02x}")?;
        }
        Ok(Self(token))
    }

    /// The token itself, for the environment of a child.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EdgeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EdgeToken([redacted])")
    }
}
