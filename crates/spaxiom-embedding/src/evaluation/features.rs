//! Rows of features, dense or sparse, behind one set of questions.

use spaxiom_eval::{Row, silhouette};
use spaxiom_index::normalize;
use spaxiom_token::SparseVector;

/// Added to deviations, so that what is nearly constant does not become large.
const LEAST_DEVIATION: f32 = 1e-3;

/// A value further from the mean says no more than one there.
const MAX_DEVIATIONS: f32 = 8.0;

/// Features of labeled events, one row each.
pub(super) enum Features {
    /// Rows of `dim` numbers.
    Dense { values: Vec<f32>, dim: usize },
    /// Rows of length 1.
    Sparse { rows: Vec<SparseVector>, n_terms: usize },
}

impl Features {
    pub(super) fn dense(values: Vec<f32>, dim: usize) -> Self {
        Self::Dense { values, dim }
    }

    pub(super) fn sparse(rows: Vec<SparseVector>, n_terms: usize) -> Self {
        Self::Sparse { rows, n_terms }
    }

    /// The numbers of a dense row.
    ///
    /// # Panics
    /// For sparse rows, which nobody asks for.
    pub(super) fn row(&self, at: usize) -> Vec<f32> {
        let Self::Dense { values, dim } = self else { panic!("a dense row is asked for") };
        values[at * dim..(at + 1) * dim].to_vec()
    }

    /// Some of the rows, in this order.
    pub(super) fn only(&self, rows: &[usize]) -> Self {
        match self {
            Self::Dense { .. } => Self::dense(rows.iter().flat_map(|at| self.row(*at)).collect(), self.n_features()),
            Self::Sparse { rows: all, n_terms } => {
                Self::sparse(rows.iter().map(|at| all[*at].clone()).collect(), *n_terms)
            }
        }
    }

    /// The columns of both beside each other.
    ///
    /// # Panics
    /// For sparse rows, which nobody joins.
    pub(super) fn beside(&self, other: &Self) -> Self {
        let (Self::Dense { values, dim }, Self::Dense { values: others, dim: n_others }) = (self, other) else {
            panic!("dense rows are joined")
        };
        let rows = values.chunks_exact(*dim).zip(others.chunks_exact(*n_others));
        Self::dense(rows.flat_map(|(row, other)| row.iter().chain(other)).copied().collect(), dim + n_others)
    }

    pub(super) fn n_features(&self) -> usize {
        match self {
            Self::Dense { dim, .. } => *dim,
            Self::Sparse { n_terms, .. } => *n_terms,
        }
    }

    pub(super) fn rows(&self) -> Vec<Row<'_>> {
        match self {
            Self::Dense { values, dim } => {
                values.chunks_exact(*dim).map(|values| Row { indices: None, values }).collect()
            }
            Self::Sparse { rows, .. } => {
                rows.iter().map(|row| Row { indices: Some(&row.indices), values: &row.values }).collect()
            }
        }
    }

    /// Mean and deviation of every column of a dense representation.
    pub(super) fn moments(&self) -> Option<Vec<(f32, f32)>> {
        let Self::Dense { values, dim } = self else { return None };
        let n = (values.len() / dim).max(1) as f64;
        let mut sums = vec![(0f64, 0f64); *dim];
        for row in values.chunks_exact(*dim) {
            for ((sum, square), value) in sums.iter_mut().zip(row) {
                *sum += f64::from(*value);
                *square += f64::from(*value).powi(2);
            }
        }
        #[expect(clippy::cast_possible_truncation, reason = "moments of 32-bit features")]
        let moments = |(sum, square): (f64, f64)| {
            let mean = sum / n;
            (mean as f32, (square / n - mean * mean).max(0.0).sqrt() as f32 + LEAST_DEVIATION)
        };
        Some(sums.into_iter().map(moments).collect())
    }

    /// The same features with these means and deviations taken out, cut at 8 deviations; sparse rows have length 1 and stay.
    pub(super) fn standardized(&self, moments: Option<&[(f32, f32)]>) -> Self {
        match (self, moments) {
            (Self::Dense { values, dim }, Some(moments)) => {
                let columns = moments.iter().cycle();
                let values = values
                    .iter()
                    .zip(columns)
                    .map(|(value, (mean, sd))| ((value - mean) / sd).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS))
                    .collect();
                Self::Dense { values, dim: *dim }
            }
            (Self::Dense { values, dim }, None) => Self::Dense { values: values.clone(), dim: *dim },
            (Self::Sparse { rows, n_terms }, _) => Self::Sparse { rows: rows.clone(), n_terms: *n_terms },
        }
    }

    /// Rows of length 1, whose inner product is the cosine.
    pub(super) fn unit(&self) -> Self {
        match self {
            Self::Dense { values, dim } => {
                let mut values = values.clone();
                normalize(&mut values, *dim);
                Self::Dense { values, dim: *dim }
            }
            Self::Sparse { rows, n_terms } => Self::Sparse { rows: rows.clone(), n_terms: *n_terms },
        }
    }

    /// Cosine of two rows of [`Features::unit`].
    pub(super) fn similarity(&self, a: usize, b: usize) -> f32 {
        match self {
            Self::Dense { values, dim } => {
                let row = |i: usize| &values[i * dim..(i + 1) * dim];
                row(a).iter().zip(row(b)).map(|(x, y)| x * y).sum()
            }
            Self::Sparse { rows, .. } => rows[a].dot(&rows[b]),
        }
    }

    /// Cosines of a row and all rows of `others`, both of length 1.
    ///
    /// # Panics
    /// For a dense and a sparse one, which nobody compares.
    pub(super) fn similarities(&self, row: usize, others: &Self) -> Vec<f32> {
        match (self, others) {
            (Self::Dense { values, dim }, Self::Dense { values: others, .. }) => {
                let own = &values[row * dim..(row + 1) * dim];
                others.chunks_exact(*dim).map(|other| own.iter().zip(other).map(|(a, b)| a * b).sum()).collect()
            }
            (Self::Sparse { rows, .. }, Self::Sparse { rows: others, .. }) => {
                others.iter().map(|other| rows[row].dot(other)).collect()
            }
            _ => panic!("rows of one kind are compared"),
        }
    }

    /// Silhouette by class.
    pub(super) fn silhouette(&self, classes: &[usize]) -> f64 {
        match self.unit() {
            Self::Dense { values, dim } => silhouette(&values, dim, classes),
            Self::Sparse { rows, n_terms } => silhouette(&dense(&rows, n_terms), n_terms, classes),
        }
    }
}

/// Sparse rows written out.
fn dense(rows: &[SparseVector], n_terms: usize) -> Vec<f32> {
    let mut values = vec![0.0; rows.len() * n_terms];
    for (row, values) in rows.iter().zip(values.chunks_exact_mut(n_terms)) {
        for (&index, value) in row.indices.iter().zip(&row.values) {
            values[index as usize] = *value;
        }
    }
    values
}
