//! Reading a value that may hold a secret: what is wrong with it is told, the value is not.

use std::{ffi::OsStr, fmt::Display, marker::PhantomData, str::FromStr};

use clap::{Arg, Command, Error, builder::TypedValueParser, error::ErrorKind};

/// Reads a `T`. clap's own error would repeat the text, and with it a password.
#[derive(Debug)]
pub struct Quiet<T>(PhantomData<fn() -> T>);

impl<T> Quiet<T> {
    /// A reader.
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for Quiet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for Quiet<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T> TypedValueParser for Quiet<T>
where
    T: FromStr<Err: Display> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, Error> {
        // What is no text is no value either; the parser says so of what is left of it.
        let parsed = value.to_string_lossy().parse();
        parsed.map_err(|error: T::Err| {
            let name = argument.map(ToString::to_string).unwrap_or_default();
            let message = format!("invalid value for '{name}': {error}\n");
            Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}
