//! What is unusual: moments unlike those of other days at the same site and hour.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeZone, Timelike};
use serde::Serialize;
use spaxiom_index::{Filter, Hit, Record, Sample};

use super::moments::{Moment, Own, moments};
use super::query::SearchResult;
use super::store_search::StoreSearch;
use crate::error::EmbeddingError;

/// Hours before and after that are like hours.
const HOURS: u32 = 1;

/// Neighbors that are asked for; those of the moment's own day are left out.
const N_NEIGHBORS: usize = 96;

/// Days whose nearest moments are averaged: one day alone may have been as unusual.
const N_DAYS: usize = 3;

const HALF_DAY_NS: i64 = 12 * 3_600 * 1_000_000_000;
const MINUTES_PER_HOUR: u32 = 60;
const MINUTES_PER_DAY: u32 = 24 * MINUTES_PER_HOUR;

/// A moment and how unlike other days it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Unusual {
    /// One minus the mean similarity to the nearest moments of three other days at like hours, 0 to 2; greater is more unusual.
    pub unusual: f32,
    /// The moment, by its most unusual event; `similarity` is that mean, `n_folded` counts other events that were looked at.
    #[serde(flatten)]
    pub hit: SearchResult,
    /// The nearest moment of another day.
    pub nearest: Nearest,
}

/// The moment of another day that is nearest.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Nearest {
    /// Id of its event.
    pub id: String,
    /// Its time, RFC 3339.
    pub time: String,
    /// Its similarity.
    pub similarity: f32,
}

/// An event with what other days have that is nearest.
struct Judged {
    /// With the mean similarity to other days.
    hit: Hit,
    nearest: Hit,
}

impl StoreSearch<'_> {
    /// The `k` moments that are most unlike those of other days, at most `n_looked_at` events of those that pass being looked at.
    ///
    /// A moment is compared with its site an hour before and after on other days, so that a quiet night is not unusual for
    /// being unlike the day. Moments whose site has fewer than three other days are left out. `progress` is told how many
    /// events were looked at, and of how many.
    ///
    /// # Errors
    /// Of the store.
    pub fn unusual(
        &self,
        k: usize,
        filter: &Filter,
        n_looked_at: usize,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Vec<Unusual>, EmbeddingError> {
        self.store().require_known(filter)?;
        let Sample { records, .. } = self.store().sample(n_looked_at, filter)?;
        let clocks = self.store().time_zones()?;
        let n_records = records.len();
        // Searches with one filter come after each other: the store keeps its answer.
        let mut groups: BTreeMap<(String, u32), Vec<Record>> = BTreeMap::new();
        for record in records {
            let time = DateTime::from_timestamp_nanos(record.time_ns).naive_utc();
            let clock = clocks.get(&record.site);
            let hour = clock.map_or_else(|| time.hour(), |clock| clock.from_utc_datetime(&time).hour());
            groups.entry((record.site.clone(), hour)).or_default().push(record);
        }
        let (mut judged, mut n_done) = (Vec::new(), 0);
        for ((site, hour), records) in groups {
            let alike = Filter::site(site).and(around(hour));
            for record in records {
                judged.extend(self.judged(record, &alike)?);
                n_done += 1;
                progress(n_done, n_records);
            }
        }
        judged.sort_by(|a, b| a.hit.similarity.total_cmp(&b.hit.similarity));
        let place = |record: &Record| (record.site.clone(), record.id.clone());
        let mut nearest: BTreeMap<(String, String), Hit> = BTreeMap::new();
        let mut hits = Vec::with_capacity(judged.len());
        for judged in judged {
            nearest.insert(place(&judged.hit.record), judged.nearest);
            hits.push(judged.hit);
        }
        let told = |Moment { nearest: hit, n_folded }: Moment| {
            let nearest = nearest.remove(&place(&hit.record)).expect("every hit was judged");
            self.told(hit, n_folded, nearest)
        };
        moments(hits, &Own::default()).into_iter().take(k).map(told).collect()
    }

    /// None where too few other days are known.
    fn judged(&self, record: Record, alike: &Filter) -> Result<Option<Judged>, EmbeddingError> {
        let is_other = |hit: &Hit| (hit.record.time_ns - record.time_ns).abs() > HALF_DAY_NS;
        let mut n_asked = N_NEIGHBORS;
        loop {
            let hits = self.store().search(&record.vector, n_asked, alike)?;
            let is_all = hits.len() < n_asked;
            let mut days: Vec<(i64, Hit)> = Vec::new();
            for hit in hits.into_iter().filter(is_other) {
                // Days from noon to noon, around the moment: those of its own are left out.
                let day = (hit.record.time_ns - record.time_ns + HALF_DAY_NS).div_euclid(2 * HALF_DAY_NS);
                if days.len() < N_DAYS && days.iter().all(|(known, _)| *known != day) {
                    days.push((day, hit));
                }
            }
            if days.len() >= N_DAYS {
                let similarity = days.iter().map(|(_, hit)| hit.similarity).sum::<f32>() / N_DAYS as f32;
                let (_, nearest) = days.swap_remove(0);
                return Ok(Some(Judged { hit: Hit { similarity, record }, nearest }));
            }
            if is_all {
                return Ok(None);
            }
            n_asked *= 8;
        }
    }

    fn told(&self, hit: Hit, n_folded: usize, nearest: Hit) -> Result<Unusual, EmbeddingError> {
        let similarity = hit.similarity;
        let hit = self.results([(hit, n_folded)].into_iter())?.remove(0);
        let nearest = self.results([(nearest, 0)].into_iter())?.remove(0);
        let SearchResult { id, time, local_time, similarity: nearest_similarity, .. } = nearest;
        let nearest = Nearest { id, time: local_time.unwrap_or(time), similarity: nearest_similarity };
        Ok(Unusual { unusual: 1.0 - similarity, hit, nearest })
    }
}

/// An hour, and those beside it.
fn around(hour: u32) -> Filter {
    let before = (hour + 1 + HOURS) * MINUTES_PER_HOUR;
    Filter::TimeOfDay {
        from_minute: (hour * MINUTES_PER_HOUR + MINUTES_PER_DAY - HOURS * MINUTES_PER_HOUR) % MINUTES_PER_DAY,
        before_minute: if before > MINUTES_PER_DAY { before - MINUTES_PER_DAY } else { before },
    }
}
