//! What may be shown of a key after it was made.

use std::{fmt, str::FromStr};

use serde::Serialize;

/// A key's prefix, an ellipsis and its last four characters: enough for its holder to tell which key
/// it is, too little to make one. The last characters are of the checksum, not of the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MaskedKey(String);

impl MaskedKey {
    /// Masks a whole raw key, whose prefix ends with its first `_`.
    #[must_use]
    pub fn of(raw: &str) -> Self {
        let prefix = raw.split_inclusive('_').next().unwrap_or_default();
        let end = raw.len().saturating_sub(4).max(prefix.len());
        Self(format!("{prefix}…{}", raw.get(end..).unwrap_or_default()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MaskedKey {
    type Err = std::convert::Infallible;

    /// Takes what was masked before.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for MaskedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_prefix_and_the_end_are_left() {
        for (raw, masked) in [
            ("ak_0123456789abcdefghijABCDEFGHIJxy3jZRME", "ak_…ZRME"),
            ("oak_0123456789", "oak_…6789"),
            ("ak_", "ak_…"),
            ("", "…"),
        ] {
            assert_eq!(MaskedKey::of(raw).as_str(), masked, "{raw}");
        }
    }
}
