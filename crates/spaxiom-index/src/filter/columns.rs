//! Fields of records in memory, row after row.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono_tz::Tz;
use serde_json::Value as Json;

/// The code of a row that has no value.
const NONE: u32 = u32::MAX;

/// Names as numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    known: Vec<String>,
    numbers: HashMap<String, u32>,
    codes: Vec<u32>,
}

impl Names {
    pub(crate) fn push(&mut self, name: Option<&str>) {
        let code = name.map_or(NONE, |name| {
            self.number(name).unwrap_or_else(|| {
                let number = u32::try_from(self.known.len()).unwrap_or(NONE);
                self.known.push(name.into());
                self.numbers.insert(name.into(), number);
                number
            })
        });
        self.codes.push(code);
    }

    pub(super) fn names(&self) -> &[String] {
        &self.known
    }

    pub(super) fn codes(&self) -> &[u32] {
        &self.codes
    }

    pub(super) fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }
}

/// The values of an attribute.
#[derive(Debug, Clone, Default)]
pub(crate) struct Column {
    /// Not a number where there is none.
    pub(super) numbers: Vec<f64>,
    pub(super) texts: Names,
}

impl Column {
    pub(crate) fn push(&mut self, value: Option<&Json>) {
        let text = match value {
            Some(Json::String(text)) => Some(text.as_str()),
            Some(Json::Bool(true)) => Some("true"),
            Some(Json::Bool(false)) => Some("false"),
            _ => None,
        };
        self.texts.push(text);
        self.numbers.push(value.and_then(Json::as_f64).unwrap_or(f64::NAN));
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether any row has a value.
    pub(crate) fn has_values(&self) -> bool {
        !self.texts.known.is_empty() || self.numbers.iter().any(|number| !number.is_nan())
    }
}

/// What filters look at.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    pub(crate) types: Names,
    pub(crate) zones: Names,
    pub(crate) sites: Names,
    pub(crate) times: Vec<i64>,
    pub(crate) attributes: BTreeMap<String, Column>,
    /// The clocks of sites by name; UTC for others.
    pub(crate) clocks: Arc<BTreeMap<String, Tz>>,
}

impl Columns {
    pub(crate) fn n_rows(&self) -> usize {
        self.times.len()
    }

    /// Appends a row, after rows without a record up to it.
    pub(crate) fn push(&mut self, row: usize, kind: &str, zone: Option<&str>, site: &str, time_ns: i64) {
        self.pad(row);
        self.types.push(Some(kind));
        self.zones.push(zone);
        self.sites.push(Some(site));
        self.times.push(time_ns);
    }

    /// Adds rows without a record.
    pub(crate) fn pad(&mut self, n_rows: usize) {
        while self.times.len() < n_rows {
            for names in [&mut self.types, &mut self.zones, &mut self.sites] {
                names.push(None);
            }
            self.times.push(i64::MIN);
        }
    }

    /// The clock of each site, by its number.
    pub(super) fn clocks(&self) -> Vec<Tz> {
        self.sites.known.iter().map(|site| self.clocks.get(site).copied().unwrap_or(Tz::UTC)).collect()
    }
}
