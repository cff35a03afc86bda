//! The SHA-256 of a raw API key: the only form in which a key leaves Envoy or reaches a disk.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// SHA-256 of a whole raw key; 64 lower-case hexadecimal digits on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeySha256(pub [u8; 32]);

impl KeySha256 {
    /// The 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        const DIGITS: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
        ];
        self.0
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|nibble| DIGITS.get(usize::from(nibble)))
            .collect()
    }

    /// Reads 64 hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let [high, low] = *pair else { return None };
            let high = char::from(high).to_digit(16)?;
            let low = char::from(low).to_digit(16)?;
            *byte = u8::try_from(high * 16 + low).ok()?;
        }
        Some(Self(bytes))
    }
}

/// Prints the first bytes only: enough to tell two keys apart in a log, too little to look one up.
impl fmt::Debug for KeySha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, ..] = self.0;
        write!(f, "KeySha256({a:02x}{b:02x}{c:02x}…)")
    }
}

impl Serialize for KeySha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_hex())
    }
}

impl<'de> Deserialize<'de> for KeySha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text)
            .ok_or_else(|| D::Error::custom("key_sha256 is 64 hexadecimal digits or null"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_survives_the_round_trip() {
        let hash = KeySha256(std::array::from_fn(|i| u8::try_from(i * 7 % 256).unwrap()));
        assert_eq!(KeySha256::from_hex(&hash.to_hex()), Some(hash));
        assert_eq!(KeySha256::from_hex("00"), None);
        assert_eq!(KeySha256::from_hex(&"g".repeat(64)), None);
        assert_eq!(KeySha256::from_hex(&"é".repeat(32)), None);
    }

    #[test]
    fn debug_prints_a_stub() {
        let hash = KeySha256([0xab; 32]);
        assert_eq!(format!("{hash:?}"), "KeySha256(ababab…)");
    }
}
