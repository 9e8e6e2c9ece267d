//! What can go wrong around tokens.

/// Why a tokenizer cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// A vocabulary learned from nothing would turn every event into UNK.
    #[error("there is no event to learn a vocabulary from")]
    NoEvents,
    /// The text is not a tokenizer.
    #[error("this is not a tokenizer")]
    Json(#[from] serde_json::Error),
    /// Apart from damage, so that the caller can ask for a newer build.
    #[error("the tokenizer has format {found}, this build reads {want}: train the run anew")]
    Format {
        /// The number in the file.
        found: u32,
        /// The number of this build.
        want: u32,
    },
    /// A search for something that no event of the training part had would silently match noise.
    #[error("unknown {field} `{got}`; known are {known}")]
    Unknown {
        /// The field.
        field: String,
        /// The value of the event.
        got: String,
        /// Some of the values that are known.
        known: String,
    },
    /// Tables have a row per event, and forget what caused it.
    #[error("a table is tokenized in the composite layout and without edges only: tokenize sequences instead")]
    Layout,
    /// Apart, so that a stream can begin anew.
    #[error("this is the state of another memory")]
    MemoryState,
    /// Texts without a letter, or a file that is something else.
    #[error("these are no word pieces")]
    Pieces(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A setting outside its range.
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
