//! How many were there?

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate};
use spaxiom_embedding::{Field, Filter};

use super::answers::{Counted, Counts};
use super::asked::CountAsked;
use super::state::{Desk, Limits, counted};
use crate::error::ServeError;

/// Counts that are listed at most; and days.
const MAX_COUNTS: usize = 100;
const MAX_DAYS: usize = 400;

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Desk {
    /// Events that pass the limits, by type, zone, site, hour of the site's day, weekday or day.
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
            "weekday" => {
                let weekday = |day: &&str| -> Result<Counted, ServeError> {
                    let count = n_passing(Filter::parse(&format!("weekday in ({day})"))?)?;
                    Ok(Counted { name: (*day).to_owned(), count })
                };
                WEEKDAYS.iter().map(weekday).collect::<Result<_, _>>()?
            }
            "day" => {
                let day = |day: NaiveDate| -> Result<Counted, ServeError> {
                    let part = Filter::parse(&format!("time in {day}..{}", day + Days::new(1)))?;
                    Ok(Counted { name: day.to_string(), count: n_passing(part)? })
                };
                self.days(&names.sites)?.into_iter().map(day).collect::<Result<_, _>>()?
            }
            other => {
                let wanted = "`by` is `type`, `zone`, `site`, `hour`, `weekday` or `day`";
                return Err(ServeError::Asked(format!("{wanted}, not `{other}`")));
            }
        };
        let most = if by == "day" { MAX_DAYS } else { MAX_COUNTS };
        let truncated = counts.len() > most;
        counts.truncate(most);
        Ok(Counts { interpreted_query: filter.to_string(), total: n_passing(Filter::All)?, counts, truncated })
    }

    /// The days on which sites have events, by their clocks: the last of them, and one more than is listed where there are more.
    fn days(&self, sites: &[String]) -> Result<Vec<NaiveDate>, ServeError> {
        let zones = self.store().time_zones()?;
        let mut span: Option<(NaiveDate, NaiveDate)> = None;
        for site in sites.iter().filter(|site| self.knows(site)) {
            let Some(ends) = self.store().span(site)? else { continue };
            let [first, last] = ends.map(|ns| {
                let time = DateTime::from_timestamp_nanos(ns);
                zones.get(site).map_or(time.date_naive(), |zone| time.with_timezone(zone).date_naive())
            });
            span = Some(span.map_or((first, last), |(from, to)| (from.min(first), to.max(last))));
        }
        let Some((first, last)) = span else { return Ok(Vec::new()) };
        let first = first.max(last - Days::new(MAX_DAYS as u64));
        Ok(first.iter_days().take_while(|day| *day <= last).collect())
    }
}
