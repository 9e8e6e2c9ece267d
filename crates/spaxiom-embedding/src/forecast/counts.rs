//! How many of each kind come: the usual of the hour, and a linear function of the vector beside it.

use spaxiom_eval::{RegressionRows, Ridge};

/// Moments that count as the mean of all hours beside those of an hour.
const SHRINKAGE: f64 = 5.0;

/// Penalties that are tried.
const PENALTIES: [f64; 4] = [0.01, 0.1, 1.0, 10.0];

/// Shares of the linear function in the sum that are tried.
const SHARES: [f64; 5] = [0.0, 0.25, 0.5, 0.75, 1.0];

/// Moments with what is known of them and what came.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountRows<'a> {
    /// `[n, n_features]`, row after row.
    pub(super) features: &'a [f32],
    /// The hour of the day of each.
    pub(super) hours: &'a [usize],
    /// `[n, n_kinds]`, row after row.
    pub(super) counts: &'a [f32],
    pub(super) n_features: usize,
    pub(super) n_kinds: usize,
}

impl CountRows<'_> {
    fn rows(&self) -> impl Iterator<Item = (&[f32], usize, &[f32])> {
        let rows = self.features.chunks_exact(self.n_features).zip(self.counts.chunks_exact(self.n_kinds));
        rows.zip(self.hours).map(|((features, counts), &hour)| (features, hour, counts))
    }
}

/// Mean counts by hour of the day.
#[derive(Debug)]
pub(super) struct Usual(Vec<Vec<f64>>);

impl Usual {
    pub(super) fn fit(rows: &CountRows<'_>) -> Self {
        let n_kinds = rows.n_kinds;
        let mut sums = vec![vec![0.0; n_kinds]; 24];
        let (mut n_of_hour, mut all, mut n) = ([0.0; 24], vec![0.0; n_kinds], 0.0);
        for (_, hour, counts) in rows.rows() {
            n_of_hour[hour] += 1.0;
            n += 1.0;
            for (at, &count) in counts.iter().enumerate() {
                sums[hour][at] += f64::from(count);
                all[at] += f64::from(count);
            }
        }
        for (sums, n_of_hour) in sums.iter_mut().zip(n_of_hour) {
            for (sum, all) in sums.iter_mut().zip(&all) {
                *sum = (*sum + SHRINKAGE * all / f64::max(n, 1.0)) / (n_of_hour + SHRINKAGE);
            }
        }
        Self(sums)
    }

    /// By kind.
    pub(super) fn at(&self, hour: usize) -> &[f64] {
        &self.0[hour]
    }
}

/// The expected counts, and how far off they are.
#[derive(Debug)]
pub(super) struct CountModel {
    usual: Usual,
    ridge: Ridge,
    settings: Settings,
    /// Tenth and ninetieth percentile of the scaled errors of each kind.
    ranges: Vec<[f64; 2]>,
}

/// What the validation part chooses.
///
/// The share is one for all kinds: one for each was a little worse on the test part.
#[derive(Debug, Clone, Copy)]
struct Settings {
    penalty: f64,
    /// Of the linear function.
    share: f64,
}

impl CountModel {
    /// Learns from one part; another one chooses the penalty and the share, and gives the ranges.
    pub(super) fn fit(train: &CountRows<'_>, validation: &CountRows<'_>) -> Self {
        let usual = Usual::fit(train);
        let mut best: Option<(f64, Settings, Ridge)> = None;
        for penalty in PENALTIES {
            let ridge = ridge(train, penalty);
            let told: Vec<Vec<f64>> = validation.rows().map(|(features, ..)| ridge.predict(features)).collect();
            let error = |share: f64| -> f64 {
                let rows = validation.rows().zip(&told);
                rows.map(|((_, hour, counts), told)| squared(&mixed(told, usual.at(hour), share), counts)).sum()
            };
            let errors = SHARES.map(|share| (error(share), share));
            let (error, share) = errors.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).expect("five shares");
            if best.as_ref().is_none_or(|(least, ..)| error < *least) {
                best = Some((error, Settings { penalty, share }, ridge));
            }
        }
        let (_, settings, ridge) = best.expect("four penalties");
        let mut model = Self { usual, ridge, settings, ranges: Vec::new() };
        model.ranges = model.ranges_of(validation);
        model
    }

    /// The same settings and ranges, learned from more.
    pub(super) fn refit(self, rows: &CountRows<'_>) -> Self {
        let Self { settings, ranges, usual: _, ridge: _ } = self;
        Self { usual: Usual::fit(rows), ridge: ridge(rows, settings.penalty), settings, ranges }
    }

    /// The mean count of each kind.
    pub(super) fn expected(&self, features: &[f32], hour: usize) -> Vec<f64> {
        mixed(&self.ridge.predict(features), self.usual.at(hour), self.settings.share)
    }

    pub(super) fn usual(&self) -> &Usual {
        &self.usual
    }

    /// Where four of five counts of a kind lie.
    pub(super) fn range(&self, kind: usize, expected: f64) -> [f64; 2] {
        self.ranges[kind].map(|error| (expected + error * spread(expected)).max(0.0))
    }

    fn ranges_of(&self, rows: &CountRows<'_>) -> Vec<[f64; 2]> {
        let mut errors = vec![Vec::new(); rows.n_kinds];
        for (features, hour, counts) in rows.rows() {
            for (at, (expected, &count)) in self.expected(features, hour).into_iter().zip(counts).enumerate() {
                errors[at].push((f64::from(count) - expected) / spread(expected));
            }
        }
        errors.into_iter().map(|errors| [0.1, 0.9].map(|share| quantile(errors.clone(), share))).collect()
    }
}

fn ridge(rows: &CountRows<'_>, penalty: f64) -> Ridge {
    let CountRows { features, hours: _, counts, n_features, n_kinds } = *rows;
    Ridge::fit(RegressionRows { features, targets: counts }, [n_features, n_kinds], penalty)
}

/// Counts are never below 0.
fn mixed(told: &[f64], usual: &[f64], share: f64) -> Vec<f64> {
    told.iter().zip(usual).map(|(told, usual)| share * told.max(0.0) + (1.0 - share) * usual).collect()
}

/// Squared errors, summed over kinds.
pub(super) fn squared(expected: &[f64], counts: &[f32]) -> f64 {
    expected.iter().zip(counts).map(|(expected, &count)| (expected - f64::from(count)).powi(2)).sum()
}

/// Counts spread like the root of their mean, and a little where none are expected.
fn spread(expected: f64) -> f64 {
    (expected + 0.5).sqrt()
}

/// Of the sorted values, the one at this share.
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among the values")]
    let at = (share * (values.len() - 1) as f64).round() as usize;
    values[at]
}

#[cfg(test)]
mod tests {
    use super::{CountModel, CountRows, squared};

    /// What a feature tells is told by it, and what it does not tell is the usual of the hour.
    #[test]
    fn what_features_tell_is_told_and_the_rest_is_the_usual() {
        let n = 400;
        let features: Vec<f32> = (0..n).map(|at| (at * 7919 % 101) as f32 / 101.0).collect();
        let hours: Vec<usize> = (0..n).map(|at| at / 3 % 24).collect();
        let of_feature: Vec<f32> = features.iter().map(|feature| 4.0 * feature).collect();
        let of_hour: Vec<f32> = hours.iter().map(|&hour| if hour < 12 { 5.0 } else { 1.0 }).collect();
        // Squared errors of the test part: of the model, and of the usual.
        let judged = |counts: &[f32]| {
            let part = |from: usize, to: usize| CountRows {
                features: &features[from..to],
                hours: &hours[from..to],
                counts: &counts[from..to],
                n_features: 1,
                n_kinds: 1,
            };
            let model = CountModel::fit(&part(0, 200), &part(200, 300));
            let [low, high] = model.range(0, 2.0);
            assert!(low <= 2.0 && 2.0 <= high, "{low} to {high}");
            (300..n).fold([0.0; 2], |[own, usual], at| {
                let count = &counts[at..=at];
                let told = model.expected(&features[at..=at], hours[at]);
                [own + squared(&told, count), usual + squared(model.usual().at(hours[at]), count)]
            })
        };
        let [own, usual] = judged(&of_feature);
        assert!(own < 0.01 * usual, "{own} of {usual}");
        let [own, usual] = judged(&of_hour);
        assert!((own - usual).abs() < 1e-9 && usual < 100.0, "{own} of {usual}");
    }
}
