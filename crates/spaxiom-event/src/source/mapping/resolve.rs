//! A column map for one input: names fixed to places.

use super::map::{Column, ColumnMap, Entry, Kind, Origin};
use super::moment::TimeFormat;
use crate::error::ColumnMapError;

/// The columns of an input.
pub(crate) trait Names {
    /// Where in a row a column stands.
    type Place: Clone + PartialEq;

    /// The place of a column.
    fn place(&self, column: &Column) -> Result<Self::Place, ColumnMapError>;

    /// All columns in order, where rows have the same.
    fn all(&self) -> Vec<(String, Self::Place)>;

    /// What declares the type of an attribute that the map leaves open.
    fn kind(&self, place: &Self::Place) -> Option<Kind> {
        let _ = place;
        None
    }
}

/// A column map for one input.
#[derive(Debug)]
pub(crate) struct Mapping<P> {
    pub(super) bound: Vec<Bound<P>>,
    pub(super) rules: Vec<(P, String, String)>,
    /// The columns that make an event each.
    pub(super) wide: Option<Vec<(String, P)>>,
    pub(super) edge: Option<(P, String, String)>,
    pub(super) has_decimal_comma: bool,
    pub(super) has_line_id: bool,
    /// Whether members that are not named are read too.
    pub(crate) takes_rest: bool,
    /// Columns that are not named.
    pub(crate) unnamed: Vec<String>,
}

/// A member and where its value comes from.
#[derive(Debug)]
pub(super) struct Bound<P> {
    pub(super) member: Member,
    pub(super) origin: Origin<P>,
    pub(super) kind: Option<Kind>,
    pub(super) time: Option<TimeFormat>,
}

/// The members of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Member {
    Id,
    Type,
    Time,
    EndTime,
    DurationSecs,
    SiteId,
    Zone,
    ZonePath,
    Sensor,
    X,
    Y,
    Z,
    EntityId,
    Confidence,
    Severity,
    CausedBy,
    Label,
    /// An object of attributes, as JSON.
    Attrs,
    Attr(String),
}

impl From<&str> for Member {
    fn from(name: &str) -> Self {
        match name {
            "id" => Self::Id,
            "type" => Self::Type,
            "time" => Self::Time,
            "end_time" => Self::EndTime,
            "duration_s" => Self::DurationSecs,
            "site_id" => Self::SiteId,
            "zone" => Self::Zone,
            "zone_path" => Self::ZonePath,
            "sensor" => Self::Sensor,
            "x" => Self::X,
            "y" => Self::Y,
            "z" => Self::Z,
            "entity_id" => Self::EntityId,
            "confidence" => Self::Confidence,
            "severity" => Self::Severity,
            "caused_by" => Self::CausedBy,
            "label" => Self::Label,
            "attrs" => Self::Attrs,
            other => Self::Attr(other.into()),
        }
    }
}

impl<P: Clone + PartialEq> Mapping<P> {
    /// Fixes the names of a map to places.
    pub(crate) fn new(
        map: &ColumnMap,
        names: &(impl Names<Place = P> + ?Sized),
        file_stem: &str,
    ) -> Result<Self, ColumnMapError> {
        let ColumnMap { entries, rules, takes_rest, wide, edge, layout } = map;
        let place = |column: &Column| names.place(column);
        let mut bound = Vec::new();
        let mut has_line_id = false;
        for Entry { member, kind, origin, time } in entries {
            let origin = match origin {
                Origin::LineNumber if member == "id" => {
                    has_line_id = true;
                    continue;
                }
                Origin::LineNumber => return Err(ColumnMapError::LineNumber),
                Origin::FileName => Origin::Constant(file_stem.into()),
                Origin::Places(columns) => Origin::Places(columns.iter().map(place).collect::<Result<_, _>>()?),
                Origin::Constant(text) => Origin::Constant(text.clone()),
                Origin::Topic => Origin::Topic,
                Origin::ColumnName => Origin::ColumnName,
                Origin::ColumnValue => Origin::ColumnValue,
            };
            let kind = kind.or_else(|| match &origin {
                Origin::Places(places) => places.iter().find_map(|place| names.kind(place)),
                _ => None,
            });
            bound.push(Bound { member: member.as_str().into(), origin, kind, time: time.clone() });
        }
        let rules = rules
            .iter()
            .map(|rule| Ok((place(&rule.column)?, rule.value.clone(), rule.kind.clone())))
            .collect::<Result<Vec<_>, ColumnMapError>>()?;
        let edge =
            edge.as_ref().map(|edge| Ok((place(&edge.column)?, edge.start.clone(), edge.end.clone()))).transpose()?;
        let mut mapping = Self {
            bound,
            rules,
            wide: None,
            edge,
            has_decimal_comma: layout.has_decimal_comma,
            has_line_id,
            takes_rest: *takes_rest,
            unnamed: Vec::new(),
        };
        let rest: Vec<(String, P)> =
            names.all().into_iter().filter(|(_, place)| !mapping.places().any(|used| used == place)).collect();
        if map.is_wide() {
            let chosen = wide.iter().map(|column| Ok((column.to_string(), place(column)?)));
            let chosen = chosen.collect::<Result<Vec<_>, ColumnMapError>>()?;
            mapping.wide = Some(if chosen.is_empty() { rest } else { chosen });
        } else if *takes_rest {
            mapping.take(rest, names);
        } else {
            mapping.unnamed = rest.into_iter().map(|(name, _)| name).collect();
        }
        Ok(mapping)
    }

    /// Takes columns under their own names, unless a member has its value already.
    fn take(&mut self, columns: Vec<(String, P)>, names: &(impl Names<Place = P> + ?Sized)) {
        for (name, place) in columns.into_iter().filter(|(name, _)| !name.is_empty()) {
            let member = Member::from(name.as_str());
            if self.bound.iter().any(|bound| bound.member == member) {
                self.unnamed.push(name);
                continue;
            }
            let kind = names.kind(&place);
            self.bound.push(Bound { member, origin: Origin::Places(vec![place]), kind, time: None });
        }
    }

    /// The places of members, rules and edges.
    pub(crate) fn places(&self) -> impl Iterator<Item = &P> {
        let of_members = self.bound.iter().flat_map(|bound| match &bound.origin {
            Origin::Places(places) => places.as_slice(),
            _ => &[],
        });
        of_members.chain(self.rules.iter().map(|(place, ..)| place)).chain(self.edge.iter().map(|(place, ..)| place))
    }

    /// The places of everything that is read of a row.
    pub(crate) fn all_places(&self) -> impl Iterator<Item = &P> {
        self.places().chain(self.wide.iter().flatten().map(|(_, place)| place))
    }

    /// The one place of the time, and how it is written.
    pub(crate) fn time(&self) -> Option<(&P, Option<&TimeFormat>)> {
        let bound = self.bound.iter().find(|bound| bound.member == Member::Time)?;
        match &bound.origin {
            Origin::Places(places) if places.len() == 1 => Some((&places[0], bound.time.as_ref())),
            _ => None,
        }
    }
}

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Index(index) => write!(f, "{}", index + 1),
        }
    }
}

/// Digits that are no number: leading zeros (`0012`), and an exponent without point or sign (`1E05`).
pub(crate) fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let has_leading_zero =
        digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit() && is_digits(digits);
    let is_power =
        |e: char| digits.split_once(e).is_some_and(|(mantissa, power)| is_digits(mantissa) && is_digits(power));
    has_leading_zero || is_power('E') || is_power('e')
}
