//! From the past of a site to what is expected of it.

use std::ops::Range;

use spaxiom_event::{Event, SiteId};

use super::counts::{CountModel, CountRows};
use super::history::{History, MIN_MOMENTS, local};
use super::judge::Judged;
use super::next::{NextModel, NextRows};
use super::options::ForecastOptions;
use super::parts::Parts;
use super::report::{ExpectedCount, Forecast, LastEvent, NextEventChance};
use crate::data::Dataset;
use crate::error::EmbeddingError;
use crate::vector::Vectors;

/// Moments like the present one that tell how long the next event is waited for.
const N_ALIKE: usize = 200;

/// What a forecast is made from.
#[derive(Clone, Copy)]
pub struct ForecastInput<'a> {
    /// Of a run, for the sites of the data ([`Vectors::with_sites`]).
    pub vectors: &'a Vectors,
    /// The past.
    pub data: &'a Dataset,
    /// The site that is asked about.
    pub site: &'a SiteId,
}

/// What is expected at a site after its last event: learned from its own past, and judged on the last fifth of it.
///
/// Features are the vector and the hour of the day. Counts are a ridge regression mixed with the usual of the hour, the next
/// event a softmax regression mixed with an n-gram; both mixtures are chosen on the fifth before. Then all of the past is learned from.
///
/// # Errors
/// [`EmbeddingError::NoSite`] for a site without an event, [`EmbeddingError::ShortHistory`] where the past has less than
/// fifty moments in each part: too short, or a horizon too long for it.
pub fn forecast(input: &ForecastInput<'_>, options: &ForecastOptions) -> Result<Forecast, EmbeddingError> {
    let ForecastInput { vectors, data, site } = *input;
    let ForecastOptions { horizon, at, max_moments, seed } = *options;
    let horizon_ns = horizon.num_nanoseconds().unwrap_or(i64::MAX);
    let (table, sequences) = data.columns();
    let unknown = || EmbeddingError::NoSite {
        path: data.path().to_owned(),
        site: site.to_string(),
        before: at.map(|at| format!(" before {}", at.to_rfc3339())).unwrap_or_default(),
        known: sequences.iter().map(|sequence| sequence.site_id.as_str()).collect::<Vec<_>>().join(", "),
    };
    let at_site = sequences.iter().position(|sequence| sequence.site_id == *site).ok_or_else(unknown)?;
    let sequence = &sequences[at_site];
    let mut events: Vec<Event> = table.events(&sequence.rows).collect();
    events.truncate(at.map_or(events.len(), |at| events.partition_point(|event| event.time <= at)));
    let last = events.last().ok_or_else(unknown)?;
    let history = History::new(&events, data.sites(), horizon_ns);
    let moments = history.moments(max_moments);
    let times: Vec<i64> = moments.iter().map(|&moment| history.times_ns[moment]).collect();
    let parts = Parts::new(&times, horizon_ns);
    if [&parts.train, &parts.validation, &parts.test].iter().any(|part| part.len() < MIN_MOMENTS) {
        return Err(EmbeddingError::ShortHistory {
            site: site.to_string(),
            n_events: events.len(),
            horizon_mins: horizon.num_minutes(),
        });
    }
    let places: Vec<usize> = moments.iter().copied().chain([events.len() - 1]).collect();
    let tokens = data.tokenize_site(vectors.tokenizer(), at_site);
    let read = vectors.reader(&tokens, table, sequence).read_some(&places);
    let past = Past::new(&history, &places, &read);
    let counts = CountModel::fit(&past.count_rows(&parts.train), &past.count_rows(&parts.validation));
    let next = NextModel::fit(&past.next_rows(&parts.train), &past.next_rows(&parts.validation));
    let judged = Judged {
        history: &history,
        moments: &moments[parts.test.clone()],
        features: past.features(&parts.test),
        n_features: past.n_features,
        n_learned: parts.train.len(),
        seed,
    };
    let backtest = judged.backtest(&counts, &next);
    let whole = 0..moments.len();
    let (counts, next) = (counts.refit(&past.count_rows(&whole)), next.refit(&past.next_rows(&whole)));
    Ok(Forecast {
        site: site.to_string(),
        after: LastEvent {
            id: last.id.to_string(),
            kind: last.kind.to_string(),
            zone: last.zone.as_ref().map(ToString::to_string),
            time: local(last, data.sites()),
        },
        horizon_secs: horizon.as_seconds_f64(),
        next: past.next(&next),
        counts: past.counts(&counts),
        backtest,
    })
}

/// The moments of a site, the present one last, with what is known of each and what came of all others.
struct Past<'a> {
    history: &'a History,
    places: &'a [usize],
    /// Vector and hour of each.
    features: Vec<f32>,
    n_features: usize,
    hours: Vec<usize>,
    /// What came, but after the present.
    counts: Vec<f32>,
}

impl<'a> Past<'a> {
    fn new(history: &'a History, places: &'a [usize], vectors: &[f32]) -> Self {
        let dim = vectors.len() / places.len();
        let mut features = Vec::new();
        for (&place, vector) in places.iter().zip(vectors.chunks_exact(dim)) {
            features.extend_from_slice(vector);
            features.extend(history.waves(place));
            features.extend(history.last_kinds(place));
        }
        let n_features = features.len() / places.len();
        let (_, moments) = places.split_last().expect("the present");
        Self {
            history,
            places,
            features,
            n_features,
            hours: places.iter().map(|&place| history.hour(place)).collect(),
            counts: moments.iter().flat_map(|&moment| history.after(moment)).collect(),
        }
    }

    fn features(&self, part: &Range<usize>) -> &[f32] {
        &self.features[part.start * self.n_features..part.end * self.n_features]
    }

    fn count_rows(&self, part: &Range<usize>) -> CountRows<'_> {
        let n_kinds = self.history.n_kinds();
        CountRows {
            features: self.features(part),
            hours: &self.hours[part.clone()],
            counts: &self.counts[part.start * n_kinds..part.end * n_kinds],
            n_features: self.n_features,
            n_kinds,
        }
    }

    fn next_rows(&self, part: &Range<usize>) -> NextRows<'_> {
        NextRows {
            ids: &self.history.ids,
            n_kinds: self.history.n_kinds(),
            moments: &self.places[part.clone()],
            features: self.features(part),
            n_features: self.n_features,
        }
    }

    /// Vector and hour of the present.
    fn present(&self) -> &[f32] {
        let at = self.places.len() - 1;
        self.features(&(at..at + 1))
    }

    /// How many of each are expected, the most first.
    fn counts(&self, model: &CountModel) -> Vec<ExpectedCount> {
        let hour = *self.hours.last().expect("the present");
        let expected = model.expected(self.present(), hour);
        let told = |(at, kind): (usize, &super::history::Kind)| {
            let [low, high] = model.range(at, expected[at]);
            let (kind, zone) = (kind.kind.clone(), kind.zone.clone());
            ExpectedCount { kind, zone, expected: expected[at], low, high, usual: model.usual().at(hour)[at] }
        };
        let mut counts: Vec<ExpectedCount> = self.history.kinds.iter().enumerate().map(told).collect();
        counts.sort_by(|a, b| b.expected.total_cmp(&a.expected));
        counts
    }

    /// What comes next, the likeliest first.
    fn next(&self, model: &NextModel) -> Vec<NextEventChance> {
        let [probabilities, _] = model.probabilities(&self.history.ids, self.present());
        let alike = self.alike();
        let told = |(at, kind): (usize, &super::history::Kind)| NextEventChance {
            kind: kind.kind.clone(),
            zone: kind.zone.clone(),
            probability: probabilities[at],
            median_wait_secs: self.median_wait(&alike, at),
        };
        let mut next: Vec<NextEventChance> = self.history.kinds.iter().enumerate().map(told).collect();
        next.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        next
    }

    /// Moments of the past, the most like the present first.
    fn alike(&self) -> Vec<usize> {
        let similarity = |features: &[f32]| -> f32 {
            let own = self.present();
            let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
            dot(own, features) / (dot(own, own) * dot(features, features)).sqrt().max(f32::MIN_POSITIVE)
        };
        let n = self.places.len() - 1;
        let mut alike: Vec<(f32, usize)> =
            (0..n).map(|at| (similarity(self.features(&(at..at + 1))), self.places[at])).collect();
        alike.sort_by(|a, b| b.0.total_cmp(&a.0));
        alike.into_iter().map(|(_, moment)| moment).collect()
    }

    /// Until a kind came next: after moments like the present, or after all where it never did there.
    fn median_wait(&self, alike: &[usize], kind: usize) -> Option<f64> {
        let History { ids, times_ns, .. } = self.history;
        let waits = |moments: &[usize]| -> Vec<i64> {
            let came = moments.iter().filter(|&&moment| ids[moment + 1] as usize == kind);
            came.map(|&moment| times_ns[moment + 1] - times_ns[moment]).collect()
        };
        let near = waits(&alike[..alike.len().min(N_ALIKE)]);
        let mut waits = if near.is_empty() { waits(alike) } else { near };
        waits.sort_unstable();
        waits.get(waits.len() / 2).map(|&wait| wait as f64 / 1e9)
    }
}
