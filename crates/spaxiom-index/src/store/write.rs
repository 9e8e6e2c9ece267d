//! Adding, replacing and deleting records.

use std::collections::BTreeMap;

use crate::error::IndexError;
use crate::filter::Filter;
use crate::store::handle::Store;
use crate::store::record::{Put, Record};
use crate::store::rows;
use crate::store::vector_file::VectorFile;
use crate::vectors::{check_rows, normalize};

impl Store {
    /// Adds records in one transaction and skips those whose site and id are already stored.
    ///
    /// Once this returns, the records are on disk and the next search finds them.
    /// Returns the number of new records.
    ///
    /// # Errors
    /// [`IndexError::Dimension`] or [`IndexError::NotFinite`] for a vector that cannot be compared: nothing is added.
    pub fn add(&self, records: Vec<Record>) -> Result<usize, IndexError> {
        Ok(self.append(records, false, &BTreeMap::new())?.n_new)
    }

    /// Adds records in one transaction; each takes the place of one with its site and id.
    ///
    /// # Errors
    /// As of [`Store::add`].
    pub fn put(&self, records: Vec<Record>) -> Result<Put, IndexError> {
        self.append(records, true, &BTreeMap::new())
    }

    /// Adds records as [`Store::add`] does, and keeps what a program wants to find again with them: both or neither.
    ///
    /// A value takes the place of the one of its name; an empty one is removed. A snapshot has what is kept.
    ///
    /// # Errors
    /// As of [`Store::add`].
    pub fn commit(&self, records: Vec<Record>, kept: &BTreeMap<String, Vec<u8>>) -> Result<usize, IndexError> {
        Ok(self.append(records, false, kept)?.n_new)
    }

    /// What is kept under names that begin with `prefix`.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn kept(&self, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, IndexError> {
        self.shared.readers.read(|connection| rows::kept(connection, prefix))
    }

    fn append(
        &self,
        mut records: Vec<Record>,
        replace: bool,
        kept: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Put, IndexError> {
        let dim = self.shared.header.dim;
        for record in &mut records {
            check_rows(dim, 1, &record.vector)?;
            if !record.vector.iter().all(|value| value.is_finite()) {
                return Err(IndexError::NotFinite { id: record.id.clone() });
            }
            normalize(&mut record.vector, dim);
        }
        let mut writer = self.shared.writer();
        let transaction = rows::write(&mut writer)?;
        let extent = rows::extent(&transaction)?;
        let (mut row, mut vectors, mut put) = (extent.n_rows, Vec::new(), Put::default());
        for record in &records {
            let is_replaced = replace && rows::delete(&transaction, &record.site, &record.id)?;
            if rows::insert(&transaction, row, record)? {
                vectors.extend_from_slice(&record.vector);
                row += 1;
                *if is_replaced { &mut put.n_replaced } else { &mut put.n_new } += 1;
            }
        }
        if row > extent.n_rows {
            let file = VectorFile::open(&self.shared.path, extent.generation, &self.shared.id, dim)?;
            // On the disk before the database says that they are there.
            file.append(extent.n_rows, &vectors)?;
            rows::set_n_rows(&transaction, row)?;
        }
        rows::keep(&transaction, kept)?;
        transaction.commit()?;
        Ok(put)
    }

    /// Deletes the records of a site with these ids; returns how many there were.
    ///
    /// # Errors
    /// A database that cannot be written.
    pub fn delete(&self, site: &str, ids: &[&str]) -> Result<usize, IndexError> {
        let mut writer = self.shared.writer();
        let transaction = rows::write(&mut writer)?;
        let mut n_deleted = 0;
        for id in ids {
            n_deleted += usize::from(rows::delete(&transaction, site, id)?);
        }
        transaction.commit()?;
        Ok(n_deleted)
    }

    /// Deletes the records that pass a filter, such as all before a time; returns how many there were.
    ///
    /// Their place is given back by [`Store::compact`].
    ///
    /// # Errors
    /// [`IndexError::NothingPasses`] for a name that no record has.
    pub fn delete_passing(&self, filter: &Filter) -> Result<usize, IndexError> {
        self.require_known(filter)?;
        let mut writer = self.shared.writer();
        let transaction = rows::write(&mut writer)?;
        // Nobody else writes now: the view is that of the transaction.
        let passing = self.shared.passing(&*self.shared.view()?, filter)?;
        let Some(passing) = passing else { return Ok(0) };
        let mut n_deleted = 0;
        for row in passing.iter() {
            n_deleted += usize::from(rows::delete_row(&transaction, row.0)?);
        }
        transaction.commit()?;
        Ok(n_deleted)
    }

    /// The clocks of sites that were recorded, by site.
    ///
    /// # Errors
    /// A database that cannot be read.
    pub fn time_zones(&self) -> Result<BTreeMap<String, chrono_tz::Tz>, IndexError> {
        self.shared.readers.read(rows::time_zones)
    }

    /// Records the clocks of sites, which filters by time of day and weekday read: site and IANA name such as `Europe/Berlin`.
    ///
    /// # Errors
    /// [`IndexError::Setting`] for a name that is none.
    pub fn set_time_zones(&self, zones: &[(String, String)]) -> Result<(), IndexError> {
        let known = self.time_zones()?;
        let mut new = Vec::new();
        for (site, zone) in zones {
            let clock: chrono_tz::Tz = zone.parse().map_err(|_| IndexError::Setting {
                name: "time zone",
                want: "an IANA name such as `Europe/Berlin`",
                got: zone.clone(),
            })?;
            if known.get(site) != Some(&clock) {
                new.push((site.clone(), zone.clone()));
            }
        }
        if new.is_empty() { Ok(()) } else { rows::set_time_zones(&mut self.shared.writer(), &new) }
    }
}
