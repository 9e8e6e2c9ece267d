//! A row to its events.

use super::cell::Row;
use super::fill::{Filled, Here};
use super::pairs::Pairs;
use super::resolve::Mapping;
use crate::draft::Draft;
use crate::error::LineError;
use crate::normalizer::Normalizer;
use crate::source::record::Parsed;

impl<P> Mapping<P> {
    /// The events of a row; a row that begins an interval waits in `pairs` for the one that ends it.
    pub(crate) fn parsed<'a, R: Row<'a, Place = P>>(
        &'a self,
        row: &R,
        here: Here<'a>,
        base: Draft<'a>,
        pairs: Option<&Pairs>,
        normalizer: &Normalizer,
    ) -> Result<Parsed, LineError> {
        if self.wide.is_none() {
            let filled = self.fill_one(row, here, base, None, normalizer)?;
            return match pairs {
                Some(pairs) => pairs.take(filled, normalizer),
                None => filled.into_record(normalizer).map(Parsed::Record),
            };
        }
        let filled = self.fill(row, here, base, normalizer).into_iter();
        let record = |filled: Result<Filled<'_>, LineError>| filled?.into_record(normalizer).map(Parsed::Record);
        Ok(Parsed::Several(filled.map(record).collect()))
    }

    /// Whether rows begin and end intervals.
    pub(crate) fn has_edge(&self) -> bool {
        self.edge.is_some()
    }
}
