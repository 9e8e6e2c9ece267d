//! Confusion, map, examples and label curve of a run's own vectors.

use chrono::Timelike;
use spaxiom_encoder::Pca;
use spaxiom_eval::{accuracy, clustered_mean};
use spaxiom_event::Event;

use super::bench::Bench;
use super::details::{Details, EventBefore, LabelShare, MapPoint, ShownMoment, ShownQuery};
use super::features::Features;
use super::samples::Representation;
use super::{probe, retrieval};
use crate::data::{Dataset, LabeledEvent, spread};
use crate::error::EmbeddingError;

/// Points of the map at most.
const N_POINTS: usize = 1_500;

/// Queries that are shown, at most, and hits of each.
const N_EXAMPLES: usize = 3;
const N_HITS: usize = 3;

/// Events that are shown of a moment.
const N_EVENTS: usize = 12;

/// Shares of the labels of a label curve.
const LABEL_SHARES: [f64; 4] = [0.01, 0.05, 0.2, 1.0];

impl Details {
    /// Of the vectors of a run, and of the classes that a probe on them predicts for the test events.
    ///
    /// # Errors
    /// [`EmbeddingError::Encoder`] where principal components cannot be found.
    pub(super) fn new(
        bench: &Bench<'_>,
        data: &Dataset,
        classes: &[String],
        vectors: &Features,
        predicted: &[usize],
    ) -> Result<Self, EmbeddingError> {
        let labeled = &bench.test.labeled;
        let mut confusion = vec![vec![0; classes.len()]; classes.len()];
        for (event, predicted) in labeled.iter().zip(predicted).filter(|(event, _)| event.class < classes.len()) {
            confusion[event.class][*predicted] += 1;
        }
        let shown = Shown { bench, data, classes };
        Ok(Self {
            confusion,
            map: shown.map(vectors)?,
            examples: shown.examples(vectors),
            label_curve: Vec::new(),
            few_shot: Vec::new(),
        })
    }
}

/// Events with their words.
struct Shown<'a> {
    bench: &'a Bench<'a>,
    data: &'a Dataset,
    classes: &'a [String],
}

impl Shown<'_> {
    fn label(&self, event: &LabeledEvent) -> String {
        self.classes.get(event.class).cloned().unwrap_or_else(|| "unknown".into())
    }

    fn map(&self, vectors: &Features) -> Result<Vec<MapPoint>, EmbeddingError> {
        let labeled = &self.bench.test.labeled;
        let Features::Dense { dim, .. } = vectors else { return Ok(Vec::new()) };
        if *dim < 2 || labeled.len() < 3 {
            return Ok(Vec::new());
        }
        let n = labeled.len().min(N_POINTS);
        let shown: Vec<usize> = (0..n).map(|at| at * labeled.len() / n).collect();
        // What is compared is the direction of a vector.
        let Features::Dense { values, .. } = vectors.only(&shown).unit() else { return Ok(Vec::new()) };
        let at = Pca::fit(&values, *dim, 2)?.transform(&values);
        let point = |(place, at): (&usize, &[f32])| {
            let event = &labeled[*place];
            let own = self.bench.test.data.events_up_to(event.place(), 0).remove(0);
            let zone = self.data.sites().time_zone(own.site_id.as_str());
            let hour = zone.map_or(own.time.hour(), |zone| own.time.with_timezone(&zone).hour());
            MapPoint {
                at: [at[0], at[1]],
                label: self.label(event),
                kind: own.kind.to_string(),
                hour: format!("{hour} h"),
            }
        };
        Ok(shown.iter().zip(at.chunks_exact(2)).map(point).collect())
    }

    /// Queries of as many classes as there are examples, in the order of the data.
    fn examples(&self, vectors: &Features) -> Vec<ShownQuery> {
        let labeled = &self.bench.test.labeled;
        let unit = vectors.unit();
        let mut examples: Vec<ShownQuery> = Vec::new();
        for query in spread(labeled, 16 * N_EXAMPLES) {
            let label = self.label(&query);
            if examples.len() == N_EXAMPLES || examples.iter().any(|known| known.query.label == label) {
                continue;
            }
            let item = labeled.iter().position(|event| event.place() == query.place()).unwrap_or_default();
            let hits: Vec<ShownMoment> = retrieval::nearest(&unit, labeled, item, N_HITS)
                .into_iter()
                .map(|(hit, similarity)| self.moment(&labeled[hit], similarity))
                .collect();
            if !hits.is_empty() {
                examples.push(ShownQuery { query: self.moment(&query, 1.0), hits });
            }
        }
        examples
    }

    fn moment(&self, event: &LabeledEvent, similarity: f32) -> ShownMoment {
        let before = |earlier: Event| EventBefore {
            secs: (event.time - earlier.time).as_seconds_f64(),
            kind: earlier.kind.to_string(),
            zone: earlier.zone.map(|zone| zone.to_string()),
        };
        ShownMoment {
            site: self.bench.test.data.site_id(event.sequence_idx).to_string(),
            time: event.time,
            label: self.label(event),
            similarity,
            events: self.bench.test.data.events_up_to(event.place(), N_EVENTS - 1).into_iter().map(before).collect(),
        }
    }
}

/// Accuracy of a linear probe that learns from some of the labels, evenly spread, and is chosen by as large a share.
pub(super) fn label_curve(bench: &Bench<'_>, name: &str, features: &Representation, seed: u64) -> Vec<LabelShare> {
    let n_classes = bench.n_classes();
    let (truth, episodes) = (bench.truth(), bench.episodes());
    let some = |labeled: &[LabeledEvent], share: f64| -> Vec<usize> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of labels")]
        let n = ((share * labeled.len() as f64).ceil() as usize).clamp(1, labeled.len());
        (0..n).map(|at| at * labeled.len() / n).collect()
    };
    let of = |labeled: &[LabeledEvent], rows: &[usize]| rows.iter().map(|at| labeled[*at].clone()).collect::<Vec<_>>();
    let point = |share: f64| {
        let train = some(&bench.train.labeled, share);
        let validation = some(&bench.validation.labeled, share);
        let all: Vec<usize> = (0..truth.len()).collect();
        let parts = Representation {
            train: features.train.only(&train),
            validation: features.validation.only(&validation),
            test: features.test.only(&all),
        };
        let (train, validation) = (of(&bench.train.labeled, &train), of(&bench.validation.labeled, &validation));
        let predicted = probe::predict(&parts, &train, &validation, n_classes, false);
        LabelShare {
            name: name.to_owned(),
            n_labels: train.len(),
            accuracy: clustered_mean(&accuracy(&predicted, &truth), &episodes, seed),
        }
    };
    LABEL_SHARES.into_iter().map(point).collect()
}
