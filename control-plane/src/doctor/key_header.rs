//! Where a client puts its key.

use std::str::FromStr;

use axum::http::{HeaderName, HeaderValue};

/// A header that a key goes into, with the word before it, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHeader {
    name: HeaderName,
    scheme: Option<String>,
}

/// Why a text is no [`KeyHeader`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a header's name, as in x-api-key, or with the word before the key, as in authorization: Bearer"
)]
pub struct InvalidKeyHeader;

impl KeyHeader {
    pub(super) fn name(&self) -> &HeaderName {
        &self.name
    }

    /// The header with that key; none if no header can hold it.
    pub(super) fn with(&self, raw_key: &str) -> Option<(HeaderName, HeaderValue)> {
        let text = match &self.scheme {
            Some(scheme) => format!("{scheme} {raw_key}"),
            None => raw_key.to_owned(),
        };
        let mut value = HeaderValue::try_from(text).ok()?;
        value.set_sensitive(true);
        Some((self.name.clone(), value))
    }
}

impl FromStr for KeyHeader {
    type Err = InvalidKeyHeader;

    fn from_str(text: &str) -> Result<Self, InvalidKeyHeader> {
        let (name, scheme) = match text.split_once(':') {
            Some((name, scheme)) => (name, Some(scheme.trim())),
            None => (text, None),
        };
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_graphic());
        if !scheme.is_none_or(is_word) {
            return Err(InvalidKeyHeader);
        }
        Ok(Self {
            name: name.trim().parse().map_err(|_| InvalidKeyHeader)?,
            scheme: scheme.map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_where_the_gateway_looks_for_it() {
        for (text, value) in [
            ("x-api-key", Some("ak_1")),
            ("Authorization: Bearer", Some("Bearer ak_1")),
            ("authorization:", None),
            ("authorization: Bearer now", None),
            ("x api key", None),
            ("", None),
        ] {
            let header = text.parse::<KeyHeader>().ok();
            let put = header.and_then(|header| header.with("ak_1"));
            assert_eq!(
                put.map(|(_, put)| put.to_str().unwrap().to_owned())
                    .as_deref(),
                value,
                "{text}"
            );
        }
    }
}
