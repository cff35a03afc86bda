//! A raw API key as a client presented it. **The only file in the filter that holds one**; what leaves it
//! is a SHA-256.

use std::hash::Hasher;

use edge_api::key_format;
use edge_api::key_sha256::KeySha256;
use sha2::{Digest, Sha256};

use crate::key_kind::KeyKind;

/// The bytes of a presented key, borrowed from the request's headers and never copied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ApiKey<'a>(&'a [u8]);

impl<'a> ApiKey<'a> {
    /// Any bytes; whether they could be a key is [`ApiKey::fingerprint`]'s question.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Feeds the key into a digest under which a worker remembers it.
    pub(crate) fn name(self, hasher: &mut impl Hasher) {
        hasher.write(self.0);
    }

    /// The kind of key it says it is, where that is not a project's.
    pub(crate) fn other_kind(self) -> Option<KeyKind> {
        KeyKind::of(self.0)
    }

    /// The key's hash; `None` when no project key can look like this, so that nobody need be asked.
    pub(crate) fn fingerprint(self) -> Option<KeySha256> {
        key_format::is_well_formed(self.0).then(|| KeySha256(Sha256::digest(self.0).into()))
    }
}

impl std::fmt::Debug for ApiKey<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ApiKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raw_key_is_never_printed() {
        let key = ApiKey::new(b"ak_secret");
        assert_eq!(
            format!("{key:?} {:?}", Some(key)),
            "ApiKey(redacted) Some(ApiKey(redacted))"
        );
    }

    #[test]
    fn the_fingerprint_is_the_sha256_of_the_whole_key() {
        let body = format!("ak_{}", "a".repeat(32));
        let sum = key_format::checksum(body.as_bytes());
        let raw = format!("{body}{}", std::str::from_utf8(&sum).unwrap());
        let expected = KeySha256(Sha256::digest(raw.as_bytes()).into());
        assert_eq!(ApiKey::new(raw.as_bytes()).fingerprint(), Some(expected));
        assert_eq!(ApiKey::new(&raw.as_bytes()[3..]).fingerprint(), None);
    }
}
