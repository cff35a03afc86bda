//! Why a configuration was refused.

use std::fmt;

/// One sentence that names a field and the remedy.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    field: String,
    problem: String,
}

impl ConfigError {
    /// `field` is the path of the field as written in the configuration, `problem` goes on from it.
    pub(crate) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.problem)
    }
}
