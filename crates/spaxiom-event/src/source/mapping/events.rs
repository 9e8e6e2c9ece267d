//! A row to its events.

use super::cell::{Cell, Row};
use super::fill::Here;
use super::pairs::Pairs;
use super::resolve::Mapping;
use crate::draft::Draft;
use crate::error::LineError;
use crate::normalizer::Normalizer;
use crate::source::record::Parsed;

impl<P> Mapping<P> {
    /// The events of a row: one, or of a wide table one for each column that is not empty. A row that begins an interval waits in `pairs` for the one that ends it.
    pub(crate) fn parsed<'a, R: Row<'a, Place = P>>(
        &'a self,
        row: &R,
        here: Here<'a>,
        base: Draft<'a>,
        pairs: Option<&Pairs>,
        normalizer: &Normalizer,
    ) -> Result<Parsed, LineError> {
        let Some(columns) = &self.wide else {
            let filled = self.fill_one(row, here, base, None, normalizer)?;
            return match pairs {
                Some(pairs) => pairs.take(filled, normalizer),
                None => filled.into_record(normalizer).map(Parsed::Record),
            };
        };
        let event = |(name, place): &'a (String, P)| {
            let filled = self.fill_one(row, here, base.clone(), Some((name.as_str(), place)), normalizer)?;
            filled.into_record(normalizer).map(Parsed::Record)
        };
        let is_there = |(_, place): &&(String, P)| !matches!(row.cell(place), Cell::Missing);
        Ok(Parsed::Several(columns.iter().filter(is_there).map(event).collect()))
    }

    /// Whether rows begin and end intervals.
    pub(crate) fn has_edge(&self) -> bool {
        self.edge.is_some()
    }
}
