//! Ridge regression: how much of some numbers a linear function of others tells.

use faer::linalg::solvers::Solve;
use faer::{Mat, MatRef, Side};

/// Rows of features and of targets beside each other.
#[derive(Debug, Clone, Copy)]
pub struct RegressionRows<'a> {
    /// `[n, n_features]`, row after row.
    pub features: &'a [f32],
    /// `[n, n_targets]`, row after row.
    pub targets: &'a [f32],
}

/// The share of the variance of all targets of the test rows that a ridge regression on the training rows explains.
///
/// Features and targets are standardized by the training rows; `penalty` is the squared penalty beside the mean loss of a row.
/// Greater is better: 1 where everything is told, 0 for the means of training, and less for what is worse than these.
/// Not a number without rows.
///
/// # Panics
/// Where rows are not whole: only a programmer can do that.
#[must_use]
pub fn explained_variance(
    train: RegressionRows<'_>,
    test: RegressionRows<'_>,
    [n_features, n_targets]: [usize; 2],
    penalty: f64,
) -> f64 {
    let (x, scale) = standardized(train.features, n_features, None);
    let (test_x, _) = standardized(test.features, n_features, Some(&scale));
    let (y, scale) = standardized(train.targets, n_targets, None);
    let (test_y, _) = standardized(test.targets, n_targets, Some(&scale));
    let n = x.nrows().max(1) as f64;
    let mut covariance = x.transpose() * &x;
    for at in 0..n_features {
        covariance[(at, at)] += penalty * n;
    }
    let Ok(factor) = covariance.llt(Side::Lower) else { return f64::NAN };
    let weights = factor.solve(x.transpose() * &y);
    let errors = &test_x * &weights - &test_y;
    1.0 - squares(errors.as_ref()) / squares(test_y.as_ref())
}

/// Linear functions of features, fitted by least squares with a squared penalty (Hoerl and Kennard 1970).
#[derive(Debug, Clone)]
pub struct Ridge {
    scale: Scale,
    /// Of every target, which are also what is predicted where the least squares have no answer.
    means: Vec<f64>,
    /// One row per standardized feature, one column per target.
    weights: Mat<f64>,
}

impl Ridge {
    /// Fits one function per target; features are standardized, `penalty` stands beside the mean loss of a row.
    ///
    /// # Panics
    /// Where rows are not whole: only a programmer can do that.
    #[must_use]
    pub fn fit(rows: RegressionRows<'_>, [n_features, n_targets]: [usize; 2], penalty: f64) -> Self {
        let (x, scale) = standardized(rows.features, n_features, None);
        let n = x.nrows();
        assert_eq!(rows.targets.len(), n * n_targets, "{n_targets} targets per row");
        let target = |row: usize, at: usize| f64::from(rows.targets[row * n_targets + at]);
        let mean = |at: usize| (0..n).map(|row| target(row, at)).sum::<f64>() / n.max(1) as f64;
        let means: Vec<f64> = (0..n_targets).map(mean).collect();
        let y = Mat::from_fn(n, n_targets, |row, at| target(row, at) - means[at]);
        let mut covariance = x.transpose() * &x;
        for at in 0..n_features {
            covariance[(at, at)] += penalty * n.max(1) as f64;
        }
        let weights = match covariance.llt(Side::Lower) {
            Ok(factor) => factor.solve(x.transpose() * &y),
            Err(_) => Mat::zeros(n_features, n_targets),
        };
        Self { scale, means, weights }
    }

    /// The targets of a row.
    ///
    /// # Panics
    /// For a row of another width.
    #[must_use]
    pub fn predict(&self, features: &[f32]) -> Vec<f64> {
        assert_eq!(features.len(), self.scale.len(), "a row as wide as those that were fitted");
        let mut targets = self.means.clone();
        for (at, (&value, (mean, deviation))) in features.iter().zip(&self.scale).enumerate() {
            let value = (f64::from(value) - mean) / deviation;
            targets.iter_mut().enumerate().for_each(|(target, sum)| *sum += value * self.weights[(at, target)]);
        }
        targets
    }
}

/// Mean and deviation of every column.
type Scale = Vec<(f64, f64)>;

fn standardized(values: &[f32], width: usize, scale: Option<&Scale>) -> (Mat<f64>, Scale) {
    assert_eq!(values.len() % width, 0, "rows of {width} numbers");
    let n = values.len() / width;
    let column = |at: usize| values.iter().skip(at).step_by(width).map(|value| f64::from(*value));
    let own = |at: usize| {
        let mean = column(at).sum::<f64>() / n as f64;
        (mean, (column(at).map(|value| (value - mean).powi(2)).sum::<f64>() / n as f64).sqrt() + 1e-3)
    };
    let scale = scale.cloned().unwrap_or_else(|| (0..width).map(own).collect());
    let matrix = Mat::from_fn(n, width, |row, at| {
        let (mean, deviation) = scale[at];
        (f64::from(values[row * width + at]) - mean) / deviation
    });
    (matrix, scale)
}

fn squares(matrix: MatRef<'_, f64>) -> f64 {
    matrix.squared_norm_l2()
}

#[cfg(test)]
mod tests {
    use super::{RegressionRows, Ridge, explained_variance};

    /// Without a penalty a line is found; with a great one nothing but the mean is left.
    #[test]
    fn a_line_is_found_and_a_penalty_shrinks_it_to_the_mean() {
        let x: Vec<f32> = (0..50u8).flat_map(|at| [f32::from(at), f32::from(at % 7)]).collect();
        let y: Vec<f32> = x.chunks_exact(2).flat_map(|row| [2.0 * row[0] - row[1], 5.0]).collect();
        let rows = RegressionRows { features: &x, targets: &y };
        let found = Ridge::fit(rows, [2, 2], 1e-9).predict(&[100.0, 3.0]);
        assert!((found[0] - 197.0).abs() < 1e-3 && (found[1] - 5.0).abs() < 1e-6, "{found:?}");
        let mean = y.iter().step_by(2).map(|y| f64::from(*y)).sum::<f64>() / 50.0;
        let shrunk = Ridge::fit(rows, [2, 2], 1e9).predict(&[100.0, 3.0])[0];
        assert!((shrunk - mean).abs() < 1e-3, "{shrunk} of {mean}");
    }

    #[test]
    fn a_linear_function_is_told_and_noise_is_not() {
        let x: Vec<f32> = (0..200u16).flat_map(|at| [f32::from(at % 17), f32::from(at * 7 % 23)]).collect();
        let line: Vec<f32> = x.chunks_exact(2).map(|row| 3.0 * row[0] - row[1] + 2.0).collect();
        let noise: Vec<f32> = (0..200u32).map(|at| f32::from((at * at * 31 % 101) as u8)).collect();
        let share = |y: &[f32]| {
            let rows =
                |from: usize, to: usize| RegressionRows { features: &x[2 * from..2 * to], targets: &y[from..to] };
            explained_variance(rows(0, 150), rows(150, 200), [2, 1], 1e-4)
        };
        assert!(share(&line) > 0.999, "{}", share(&line));
        assert!(share(&noise) < 0.2, "{}", share(&noise));
    }
}
