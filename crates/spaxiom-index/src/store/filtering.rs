//! Filters over a store: columns in memory, extended when records were added.

use std::sync::{Arc, PoisonError};

use crate::error::IndexError;
use crate::filter::{Field, Filter};
use crate::id_set::IdSet;
use crate::store::columns::{Answer, ColumnCache};
use crate::store::handle::{Shared, Store};
use crate::store::record::StoreNames;
use crate::store::rows;
use crate::store::view::View;

/// Answers of filters that are kept.
const N_KEPT: usize = 8;

impl Shared {
    /// The rows of a view that pass; none if the view is of a generation that is gone.
    pub(super) fn passing(&self, view: &View, filter: &Filter) -> Result<Option<Arc<IdSet>>, IndexError> {
        let mut cache = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        let is_of =
            |known: &&Answer| known.filter == *filter && known.extent == view.extent && known.clocks == view.clocks;
        if let Some(known) = cache.answers.iter().find(is_of) {
            return Ok(Some(Arc::clone(&known.passing)));
        }
        let mut passing = if filter.is_all() {
            IdSet::below(view.n_rows())
        } else {
            if !self.extend(&mut cache, view, filter)? {
                return Ok(None);
            }
            cache.columns.passing(filter).cut(view.n_rows())
        };
        passing.remove_all(&view.dead);
        let passing = Arc::new(passing);
        if cache.answers.len() == N_KEPT {
            cache.answers.remove(0);
        }
        let clocks = Arc::clone(&view.clocks);
        cache.answers.push(Answer {
            filter: filter.clone(),
            extent: view.extent,
            clocks,
            passing: Arc::clone(&passing),
        });
        Ok(Some(passing))
    }

    /// Reads what the columns lack for a filter; false if the view is of a generation that is gone.
    fn extend(&self, cache: &mut ColumnCache, view: &View, filter: &Filter) -> Result<bool, IndexError> {
        self.readers.read(|connection| {
            if rows::extent(connection)?.generation != view.extent.generation {
                return Ok(false);
            }
            if cache.generation != view.extent.generation {
                *cache = ColumnCache { generation: view.extent.generation, ..ColumnCache::default() };
            }
            let columns = &mut cache.columns;
            if columns.n_rows() < view.n_rows() {
                rows::extend(connection, columns, view.n_rows())?;
            }
            columns.clocks = Arc::clone(&view.clocks);
            for name in filter.attributes() {
                let column = columns.attributes.entry(name.into()).or_default();
                if column.len() < view.n_rows() {
                    rows::extend_attribute(connection, name, column, view.n_rows())?;
                }
            }
            Ok(true)
        })
    }
}

impl Store {
    /// Fails if no record has a type, zone, site or attribute of `filter`, and lists those that exist.
    ///
    /// # Errors
    /// [`IndexError::NothingPasses`] for the first name that no record has.
    pub fn require_known(&self, filter: &Filter) -> Result<(), IndexError> {
        for leaf in filter.leaves() {
            let Filter::Is { field, values } = leaf else { continue };
            for value in values {
                self.require_value(*field, value)?;
            }
        }
        let attributes = filter.attributes();
        if attributes.is_empty() {
            return Ok(());
        }
        let view = self.shared.view()?;
        let _ = self.shared.passing(&view, filter)?;
        let is_known = |name: &str| {
            let cache = self.shared.columns.lock().unwrap_or_else(PoisonError::into_inner);
            cache.columns.attributes.get(name).is_some_and(crate::filter::Column::has_values)
        };
        match attributes.into_iter().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => {
                Err(IndexError::nothing_passes("attribute", name, self.shared.readers.read(rows::attributes)?))
            }
        }
    }

    /// The names that records have.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn names(&self) -> Result<StoreNames, IndexError> {
        self.shared.readers.read(|connection| {
            Ok(StoreNames {
                types: rows::values(connection, Field::Type.as_str())?,
                zones: rows::values(connection, Field::Zone.as_str())?,
                sites: rows::values(connection, Field::Site.as_str())?,
                attributes: rows::attributes(connection)?,
            })
        })
    }

    fn require_value(&self, field: Field, value: &str) -> Result<(), IndexError> {
        let column = field.as_str();
        let known = self.shared.readers.read(|connection| {
            Ok(if rows::has(connection, column, value)? { None } else { Some(rows::values(connection, column)?) })
        })?;
        known.map_or(Ok(()), |known| Err(IndexError::nothing_passes(column, value, known)))
    }
}
