//! Identifiers as they appear in paths, headers, logs and messages.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// The longest identifier, in bytes.
pub const MAX_LEN: usize = 64;

/// An identifier of a project, an MCP server or a key: `[A-Za-z0-9_-]{1,64}`.
///
/// **An `Id` is safe to place in a header, a log line, a path segment and JSON without escaping.** Clones share
/// one text.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(Arc<str>);

/// Why a text is not an [`Id`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidId;

impl Id {
    /// Checks length and characters.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        if is_valid(text.as_bytes()) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidId)
        }
    }

    /// Sixteen hexadecimal digits.
    #[must_use]
    pub fn of_number(number: u64) -> Self {
        Self(format!("{number:016x}").into())
    }

    /// The identifier's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `bytes` would make an [`Id`].
#[must_use]
pub fn is_valid(bytes: &[u8]) -> bool {
    (1..=MAX_LEN).contains(&bytes.len())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identifier is 1 to 64 of the characters A-Z a-z 0-9 _ -")
    }
}

impl std::error::Error for InvalidId {}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_words_are_identifiers() {
        for good in ["a", "pr_demo-1", "0", &"x".repeat(64)] {
            assert!(Id::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a b",
            "a/b",
            "..",
            "a%2f",
            "é",
            "a\"",
            "a\n",
            &"x".repeat(65),
        ] {
            assert!(Id::parse(bad).is_err(), "{bad}");
        }
    }
}
