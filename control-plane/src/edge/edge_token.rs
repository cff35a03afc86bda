//! The token that the filter presents.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The environment variable that holds it.
pub const VARIABLE: &str = "MCP_KEY_AUTH_EDGE_TOKEN";
/// The fewest characters it may have.
pub const MIN_LEN: usize = 16;

/// The SHA-256 of the token; the token itself is not kept. `Debug` prints no part of it.
#[derive(Clone)]
pub struct EdgeToken([u8; 32]);

/// Why there is no usable token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEdgeToken {
    /// The variable is not set, or empty.
    #[error(
        "{VARIABLE} is not set: set it to the secret that the filter presents, at least {MIN_LEN} characters"
    )]
    Missing,
    /// It is easy to guess.
    #[error("{VARIABLE} is too short: use at least {MIN_LEN} characters")]
    TooShort,
    /// It would not fit in a header.
    #[error(
        "{VARIABLE} holds white space or characters beyond ASCII: use letters, digits and punctuation"
    )]
    Characters,
}

impl EdgeToken {
    /// Reads the token from the process's environment.
    pub fn from_environment() -> Result<Self, InvalidEdgeToken> {
        let value = std::env::var_os(VARIABLE).ok_or(InvalidEdgeToken::Missing)?;
        Self::parse(value.as_encoded_bytes())
    }

    /// Checks length and characters.
    pub fn parse(token: &[u8]) -> Result<Self, InvalidEdgeToken> {
        if token.is_empty() {
            Err(InvalidEdgeToken::Missing)
        } else if !token.iter().all(u8::is_ascii_graphic) {
            Err(InvalidEdgeToken::Characters)
        } else if token.len() < MIN_LEN {
            Err(InvalidEdgeToken::TooShort)
        } else {
            Ok(Self(Sha256::digest(token).into()))
        }
    }

    /// Whether `presented` is the token. Both sides are hashed and compared in constant time, so
    /// that neither length nor content can be learnt from how long it takes.
    #[must_use]
    pub fn is(&self, presented: &[u8]) -> bool {
        let presented: [u8; 32] = Sha256::digest(presented).into();
        self.0.ct_eq(&presented).into()
    }
}

impl fmt::Debug for EdgeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EdgeToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_printable_token_is_taken() {
        let check = |token: &[u8], expected: Option<InvalidEdgeToken>| {
            assert_eq!(EdgeToken::parse(token).err(), expected, "{token:?}");
        };
        check(b"0123456789abcdef", None);
        check(b"", Some(InvalidEdgeToken::Missing));
        check(b"0123456789abcde", Some(InvalidEdgeToken::TooShort));
        check(b"0123456789abcdef\n", Some(InvalidEdgeToken::Characters));
        check(
            "0123456789abcdéf".as_bytes(),
            Some(InvalidEdgeToken::Characters),
        );
    }

    #[test]
    fn only_the_token_itself_is_the_token() {
        let token = EdgeToken::parse(b"0123456789abcdef").unwrap();
        assert!(token.is(b"0123456789abcdef"));
        for other in [
            &b""[..],
            b"0123456789abcde",
            b"0123456789abcdeg",
            b"0123456789abcdef0",
        ] {
            assert!(!token.is(other), "{other:?}");
        }
    }

    #[test]
    fn debug_prints_no_part_of_it() {
        let token = EdgeToken::parse(b"0123456789abcdef").unwrap();
        assert_eq!(format!("{token:?}"), "EdgeToken(…)");
    }
}
