//! The checked values of a project's optional settings.

use serde::Serialize;

/// The longest logo URL, in bytes.
const MAX_URL_LEN: usize = 2048;

/// An http or https URL of at most 2048 bytes. Other schemes are refused because pages link to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct LogoUrl(String);

/// A name of 1 to 100 characters, none of them a control character.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct DisplayName(String);

/// A number of seconds from 1 to 604800, which is seven days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct SignedUrlExpiry(u32);

impl LogoUrl {
    /// What a value must be, to follow "must be".
    pub const RULE: &str = "an http or https URL of at most 2048 bytes";

    /// Checks length, syntax and scheme.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = url::Url::parse(text).ok()?;
        // The parser overlooks control characters; a text with NUL could not even be stored.
        let sound = text.len() <= MAX_URL_LEN
            && matches!(url.scheme(), "http" | "https")
            && !text.contains(char::is_control);
        sound.then(|| Self(text.to_owned()))
    }

    /// The URL's text, as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl DisplayName {
    /// What a value must be, to follow "must be".
    pub const RULE: &str = "a text of 1 to 100 characters without control characters";

    /// Checks length and characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let sound = (1..=100).contains(&text.chars().count())
            && !text.trim().is_empty()
            && !text.contains(char::is_control);
        sound.then(|| Self(text.to_owned()))
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SignedUrlExpiry {
    /// What a value must be, to follow "must be".
    pub const RULE: &str = "a whole number of seconds from 1 to 604800";

    /// Checks the range.
    #[must_use]
    pub fn new(seconds: u64) -> Option<Self> {
        let seconds = u32::try_from(seconds).ok()?;
        (1..=604_800).contains(&seconds).then_some(Self(seconds))
    }

    /// The number of seconds.
    #[must_use]
    pub fn seconds(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_logos() {
        for good in ["https://example.com/logo.png", "http://localhost:8080/"] {
            assert!(LogoUrl::parse(good).is_some(), "{good}");
        }
        let long = format!("https://example.com/{}", "x".repeat(2048));
        for bad in [
            "",
            "logo.png",
            "javascript:alert(1)",
            "data:,x",
            "ftp://a/b",
            "https://a/\0",
            "https://a/\tb",
            &long,
        ] {
            assert!(LogoUrl::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn display_names_are_short_and_printable() {
        assert!(DisplayName::parse("Acme 🚲").is_some());
        assert!(DisplayName::parse(&"é".repeat(100)).is_some());
        for bad in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert!(DisplayName::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn signed_urls_live_a_week_at_most() {
        for (seconds, good) in [
            (0, false),
            (1, true),
            (604_800, true),
            (604_801, false),
            (u64::MAX, false),
        ] {
            assert_eq!(SignedUrlExpiry::new(seconds).is_some(), good, "{seconds}");
        }
    }
}
