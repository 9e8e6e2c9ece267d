//! Token ids that mean the same in every field and every tokenizer.

/// A position that holds no event.
pub const PAD: u32 = 0;
/// Stands before a sequence; its state stands for the whole.
pub const CLS: u32 = 1;
/// Stands between sequences.
pub const SEP: u32 = 2;
/// Hides an event that has to be predicted.
pub const MASK: u32 = 3;
/// A value that the training part never showed.
pub const UNK: u32 = 4;
/// The event has no such field.
pub const NONE: u32 = 5;
/// The names of the special tokens, by their ids.
pub const NAMES: [&str; 6] = ["PAD", "CLS", "SEP", "MASK", "UNK", "NONE"];
/// The first id that a field may give to its own values.
pub const FIRST: u32 = 6;
