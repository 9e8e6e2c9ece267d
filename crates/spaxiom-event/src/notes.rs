//! What a reader changed or found odd while records became events.

use std::collections::BTreeMap;

use compact_str::CompactString;

use crate::doctor::Finding;

/// A member of a record that did not become what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub(crate) kind: NoteKind,
    pub(crate) member: CompactString,
    pub(crate) example: CompactString,
}

/// Why a member is noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NoteKind {
    /// A list or an object where there can be one value.
    NotOneValue,
    /// NaN, an infinity, or a number outside the range of doubles.
    NotFinite,
    /// A word that stands for a missing value: `NA`, `null`.
    MissingMark,
    /// A column of a type that has no place in an event.
    NoPlace,
    /// A member of the source that the column map does not name.
    NotMapped,
    /// A whole number that a double cannot hold; kept as text.
    LongInteger,
    /// A number with a decimal comma, kept as text.
    DecimalComma,
    /// Times without a zone, taken as UTC.
    LocalTime,
    /// A count of seconds, milliseconds, ... that lies in January 1970.
    January1970,
    /// Looks like an event of another format.
    OtherFormat,
}

impl Note {
    pub(crate) fn new(kind: NoteKind, member: impl Into<CompactString>, example: impl Into<CompactString>) -> Self {
        Self { kind, member: member.into(), example: example.into() }
    }
}

/// Notes by kind and member: how many, and the first example.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes(BTreeMap<(NoteKind, CompactString), (u64, CompactString)>);

impl Notes {
    pub(crate) fn push(&mut self, note: Note) {
        let Note { kind, member, example } = note;
        self.add((kind, member), 1, example);
    }

    pub(crate) fn append(&mut self, more: Self) {
        for (key, (count, example)) in more.0 {
            self.add(key, count, example);
        }
    }

    fn add(&mut self, key: (NoteKind, CompactString), count: u64, example: CompactString) {
        self.0.entry(key).or_insert_with(|| (0, example)).0 += count;
    }

    /// One finding per kind and member.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let finding = |((kind, member), (count, example)): (&(NoteKind, CompactString), &(u64, CompactString))| {
            kind.finding(member, *count, example)
        };
        self.0.iter().map(finding).collect()
    }

    /// Values that are in no event.
    pub(crate) fn n_left_out(&self) -> u64 {
        self.0.iter().filter(|((kind, _), _)| kind.is_loss()).map(|(_, (count, _))| count).sum()
    }
}

impl NoteKind {
    /// Whether the value is in no event.
    fn is_loss(self) -> bool {
        matches!(self, Self::NotOneValue | Self::NotFinite | Self::NoPlace)
    }

    fn finding(self, member: &str, count: u64, example: &str) -> Finding {
        let (kind, detail, advice) = match self {
            Self::NotOneValue => (
                "left-out",
                format!("{count} values of `{member}` were left out, such as {example}: an attribute is one value"),
                "name the one that counts with `--columns`, as in `NAME=member.0`, or leave them out".to_owned(),
            ),
            Self::NotFinite => (
                "left-out",
                format!("{count} values of `{member}` were left out, such as {example}: not a finite number"),
                "nothing, if the sensor had no reading".to_owned(),
            ),
            Self::MissingMark => (
                "missing-value",
                format!("{count} values of `{member}` are {example}: taken as missing"),
                format!("declare the member as text if that is a value: `{member}:text=...`"),
            ),
            Self::NoPlace => (
                "left-out",
                format!("column `{member}` was left out: {example} has no place in an event"),
                "cast it to text or numbers in the program that writes it, if it matters".to_owned(),
            ),
            Self::NotMapped => (
                "not-mapped",
                format!("`{member}` is in the input and not in the column map"),
                "add it to `--columns`, or `*` for everything that is not named".to_owned(),
            ),
            Self::LongInteger => (
                "long-integer",
                format!("{count} values of `{member}`, such as {example}, are kept as text: doubles would round them"),
                "nothing for identifiers; scale it at the source if it is a quantity".to_owned(),
            ),
            Self::DecimalComma => (
                "decimal-comma",
                format!("{count} values of `{member}`, such as `{example}`, look like numbers with a decimal comma"),
                "add `decimal=comma` to `--columns`; without it they are words".to_owned(),
            ),
            Self::LocalTime => (
                "local-time",
                format!("{count} values of `{member}`, such as {example}, name no time zone and were taken as UTC"),
                "name the zone with `--time-zone`, for example `--time-zone Europe/Berlin`".to_owned(),
            ),
            Self::January1970 => (
                "january-1970",
                format!("{count} times of `{member}` lie in January 1970, such as {example}"),
                "check the unit of the count: `[s]` for seconds, `[ms]` for milliseconds".to_owned(),
            ),
            Self::OtherFormat => (
                "other-format",
                format!("{count} records look like the format `{member}`"),
                format!("leave `--format` out, or say `--format {member}`"),
            ),
        };
        Finding { kind, count, detail, advice }
    }
}
