//! What a presented key looks like, before anybody is asked.

use std::fmt;

use edge_api::key_format::{self, Kind};

use crate::key::PlainKey;

/// A text that was presented as a key. `Debug` prints no part of it.
pub(super) struct PresentedKey {
    raw: String,
    shape: Shape,
}

/// What it looks like.
#[derive(Debug)]
pub(super) enum Shape {
    /// A whole project key.
    ProjectKey(PlainKey),
    /// It calls itself something else than a project key.
    OtherKind(Kind),
    /// No key looks like that.
    Malformed(Malformation),
}

/// What is wrong with a key's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformation {
    #[error("it is empty: set it to the key that was shown when the key was created")]
    Empty,
    #[error("there is white space or a quotation mark in it: copy the key alone")]
    Wrapped,
    #[error("it does not begin with ak_, as project keys do: copy the whole key, or the right one")]
    Prefix,
    #[error("it is {0} characters long instead of {expected}: copy the whole key and nothing else", expected = key_format::LEN)]
    Length(usize),
    #[error("it holds characters that no key has: copy the key again")]
    Characters,
    #[error("its checksum is wrong: a character was mistyped or lost; copy the key again")]
    Checksum,
}

impl PresentedKey {
    /// Looks at a text.
    pub(super) fn examine(raw: &str) -> Self {
        Self {
            raw: raw.to_owned(),
            shape: Shape::of(raw),
        }
    }

    pub(super) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The key, if it has a key's shape.
    pub(super) fn plain(&self) -> Option<&PlainKey> {
        match &self.shape {
            Shape::ProjectKey(key) => Some(key),
            Shape::OtherKind(_) | Shape::Malformed(_) => None,
        }
    }

    /// The raw text, to be sent. Never print or log it.
    pub(super) fn reveal(&self) -> &str {
        &self.raw
    }
}

impl fmt::Debug for PresentedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresentedKey(redacted)")
    }
}

impl Shape {
    fn of(raw: &str) -> Self {
        if let Some(key) = PlainKey::parse(raw.as_bytes()) {
            return Self::ProjectKey(key);
        }
        let wrapped = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`');
        let malformation = match Kind::of(raw.as_bytes()) {
            _ if raw.is_empty() => Malformation::Empty,
            _ if raw.contains(wrapped) => Malformation::Wrapped,
            Some(Kind::Project) => Self::of_project_key(raw),
            Some(other) => return Self::OtherKind(other),
            None => Malformation::Prefix,
        };
        Self::Malformed(malformation)
    }

    fn of_project_key(raw: &str) -> Malformation {
        let rest = raw.strip_prefix(key_format::PREFIX).unwrap_or_default();
        if !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
            Malformation::Characters
        } else if raw.len() != key_format::LEN {
            Malformation::Length(raw.len())
        } else {
            Malformation::Checksum
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_key_is_told() {
        let good = PlainKey::generate().unwrap();
        let good = good.reveal();
        let mistyped = {
            let last = if good.ends_with('0') { '1' } else { '0' };
            format!("{}{last}", &good[..good.len() - 1])
        };
        for (raw, expected) in [
            ("", Malformation::Empty),
            (&*format!("{good} "), Malformation::Wrapped),
            (&format!("\"{good}\""), Malformation::Wrapped),
            (&format!("Bearer {good}"), Malformation::Wrapped),
            (&good[3..], Malformation::Prefix),
            (&good[..20], Malformation::Length(20)),
            (&good.replacen("ak_", "ak_-", 1), Malformation::Characters),
            (&mistyped, Malformation::Checksum),
        ] {
            let shape = Shape::of(raw);
            assert!(
                matches!(shape, Shape::Malformed(found) if found == expected),
                "{shape:?}"
            );
        }
        assert!(matches!(Shape::of(good), Shape::ProjectKey(_)));
        assert!(matches!(
            Shape::of("oak_x"),
            Shape::OtherKind(Kind::Organisation)
        ));
        assert!(!format!("{:?}", PresentedKey::examine(good)).contains(&good[3..]));
    }
}
