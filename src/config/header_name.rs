//! The name of a request header, as Envoy hands it over.

use super::ConfigError;

/// A lower-case header name that is no pseudo-header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HeaderName(String);

impl HeaderName {
    /// Lower-cases and checks `text`; `field` is named in the error.
    pub(crate) fn parse(field: &str, text: &str) -> Result<Self, ConfigError> {
        let name = text.to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(ConfigError::new(
                field,
                format!("is {text}, which is no header name; write one like x-api-key"),
            ));
        }
        if matches!(
            name.as_str(),
            "host" | "connection" | "content-length" | "transfer-encoding" | "te" | "upgrade"
        ) {
            return Err(ConfigError::new(
                field,
                format!("is {text}, which HTTP itself uses; choose another header"),
            ));
        }
        Ok(Self(name))
    }

    /// The name in lower case.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 9110 §5.6.2 token characters.
fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}
