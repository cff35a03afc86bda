//! The secret in the browser's cookie, at the two moments it exists here: when it is made and when it is presented.
//!
//! **Only its SHA-256 is stored, and nothing of it is logged.**

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::random::{self, NoRandomness};

/// How many characters of base 62 it has: 256 bits and some.
const LEN: usize = 43;

/// A whole token. `Debug` prints no part of it and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

/// What is stored of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenSha256(pub [u8; 32]);

impl SessionToken {
    /// Makes one from the operating system's randomness.
    pub fn generate() -> Result<Self, NoRandomness> {
        random::base62(LEN).map(Self)
    }

    /// Takes a presented token; `None` when it has not the shape of one.
    #[must_use]
    pub fn parse(presented: &str) -> Option<Self> {
        let well_formed =
            presented.len() == LEN && presented.bytes().all(|byte| byte.is_ascii_alphanumeric());
        well_formed.then(|| Self(presented.to_owned()))
    }

    /// The SHA-256 of the whole token.
    #[must_use]
    pub fn sha256(&self) -> TokenSha256 {
        TokenSha256(Sha256::digest(self.0.as_bytes()).into())
    }

    /// The raw text, for the cookie. Never log or store it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_token_is_well_formed_new_and_never_printed() {
        let (one, two) = (
            SessionToken::generate().unwrap(),
            SessionToken::generate().unwrap(),
        );
        assert_eq!(SessionToken::parse(one.reveal()), Some(one.clone()));
        assert!(one != two && one.sha256() != two.sha256());
        assert_eq!(format!("{one:?}"), "SessionToken(redacted)");
        for bad in ["", "x", &format!("{}-", "a".repeat(42)), &"a".repeat(44)] {
            assert_eq!(SessionToken::parse(bad), None, "{bad}");
        }
    }
}
