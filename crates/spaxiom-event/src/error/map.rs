//! Why a column map is wrong.

/// Why a column map is wrong, by itself or for a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnMapError {
    /// Not of the form `member=column`.
    #[error("wanted `member=column` with commas between them, got `{got}`")]
    NoPair {
        /// The part.
        got: String,
    },
    /// A member that every event has.
    #[error("`{member}=` is missing; a constant is written in quotes: `{member}='...'`")]
    Missing {
        /// The member.
        member: &'static str,
    },
    /// One member from two sources.
    #[error("`{member}=` is there twice")]
    Twice {
        /// The member.
        member: String,
    },
    /// Columns are counted from 1.
    #[error("columns are counted from 1")]
    ZeroColumn,
    /// A unit that no time counts in.
    #[error("a time counts in `s`, `ms`, `us`, `ns`, `min`, `h`, `d` or `ticks`, got `{got}`")]
    TimeUnit {
        /// The unit.
        got: String,
    },
    /// A delimiter that is not known.
    #[error("`delimiter=` is `comma`, `semicolon`, `tab`, `tabs`, `pipe` or `blanks`, got `{got}`")]
    Delimiter {
        /// The delimiter.
        got: String,
    },
    /// The first line names no such column.
    #[error("no column `{name}`; there are `{known}` (`skip=N` leaves out lines before the header)")]
    NoColumn {
        /// The column.
        name: String,
        /// The columns that are there.
        known: String,
    },
    /// The first line has fewer columns.
    #[error("column {wanted} is wanted, but the first line has {got} columns; `delimiter=` may be wrong")]
    TooFew {
        /// The column, from 1.
        wanted: usize,
        /// Columns that are there.
        got: usize,
    },
    /// A name that does not tell which column is meant.
    #[error("the header has `{name}` twice; number the columns instead, from 1 on")]
    TwiceInHeader {
        /// The column.
        name: String,
    },
    /// What chrono cannot read.
    #[error("`{got}` is no pattern of times; wanted one like `%d.%m.%Y %H:%M:%S%.f`")]
    Pattern {
        /// The pattern.
        got: String,
    },
    /// A type that members do not have.
    #[error("`{member}:{got}`: a member is `number`, `text` or `flag`")]
    Kind {
        /// The member.
        member: String,
        /// The type.
        got: String,
    },
    /// A unit or pattern behind a member that is no time.
    #[error(
        "`{member}=` has a unit or pattern, but only `time` and `end_time` are times; a name with brackets stands in double quotes"
    )]
    NoTime {
        /// The member.
        member: String,
    },
    /// A decimal mark that is not known.
    #[error("`decimal=` is `comma` or `point`, got `{got}`")]
    Decimal {
        /// The mark.
        got: String,
    },
    /// No number of lines.
    #[error("`skip=` is a number of lines, got `{got}`")]
    Skip {
        /// What it was.
        got: String,
    },
    /// Not of the form `column[start/end]`.
    #[error("`edge=` is a column with the words of both ends, as in `edge=lifecycle[start/complete]`, got `{got}`")]
    Edge {
        /// What it was.
        got: String,
    },
    /// Lines have numbers that are ids.
    #[error("`@line` goes with `id=` only")]
    LineNumber,
    /// A mapping file of a later build.
    #[error("the mapping has `format = {got}`, wanted 1")]
    Format {
        /// What it was.
        got: u32,
    },
}
