//! Which column of delimited text is which member of an event: `time=date+time,type='TagRead',x=3,label=activity`.

use std::fmt;
use std::str::FromStr;

use crate::error::ColumnMapError;

/// Says which column of delimited text is which member of an event.
///
/// Written as `member=column` with commas between them. A column is the name in the header line, or a number from 1 on
/// where there is none. `'text'` in quotes is a constant, `@file` the name of the file without its ending.
/// `date+time` joins two columns by a blank. A time may say in which unit it counts: `time=timestamp[ms]`, one of
/// `s`, `ms`, `us`, `ns`, `min`, `h`, `d` since 1970, and `ticks` (of 100 ns since the year 1).
/// `delimiter=` is `comma`, `semicolon`, `tab`, `tabs` (any number of them) or `blanks`; told from the first line otherwise.
/// Members are those of an event (`site` and `entity` for short), `label` for what was going on,
/// and any other name for an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMap {
    pub(super) members: Vec<(String, Binding)>,
    pub(super) delimiter: Option<Delimiter>,
}

/// Where the value of a member comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Binding {
    /// Columns joined by a blank, and the unit of a time that counts.
    Columns(Vec<Column>, Option<TimeUnit>),
    Constant(String),
    FileName,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    Name(String),
    /// From 0.
    Index(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TimeUnit {
    /// So many nanoseconds.
    Nanos(i64),
    /// 100 ns since the year 1.
    Ticks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    Byte(u8),
    Tabs,
    Blanks,
}

impl FromStr for ColumnMap {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        let mut map = Self { members: Vec::new(), delimiter: None };
        for entry in text.split(',').map(str::trim) {
            let (member, source) = entry.split_once('=').ok_or_else(|| ColumnMapError::NoPair { got: entry.into() })?;
            match member.trim() {
                "delimiter" => map.delimiter = Some(source.trim().parse()?),
                "site" => map.add("site_id", source)?,
                "entity" => map.add("entity_id", source)?,
                member => map.add(member, source)?,
            }
        }
        for needed in ["time", "type"] {
            if !map.members.iter().any(|(member, _)| member == needed) {
                return Err(ColumnMapError::Missing { member: needed });
            }
        }
        Ok(map)
    }
}

impl ColumnMap {
    fn add(&mut self, member: &str, source: &str) -> Result<(), ColumnMapError> {
        if self.members.iter().any(|(known, _)| known == member) {
            return Err(ColumnMapError::Twice { member: member.into() });
        }
        self.members.push((member.into(), source.trim().parse()?));
        Ok(())
    }

    /// Whether a header line is needed to find the columns.
    pub(super) fn has_header(&self) -> bool {
        self.members.iter().any(|(_, source)| match source {
            Binding::Columns(columns, _) => columns.iter().any(|column| matches!(column, Column::Name(_))),
            Binding::Constant(_) | Binding::FileName => false,
        })
    }
}

impl FromStr for Binding {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        if text == "@file" {
            return Ok(Self::FileName);
        }
        if let Some(constant) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
            return Ok(Self::Constant(constant.into()));
        }
        let (names, unit) = match text.strip_suffix(']').and_then(|text| text.split_once('[')) {
            Some((names, unit)) => (names, Some(unit.parse()?)),
            None => (text, None),
        };
        let column = |name: &str| match name.trim().parse::<usize>() {
            Ok(0) => Err(ColumnMapError::ZeroColumn),
            Ok(number) => Ok(Column::Index(number - 1)),
            Err(_) if name.trim().is_empty() => Err(ColumnMapError::NoPair { got: text.into() }),
            Err(_) => Ok(Column::Name(name.trim().into())),
        };
        Ok(Self::Columns(names.split('+').map(column).collect::<Result<_, _>>()?, unit))
    }
}

impl FromStr for TimeUnit {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        let nanos = match text {
            "ns" => 1,
            "us" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "min" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            "ticks" => return Ok(Self::Ticks),
            other => return Err(ColumnMapError::TimeUnit { got: other.into() }),
        };
        Ok(Self::Nanos(nanos))
    }
}

impl FromStr for Delimiter {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        match text {
            "comma" => Ok(Self::Byte(b',')),
            "semicolon" => Ok(Self::Byte(b';')),
            "tab" => Ok(Self::Byte(b'\t')),
            "tabs" => Ok(Self::Tabs),
            "blanks" => Ok(Self::Blanks),
            other => Err(ColumnMapError::Delimiter { got: other.into() }),
        }
    }
}

impl Delimiter {
    /// What separates the columns of a line, by what it holds.
    pub(super) fn of(line: &str) -> Self {
        let most = [b',', b';', b'\t'].into_iter().max_by_key(|byte| line.bytes().filter(|b| b == byte).count());
        match most.filter(|byte| line.as_bytes().contains(byte)) {
            Some(byte) => Self::Byte(byte),
            None => Self::Blanks,
        }
    }

    pub(super) fn split(self, line: &str) -> Vec<String> {
        match self {
            Self::Blanks => line.split_whitespace().map(String::from).collect(),
            Self::Tabs => {
                line.split('\t').map(|column| column.trim().to_owned()).filter(|column| !column.is_empty()).collect()
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

impl Column {
    /// Its place in the header.
    pub(super) fn place(&self, header: &[String]) -> Result<usize, ColumnMapError> {
        match self {
            Self::Index(index) if *index < header.len() => Ok(*index),
            Self::Index(index) => Err(ColumnMapError::TooFew { wanted: index + 1, got: header.len() }),
            Self::Name(name) => header
                .iter()
                .position(|column| column == name)
                .ok_or_else(|| ColumnMapError::NoColumn { name: name.clone(), known: header.join("`, `") }),
        }
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nanos(nanos) => write!(f, "a count of {nanos} ns"),
            Self::Ticks => f.write_str("a count of 100 ns since the year 1"),
        }
    }
}
