//! A raw API key, at the two moments it exists here: when it is minted and when it is presented.
//!
//! **Only its SHA-256 is stored, logged or sent on.**

use std::fmt;

use edge_api::{
    key_format::{self, Kind},
    key_sha256::KeySha256,
};
use sha2::{Digest as _, Sha256};

use crate::{
    model::masked_key::MaskedKey,
    random::{self, NoRandomness},
};

/// A whole raw key. `Debug` prints no part of it and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct PlainKey(String);

impl PlainKey {
    /// Mints a project key from the operating system's randomness.
    pub fn generate() -> Result<Self, NoRandomness> {
        Self::generate_as(Kind::Project)
    }

    /// Mints a key of that kind.
    pub fn generate_as(kind: Kind) -> Result<Self, NoRandomness> {
        let random = random::base62(key_format::RANDOM_LEN)?;
        let mut key = format!("{}{random}", kind.prefix());
        let sum = key_format::checksum(key.as_bytes());
        key.extend(sum.map(char::from));
        Ok(Self(key))
    }

    /// Takes a presented key; `None` when it has not the shape of a project key.
    #[must_use]
    pub fn parse(presented: &[u8]) -> Option<Self> {
        Self::parse_as(Kind::Project, presented)
    }

    /// Takes a presented key; `None` when it has not the shape of a key of that kind.
    #[must_use]
    pub fn parse_as(kind: Kind, presented: &[u8]) -> Option<Self> {
        if !key_format::is_well_formed_as(kind, presented) {
            return None;
        }
        String::from_utf8(presented.to_vec()).ok().map(Self)
    }

    /// The SHA-256 of the whole key.
    #[must_use]
    pub fn sha256(&self) -> KeySha256 {
        KeySha256(Sha256::digest(self.0.as_bytes()).into())
    }

    /// What may be shown of it later on.
    #[must_use]
    pub fn masked(&self) -> MaskedKey {
        MaskedKey::of(&self.0)
    }

    /// The raw text, to be shown once to whom it was made for. Never log or store it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_key_is_well_formed_and_new_each_time() {
        let (one, two) = (PlainKey::generate().unwrap(), PlainKey::generate().unwrap());
        assert!(key_format::is_well_formed(one.reveal().as_bytes()));
        assert_eq!(PlainKey::parse(one.reveal().as_bytes()), Some(one.clone()));
        assert!(one != two);
        assert_eq!(PlainKey::parse(b"ak_your_api_key"), None);
    }

    #[test]
    fn debug_prints_no_part_of_the_key() {
        let key = PlainKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), "PlainKey(redacted)");
    }

    #[test]
    fn the_hash_is_of_the_whole_key() {
        let key = PlainKey("abc".to_owned());
        assert_eq!(
            key.sha256().to_hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
