//! What can go wrong while figures are made.

use crate::part::Part;

/// Why a figure or split cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// A split by days needs a day for every part.
    #[error("a split into training, validation and test needs at least 3 days, the data has {days}")]
    TooFewDays {
        /// Days that the data has.
        days: usize,
    },
    /// A figure over such parts would be worth nothing.
    #[error("episode `{episode}` is in the {one} part and in the {other} part")]
    Leak {
        /// The episode.
        episode: String,
        /// One part.
        one: Part,
        /// The other part.
        other: Part,
    },
    /// Data, options or a model that LightGBM does not take.
    #[cfg(feature = "boosting")]
    #[error("LightGBM cannot go on")]
    Boosting(#[from] lightgbm3::Error),
    /// A share outside its range.
    #[error("`{name}` has to be {want}, got {got}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// The range.
        want: &'static str,
        /// The value.
        got: String,
    },
}
