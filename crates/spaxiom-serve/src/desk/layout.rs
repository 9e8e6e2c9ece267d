//! Where are the moments, on a map on which like lies near like?

use std::collections::HashMap;

use chrono::DateTime;
use spaxiom_embedding::{Filter, Layout, Sample, StoreRecord};

use super::answers::MapOfMoments;
use super::asked::LayoutAsked;
use super::state::{Desk, Limits, local};
use crate::error::ServeError;

/// Points at most, and by default.
const MAX_POINTS: usize = 100_000;
const DEFAULT_POINTS: usize = 10_000;

/// Events that are named at most.
const MAX_IDS: usize = 200;

/// Vectors that the directions are fitted to, where the store keeps none.
const N_FITTED: usize = 2_000;

/// Names as numbers, in the order in which they come.
#[derive(Default)]
struct Numbered {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Numbered {
    fn number(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len();
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

impl Desk {
    /// Moments on two axes, the directions in which vectors differ most; evenly chosen where there are more than wanted.
    ///
    /// # Errors
    /// [`ServeError::Asked`] for more points than are given.
    pub fn layout(&self, asked: &LayoutAsked) -> Result<MapOfMoments, ServeError> {
        let LayoutAsked { types, zones, sites, from, to, time_of_day, ids, n } = asked;
        let filter = self.filter(&Limits { types, zones, sites, from, to, time_of_day })?;
        let n = match n {
            0 => DEFAULT_POINTS,
            n if *n <= MAX_POINTS => *n,
            n => return Err(ServeError::Asked(format!("`n` is at most {MAX_POINTS}, not {n}"))),
        };
        let sample = match ids.as_slice() {
            [] => self.store().sample(n, &filter)?,
            ids if ids.len() <= MAX_IDS => {
                let records: Vec<StoreRecord> = ids.iter().map(|id| self.record(id)).collect::<Result<_, _>>()?;
                Sample { n_passing: records.len(), records }
            }
            _ => return Err(ServeError::Asked(format!("`ids` are at most {MAX_IDS}"))),
        };
        let layout = match self.store().layout()? {
            Some(layout) => layout,
            None => self.fitted()?,
        };
        let clocks = self.store().time_zones()?;
        let (mut kinds, mut places, mut buildings) = (Numbered::default(), Numbered::default(), Numbered::default());
        let mut map = MapOfMoments { total: sample.n_passing, ..MapOfMoments::default() };
        for StoreRecord { id, site, kind, zone, time_ns, vector, .. } in &sample.records {
            let [x, y] = layout.place(vector);
            map.x.push(x);
            map.y.push(y);
            map.id.push(id.clone());
            map.kind.push(kinds.number(kind));
            map.zone.push(places.number(zone.as_deref().unwrap_or_default()));
            map.site.push(buildings.number(site));
            map.time.push(local(clocks.get(site), DateTime::from_timestamp_nanos(*time_ns)));
        }
        map.truncated = map.id.len() < map.total;
        (map.types, map.zones, map.sites) = (kinds.names, places.names, buildings.names);
        Ok(map)
    }

    /// Directions that are fitted to some vectors of the store: the same ones whatever is asked for.
    fn fitted(&self) -> Result<Layout, ServeError> {
        let records = self.store().sample(N_FITTED, &Filter::All)?.records;
        let rows: Vec<f32> = records.into_iter().flat_map(|record| record.vector).collect();
        Ok(Layout::fit(&rows, self.store().header().dim))
    }
}
