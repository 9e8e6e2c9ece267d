//! Principal component analysis: fewer numbers per vector, with as much of their variance as can be kept.

use std::collections::BTreeMap;

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};

use crate::error::EncoderError;
use crate::kernels::product::multiply_rows;
use crate::weights::{NamedTensor, take};

/// The directions in which vectors vary most (Pearson 1901), as the seed uses them to take 1,024 numbers to 128.
///
/// ```
/// use spaxiom_encoder::Pca;
///
/// // Two numbers that say the same.
/// let vectors = [1.0, 2.0, 2.0, 4.0, 3.0, 6.0];
/// let pca = Pca::fit(&vectors, 2, 1)?;
/// let reduced = pca.transform(&vectors);
/// assert_eq!(reduced.len(), 3);
/// assert!((pca.explained_variance_ratio()[0] - 1.0).abs() < 1e-6);
/// let again = pca.inverse_transform(&reduced);
/// assert!(again.iter().zip(vectors).all(|(got, want)| (got - want).abs() < 1e-5));
/// # Ok::<(), spaxiom_encoder::EncoderError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Pca {
    mean: Vec<f32>,
    /// `[n_components, d]`, each of length 1, the one of the greatest variance first.
    components: Vec<f32>,
    explained_variance: Vec<f32>,
    total_variance: f32,
}

impl Pca {
    /// Learns the first `n_components` components of `vectors` `[n, d]`, row after row.
    ///
    /// # Errors
    /// [`EncoderError::Setting`] for more components than numbers, for fewer than two vectors and for numbers that are not finite.
    ///
    /// # Panics
    /// Where `vectors` is no whole number of rows: only a programmer can do that.
    pub fn fit(vectors: &[f32], d: usize, n_components: usize) -> Result<Self, EncoderError> {
        assert_eq!(vectors.len() % d, 0, "vectors have {d} numbers");
        let n = vectors.len() / d;
        let setting = |name, want, got: String| Err(EncoderError::Setting { name, want, got });
        if n_components == 0 || n_components > d {
            let want = "1 or more and at most the width of the vectors";
            return setting("n-components", want, format!("{n_components} of {d}"));
        }
        if n < 2 {
            return setting("vectors", "two or more", n.to_string());
        }
        if vectors.iter().any(|value| !value.is_finite()) {
            return setting("vectors", "finite", "a number that is not".into());
        }
        let mut mean = vec![0f64; d];
        for row in vectors.chunks_exact(d) {
            for (mean, value) in mean.iter_mut().zip(row) {
                *mean += f64::from(*value) / n as f64;
            }
        }
        let centered = Mat::from_fn(n, d, |row, column| f64::from(vectors[row * d + column]) - mean[column]);
        let mut covariance = Mat::<f64>::zeros(d, d);
        let scale = 1.0 / (n - 1) as f64;
        matmul(&mut covariance, Accum::Replace, centered.transpose(), &centered, scale, Par::rayon(0));
        let Ok(eigen) = covariance.self_adjoint_eigen(Side::Lower) else {
            return setting("vectors", "numbers whose covariance has eigenvalues", "others".into());
        };
        let (values, vectors) = (eigen.S().column_vector(), eigen.U());
        // Eigenvalues ascend; rounding may leave the least of them below 0.
        let kept: Vec<usize> = (0..d).rev().take(n_components).collect();
        let component = |&column: &usize| {
            let component: Vec<f64> = vectors.col(column).iter().copied().collect();
            // A component and its opposite are one: the greatest number is above 0, as scikit-learn has it.
            let greatest = component.iter().copied().fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a });
            component.into_iter().map(move |value| single(value * greatest.signum())).collect::<Vec<f32>>()
        };
        Ok(Self {
            mean: mean.into_iter().map(single).collect(),
            components: kept.iter().flat_map(component).collect(),
            explained_variance: kept.iter().map(|&column| single(values[column].max(0.0))).collect(),
            total_variance: single(values.iter().map(|value| value.max(0.0)).sum()),
        })
    }

    /// Width of the vectors that it takes.
    #[must_use]
    pub fn d(&self) -> usize {
        self.mean.len()
    }

    /// Width of the vectors that it gives.
    #[must_use]
    pub fn n_components(&self) -> usize {
        self.explained_variance.len()
    }

    /// The variance along each component, the greatest first.
    #[must_use]
    pub fn explained_variance(&self) -> &[f32] {
        &self.explained_variance
    }

    /// The same as parts of the whole variance, from 0 to 1.
    #[must_use]
    pub fn explained_variance_ratio(&self) -> Vec<f32> {
        self.explained_variance.iter().map(|variance| variance / self.total_variance.max(f32::MIN_POSITIVE)).collect()
    }

    /// Vectors `[n, d]` as `[n, n_components]`.
    #[must_use]
    pub fn transform(&self, vectors: &[f32]) -> Vec<f32> {
        let (d, k) = (self.d(), self.n_components());
        let centered: Vec<f32> = vectors
            .chunks_exact(d)
            .flat_map(|row| row.iter().zip(&self.mean).map(|(value, mean)| value - mean))
            .collect();
        let mut reduced = vec![0.0; vectors.len() / d * k];
        // A vector has the same bits alone and among others.
        multiply_rows(&mut reduced, Accum::Replace, &centered, self.components().transpose(), Par::rayon(0));
        reduced
    }

    /// Reduced vectors `[n, n_components]` as `[n, d]`: what the components that were left out said is lost.
    #[must_use]
    pub fn inverse_transform(&self, reduced: &[f32]) -> Vec<f32> {
        let (d, k) = (self.d(), self.n_components());
        let n = reduced.len() / k;
        let mut vectors: Vec<f32> = self.mean.repeat(n);
        let out = MatMut::from_row_major_slice_mut(&mut vectors, n, d);
        matmul(out, Accum::Add, MatRef::from_row_major_slice(reduced, n, k), self.components(), 1.0, Par::rayon(0));
        vectors
    }

    fn components(&self) -> MatRef<'_, f32> {
        MatRef::from_row_major_slice(&self.components, self.n_components(), self.d())
    }

    /// Its numbers by name, for a [`crate::WeightFile`].
    #[must_use]
    pub fn tensors(&self) -> BTreeMap<String, NamedTensor> {
        let tensor = |shape: &[usize], values: &[f32]| NamedTensor { shape: shape.to_vec(), values: values.to_vec() };
        let (d, k) = (self.d(), self.n_components());
        BTreeMap::from([
            ("mean".into(), tensor(&[d], &self.mean)),
            ("components".into(), tensor(&[k, d], &self.components)),
            ("explained_variance".into(), tensor(&[k], &self.explained_variance)),
            ("total_variance".into(), tensor(&[1], &[self.total_variance])),
        ])
    }

    /// From the numbers that [`Pca::tensors`] gives.
    ///
    /// # Errors
    /// The first name that is missing or has a shape that does not fit the others.
    pub fn from_tensors(tensors: &BTreeMap<String, NamedTensor>) -> Result<Self, EncoderError> {
        let shape = |name: &str| match tensors.get(name) {
            Some(tensor) => Ok(tensor.shape.clone()),
            None => Err(EncoderError::MissingTensor { name: name.into() }),
        };
        let (d, k) = (shape("mean")?.iter().product(), shape("explained_variance")?.iter().product());
        let take = |name: &str, want: &[usize]| take(tensors, name, want);
        Ok(Self {
            mean: take("mean", &[d])?,
            components: take("components", &[k, d])?,
            explained_variance: take("explained_variance", &[k])?,
            total_variance: take("total_variance", &[1])?[0],
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "vectors are 32-bit floats")]
fn single(value: f64) -> f32 {
    value as f32
}
