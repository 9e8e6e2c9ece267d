//! Words that may hold a password.

use std::convert::Infallible;
use std::fmt::Display;
use std::str::FromStr;

use crate::exit::WrongUse;

/// A word of the command line that may hold a password: what is wrong with it is said without repeating it.
#[derive(Debug, Clone)]
pub(crate) struct Unechoed<T>(Result<T, String>);

impl<T: FromStr<Err: Display>> FromStr for Unechoed<T> {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.parse().map_err(|error: T::Err| error.to_string())))
    }
}

impl<T> Unechoed<T> {
    /// The value, or what is wrong with that of `flag`.
    pub(crate) fn get(&self, flag: &str) -> Result<&T, WrongUse> {
        self.0.as_ref().map_err(|error| WrongUse(format!("`{flag}`: {error}")))
    }
}

impl<T> From<T> for Unechoed<T> {
    fn from(value: T) -> Self {
        Self(Ok(value))
    }
}
