//! Whether vectors still differ: figures that show a collapse of contrastive training while it happens.

use crate::metric::Metric;

/// Two views of the same events as vectors of length 1, row after row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Views<'a> {
    pub(crate) first: &'a [f32],
    pub(crate) second: &'a [f32],
    pub(crate) dim: usize,
}

impl Views<'_> {
    /// Alignment and uniformity (Wang and Isola 2020), the cosines of pairs, and how many dimensions are used.
    ///
    /// - `alignment`: mean squared distance of the views of one event; 0 is best
    /// - `uniformity`: logarithm of the mean of `exp(-2 distance^2)` over pairs of events; 0 where all are equal, lower is better
    /// - `effective_rank`: the participation ratio of the variances along the principal axes, 1 to the number of dimensions
    /// - `dimension_deviation`: mean standard deviation of a dimension, times the root of their number; 1 where all is spread evenly
    pub(crate) fn figures(self) -> Vec<Metric> {
        let Self { first, second, dim } = self;
        let pairs = || first.chunks_exact(dim).zip(second.chunks_exact(dim));
        let n = first.len() / dim;
        let positive: f64 = pairs().map(|(a, b)| dot(a, b)).sum::<f64>() / n as f64;
        let rows: Vec<&[f32]> = first.chunks_exact(dim).collect();
        let others = (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
        let cosines: Vec<f64> = others.map(|(i, j)| dot(rows[i], rows[j])).collect();
        let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / cosines.len().max(1) as f64;
        // Of vectors of length 1 the squared distance is 2 - 2 cos.
        let uniformity = mean(&mut cosines.iter().map(|cosine| (-2.0 * (2.0 - 2.0 * cosine)).exp())).ln();
        let (effective_rank, deviation) = spread(&rows, dim);
        let metric = |name, value| Metric { name, value };
        vec![
            metric("alignment", 2.0 - 2.0 * positive),
            metric("uniformity", uniformity),
            metric("positive_cosine", positive),
            metric("negative_cosine", mean(&mut cosines.iter().copied())),
            metric("effective_rank", effective_rank),
            metric("dimension_deviation", deviation * (dim as f64).sqrt()),
        ]
    }
}

/// `(tr C)^2 / tr C^2` of the covariance, and the mean standard deviation of a dimension.
fn spread(rows: &[&[f32]], dim: usize) -> (f64, f64) {
    let n = rows.len() as f64;
    let mut means = vec![0f64; dim];
    for row in rows {
        means.iter_mut().zip(*row).for_each(|(mean, value)| *mean += f64::from(*value) / n);
    }
    let centered: Vec<Vec<f64>> =
        rows.iter().map(|row| row.iter().zip(&means).map(|(value, mean)| f64::from(*value) - mean).collect()).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    // The Gram matrix of the rows has the traces of the covariance, and is smaller or larger as it may be.
    let trace: f64 = centered.iter().map(|row| dot(row, row)).sum();
    let square: f64 = centered.iter().flat_map(|a| centered.iter().map(move |b| dot(a, b).powi(2))).sum();
    let deviation = |at: usize| (centered.iter().map(|row| row[at] * row[at]).sum::<f64>() / n).sqrt();
    let rank = if square > 0.0 { trace * trace / square } else { 0.0 };
    (rank, (0..dim).map(deviation).sum::<f64>() / dim as f64)
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

#[cfg(test)]
mod tests {
    use super::Views;

    fn figure(rows: &[f32], dim: usize, name: &str) -> f64 {
        let figures = Views { first: rows, second: rows, dim }.figures();
        figures.into_iter().find(|metric| metric.name == name).expect("a name of a figure").value
    }

    #[test]
    fn equal_vectors_have_no_rank_and_orthogonal_ones_many() {
        let equal = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        assert!(figure(&equal, 3, "effective_rank").abs() < 1e-9);
        assert!(figure(&equal, 3, "uniformity").abs() < 1e-9);
        assert!((figure(&equal, 3, "negative_cosine") - 1.0).abs() < 1e-9);
        let apart = [1.0, 0.0, -1.0, 0.0, 0.0, 1.0, 0.0, -1.0];
        assert!((figure(&apart, 2, "effective_rank") - 2.0).abs() < 1e-9);
        // Four corners of a square: variance 1/2 in both dimensions.
        assert!((figure(&apart, 2, "dimension_deviation") - 1.0).abs() < 1e-9);
        assert!(figure(&apart, 2, "alignment").abs() < 1e-9);
        let line = [1.0, 0.0, -1.0, 0.0];
        assert!((figure(&line, 2, "effective_rank") - 1.0).abs() < 1e-9);
    }
}
