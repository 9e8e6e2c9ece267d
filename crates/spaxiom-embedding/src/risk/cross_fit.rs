//! Heads that judge sites on which they were not fitted.

use std::collections::BTreeSet;

use super::decisions::Decisions;
use super::head::{Head, HeadName, Labeled};
use crate::error::EmbeddingError;

/// Parts of the learning sites, each of which is judged by a head of the others.
pub(crate) const N_FOLDS: usize = 4;

/// Decisions to learn from: some of all, by their places.
#[derive(Debug, Clone)]
pub(crate) struct Learning {
    pub(crate) places: Vec<usize>,
    /// The fold of each, below `n_folds`.
    pub(crate) folds: Vec<usize>,
    pub(crate) n_folds: usize,
}

/// Numbers of a row that a head may read.
#[derive(Debug, Clone)]
pub(crate) struct Columns(Vec<usize>);

/// A head for every fold, and what it says of the decisions on which it was not fitted.
#[derive(Debug)]
pub(crate) struct CrossFit {
    pub(crate) heads: Vec<Head>,
    /// In the order of the places of [`Learning`].
    pub(crate) out_of_fold: Vec<f64>,
    columns: Columns,
}

impl Learning {
    /// Folds by site where there are four sites or more, and by entity otherwise, so that no head knows whom it judges.
    pub(crate) fn new(decisions: &Decisions, places: Vec<usize>) -> Self {
        let of = |key: &dyn Fn(usize) -> String| {
            let keys: Vec<String> = places.iter().map(|place| key(*place)).collect();
            let names: Vec<&String> = keys.iter().collect::<BTreeSet<_>>().into_iter().collect();
            let n_folds = names.len().min(N_FOLDS);
            let fold = |key: &String| names.binary_search(&key).expect("every key is a name") % n_folds.max(1);
            (keys.iter().map(fold).collect::<Vec<usize>>(), n_folds)
        };
        let by_site = of(&|place| decisions.all[place].site.clone());
        let (folds, n_folds) = if by_site.1 == N_FOLDS {
            by_site
        } else {
            of(&|place| format!("{} {}", decisions.all[place].site, decisions.all[place].entity))
        };
        Self { places, folds, n_folds }
    }

    /// At most `n` of them, evenly spread over sites and time.
    pub(crate) fn spread(&self, n: usize) -> Self {
        let len = self.places.len();
        let kept: Vec<usize> = (0..len.min(n)).map(|at| at * len / len.min(n)).collect();
        let of = |values: &[usize]| kept.iter().map(|at| values[*at]).collect();
        Self { places: of(&self.places), folds: of(&self.folds), n_folds: self.n_folds }
    }

    pub(crate) fn labels(&self, decisions: &Decisions) -> Vec<bool> {
        self.places.iter().map(|place| decisions.all[*place].is_yes()).collect()
    }
}

impl Columns {
    /// The numbers whose names are wanted.
    pub(crate) fn of_names(names: &[String], is_wanted: impl Fn(&str) -> bool) -> Self {
        Self(names.iter().enumerate().filter(|(_, name)| is_wanted(name)).map(|(at, _)| at).collect())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// These numbers of some decisions, row after row.
    pub(crate) fn rows(&self, decisions: &Decisions, places: &[usize]) -> Vec<f32> {
        let mut rows = Vec::with_capacity(places.len() * self.0.len());
        for place in places {
            let row = decisions.row(*place);
            rows.extend(self.0.iter().map(|at| row[*at]));
        }
        rows
    }
}

impl CrossFit {
    /// Fits a head without each fold in turn, which stops it and is judged by it.
    ///
    /// # Errors
    /// As [`Head::fit`].
    pub(crate) fn fit(
        name: HeadName,
        decisions: &Decisions,
        learning: &Learning,
        columns: Columns,
        seed: u64,
    ) -> Result<Self, EmbeddingError> {
        let labels = learning.labels(decisions);
        let mut out_of_fold = vec![0.0; learning.places.len()];
        let mut heads = Vec::new();
        for fold in 0..learning.n_folds {
            let part = |is_own: bool| -> Vec<usize> {
                (0..labels.len()).filter(|at| (learning.folds[*at] == fold) == is_own).collect()
            };
            let labeled = |part: &[usize]| {
                let places: Vec<usize> = part.iter().map(|at| learning.places[*at]).collect();
                Labeled {
                    features: columns.rows(decisions, &places),
                    labels: part.iter().map(|at| labels[*at]).collect(),
                }
            };
            let (own, others) = (part(true), part(false));
            let (validation, train) = (labeled(&own), labeled(&others));
            let head = Head::fit(name, &train, &validation, columns.len(), seed.wrapping_add(fold as u64))?;
            let scores = head.scorer()?.scores(&validation.features, columns.len())?;
            own.iter().zip(scores).for_each(|(at, score)| out_of_fold[*at] = score);
            heads.push(head);
        }
        Ok(Self { heads, out_of_fold, columns })
    }

    /// What every head says of some decisions, head by head.
    ///
    /// # Errors
    /// As [`Head::scorer`].
    pub(crate) fn scores(&self, decisions: &Decisions, places: &[usize]) -> Result<Vec<Vec<f64>>, EmbeddingError> {
        let rows = self.columns.rows(decisions, places);
        self.heads.iter().map(|head| head.scorer()?.scores(&rows, self.columns.len())).collect()
    }
}

/// The mean over heads.
pub(crate) fn mean_scores(by_head: &[Vec<f64>]) -> Vec<f64> {
    let n = by_head.len().max(1) as f64;
    let n_rows = by_head.first().map_or(0, Vec::len);
    (0..n_rows).map(|row| by_head.iter().map(|scores| scores[row]).sum::<f64>() / n).collect()
}
