//! How good forecasts have been on moments that they did not learn from.

use spaxiom_eval::{Interval, clustered_mean};

use super::counts::{CountModel, squared};
use super::history::History;
use super::next::NextModel;
use super::report::{Backtest, CountErrors, NextScores};

/// Moments to judge at, with their features.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged<'a> {
    pub(super) history: &'a History,
    pub(super) moments: &'a [usize],
    /// `[n, n_features]`, row after row.
    pub(super) features: &'a [f32],
    pub(super) n_features: usize,
    pub(super) n_learned: usize,
    pub(super) seed: u64,
}

impl Judged<'_> {
    pub(super) fn backtest(&self, counts: &CountModel, next: &NextModel) -> Backtest {
        let clusters: Vec<u64> = self.moments.iter().map(|&moment| self.history.stretch(moment)).collect();
        let interval = |values: &[f64]| clustered_mean(values, &clusters, self.seed);
        Backtest {
            n_learned: self.n_learned,
            n_judged: self.moments.len(),
            next: self.next(next, &interval),
            counts: self.counts(counts, &interval),
        }
    }

    fn rows(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.moments.iter().copied().zip(self.features.chunks_exact(self.n_features))
    }

    fn next(&self, model: &NextModel, interval: &dyn Fn(&[f64]) -> Interval) -> NextScores {
        let mut scores: [[Vec<f64>; 2]; 2] = Default::default();
        for (moment, features) in self.rows() {
            let came = self.history.ids[moment + 1] as usize;
            let both = model.probabilities(&self.history.ids[..=moment], features);
            for ([right, likelihood], probabilities) in scores.iter_mut().zip(both) {
                let likeliest = probabilities.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(at, _)| at);
                right.push(f64::from(u8::from(likeliest == Some(came))));
                likelihood.push(probabilities[came].ln());
            }
        }
        let [[right, likelihood], [n_gram_right, n_gram_likelihood]] = scores;
        NextScores {
            accuracy: interval(&right),
            n_gram_accuracy: interval(&n_gram_right),
            n_gram_reads: model.n_gram_reads(),
            log_likelihood: interval(&likelihood),
            n_gram_log_likelihood: interval(&n_gram_likelihood),
            better_by: interval(&differences(&likelihood, &n_gram_likelihood)),
        }
    }

    fn counts(&self, model: &CountModel, interval: &dyn Fn(&[f64]) -> Interval) -> CountErrors {
        let mut errors: [Vec<f64>; 3] = Default::default();
        let (mut n_within, mut n) = (0.0, 0.0);
        for (moment, features) in self.rows() {
            let (hour, came) = (self.history.hour(moment), self.history.after(moment));
            let expected = model.expected(features, hour);
            let before: Vec<f64> = self.history.before(moment).into_iter().map(f64::from).collect();
            let told = [expected.as_slice(), model.usual().at(hour), &before];
            errors.iter_mut().zip(told).for_each(|(errors, told)| errors.push(squared(told, &came)));
            for (kind, (&expected, &count)) in expected.iter().zip(&came).enumerate() {
                let [low, high] = model.range(kind, expected);
                n += 1.0;
                // Counts are whole numbers: a range that ends between two holds both.
                n_within += f64::from(u8::from((low.floor()..=high.ceil()).contains(&f64::from(count))));
            }
        }
        let [forecast, usual, as_before] = errors;
        CountErrors {
            better_by: interval(&differences(&usual, &forecast)),
            forecast: interval(&forecast),
            usual: interval(&usual),
            as_before: interval(&as_before),
            within_range: n_within / f64::max(n, 1.0),
        }
    }
}

fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}
