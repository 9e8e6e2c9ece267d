//! The syntax of column maps: `time=date+time,type='TagRead',x=3,label=activity`.

use std::str::FromStr;

use super::delimiter::Delimiter;
use super::moment::TimeFormat;
use crate::error::ColumnMapError;

/// Says which column of a table, or which path of a JSON object, is which member of an event.
///
/// Written as `member=column` with commas between them:
///
/// - A column is its name in the header, or a number from 1 on where there is no header. In JSON it is a path:
///   `device.friendlyName`, `zones.0`. A name with `,`, `=`, `+`, `[` or `]` in it stands in double quotes.
/// - `'text'` in quotes is a constant; `@file` the name of the file without its ending, `@line` the number of the line,
///   `@topic` what stands before a JSON object on its line.
/// - `date+time` joins two columns by a blank.
/// - A time may say how it is written: `time=ts[ms]`, one of `s`, `ms`, `us`, `ns`, `min`, `h`, `d` since 1970, `ticks`
///   (of 100 ns since the year 1), or a pattern of strftime: `time=at[%d.%m.%Y %H:%M:%S%.f]`.
/// - A member may say its type: `value:number=v`, `tag:text=code`, `is_open:flag=open`.
/// - `*` takes all other columns: under their names where an event has such a member, as attributes elsewhere.
/// - `zone=@column,value=@value` makes an event of every other column of a row that is not empty; `columns=a+b` of these.
/// - `edge=lifecycle[start/complete]` joins two rows of one entity, type and zone to an interval.
///
/// Members are those of an event (`site` and `entity` for short), `label` for what was going on, and any other name for
/// an attribute. How a text is laid out: `delimiter=` `comma`, `semicolon`, `tab`, `tabs` (any number of them), `pipe`
/// or `blanks`, told from the first line otherwise; `decimal=comma`; `skip=2` lines before the header; `comment=#`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMap {
    pub(super) entries: Vec<Entry>,
    pub(super) rules: Vec<TypeRule>,
    pub(super) takes_rest: bool,
    /// The columns of which each makes an event, where not all others do.
    pub(super) wide: Vec<Column>,
    pub(super) edge: Option<Edge>,
    pub(crate) layout: Layout,
}

/// How a text is laid out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) delimiter: Option<Delimiter>,
    pub(crate) has_decimal_comma: bool,
    pub(crate) n_skipped: usize,
    pub(crate) comment: Option<String>,
}

/// A member and where its value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) member: String,
    pub(super) kind: Option<Kind>,
    pub(super) origin: Origin<Column>,
    pub(super) time: Option<TimeFormat>,
}

/// Where the value of a member comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin<P> {
    Constant(String),
    /// Columns joined by a blank.
    Places(Vec<P>),
    FileName,
    LineNumber,
    Topic,
    /// The name of the column that makes an event of its own.
    ColumnName,
    /// Its value.
    ColumnValue,
}

/// The type that an attribute is declared to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Text,
    Flag,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Column {
    Name(String),
    /// From 0.
    Index(usize),
}

/// The column that says whether a row begins or ends an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) column: Column,
    pub(super) start: String,
    pub(super) end: String,
}

/// The type of events in which a column has some value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TypeRule {
    pub(super) column: Column,
    pub(super) value: String,
    pub(super) kind: String,
}

impl FromStr for ColumnMap {
    type Err = ColumnMapError;

    fn from_str(text: &str) -> Result<Self, ColumnMapError> {
        let mut map = Self {
            entries: Vec::new(),
            rules: Vec::new(),
            takes_rest: false,
            wide: Vec::new(),
            edge: None,
            layout: Layout::default(),
        };
        for entry in split(text, ',') {
            map.take(entry.trim())?;
        }
        map.check()?;
        Ok(map)
    }
}

impl ColumnMap {
    /// What a table of canonical columns means.
    pub(crate) fn canonical() -> Self {
        "time=time,type=type,*".parse().expect("it is tested")
    }

    fn take(&mut self, entry: &str) -> Result<(), ColumnMapError> {
        if entry == "*" {
            self.takes_rest = true;
            return Ok(());
        }
        let (member, source) = split_once(entry, '=').ok_or_else(|| ColumnMapError::NoPair { got: entry.into() })?;
        let (member, source) = (member.trim(), source.trim());
        match member {
            "delimiter" => self.layout.delimiter = Some(source.parse()?),
            "decimal" => {
                self.layout.has_decimal_comma = match source {
                    "comma" => true,
                    "point" => false,
                    other => return Err(ColumnMapError::Decimal { got: other.into() }),
                }
            }
            "skip" => {
                self.layout.n_skipped = source.parse().map_err(|_| ColumnMapError::Skip { got: source.into() })?;
            }
            "comment" => self.layout.comment = Some(source.into()),
            "columns" => self.wide = split(source, '+').map(column).collect::<Result<_, _>>()?,
            "edge" => self.edge = Some(edge(source)?),
            "site" => self.add("site_id", source)?,
            "entity" => self.add("entity_id", source)?,
            member => self.add(member, source)?,
        }
        Ok(())
    }

    fn add(&mut self, member: &str, source: &str) -> Result<(), ColumnMapError> {
        let (member, kind) = match member.rsplit_once(':') {
            Some((member, "number")) => (member, Some(Kind::Number)),
            Some((member, "text")) => (member, Some(Kind::Text)),
            Some((member, "flag")) => (member, Some(Kind::Flag)),
            Some((member, kind)) if !kind.contains(' ') && member.len() > 1 && !kind.is_empty() => {
                return Err(ColumnMapError::Kind { member: member.into(), got: kind.into() });
            }
            _ => (member, None),
        };
        if self.entries.iter().any(|known| known.member == member) {
            return Err(ColumnMapError::Twice { member: member.into() });
        }
        let (origin, time) = origin(source)?;
        if time.is_some() && !matches!(member, "time" | "end_time") {
            return Err(ColumnMapError::NoTime { member: member.into() });
        }
        self.entries.push(Entry { member: member.into(), kind, origin, time });
        Ok(())
    }

    fn check(&self) -> Result<(), ColumnMapError> {
        for needed in ["time", "type"] {
            let is_ruled = needed == "type" && !self.rules.is_empty();
            if !is_ruled && !self.entries.iter().any(|entry| entry.member == needed) {
                return Err(ColumnMapError::Missing { member: needed });
            }
        }
        Ok(())
    }

    /// Whether every column that it names is a number, so that there may be no header.
    pub(crate) fn has_header(&self) -> bool {
        let mut columns = self.entries.iter().flat_map(|entry| match &entry.origin {
            Origin::Places(columns) => columns.as_slice(),
            _ => &[],
        });
        let is_name = |column: &Column| matches!(column, Column::Name(_));
        let of_rows = self.wide.iter().chain(self.edge.as_ref().map(|edge| &edge.column));
        self.takes_rest
            || self.is_wide()
            || columns.any(is_name)
            || self.rules.iter().map(|rule| &rule.column).chain(of_rows).any(is_name)
    }

    /// Whether every column makes an event of its own.
    pub(super) fn is_wide(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.origin, Origin::ColumnName | Origin::ColumnValue))
    }
}

fn origin(text: &str) -> Result<(Origin<Column>, Option<TimeFormat>), ColumnMapError> {
    match text {
        "@file" => return Ok((Origin::FileName, None)),
        "@line" => return Ok((Origin::LineNumber, None)),
        "@topic" => return Ok((Origin::Topic, None)),
        "@column" => return Ok((Origin::ColumnName, None)),
        "@value" => return Ok((Origin::ColumnValue, None)),
        _ => {}
    }
    if let Some(constant) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Ok((Origin::Constant(constant.into()), None));
    }
    let is_quoted = text.starts_with('"') && text.ends_with('"');
    let (names, time) = match text.strip_suffix(']').filter(|_| !is_quoted).and_then(|text| split_once(text, '[')) {
        Some((names, time)) => (names, Some(time.parse()?)),
        None => (text, None),
    };
    Ok((Origin::Places(split(names, '+').map(column).collect::<Result<_, _>>()?), time))
}

/// A name, in quotes where it holds what separates, or a number from 1 on.
pub(super) fn column(name: &str) -> Result<Column, ColumnMapError> {
    let name = name.trim();
    if let Some(name) = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
        return Ok(Column::Name(name.into()));
    }
    match name.parse::<usize>() {
        Ok(0) => Err(ColumnMapError::ZeroColumn),
        Ok(number) => Ok(Column::Index(number - 1)),
        Err(_) if name.is_empty() => Err(ColumnMapError::NoPair { got: name.into() }),
        Err(_) => Ok(Column::Name(name.into())),
    }
}

fn edge(text: &str) -> Result<Edge, ColumnMapError> {
    let wrong = || ColumnMapError::Edge { got: text.into() };
    let (name, words) = text.strip_suffix(']').and_then(|text| split_once(text, '[')).ok_or_else(wrong)?;
    let (start, end) = words.split_once('/').ok_or_else(wrong)?;
    Ok(Edge { column: column(name)?, start: start.trim().into(), end: end.trim().into() })
}

/// The parts of a text between separators that stand neither in quotes nor in brackets.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let all = rest?;
        let (part, more) = split_once(all, separator).map_or((all, None), |(part, more)| (part, Some(more)));
        rest = more;
        Some(part)
    })
}

fn split_once(text: &str, separator: char) -> Option<(&str, &str)> {
    let (mut quote, mut depth) = (None, 0usize);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, c) if c == separator && depth == 0 => return Some((&text[..at], &text[at + c.len_utf8()..])),
            (None, '\'' | '"') => quote = Some(c),
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}
