//! TF-IDF over the same tokens that the encoder sees: the control that a learned vector has to beat.

use std::collections::BTreeMap;

use crate::sequence::TokenWindow;

/// A sparse vector with indices in ascending order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SparseVector {
    /// Where it is not zero.
    pub indices: Vec<u32>,
    /// The values there.
    pub values: Vec<f32>,
}

impl SparseVector {
    /// The inner product; the cosine where both have length 1.
    #[must_use]
    pub fn dot(&self, other: &Self) -> f32 {
        let (mut i, mut j, mut sum) = (0, 0, 0.0);
        while i < self.indices.len() && j < other.indices.len() {
            match self.indices[i].cmp(&other.indices[j]) {
                std::cmp::Ordering::Less => i += 1,
                std::cmp::Ordering::Greater => j += 1,
                std::cmp::Ordering::Equal => {
                    sum += self.values[i] * other.values[j];
                    i += 1;
                    j += 1;
                }
            }
        }
        sum
    }
}

/// Weights tokens by how rare they are: `tf * (ln((1 + n) / (1 + df)) + 1)`, rows of length 1
/// (Salton and Buckley 1988, with the smoothing that scikit-learn uses).
///
/// A window is a document; a token of field `f` with id `t` is the term `offset(f) + t`.
#[derive(Debug, Clone)]
pub struct Tfidf {
    offsets: Vec<u32>,
    idf: Vec<f32>,
}

impl Tfidf {
    /// Learns document frequencies from the windows of the training part.
    #[must_use]
    pub fn fit<'a>(field_sizes: &[usize], windows: impl IntoIterator<Item = TokenWindow<'a>>) -> Self {
        let offsets = offsets(field_sizes);
        let mut frequencies = vec![0u32; field_sizes.iter().sum()];
        let mut n_windows = 0u32;
        for window in windows {
            n_windows += 1;
            for term in counts(&offsets, window).into_keys() {
                frequencies[term as usize] += 1;
            }
        }
        let idf = frequencies
            .into_iter()
            .map(|df| ((1.0 + f64::from(n_windows)) / (1.0 + f64::from(df))).ln() + 1.0)
            .map(|idf| {
                #[expect(clippy::cast_possible_truncation, reason = "a weight of a few units")]
                let idf = idf as f32;
                idf
            })
            .collect();
        Self { offsets, idf }
    }

    /// Number of terms.
    #[must_use]
    pub fn n_terms(&self) -> usize {
        self.idf.len()
    }

    /// The weighted and normalized terms of one window.
    #[must_use]
    pub fn transform(&self, window: TokenWindow<'_>) -> SparseVector {
        let counts = counts(&self.offsets, window);
        let mut vector = SparseVector::default();
        for (term, count) in counts {
            vector.indices.push(term);
            vector.values.push(count * self.idf[term as usize]);
        }
        let norm = vector.values.iter().map(|value| value * value).sum::<f32>().sqrt();
        if norm > 0.0 {
            vector.values.iter_mut().for_each(|value| *value /= norm);
        }
        vector
    }
}

fn offsets(field_sizes: &[usize]) -> Vec<u32> {
    field_sizes
        .iter()
        .scan(0usize, |next, size| {
            let offset = *next;
            *next += size;
            Some(u32::try_from(offset).expect("all vocabularies together have fewer than 2^32 tokens"))
        })
        .collect()
}

fn counts(offsets: &[u32], window: TokenWindow<'_>) -> BTreeMap<u32, f32> {
    let mut counts = BTreeMap::new();
    for row in window.rows() {
        for (offset, id) in offsets.iter().zip(row) {
            *counts.entry(offset + id).or_insert(0.0) += 1.0;
        }
    }
    counts
}
