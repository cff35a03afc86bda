//! The `www-authenticate` header of a 401.

use crate::config::ConfigError;
use crate::key_source::KeySources;

/// The challenge, or none. RFC 9110 §15.5.2 asks for one; the Rust MCP SDK shows its user the body only without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge(Option<String>);

impl Challenge {
    /// `configured` as written: absent for the default, `none` for no challenge.
    pub(crate) fn parse(
        configured: Option<&str>,
        key_sources: &KeySources,
    ) -> Result<Self, ConfigError> {
        match configured.map(str::trim) {
            None => Ok(Self(Some(default_challenge(key_sources)))),
            Some("none") => Ok(Self(None)),
            Some(text) if !text.is_empty() && text.bytes().all(|b| matches!(b, b' '..=b'~')) => {
                Ok(Self(Some(text.to_owned())))
            }
            Some(_) => Err(ConfigError::new(
                "challenge",
                "is no header value; write a challenge such as ApiKey realm=\"mcp\", or none to send no challenge",
            )),
        }
    }

    /// The header's value, if it is sent.
    pub(crate) fn value(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

fn default_challenge(key_sources: &KeySources) -> String {
    match key_sources.preferred_scheme() {
        // A scheme of its own, such as Bearer, is what a client should answer with.
        Some(scheme) => format!("{scheme} realm=\"mcp\""),
        None => format!(
            "ApiKey realm=\"mcp\", header=\"{}\"",
            key_sources.preferred_header()
        ),
    }
}
