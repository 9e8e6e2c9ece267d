//! How many were there?

use std::collections::BTreeMap;

use spaxiom_embedding::{Field, Filter};

use super::answers::{Counted, Counts};
use super::asked::CountAsked;
use super::state::{Desk, Limits, counted};
use crate::error::ServeError;

/// Counts that are listed at most.
const MAX_COUNTS: usize = 100;

impl Desk {
    /// Events that pass the limits, by type, zone, site or hour of the site's day.
    ///
    /// # Errors
    /// [`ServeError::Asked`] for anything else to count by.
    pub fn count(&self, asked: &CountAsked) -> Result<Counts, ServeError> {
        let CountAsked { by, types, zones, sites, from, to, time_of_day } = asked;
        let filter = self.filter(&Limits { types, zones, sites, from, to, time_of_day })?;
        let n_passing = |part: Filter| -> Result<usize, ServeError> {
            Ok(self.store().sample(0, &filter.clone().and(part))?.n_passing)
        };
        let names = self.store().names()?;
        let of_names = |field: Field, names: Vec<String>| -> Result<Vec<Counted>, ServeError> {
            let mut counts = BTreeMap::new();
            for name in names {
                let n = n_passing(Filter::Is { field, values: vec![name.clone()] })?;
                if n > 0 {
                    counts.insert(name, n);
                }
            }
            Ok(counted(counts))
        };
        let mut counts = match by.as_str() {
            "" | "type" => of_names(Field::Type, names.types)?,
            "zone" => of_names(Field::Zone, names.zones)?,
            "site" => of_names(Field::Site, names.sites)?,
            "hour" => {
                let hour = |hour: u32| -> Result<Counted, ServeError> {
                    let count = n_passing(Filter::parse(&format!("hour = {hour}"))?)?;
                    Ok(Counted { name: format!("{hour:02}:00"), count })
                };
                (0..24).map(hour).collect::<Result<_, _>>()?
            }
            other => {
                return Err(ServeError::Asked(format!("`by` is `type`, `zone`, `site` or `hour`, not `{other}`")));
            }
        };
        let truncated = counts.len() > MAX_COUNTS;
        counts.truncate(MAX_COUNTS);
        Ok(Counts { interpreted_query: filter.to_string(), total: n_passing(Filter::All)?, counts, truncated })
    }
}
