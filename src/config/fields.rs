//! The members of one JSON object of the configuration, taken out by name. Whatever is of another type, out of range or
//! left over is refused by its path.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::ConfigError;

/// What the configuration as a whole is called in errors.
const WHOLE: &str = "the configuration";

/// One object. **[`Fields::finish`] ends it: what was not taken out by then is unknown.**
#[derive(Debug)]
pub(crate) struct Fields {
    /// Where it stands, such as `rules[0]`; empty for the whole.
    path: String,
    members: Map<String, Value>,
    known: Vec<&'static str>,
}

impl Fields {
    /// Reads the whole configuration.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, ConfigError> {
        let value = serde_json::from_slice(json).map_err(|error| {
            ConfigError::new(WHOLE, format!("is no JSON: {error}; write an object"))
        })?;
        Self::of(String::new(), value)
    }

    /// The path of the member `name`.
    pub(crate) fn path(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            [&self.path, ".", name].concat()
        }
    }

    /// Where this object itself stands.
    pub(crate) fn own_path(&self) -> &str {
        &self.path
    }

    /// A whole number.
    pub(crate) fn number(
        &mut self,
        name: &'static str,
        range: RangeInclusive<u32>,
        default: u32,
    ) -> Result<u32, ConfigError> {
        let Some(value) = self.take(name) else {
            return Ok(default);
        };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let wanted = format!("a number from {} to {}", range.start(), range.end());
                self.refuse(name, &value, &wanted)
            })
    }

    /// A text, where there is one.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>, ConfigError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(value) => Err(self.refuse(name, &value, "a text")),
        }
    }

    /// A text that must be there.
    pub(crate) fn required_text(&mut self, name: &'static str) -> Result<String, ConfigError> {
        self.text(name)?
            .ok_or_else(|| ConfigError::new(self.path(name), "is missing; write a text"))
    }

    /// True or false.
    pub(crate) fn flag(&mut self, name: &'static str, default: bool) -> Result<bool, ConfigError> {
        match self.take(name) {
            None => Ok(default),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(value) => Err(self.refuse(name, &value, "true or false")),
        }
    }

    /// One of a few words; the first is the default.
    pub(crate) fn choice<T: Copy, const N: usize>(
        &mut self,
        name: &'static str,
        choices: [(&str, T); N],
    ) -> Result<T, ConfigError> {
        let value = self.take(name);
        let word = value.as_ref().map_or(Some(""), Value::as_str);
        let mut chosen = choices.iter().filter(|(choice, _)| Some(*choice) == word);
        match (&value, chosen.next(), choices.first()) {
            (None, _, Some((_, default))) => Ok(*default),
            (Some(_), Some((_, choice)), _) => Ok(*choice),
            (value, ..) => {
                let words = choices.map(|(word, _)| word).join(" or ");
                Err(self.refuse(name, value.as_ref().unwrap_or(&Value::Null), &words))
            }
        }
    }

    /// An object; an empty one when it is absent.
    pub(crate) fn object(&mut self, name: &'static str) -> Result<Self, ConfigError> {
        let value = self.take(name);
        Self::of(self.path(name), value.unwrap_or(Value::Object(Map::new())))
    }

    /// A list of objects, where there is one.
    pub(crate) fn objects(&mut self, name: &'static str) -> Result<Option<Vec<Self>>, ConfigError> {
        let values = match self.take(name) {
            None => return Ok(None),
            Some(Value::Array(values)) => values,
            Some(value) => return Err(self.refuse(name, &value, "a list of objects")),
        };
        let path = self.path(name);
        let fields = values.into_iter().enumerate();
        fields
            .map(|(index, value)| Self::of(format!("{path}[{index}]"), value))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// Refuses what is left.
    pub(crate) fn finish(self) -> Result<(), ConfigError> {
        let Some(unknown) = self.members.keys().next() else {
            return Ok(());
        };
        let known = self.known.join(", ");
        Err(ConfigError::new(
            self.path(unknown),
            format!("is unknown; the fields here are {known}"),
        ))
    }

    fn of(path: String, value: Value) -> Result<Self, ConfigError> {
        match value {
            Value::Object(members) => Ok(Self {
                path,
                members,
                known: Vec::new(),
            }),
            value => {
                let path = if path.is_empty() { WHOLE } else { &path };
                Err(ConfigError::new(
                    path,
                    format!("is {}; write an object", show(&value)),
                ))
            }
        }
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.members.remove(name)
    }

    fn refuse(&self, name: &str, value: &Value, wanted: &str) -> ConfigError {
        ConfigError::new(
            self.path(name),
            format!("is {}; write {wanted}", show(value)),
        )
    }
}

/// What a person calls a value. Writing it as JSON would cost the module the code for that, which nothing else needs.
fn show(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.to_string(),
            (_, Some(number)) => number.to_string(),
            _ => "no whole number".to_owned(),
        },
        Value::String(text) => format!("{text:?}"),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}
