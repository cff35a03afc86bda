//! The fields of a request's body. **A field that is not asked for is refused**, so that nobody believes
//! to have set what cannot be set; an error names every wrong field, not only the first.

use jiff::Timestamp;
use serde_json::Value;

use super::members::Members;
use crate::{clock, error::ApiError, model::name::Name};

/// What a name must be, to follow "must be".
const NAME: &str =
    "a text of 1 to 100 characters without control characters or white space at its ends";

/// A body that is being read field by field.
pub(crate) struct Fields {
    members: Vec<(String, Value)>,
    known: Vec<&'static str>,
    errors: Vec<String>,
}

impl Fields {
    /// Reads a JSON object.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let Members(members) = serde_json::from_slice(body)
            .map_err(|error| ApiError::InvalidBody(error.to_string()))?;
        Ok(Self {
            members,
            known: Vec::new(),
            errors: Vec::new(),
        })
    }

    /// A field that must be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        rule: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        match self.take(name) {
            Some(value) => self.read(name, rule, &value, read),
            None => {
                self.errors.push(format!("{name} is missing: send {rule}"));
                None
            }
        }
    }

    /// A field that may be left out.
    pub(super) fn optional<T>(
        &mut self,
        name: &'static str,
        rule: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.take(name)?;
        self.read(name, rule, &value, read)
    }

    /// A field that may be left out, or `null`, which is `Some(None)`.
    pub(super) fn nullable<T>(
        &mut self,
        name: &'static str,
        rule: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.take(name)? {
            Value::Null => Some(None),
            value => self
                .read(name, &format!("{rule}, or null"), &value, read)
                .map(Some),
        }
    }

    /// The field `name`, which must be there.
    pub(super) fn required_name(&mut self) -> Option<Name> {
        self.required("name", NAME, |value| value.as_str()?.parse().ok())
    }

    /// The field `name`, which may be left out.
    pub(super) fn optional_name(&mut self) -> Option<Name> {
        self.optional("name", NAME, |value| value.as_str()?.parse().ok())
    }

    /// The field `expires_at`, which may be left out or `null`, and must be after `now`.
    pub(super) fn expires_at(&mut self, now: Timestamp) -> Option<Option<Timestamp>> {
        let rule = "a time to come with its offset, as in 2027-01-31T12:00:00Z";
        self.nullable("expires_at", rule, |value| {
            let time = value.as_str()?.parse().ok().map(clock::whole_milliseconds);
            time.filter(|time| *time > now)
        })
    }

    /// Whether nothing was wrong.
    pub(super) fn finish(mut self) -> Result<(), ApiError> {
        let known = if self.known.is_empty() {
            "there are none".to_owned()
        } else {
            format!("the fields are {}", self.known.join(", "))
        };
        for (name, _) in &self.members {
            let name = shortened(name);
            self.errors
                .push(if self.known.iter().any(|known| *known == name) {
                    format!("{name:?} appears more than once: send it once")
                } else {
                    format!("{name:?} is not a field here: remove it; {known}")
                });
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(ApiError::InvalidFields(self.errors))
        }
    }

    /// Whether nothing was wrong, and the fields that were read if they are complete.
    pub(crate) fn finish_with<T>(self, fields: Option<T>) -> Result<T, ApiError> {
        self.finish()?;
        // What is missing has been an error by now.
        fields.ok_or_else(|| ApiError::InvalidFields(Vec::new()))
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        let place = self.members.iter().position(|(member, _)| member == name)?;
        Some(self.members.remove(place).1)
    }

    fn read<T>(
        &mut self,
        name: &str,
        rule: &str,
        value: &Value,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let field = read(value);
        if field.is_none() {
            let found = kind(value);
            self.errors
                .push(format!("{name} must be {rule}, not {found}"));
        }
        field
    }
}

/// A number without a fraction, however it is written: JSON knows no difference between 1 and 1.0.
pub(super) fn whole_number(value: &Value) -> Option<i64> {
    let written_with_a_point = || {
        let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
        // Beyond this a number of that kind is not exact.
        let exact = number.abs() <= 9_007_199_254_740_992.0;
        exact.then(|| format!("{number:.0}").parse().ok())?
    };
    value.as_i64().or_else(written_with_a_point)
}

/// What was sent, in words. The value itself is repeated only when it is short and plain.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => format!("the number {value}"),
        Value::String(value) => format!("the text {:?}", shortened(value)),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// The text, cut to 40 characters.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_with_its_remedy() {
        let body = br#"{"expires_at": "2026-01-01T00:00:00Z", "on": 1, "id": "x", "on": true, "off": null}"#;
        let mut fields = Fields::parse(body).unwrap();
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(fields.required_name(), None);
        assert_eq!(fields.expires_at(now), None);
        assert_eq!(fields.optional("on", "true or false", Value::as_bool), None);
        assert_eq!(
            fields.nullable("off", "true or false", Value::as_bool),
            Some(None)
        );
        let Err(ApiError::InvalidFields(errors)) = fields.finish() else {
            panic!("refused");
        };
        assert_eq!(
            errors,
            [
                format!("name is missing: send {NAME}").as_str(),
                "expires_at must be a time to come with its offset, as in 2027-01-31T12:00:00Z, or null, not the text \"2026-01-01T00:00:00Z\"",
                "on must be true or false, not the number 1",
                "\"id\" is not a field here: remove it; the fields are name, expires_at, on, off",
                "\"on\" appears more than once: send it once",
            ]
        );
    }

    #[test]
    fn what_is_no_object_is_refused_as_a_whole() {
        for body in ["", "{", "null", "[]", "\"a\"", "{} {}"] {
            let refused = Fields::parse(body.as_bytes()).map(drop);
            assert!(
                matches!(refused, Err(ApiError::InvalidBody(_))),
                "{body}: {refused:?}"
            );
        }
    }
}
