//! Conditional requests on the settings: `ETag`, `If-Match` and `If-None-Match`, as RFC 9110 has them.

use std::fmt;

use axum::http::{HeaderMap, HeaderName, header};
use sha2::{Digest as _, Sha256};

use crate::{error::ApiError, model::project_config::VersionedConfig};

/// The version of some settings: the revision that made them what they are, and a hash of what they are. The
/// revision tells apart settings that became what they had been before; the hash, those of a database
/// that was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ETag(String);

/// Under which condition a request is to be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Conditions {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

/// Entity tags of a header.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`
    Any,
    /// Their text with the quotes, and whether they are weak.
    These(Vec<(String, bool)>),
}

impl ETag {
    /// The tag of settings.
    pub(super) fn of(settings: &VersionedConfig) -> Self {
        // Serialising plain data with text keys cannot fail.
        let text = serde_json::to_vec(&settings.config).unwrap_or_default();
        let [a, b, c, d, e, f, ..] = <[u8; 32]>::from(Sha256::digest(text));
        let revision = settings.revision;
        Self(format!(
            "\"{revision}-{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{f:02x}\""
        ))
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Conditions {
    /// Reads the headers. One that cannot be read is an error: whoever sends it relies on it.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, ApiError> {
        Ok(Self {
            if_match: tags(headers, &header::IF_MATCH)?,
            if_none_match: tags(headers, &header::IF_NONE_MATCH)?,
        })
    }

    /// Whether something may be done that needs these settings to be as the caller knows them.
    pub(super) fn allow(&self, current: &ETag) -> bool {
        self.if_match
            .as_ref()
            .is_none_or(|tags| tags.hold(current, true))
            && !self.is_known(current)
    }

    /// Whether `If-Match` forbids it.
    pub(super) fn fail(&self, current: &ETag) -> bool {
        self.if_match
            .as_ref()
            .is_some_and(|tags| !tags.hold(current, true))
    }

    /// Whether the caller says that it has these settings already.
    pub(super) fn is_known(&self, current: &ETag) -> bool {
        self.if_none_match
            .as_ref()
            .is_some_and(|tags| tags.hold(current, false))
    }
}

impl Tags {
    fn hold(&self, current: &ETag, strongly: bool) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags
                .iter()
                .any(|(tag, weak)| *tag == current.0 && !(strongly && *weak)),
        }
    }
}

/// All tags of a header; `None`: it was not sent.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, ApiError> {
    let mut all = Vec::new();
    let mut sent = false;
    for value in headers.get_all(name) {
        sent = true;
        let text = value.to_str().map_err(|_| wrong(name))?;
        if text.trim() == "*" {
            return Ok(Some(Tags::Any));
        }
        for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            let (strong, weak) = match tag.strip_prefix("W/") {
                Some(rest) => (rest, true),
                None => (tag, false),
            };
            let inner = strong
                .strip_prefix('"')
                .and_then(|rest| rest.strip_suffix('"'));
            if inner.is_none_or(|inner| inner.contains('"')) {
                return Err(wrong(name));
            }
            all.push((strong.to_owned(), weak));
        }
    }
    match (sent, all.is_empty()) {
        (false, _) => Ok(None),
        (true, true) => Err(wrong(name)),
        (true, false) => Ok(Some(Tags::These(all))),
    }
}

fn wrong(name: &HeaderName) -> ApiError {
    ApiError::InvalidCondition(name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(name: &HeaderName, values: &[&str]) -> Result<Conditions, ApiError> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), value.parse().unwrap());
        }
        Conditions::read(&headers)
    }

    #[test]
    fn if_match_wants_the_very_tag() {
        let current = ETag("\"7-ab\"".to_owned());
        for (values, allowed) in [
            (&[][..], true),
            (&["\"7-ab\""], true),
            (&["\"1\", \"7-ab\""], true),
            (&["\"1\"", "\"7-ab\""], true),
            (&["*"], true),
            (&["W/\"7-ab\""], false),
            (&["\"7-AB\""], false),
            (&["\"\""], false),
        ] {
            let read = conditions(&header::IF_MATCH, values).unwrap();
            assert_eq!(read.allow(&current), allowed, "{values:?}");
            assert_eq!(read.fail(&current), !allowed, "{values:?}");
        }
    }

    #[test]
    fn if_none_match_takes_a_weak_tag_too() {
        let current = ETag("\"7-ab\"".to_owned());
        for (values, known) in [
            (&[][..], false),
            (&["\"7-ab\""], true),
            (&["W/\"7-ab\""], true),
            (&["*"], true),
            (&["\"8-ab\""], false),
        ] {
            let read = conditions(&header::IF_NONE_MATCH, values).unwrap();
            assert_eq!(read.is_known(&current), known, "{values:?}");
            assert_eq!(read.allow(&current), !known, "{values:?}");
        }
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for value in [
            "",
            " ",
            ",",
            "7-ab",
            "\"7-ab",
            "w/\"a\"",
            "\"a\" \"b\"",
            "\"a\", b",
        ] {
            let read = conditions(&header::IF_MATCH, &[value]);
            assert!(
                matches!(read, Err(ApiError::InvalidCondition(_))),
                "{value}: {read:?}"
            );
        }
    }
}
