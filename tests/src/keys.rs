//! API keys for tests: well-formed, and the same for the same seed.

use edge_api::key_format::{ALPHABET, PREFIX, RANDOM_LEN, checksum};
use edge_api::key_sha256::KeySha256;
use sha2::{Digest, Sha256};

/// A key with the right shape and checksum. Nobody knows it until a control plane is told.
#[must_use]
pub fn mint_key(seed: u64) -> String {
    let digest = Sha256::digest(seed.to_be_bytes());
    let mut key = String::from(PREFIX);
    for byte in digest.iter().take(RANDOM_LEN) {
        key.push(char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]));
    }
    let sum = checksum(key.as_bytes());
    key.extend(sum.map(char::from));
    key
}

/// What a key is called on the wire.
#[must_use]
pub fn sha256(raw_key: impl AsRef<[u8]>) -> KeySha256 {
    KeySha256(Sha256::digest(raw_key.as_ref()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minted_keys_are_well_formed_and_differ() {
        for seed in 0..1000 {
            assert!(edge_api::key_format::is_well_formed(
                mint_key(seed).as_bytes()
            ));
        }
        assert_eq!(mint_key(1), mint_key(1));
        assert_ne!(mint_key(1), mint_key(2));
    }
}
