//! Scores to probabilities, and how far probabilities can be trusted.

use serde::{Deserialize, Serialize};

/// Steps of Newton's method at most; it converges in about ten.
const MAX_STEPS: usize = 100;

/// Bins of equal size of the expected calibration error.
const N_BINS: usize = 10;

/// Probabilities of 0 and 1 are moved by so much before their log-odds are taken.
const LEAST_PROBABILITY: f64 = 1e-6;

/// Turns a score into a probability by a logistic curve (Platt 1999; Lin, Lin and Weng 2007).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platt {
    /// Log-odds per unit of the score.
    pub slope: f64,
    /// Log-odds at a score of 0.
    pub intercept: f64,
}

impl Platt {
    /// Fits the curve to scores with what came of them; targets are a little inside 0 and 1, as Platt has them.
    #[must_use]
    pub fn fit(scored: &[(f64, bool)]) -> Self {
        let n_yes = scored.iter().filter(|(_, is_yes)| *is_yes).count() as f64;
        let n_no = scored.len() as f64 - n_yes;
        let (yes, no) = ((n_yes + 1.0) / (n_yes + 2.0), 1.0 / (n_no + 2.0));
        let targets: Vec<(f64, f64)> =
            scored.iter().map(|&(score, is_yes)| (score, if is_yes { yes } else { no })).collect();
        logistic(&targets, Self { slope: 0.0, intercept: ((n_yes + 1.0) / (n_no + 1.0)).ln() })
    }

    /// The probability of yes, 0 to 1.
    #[must_use]
    pub fn probability(&self, score: f64) -> f64 {
        sigmoid(self.slope * score + self.intercept)
    }
}

/// How probabilities compare with what came (Van Calster and others 2019).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Log-odds by which the probabilities are too low on the whole, 0 for calibrated ones (calibration in the large).
    pub intercept: f64,
    /// Slope of the outcome over the log-odds of the probabilities: 1 for calibrated ones, below 1 for too extreme ones.
    pub slope: f64,
    /// Mean squared distance to what came; smaller is better.
    pub brier: f64,
    /// Mean distance of probability and frequency in ten bins of equal size; smaller is better.
    pub expected_error: f64,
}

/// Compares probabilities with what came; slope and intercept are NaN where only yes or only no came.
#[must_use]
pub fn calibration(predicted: &[(f64, bool)]) -> Calibration {
    let log_odds = |p: f64| {
        let p = p.clamp(LEAST_PROBABILITY, 1.0 - LEAST_PROBABILITY);
        (p / (1.0 - p)).ln()
    };
    let n = predicted.len().max(1) as f64;
    let outcome = |is_yes: bool| f64::from(u8::from(is_yes));
    let brier = predicted.iter().map(|&(p, is_yes)| (p - outcome(is_yes)).powi(2)).sum::<f64>() / n;
    let targets: Vec<(f64, f64)> = predicted.iter().map(|&(p, is_yes)| (log_odds(p), outcome(is_yes))).collect();
    let n_yes = predicted.iter().filter(|(_, is_yes)| *is_yes).count();
    let (slope, intercept) = if n_yes == 0 || n_yes == predicted.len() {
        (f64::NAN, f64::NAN)
    } else {
        (logistic(&targets, Platt { slope: 1.0, intercept: 0.0 }).slope, offset(&targets))
    };
    let bins = reliability(predicted, N_BINS);
    let expected_error =
        bins.iter().map(|bin| bin.n as f64 * (bin.mean_predicted - bin.frequency).abs()).sum::<f64>() / n;
    Calibration { intercept, slope, brier, expected_error }
}

/// A bin of a reliability diagram.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Mean probability.
    pub mean_predicted: f64,
    /// Share of yes.
    pub frequency: f64,
    /// How many are in it.
    pub n: usize,
}

/// Probabilities in `n_bins` bins of equal size, from the lowest to the highest; fewer where there are fewer of them.
#[must_use]
pub fn reliability(predicted: &[(f64, bool)], n_bins: usize) -> Vec<ReliabilityBin> {
    let mut sorted = predicted.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let size = sorted.len().div_ceil(n_bins.max(1)).max(1);
    let bin = |bin: &[(f64, bool)]| ReliabilityBin {
        mean_predicted: bin.iter().map(|(p, _)| p).sum::<f64>() / bin.len() as f64,
        frequency: bin.iter().filter(|(_, is_yes)| *is_yes).count() as f64 / bin.len() as f64,
        n: bin.len(),
    };
    sorted.chunks(size).map(bin).collect()
}

/// The logistic curve of least log-loss, by Newton's method from `start`; a small penalty keeps the slope of
/// separable scores finite.
fn logistic(targets: &[(f64, f64)], start: Platt) -> Platt {
    const PENALTY: f64 = 1e-6;
    let mut found = start;
    for _ in 0..MAX_STEPS {
        let (mut gradient, mut hessian) = ([PENALTY * found.slope, 0.0], [PENALTY, 0.0, 1e-12]);
        for &(score, target) in targets {
            let p = found.probability(score);
            let (error, weight) = (p - target, p * (1.0 - p));
            gradient[0] += error * score;
            gradient[1] += error;
            hessian[0] += weight * score * score;
            hessian[1] += weight * score;
            hessian[2] += weight;
        }
        let determinant = (hessian[0] * hessian[2] - hessian[1] * hessian[1]).max(1e-12);
        let slope = (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant;
        let intercept = (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant;
        // Far from the minimum a whole step may lead away.
        let share = (2.0 / (slope.abs() + intercept.abs()).max(1e-12)).min(1.0);
        found.slope -= share * slope;
        found.intercept -= share * intercept;
        if slope.abs() + intercept.abs() < 1e-9 {
            break;
        }
    }
    found
}

/// What is to be added to the log-odds so that their mean probability is the share of yes.
fn offset(targets: &[(f64, f64)]) -> f64 {
    let want: f64 = targets.iter().map(|(_, target)| target).sum();
    let mut offset = 0.0;
    for _ in 0..MAX_STEPS {
        let (mut sum, mut weight) = (0.0, 1e-12);
        for (log_odds, _) in targets {
            let p = sigmoid(log_odds + offset);
            sum += p;
            weight += p * (1.0 - p);
        }
        let step = ((want - sum) / weight).clamp(-2.0, 2.0);
        offset += step;
        if step.abs() < 1e-9 {
            break;
        }
    }
    offset
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}
