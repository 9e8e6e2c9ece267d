//! Searching: the index for what it covers, exact comparison for everything else.

use std::sync::Arc;

use crate::error::IndexError;
use crate::filter::Filter;
use crate::id_set::IdSet;
use crate::store::building::IndexState;
use crate::store::cache::Covering;
use crate::store::handle::{Shared, Store};
use crate::store::record::{Added, Hit, Presence, Record, Sample};
use crate::store::rows;
use crate::store::scan::{Asked, compare, rank, scan};
use crate::store::view::View;
use crate::vector_index::{Neighbor, top_k};
use crate::vectors::{check_rows, normalize};

/// Searches that begin again because rows were numbered anew or deleted meanwhile, at most.
const N_TRIES: usize = 5;

/// A set that is smaller than its rows by this factor is compared row by row.
const SPARSE: usize = 16;

impl Store {
    /// Finds the `k` records nearest to `vector` that pass `filter`, nearest first; fewer only if fewer exist.
    ///
    /// # Errors
    /// [`IndexError::Dimension`] for a vector of another width, [`IndexError::Damaged`] if vectors cannot be read.
    pub fn search(&self, vector: &[f32], k: usize, filter: &Filter) -> Result<Vec<Hit>, IndexError> {
        self.search_by(vector, k, filter, Shared::nearest)
    }

    /// The same by comparing every vector, whatever the index: what [`Store::search`] is measured against.
    ///
    /// # Errors
    /// As of [`Store::search`].
    pub fn search_exactly(&self, vector: &[f32], k: usize, filter: &Filter) -> Result<Vec<Hit>, IndexError> {
        self.search_by(vector, k, filter, |shared, view, asked| shared.exactly(view, 0, asked))
    }

    fn search_by(
        &self,
        vector: &[f32],
        k: usize,
        filter: &Filter,
        nearest: impl Fn(&Shared, &View, Asked<'_>) -> Result<Vec<Neighbor>, IndexError>,
    ) -> Result<Vec<Hit>, IndexError> {
        check_rows(self.shared.header.dim, 1, vector)?;
        let mut query = vector.to_vec();
        normalize(&mut query, self.shared.header.dim);
        let mut last = Vec::new();
        for _ in 0..N_TRIES {
            let view = self.shared.view()?;
            let among = if filter.is_all() && view.n_dead == 0 {
                None
            } else {
                let Some(passing) = self.shared.passing(&view, filter)? else { continue };
                Some(passing)
            };
            let asked = Asked { query: &query, k, among: among.as_deref() };
            let neighbors = nearest(&self.shared, &view, asked)?;
            let Some(hits) = self.shared.hits(&view, &neighbors)? else { continue };
            if hits.len() == neighbors.len() {
                return Ok(hits);
            }
            last = hits;
        }
        Ok(last)
    }

    /// At most `n` of the records that pass a filter, evenly spread in the order in which they were added, and how many pass.
    ///
    /// # Errors
    /// As of [`Store::get`].
    pub fn sample(&self, n: usize, filter: &Filter) -> Result<Sample, IndexError> {
        for _ in 0..N_TRIES {
            let view = self.shared.view()?;
            let Some(passing) = self.shared.passing(&view, filter)? else { continue };
            let n_passing = passing.len();
            let step = n_passing.div_ceil(n.max(1)).max(1);
            let rows: Vec<usize> = rows_of(&passing, 0).into_iter().step_by(step).take(n).collect();
            let records = self.shared.readers.read(|connection| {
                if rows::extent(connection)?.generation != view.extent.generation {
                    return Ok(None);
                }
                let records = rows.iter().filter_map(|row| record(connection, &view, *row).transpose());
                Ok(Some(records.collect::<Result<_, _>>()?))
            })?;
            if let Some(records) = records {
                return Ok(Sample { records, n_passing });
            }
        }
        Ok(Sample::default())
    }

    /// The record with this id; the first that was added if several sites have it.
    ///
    /// # Errors
    /// [`IndexError::Damaged`] if its vector cannot be read.
    pub fn get(&self, id: &str) -> Result<Option<Record>, IndexError> {
        self.get_of(None, id)
    }

    /// The record of a site with this id.
    ///
    /// # Errors
    /// As of [`Store::get`].
    pub fn get_at(&self, site: &str, id: &str) -> Result<Option<Record>, IndexError> {
        self.get_of(Some(site), id)
    }

    fn get_of(&self, site: Option<&str>, id: &str) -> Result<Option<Record>, IndexError> {
        for _ in 0..N_TRIES {
            let view = self.shared.view()?;
            let found = self.shared.readers.read(|connection| {
                if rows::extent(connection)?.generation != view.extent.generation {
                    return Ok(None);
                }
                let row = rows::find(connection, site, id)?;
                Ok(Some(row.map(|row| record(connection, &view, row)).transpose()?.flatten()))
            })?;
            if let Some(found) = found {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Whether each of these records of a site is in the store, by id, and whether its metadata is the same.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn compare(&self, site: &str, records: &[(&str, &str)]) -> Result<Vec<Presence>, IndexError> {
        self.shared.readers.read(|connection| {
            records.iter().map(|(id, metadata)| rows::compare(connection, site, id, metadata)).collect()
        })
    }

    /// The metadata of the last `limit` events of a site from `from_ns` to before `to_ns`, in order of time.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn metadata_between(
        &self,
        site: &str,
        from_ns: i64,
        to_ns: i64,
        limit: u32,
    ) -> Result<Vec<String>, IndexError> {
        self.shared.readers.read(|connection| {
            let found = rows::between(connection, site, from_ns, to_ns, limit)?;
            Ok(found.into_iter().map(|(_, metadata)| metadata).collect())
        })
    }

    /// The number of the record that was added last; 0 for an empty store. Less than before after a compaction, which numbers anew.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn last_added(&self) -> Result<u64, IndexError> {
        Ok(self.shared.readers.read(rows::extent)?.n_rows as u64)
    }

    /// At most `limit` of what was added after the record of this number, the oldest first.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn added_after(&self, number: u64, limit: u32) -> Result<Vec<Added>, IndexError> {
        self.shared.readers.read(|connection| rows::added_after(connection, number, limit))
    }

    /// The first and the last time of a site, in nanoseconds since 1970; none for one without records.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn span(&self, site: &str) -> Result<Option<[i64; 2]>, IndexError> {
        self.shared.readers.read(|connection| rows::span(connection, site))
    }

    /// The records of a site from `from_ns` to before `to_ns`, the last `limit` of them, in order of time.
    ///
    /// # Errors
    /// As of [`Store::get`].
    pub fn records_between(&self, site: &str, from_ns: i64, to_ns: i64, limit: u32) -> Result<Vec<Record>, IndexError> {
        for _ in 0..N_TRIES {
            let view = self.shared.view()?;
            let found = self.shared.readers.read(|connection| {
                if rows::extent(connection)?.generation != view.extent.generation {
                    return Ok(None);
                }
                let found = rows::between(connection, site, from_ns, to_ns, limit)?;
                let rows = found.into_iter().map(|(row, _)| row);
                let records = rows.filter(|row| *row < view.n_rows()).map(|row| record(connection, &view, row));
                Ok(Some(records.filter_map(Result::transpose).collect::<Result<_, _>>()?))
            })?;
            if let Some(found) = found {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }
}

/// Records that are read at a time.
const N_AT_ONCE: usize = 1_024;

impl Store {
    /// Gives every record to `visit`, in the order in which they were added; those that are added meanwhile are left out.
    ///
    /// # Errors
    /// [`IndexError::Busy`] if a compaction comes between, [`IndexError::Damaged`] for vectors that cannot be read,
    /// and whatever `visit` gives.
    pub fn for_each<E: From<IndexError>>(&self, mut visit: impl FnMut(Record) -> Result<(), E>) -> Result<(), E> {
        let view = self.shared.view()?;
        for start in (0..view.n_rows()).step_by(N_AT_ONCE) {
            let rows = start..(start + N_AT_ONCE).min(view.n_rows());
            let records = self.shared.readers.read(|connection| {
                if rows::extent(connection)?.generation != view.extent.generation {
                    return Err(IndexError::Busy);
                }
                rows.filter_map(|row| record(connection, &view, row).transpose()).collect::<Result<Vec<_>, _>>()
            })?;
            for record in records {
                visit(record)?;
            }
        }
        Ok(())
    }
}

impl Shared {
    /// The answer of the index and all rows that it does not cover; all rows if the index reaches too few.
    pub(super) fn nearest(&self, view: &View, asked: Asked<'_>) -> Result<Vec<Neighbor>, IndexError> {
        let Some(covering) = self.slot.covering(view.extent.generation) else { return self.exactly(view, 0, asked) };
        let Some(mut neighbors) = indexed(view, &covering, asked)? else { return self.exactly(view, 0, asked) };
        neighbors.extend(self.exactly(view, covering.n_rows, asked)?);
        Ok(top_k(neighbors, asked.k))
    }

    /// The nearest of the rows from `first` on, each of which is compared.
    pub(super) fn exactly(&self, view: &View, first: usize, asked: Asked<'_>) -> Result<Vec<Neighbor>, IndexError> {
        if let Some(among) = asked.among
            && first < view.n_rows()
            && among.len() * SPARSE < view.n_rows() - first.min(view.n_rows())
        {
            return compare(view, asked, &rows_of(among, first));
        }
        // What an index covers that is on its way is not worth keeping.
        let hot = (self.slot.state() != IndexState::Loading).then_some(&self.hot);
        if let Some(hot) = hot {
            hot.forget_before(first);
        }
        scan(view, hot, first, asked)
    }

    /// Neighbors with their records; none if the view is of a generation that is gone, and fewer if some were deleted.
    fn hits(&self, view: &View, neighbors: &[Neighbor]) -> Result<Option<Vec<Hit>>, IndexError> {
        self.readers.read(|connection| {
            if rows::extent(connection)?.generation != view.extent.generation {
                return Ok(None);
            }
            let mut hits = Vec::with_capacity(neighbors.len());
            for neighbor in neighbors {
                let row = usize::try_from(neighbor.id.0).expect("rows are not negative");
                if let Some(record) = record(connection, view, row)? {
                    hits.push(Hit { similarity: neighbor.similarity, record });
                }
            }
            Ok(Some(hits))
        })
    }
}

/// The record of a row of this view, if it is still there.
fn record(connection: &rusqlite::Connection, view: &View, row: usize) -> Result<Option<Record>, IndexError> {
    let Some(mut record) = rows::get(connection, row)? else { return Ok(None) };
    let mut read = Vec::new();
    view.vectors.read(row..row + 1, &mut read)?;
    view.vectors.widen(&read, &mut record.vector);
    Ok(Some(record))
}

/// How many times as many candidates an out-of-distribution query has.
const WIDER: usize = 16;

/// The nearest of the rows that an index covers; none if it reaches too few of them.
fn indexed(view: &View, covering: &Arc<Covering>, asked: Asked<'_>) -> Result<Option<Vec<Neighbor>>, IndexError> {
    let index = covering.index.as_ref();
    let Asked { query, k, among } = asked;
    let n_candidates = index.n_candidates(k);
    let n = n_candidates.unwrap_or(k);
    // Graphs and lists lead a query astray that lies farther from the vectors than these lie from each other.
    let is_outside =
        |found: &[Neighbor]| found.first().is_some_and(|first| first.similarity < covering.usual_similarity);
    let (found, n_there) = match among {
        None => {
            let found = index.search(query, n)?;
            let found = if is_outside(&found) { index.search_wider(query, n * WIDER)? } else { found };
            // What a graph does not reach it does not know of.
            if n_candidates.is_none() && is_outside(&found) {
                return Ok(None);
            }
            (found, index.len())
        }
        Some(among) => {
            let among = among.cut(covering.n_rows);
            let n_there = among.len();
            let filtered = index.filtered().filter(|filtered| n_there > filtered.n_compared());
            let Some(filtered) = filtered else { return compare(view, asked, &rows_of(&among, 0)).map(Some) };
            let found = filtered.search_among(query, n, &among)?;
            (if is_outside(&found) { filtered.search_wider_among(query, n * WIDER, &among)? } else { found }, n_there)
        }
    };
    if found.len() < k.min(n_there) {
        return Ok(None);
    }
    if n_candidates.is_none() {
        return Ok(Some(top_k(found, k)));
    }
    rank(view, asked, &found).map(Some)
}

fn rows_of(ids: &IdSet, first: usize) -> Vec<usize> {
    ids.iter().filter_map(|id| usize::try_from(id.0).ok()).filter(|row| *row >= first).collect()
}
