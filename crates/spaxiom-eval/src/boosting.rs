//! Gradient boosting over trees: the strongest probe on features that a person put together.

use lightgbm3::{Booster, Dataset};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::error::EvalError;

/// Options of the boosting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BoostingOptions {
    /// Trees for each class at most; 200.
    pub max_rounds: u32,
    /// Rounds without a lower loss of the validation part before it stops; 12.
    pub patience: u32,
    /// What a tree adds; 0.08.
    pub learning_rate: f64,
    /// Leaves of a tree; 15.
    pub n_leaves: u32,
    /// Rows of a leaf at least; 20.
    pub min_rows: u32,
    /// Share of the features that a tree sees; 0.6.
    pub feature_share: f64,
    /// Share of the rows that a tree sees; 0.7.
    pub row_share: f64,
    /// Strength of the squared penalty on leaves; 5.
    pub l2: f64,
    /// Seed of the shares; 1.
    pub seed: u32,
}

impl Default for BoostingOptions {
    fn default() -> Self {
        Self {
            max_rounds: 200,
            patience: 12,
            learning_rate: 0.08,
            n_leaves: 15,
            min_rows: 20,
            feature_share: 0.6,
            row_share: 0.7,
            l2: 5.0,
            seed: 1,
        }
    }
}

/// Rows of features with their classes.
#[derive(Debug, Clone, Copy)]
pub struct BoostingRows<'a> {
    /// Row after row.
    pub features: &'a [f32],
    /// One per row.
    pub labels: &'a [usize],
}

/// Boosted trees for classes, by LightGBM (Ke and others 2017).
pub struct Boosting {
    booster: Booster,
    n_features: usize,
}

impl Boosting {
    /// Adds trees until the loss of the validation part stops falling; without one, as many as there may be.
    ///
    /// # Errors
    /// [`EvalError::Boosting`] for what LightGBM refuses, for example fewer than two rows.
    ///
    /// # Panics
    /// Where rows and labels differ in number: only a programmer can do that.
    pub fn fit(
        options: &BoostingOptions,
        train: BoostingRows<'_>,
        validation: Option<BoostingRows<'_>>,
        n_features: usize,
        n_classes: usize,
    ) -> Result<Self, EvalError> {
        let BoostingOptions {
            max_rounds,
            patience,
            learning_rate,
            n_leaves,
            min_rows,
            feature_share,
            row_share,
            l2,
            seed,
        } = options;
        let train = dataset(train, n_features, None)?;
        let validation = validation.map(|rows| dataset(rows, n_features, Some(&train))).transpose()?;
        // Of two classes one tree a round says both.
        let is_binary = n_classes == 2;
        let parameters = json!({
            "objective": if is_binary { "binary" } else { "multiclass" },
            "metric": if is_binary { "binary_logloss" } else { "multi_logloss" },
            "num_class": if is_binary { 1 } else { n_classes },
            "num_iterations": max_rounds,
            "early_stopping_rounds": patience,
            "learning_rate": learning_rate,
            "num_leaves": n_leaves,
            "min_data_in_leaf": min_rows,
            "feature_fraction": feature_share,
            "bagging_fraction": row_share,
            "bagging_freq": 1,
            "lambda_l2": l2,
            "seed": seed,
            "deterministic": true,
            "force_row_wise": true,
            "verbosity": -1,
        });
        let booster = Booster::train_with_valid(train, validation, &parameters)?;
        Ok(Self { booster, n_features })
    }

    /// The most likely class of every row.
    ///
    /// # Errors
    /// As [`Boosting::probabilities`].
    pub fn predict(&self, features: &[f32]) -> Result<Vec<usize>, EvalError> {
        let greatest = |row: &[f64]| row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(at, _)| at);
        Ok(self.probabilities(features)?.chunks_exact(self.n_classes()).map(greatest).collect())
    }

    /// The probability of every class, row after row.
    ///
    /// # Errors
    /// [`EvalError::Boosting`] for what LightGBM refuses.
    pub fn probabilities(&self, features: &[f32]) -> Result<Vec<f64>, EvalError> {
        let width = i32::try_from(self.n_features).expect("rows have fewer than 2^31 features");
        let predicted = self.booster.predict(features, width, true)?;
        let is_binary = self.booster.num_classes() == 1;
        Ok(if is_binary { predicted.into_iter().flat_map(|p| [1.0 - p, p]).collect() } else { predicted })
    }

    /// Trees for each class.
    #[must_use]
    pub fn n_rounds(&self) -> u32 {
        u32::try_from(self.booster.num_iterations()).unwrap_or_default()
    }

    /// Number of classes.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        usize::try_from(self.booster.num_classes()).unwrap_or_default().max(2)
    }

    /// The model as LightGBM writes it.
    ///
    /// # Errors
    /// [`EvalError::Boosting`] for what LightGBM refuses.
    pub fn to_text(&self) -> Result<String, EvalError> {
        Ok(self.booster.save_string()?)
    }

    /// The model of a text that [`Boosting::to_text`] gave.
    ///
    /// # Errors
    /// [`EvalError::Boosting`] for a text that is no model.
    pub fn from_text(text: &str) -> Result<Self, EvalError> {
        let booster = Booster::from_string(text)?;
        let n_features = usize::try_from(booster.num_features()).unwrap_or_default();
        Ok(Self { booster, n_features })
    }
}

fn dataset(rows: BoostingRows<'_>, n_features: usize, like: Option<&Dataset>) -> Result<Dataset, EvalError> {
    let BoostingRows { features, labels } = rows;
    assert_eq!(features.len(), labels.len() * n_features, "one label per row");
    #[expect(clippy::cast_precision_loss, reason = "a class is a small number")]
    let labels: Vec<f32> = labels.iter().map(|label| *label as f32).collect();
    let width = i32::try_from(n_features).expect("rows have fewer than 2^31 features");
    Ok(Dataset::from_slice_with_reference(features, &labels, width, true, like)?)
}
