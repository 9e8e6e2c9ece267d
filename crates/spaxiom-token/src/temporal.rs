//! Temporal binning: counts of events by type in fixed windows of time (seed, "Temporal binning").

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use spaxiom_event::EventSequence;
use sprs::CsMat;

use crate::clock::{LocalClock, NANOS_PER_SEC};
use crate::error::TokenError;
use crate::special::FIRST;
use crate::vocabulary::WordList;

/// How a sequence is counted.
///
/// ```
/// use spaxiom_event::{Event, group_by_site};
/// use spaxiom_token::TemporalBins;
///
/// let event = |kind: &str, secs: i64| {
///     let start: chrono::DateTime<chrono::Utc> = "2025-01-06T10:20:00Z".parse().unwrap();
///     Event::new(kind, "dc-4", start + chrono::TimeDelta::seconds(secs)).with_derived_id()
/// };
/// let mut events: Vec<Event> = (0..12).map(|i| event("DoorOpened", i * 20)).collect();
/// events.extend((0..2).map(|i| event("QueueFormed", i * 100 + 1)));
/// events.extend((0..8).map(|i| event("OccupancyChanged", i * 30 + 2)));
///
/// let types = ["DoorOpened", "OccupancyChanged", "QueueFormed"].map(String::from).to_vec();
/// let bins = TemporalBins::new(types, 5).unwrap().count(&group_by_site(events)[0], None);
/// let row = bins.counts.outer_view(0).unwrap();
/// assert_eq!(bins.starts[0].to_rfc3339(), "2025-01-06T10:20:00+00:00");
/// assert_eq!(row.iter().collect::<Vec<_>>(), [(0, &12), (1, &8), (2, &2)]);
/// ```
#[derive(Debug, Clone)]
pub struct TemporalBins {
    types: WordList,
    window_secs: i64,
}

/// Counts of a sequence: a row per window that has an event, a column per type.
#[derive(Debug, Clone, PartialEq)]
pub struct BinCounts {
    /// The first instant of each window, ascending.
    pub starts: Vec<DateTime<Utc>>,
    /// Compressed sparse rows.
    pub counts: CsMat<u32>,
}

impl TemporalBins {
    /// Windows of so many minutes, a part of 24 hours; events of other types are not counted.
    pub fn new(types: Vec<String>, minutes: u32) -> Result<Self, TokenError> {
        if minutes == 0 || 1440 % minutes != 0 {
            return Err(TokenError::Setting { name: "minutes", want: "a part of 24 hours", got: minutes.to_string() });
        }
        Ok(Self { types: WordList::new(types, 0), window_secs: i64::from(minutes) * 60 })
    }

    /// Counts a sequence (of a site or a zone) in windows aligned to midnight on the clocks of `time_zone`, or UTC.
    ///
    /// When the clocks go back, the hour that comes twice has windows of its own each time, unless a window is
    /// longer than an hour: then it is longer by that hour.
    #[must_use]
    pub fn count(&self, sequence: &EventSequence, time_zone: Option<Tz>) -> BinCounts {
        let n_types = self.types.words().len();
        let mut clock = LocalClock::new(time_zone);
        let mut starts: Vec<i64> = Vec::new();
        let mut open = vec![0u32; n_types];
        let (mut row_starts, mut columns, mut data) = (vec![0], Vec::new(), Vec::new());
        let mut close = |open: &mut Vec<u32>, row_starts: &mut Vec<usize>| {
            for (column, count) in open.iter_mut().enumerate().filter(|(_, count)| **count > 0) {
                columns.push(column);
                data.push(std::mem::take(count));
            }
            row_starts.push(columns.len());
        };
        for event in sequence.events() {
            let Some(column) = self.types.id(event.kind.as_str()).checked_sub(FIRST) else { continue };
            let nanos = event.time.timestamp_nanos_opt().expect("events have times between 1677 and 2262");
            let start = clock.window_start(nanos, self.window_secs * NANOS_PER_SEC);
            if starts.last() != Some(&start) {
                if !starts.is_empty() {
                    close(&mut open, &mut row_starts);
                }
                starts.push(start);
            }
            open[column as usize] += 1;
        }
        if !starts.is_empty() {
            close(&mut open, &mut row_starts);
        }
        BinCounts {
            counts: CsMat::new((starts.len(), n_types), row_starts, columns, data),
            starts: starts.into_iter().map(DateTime::from_timestamp_nanos).collect(),
        }
    }
}
