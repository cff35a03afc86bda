//! The name that people give to a thing.

use std::{borrow::Cow, str::FromStr};

use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// 1 to 100 characters, none of them a control character or one that turns the direction of writing, and no white space
/// at either end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Name(String);

/// Why a text is not a [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a name is 1 to 100 characters without control characters, those of the direction of writing among them, or white space at its ends"
)]
pub struct InvalidName;

/// What [`Name::from_str`] takes, but for the length, as a regular expression.
const PATTERN: &str = r"^[^\s\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]([^\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]*[^\s\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069])?$";

impl Name {
    /// A name that was taken in earlier: what is kept can be read whatever the rules have become.
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialSchema for Name {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "1 to 100 characters, none of them a control character or one that turns the direction of writing (U+202A to U+202E, U+2066 to U+2069), and no white space at either end.",
            ))
            .min_length(Some(1))
            .max_length(Some(100))
            .pattern(Some(PATTERN))
            .examples(["github tools"])
            .into()
    }
}

impl ToSchema for Name {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Name")
    }
}

impl FromStr for Name {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let length = text.chars().count();
        let plain = text.trim() == text && !text.contains(is_control);
        if plain && (1..=100).contains(&length) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidName)
        }
    }
}

/// Whether it shows nothing itself, but changes how others show: a name with a turned end can pass for another.
fn is_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_printable() {
        for good in [
            "a",
            "Demo project",
            "Zürich 🚲",
            "חשבון א",
            &"é".repeat(100),
        ] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in [
            "",
            " a",
            "a ",
            "a\nb",
            "\u{1b}[31m",
            "a\u{202e}gpj.exe",
            "\u{2066}a\u{2069}",
            &"x".repeat(101),
        ] {
            assert!(bad.parse::<Name>().is_err(), "{bad:?}");
        }
    }
}
