//! The shape of an API key: a prefix that tells its kind, `ak_` for a project's, 32 random base-62 characters,
//! 6 base-62 characters of checksum.
//!
//! The checksum lets the filter refuse garbage without asking anyone, and lets a secret scanner tell
//! a key from a look-alike. It is no secret and proves nothing about who made the key.

use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// What every project key begins with.
pub const PREFIX: &str = "ak_";
/// Random characters after the prefix: 32 × log2(62) ≈ 190 bits.
pub const RANDOM_LEN: usize = 32;
/// Characters of checksum at the end.
pub const CHECKSUM_LEN: usize = 6;
/// Length of a whole key, in bytes.
pub const LEN: usize = PREFIX.len() + RANDOM_LEN + CHECKSUM_LEN;
/// The digits of base 62, in order.
pub const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whom a key belongs to. Only keys of projects and organisations are made here; the others are known
/// so that one that was mistaken for them can be told where to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A project: opens its MCP servers and manages it.
    Project,
    /// An organisation: manages its projects, opens no MCP server.
    Organisation,
    /// A user.
    User,
    /// A consumer.
    Consumer,
}

impl Kind {
    /// What every key of the kind begins with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Project => PREFIX,
            Self::Organisation => "oak_",
            Self::User => "uak_",
            Self::Consumer => "ck_",
        }
    }

    /// The kind that a text calls itself, whether or not it is a key.
    #[must_use]
    pub fn of(key: &[u8]) -> Option<Self> {
        let kinds = [
            Self::Project,
            Self::Organisation,
            Self::User,
            Self::Consumer,
        ];
        kinds
            .into_iter()
            .find(|kind| key.starts_with(kind.prefix().as_bytes()))
    }
}

static CRC32: Crc<u32, Table<1>> = Crc::<u32, Table<1>>::new(&CRC_32_ISO_HDLC);

/// The checksum of everything before it: CRC-32 (ISO-HDLC) of `body`, as six base-62 digits, highest first.
#[must_use]
pub fn checksum(body: &[u8]) -> [u8; CHECKSUM_LEN] {
    let mut rest = CRC32.checksum(body);
    let mut digits = [b'0'; CHECKSUM_LEN];
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(rest % 62).unwrap_or_default();
        *digit = ALPHABET.get(index).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits
}

/// Whether `key` has the prefix, length, characters and checksum of a project key.
#[must_use]
pub fn is_well_formed(key: &[u8]) -> bool {
    is_well_formed_as(Kind::Project, key)
}

/// Whether `key` has the prefix, length, characters and checksum of a key of that kind.
#[must_use]
pub fn is_well_formed_as(kind: Kind, key: &[u8]) -> bool {
    let Some((body, sum)) = key.split_last_chunk::<CHECKSUM_LEN>() else {
        return false;
    };
    let Some(random) = body.strip_prefix(kind.prefix().as_bytes()) else {
        return false;
    };
    random.len() == RANDOM_LEN
        && random.iter().all(u8::is_ascii_alphanumeric)
        && checksum(body) == *sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(random: &str) -> String {
        let body = format!("{PREFIX}{random}");
        let sum = checksum(body.as_bytes());
        body + std::str::from_utf8(&sum).unwrap()
    }

    #[test]
    fn a_minted_key_is_well_formed_and_its_neighbours_are_not() {
        let good = key("0123456789abcdefghijABCDEFGHIJxy");
        assert!(is_well_formed(good.as_bytes()));
        for i in 0..good.len() {
            let mut bad = good.clone().into_bytes();
            bad[i] = if bad[i] == b'Z' { b'Y' } else { b'Z' };
            assert!(!is_well_formed(&bad), "changed byte {i}");
        }
        assert!(!is_well_formed(&good.as_bytes()[1..]));
        assert!(!is_well_formed(format!("{good}0").as_bytes()));
        assert!(!is_well_formed(b""));
    }

    #[test]
    fn a_key_of_one_kind_is_none_of_another() {
        let kinds = [
            (Kind::Project, "ak_"),
            (Kind::Organisation, "oak_"),
            (Kind::User, "uak_"),
            (Kind::Consumer, "ck_"),
        ];
        for (kind, prefix) in kinds {
            let body = format!("{prefix}0123456789abcdefghijABCDEFGHIJxy");
            let sum = checksum(body.as_bytes());
            let key = body + std::str::from_utf8(&sum).unwrap();
            assert_eq!(Kind::of(key.as_bytes()), Some(kind));
            for (other, _) in kinds {
                assert_eq!(
                    is_well_formed_as(other, key.as_bytes()),
                    other == kind,
                    "{prefix} as {other:?}"
                );
            }
        }
        for none in ["", "ak", "AK_", "xak_", "Bearer ak_"] {
            assert_eq!(Kind::of(none.as_bytes()), None, "{none}");
        }
        assert_eq!(Kind::of(b"oak_"), Some(Kind::Organisation));
    }

    #[test]
    fn the_checksum_never_changes() {
        // Keys in the field carry it: a change here would refuse every one of them.
        assert_eq!(&checksum(b"123456789"), b"3jZRME");
    }

    #[test]
    fn punctuation_is_refused_even_with_a_right_checksum() {
        assert!(!is_well_formed(
            key("0123456789abcdefghij-BCDEFGHIJxy").as_bytes()
        ));
    }
}
