//! The features of the CASAS programs for activity recognition: a window of sensors, and how long ago each one fired.
//!
//! A hand-made vector that reads the whole past, as the memory does. As CASAS defines it, without the weekday, which names the
//! day where there is a week to learn from, and without areas, which zones stand for; what is a category there has a number for
//! each value here, so that a linear probe can read it.

use std::collections::BTreeMap;

use chrono::{DateTime, Timelike, Utc};
use spaxiom_event::{Event, EventSequence};

use super::features::Features;
use super::samples::{Representation, Samples};
use crate::data::{Dataset, LabeledEvent};

/// Events of a window.
const WINDOW: usize = 30;

/// What fired longer ago, fired a day ago.
const MAX_ELAPSED_SECS: f64 = 86_400.0;

/// Channels that have numbers of their own.
const MAX_CHANNELS: usize = 128;

/// The features of all parts; channels are those of the training part.
pub(super) fn features(data: &Dataset, [train, validation, test]: [&Samples; 3]) -> Representation {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for event in train.data.sequences().iter().flat_map(EventSequence::events) {
        *counts.entry(channel(event).to_owned()).or_default() += 1;
    }
    let mut frequent: Vec<(String, usize)> = counts.into_iter().collect();
    frequent.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let names = frequent.into_iter().take(MAX_CHANNELS).zip(0..);
    let channels = Channels { ids: names.map(|((name, _), id)| (name, id)).collect() };
    let part = |samples: &Samples| {
        let places: Vec<(usize, usize)> = samples.labeled.iter().map(LabeledEvent::place).collect();
        let (table, _) = data.columns();
        let mut values = Vec::new();
        for (site, places) in data.in_sites(&samples.data, &places) {
            channels.read(table.events(&site.rows), &places, &mut values);
        }
        Features::dense(values, channels.width())
    };
    Representation { train: part(train), validation: part(validation), test: part(test) }
}

/// The sensor of an event: its zone, or what it is where it has none.
fn channel(event: &Event) -> &str {
    event.zone.as_ref().map_or_else(|| event.kind.as_str(), |zone| zone.as_str())
}

struct Channels {
    ids: BTreeMap<String, usize>,
}

impl Channels {
    /// Channels, and one for those that training did not have.
    fn len(&self) -> usize {
        self.ids.len() + 1
    }

    /// Four categories, count and age of each channel, and nine numbers.
    fn width(&self) -> usize {
        6 * self.len() + 9
    }

    /// Appends the features of some events of a site.
    fn read(&self, events: impl Iterator<Item = Event>, places: &[usize], values: &mut Vec<f32>) {
        let mut site = Site { times: Vec::new(), channels: Vec::new(), last: vec![None; self.len()] };
        let mut places = places.iter().peekable();
        for (at, event) in events.enumerate() {
            let channel = self.ids.get(channel(&event)).copied().unwrap_or(self.ids.len());
            site.times.push(event.time);
            site.channels.push(channel);
            site.last[channel] = Some(event.time);
            if places.next_if(|place| **place == at).is_some() {
                #[expect(clippy::cast_possible_truncation, reason = "features of 32 bits")]
                values.extend(site.features(self.len()).into_iter().map(|value| value as f32));
            }
        }
    }
}

/// A site up to an event.
struct Site {
    times: Vec<DateTime<Utc>>,
    channels: Vec<usize>,
    /// When each channel fired last.
    last: Vec<Option<DateTime<Utc>>>,
}

impl Site {
    fn features(&self, n_channels: usize) -> Vec<f64> {
        let end = self.times.len();
        let start = end.saturating_sub(WINDOW);
        let (now, window) = (self.times[end - 1], &self.channels[start..end]);
        let secs = |from: usize, to: usize| (self.times[to] - self.times[from]).as_seconds_f64();
        let middle = usize::midpoint(start, end - 1);
        let counts = counts(window, n_channels);
        let share = |count: &f64| count / window.len() as f64;
        let entropy: f64 =
            counts.iter().map(share).filter(|share| *share > 0.0).map(|share| -share * share.log2()).sum();
        let n_changes = window.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let mut features = vec![
            f64::from(now.hour()),
            f64::from(now.num_seconds_from_midnight()),
            secs(start, end - 1).ln_1p(),
            secs(end.saturating_sub(2), end - 1).ln_1p(),
            secs(middle, end - 1).ln_1p() - secs(start, middle).ln_1p(),
            entropy,
            n_changes as f64,
            counts.iter().filter(|count| **count > 0.0).count() as f64,
            window.len() as f64,
        ];
        let before = |n_windows: usize| {
            let end = end.saturating_sub(n_windows * WINDOW);
            &self.channels[end.saturating_sub(WINDOW)..end]
        };
        let categories =
            [Some(window[window.len() - 1]), dominant(before(0)), dominant(before(1)), dominant(before(2))];
        for category in categories {
            features.extend((0..n_channels).map(|channel| f64::from(u8::from(category == Some(channel)))));
        }
        features.extend(counts);
        let age = |last: &Option<DateTime<Utc>>| last.map_or(MAX_ELAPSED_SECS, |last| (now - last).as_seconds_f64());
        features.extend(self.last.iter().map(|last| age(last).min(MAX_ELAPSED_SECS).ln_1p()));
        features
    }
}

fn counts(channels: &[usize], n_channels: usize) -> Vec<f64> {
    let mut counts = vec![0.0; n_channels];
    for &channel in channels {
        counts[channel] += 1.0;
    }
    counts
}

/// The channel with most events; none of no events.
fn dominant(channels: &[usize]) -> Option<usize> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for &channel in channels {
        *counts.entry(channel).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(channel, _)| channel)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Channels, Event};

    #[test]
    fn a_window_is_counted_and_what_fired_before_it_has_an_age() {
        let event = |zone: &str, secs: i64| {
            let text = format!(r#"{{"type": "MotionDetected", "zone": "{zone}", "time": {secs}}}"#);
            Event::from_json(&text).unwrap()
        };
        let ids = BTreeMap::from([("hall".to_owned(), 0), ("kitchen".to_owned(), 1)]);
        let channels = Channels { ids };
        // One in the hall, then a window of the kitchen that ends in a zone that training did not have.
        let zone = |at: i64| match at {
            0 => "hall",
            30 => "cellar",
            _ => "kitchen",
        };
        let events = (0..31).map(|at| event(zone(at), 60 * at));
        let mut values = Vec::new();
        channels.read(events, &[30], &mut values);
        assert_eq!(values.len(), channels.width());
        let close = |at: usize, want: f64| assert!((f64::from(values[at]) - want).abs() < 1e-4, "{at}: {}", values[at]);
        close(0, 0.0);
        close(1, 1_800.0);
        close(2, (29.0 * 60.0f64).ln_1p());
        close(3, 60f64.ln_1p());
        let share: f64 = 1.0 / 30.0;
        close(5, -share * share.log2() - (1.0 - share) * (1.0 - share).log2());
        close(6, 1.0);
        close(7, 2.0);
        // The last channel, the dominant one here, that of the window before, and none before that.
        assert_eq!(values[9..21], [0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(values[21..24], [0.0, 29.0, 1.0]);
        close(24, 1_800f64.ln_1p());
        close(25, 60f64.ln_1p());
        close(26, 0.0);
    }
}
