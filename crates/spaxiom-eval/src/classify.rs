//! Figures for single-label classification.

use std::collections::{BTreeMap, BTreeSet};

/// One where prediction and truth agree, else zero: the values whose mean is the accuracy.
#[must_use]
pub fn accuracy(predicted: &[usize], truth: &[usize]) -> Vec<f64> {
    predicted.iter().zip(truth).map(|(p, t)| if p == t { 1.0 } else { 0.0 }).collect()
}

/// Mean of the F1 of every class that occurs in `truth`.
///
/// Greater is better, 0 to 1. NaN without any value.
#[must_use]
pub fn macro_f1(predicted: &[usize], truth: &[usize]) -> f64 {
    // Per class: true positives, predicted, actual.
    let mut counts: BTreeMap<usize, (f64, f64, f64)> = BTreeMap::new();
    for (p, t) in predicted.iter().zip(truth) {
        counts.entry(*p).or_default().1 += 1.0;
        counts.entry(*t).or_default().2 += 1.0;
        if p == t {
            counts.entry(*t).or_default().0 += 1.0;
        }
    }
    let present: BTreeSet<usize> = truth.iter().copied().collect();
    let f1 = present.iter().map(|class| counts[class]).map(|(hit, predicted, actual)| 2.0 * hit / (predicted + actual));
    f1.sum::<f64>() / present.len() as f64
}
