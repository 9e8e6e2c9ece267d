//! What can go wrong before a simulation starts.

/// Why a scenario cannot be simulated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The scenario file has a member too many, too few or of another type.
    #[error("the scenario cannot be read")]
    Toml(#[from] toml::de::Error),
    /// A constant outside its range.
    #[error("`{name}` has to be {want}")]
    Setting {
        /// The constant.
        name: &'static str,
        /// The range.
        want: &'static str,
    },
}

/// The first of these rules (name, range, whether it holds) that is broken.
pub(crate) fn first_broken(rules: &[(&'static str, &'static str, bool)]) -> Result<(), SimError> {
    match rules.iter().find(|(_, _, holds)| !holds) {
        Some(&(name, want, _)) => Err(SimError::Setting { name, want }),
        None => Ok(()),
    }
}
