//! What separates the columns of a line.

use std::str::FromStr;

use crate::error::ColumnMapError;

/// What separates the columns of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiter {
    Byte(u8),
    Tabs,
    Blanks,
}

impl FromStr for Delimiter {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        match text {
            "comma" => Ok(Self::Byte(b',')),
            "semicolon" => Ok(Self::Byte(b';')),
            "tab" => Ok(Self::Byte(b'\t')),
            "pipe" => Ok(Self::Byte(b'|')),
            "tabs" => Ok(Self::Tabs),
            "blanks" => Ok(Self::Blanks),
            other => Err(ColumnMapError::Delimiter { got: other.into() }),
        }
    }
}

impl Delimiter {
    /// What separates the columns of a line, by what it holds.
    pub(crate) fn of(line: &str) -> Self {
        let count = |byte: u8| line.bytes().filter(|b| *b == byte).count();
        let most = [b',', b';', b'\t', b'|'].into_iter().max_by_key(|byte| count(*byte));
        match most.filter(|byte| line.as_bytes().contains(byte)) {
            Some(byte) => Self::Byte(byte),
            None => Self::Blanks,
        }
    }

    /// Whether it is a character that hardly stands in names.
    pub(crate) fn is_visible(self) -> bool {
        self != Self::Blanks
    }

    /// The byte behind which a quote opens a field.
    pub(crate) fn byte(self) -> Option<u8> {
        match self {
            Self::Byte(byte) => Some(byte),
            Self::Tabs | Self::Blanks => None,
        }
    }

    /// The columns of a row.
    pub(crate) fn split(self, line: &str) -> Vec<String> {
        match self {
            Self::Blanks => line.split_whitespace().map(String::from).collect(),
            Self::Tabs => {
                line.split('\t').map(|column| column.trim().to_owned()).filter(|column| !column.is_empty()).collect()
            }
            Self::Byte(b'|') => ruled(line).split('|').map(|column| column.trim().to_owned()).collect(),
            Self::Byte(delimiter) if !line.contains('"') => {
                line.split(delimiter as char).map(|column| column.trim().to_owned()).collect()
            }
            Self::Byte(delimiter) => {
                let mut reader = csv::ReaderBuilder::new()
                    .has_headers(false)
                    .delimiter(delimiter)
                    .trim(csv::Trim::All)
                    .from_reader(line.as_bytes());
                let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
                record.iter().map(String::from).collect()
            }
        }
    }
}

/// A row of a table that is drawn with lines, without those at its ends.
fn ruled(line: &str) -> &str {
    let line = line.trim();
    line.strip_prefix('|').and_then(|rest| rest.strip_suffix('|')).unwrap_or(line)
}
