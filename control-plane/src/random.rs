//! Random text from the operating system, for keys and identifiers.

use edge_api::{id::Id, key_format::ALPHABET};
use rand::{TryRng as _, rngs::SysRng};

/// The operating system gave no randomness; nothing secret can be made without it.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct NoRandomness(#[from] rand::rngs::SysError);

/// `len` characters of base 62, each equally likely.
pub fn base62(len: usize) -> Result<String, NoRandomness> {
    // The largest multiple of 62 in a byte: bytes above it would favour the first digits.
    const FAIR: u8 = 248;
    let mut text = String::with_capacity(len);
    let mut bytes = [0; 64];
    while text.len() < len {
        SysRng.try_fill_bytes(&mut bytes)?;
        let fair = bytes.iter().filter(|byte| **byte < FAIR);
        let digits = fair.filter_map(|byte| ALPHABET.get(usize::from(byte % 62)));
        text.extend(digits.take(len - text.len()).copied().map(char::from));
    }
    Ok(text)
}

/// An identifier of `prefix` and 20 random characters.
pub(crate) fn id(prefix: &str) -> Result<Id, IdError> {
    Ok(Id::parse(&format!("{prefix}{}", base62(20)?))?)
}

/// An identifier of 32 random hexadecimal digits.
pub(crate) fn hex_id() -> Result<Id, IdError> {
    let mut bytes = [0; 16];
    SysRng.try_fill_bytes(&mut bytes).map_err(NoRandomness)?;
    Ok(Id::parse(&format!("{:032x}", u128::from_be_bytes(bytes)))?)
}

/// Why no identifier could be made.
#[derive(Debug, thiserror::Error)]
pub enum IdError {
    /// No randomness.
    #[error(transparent)]
    NoRandomness(#[from] NoRandomness),
    /// The prefix holds what an identifier may not.
    #[error(transparent)]
    Invalid(#[from] edge_api::id::InvalidId),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_the_asked_length_and_uses_every_digit() {
        for len in [0, 1, 32, 63, 64, 65, 1000] {
            assert_eq!(base62(len).unwrap().len(), len);
        }
        let text = base62(20_000).unwrap();
        for digit in ALPHABET {
            let count = text.bytes().filter(|b| b == digit).count();
            // Expected 322, standard deviation 18.
            assert!((200..450).contains(&count), "{digit}: {count}");
        }
    }
}
