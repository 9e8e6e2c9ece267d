//! Bins of numbers: explicit edges, or quantiles of the training part.

use crate::special::FIRST;

/// The bin of a number between explicit edges: 0 below the first, `edges.len()` from the last on (seed, "Type-based tokens").
///
/// ```
/// use spaxiom_token::discretize;
///
/// assert_eq!(discretize(8.0, &[0.0, 5.0, 10.0, 20.0]), "bin_2");
/// assert_eq!(discretize(-1.0, &[0.0, 5.0, 10.0, 20.0]), "bin_0");
/// assert_eq!(discretize(20.0, &[0.0, 5.0, 10.0, 20.0]), "bin_4");
/// ```
#[must_use]
pub fn discretize(value: f64, edges: &[f64]) -> String {
    format!("bin_{}", bin(edges, value))
}

/// The bin of `value`: 0 below the first edge, `edges.len()` from the last edge on.
pub(crate) fn bin(edges: &[f64], value: f64) -> usize {
    edges.partition_point(|edge| *edge <= value)
}

pub(crate) fn bin_id(edges: &[f64], value: f64) -> u32 {
    FIRST + u32::try_from(bin(edges, value)).expect("a field has few bins")
}

/// Edges between at most `n_bins` bins that hold about the same number of the values each, which are ascending.
///
/// A value that fills more than one bin gives one edge only.
pub(crate) fn quantile_edges(values: &[f64], n_bins: usize) -> Vec<f64> {
    let mut edges: Vec<f64> = (1..n_bins).map(|i| values[i * values.len() / n_bins]).collect();
    edges.dedup();
    // An edge at the smallest value has nothing below it.
    edges.retain(|edge| *edge > values[0]);
    edges
}
