//! Heads: what makes a score of the numbers of a decision.

use serde::{Deserialize, Serialize};
use spaxiom_eval::{BinaryRows, Mlp, MlpOptions, Row, SoftmaxRegression, SoftmaxRegressionOptions};

use crate::error::EmbeddingError;

/// A number further from the mean says no more than one there.
const MAX_DEVIATIONS: f32 = 8.0;

/// Penalties of the linear head; that of the best validation loss is taken.
const PENALTIES: [f32; 4] = [0.1, 0.03, 0.01, 0.003];

/// A head by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadName {
    /// Logistic regression.
    Linear,
    /// A network of one hidden layer, d -> 256 -> 1.
    Mlp,
    /// Gradient boosting over trees, by LightGBM.
    Boosting,
}

impl HeadName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Linear, Self::Mlp, Self::Boosting];

    /// The name on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Mlp => "mlp",
            Self::Boosting => "boosting",
        }
    }

    /// The head of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|head| head.as_str() == name)
    }

    /// Whether this build can fit it.
    #[must_use]
    pub fn is_compiled(self) -> bool {
        self != Self::Boosting || cfg!(feature = "boosting")
    }
}

/// Rows of the same numbers, with what came of each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labeled {
    pub(crate) features: Vec<f32>,
    pub(crate) labels: Vec<bool>,
}

/// A fitted head; its scores are log-odds before calibration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub(crate) enum Head {
    Linear {
        scale: Scale,
        model: SoftmaxRegression,
    },
    Mlp {
        scale: Scale,
        network: Mlp,
    },
    Boosting {
        /// As LightGBM writes it.
        text: String,
    },
}

/// Mean and deviation of every number; one that is not known becomes the mean.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scale {
    mean: Vec<f32>,
    deviation: Vec<f32>,
}

impl Scale {
    #[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats")]
    fn fit(rows: &[f32], n_features: usize) -> Self {
        let mut sums = vec![(0usize, 0f64, 0f64); n_features];
        for row in rows.chunks_exact(n_features) {
            for ((n, sum, squares), value) in sums.iter_mut().zip(row).filter(|(_, value)| !value.is_nan()) {
                let value = f64::from(*value);
                (*n, *sum, *squares) = (*n + 1, *sum + value, *squares + value * value);
            }
        }
        let moments = |(n, sum, squares): (usize, f64, f64)| {
            let n = n.max(1) as f64;
            let mean = sum / n;
            (mean as f32, ((squares / n - mean * mean).max(0.0).sqrt() + 1e-3) as f32)
        };
        let (mean, deviation) = sums.into_iter().map(moments).unzip();
        Self { mean, deviation }
    }

    fn applied(&self, rows: &[f32]) -> Vec<f32> {
        let columns = self.mean.iter().zip(&self.deviation).cycle();
        let value = |(value, (mean, deviation)): (&f32, (&f32, &f32))| {
            let scaled = ((value - mean) / deviation).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS);
            if scaled.is_nan() { 0.0 } else { scaled }
        };
        rows.iter().zip(columns).map(value).collect()
    }
}

impl Head {
    /// Fits on `train`; `validation` says when to stop, and how strong a penalty is.
    ///
    /// # Errors
    /// [`EmbeddingError::NoBoosting`] in a build without it.
    pub(crate) fn fit(
        name: HeadName,
        train: &Labeled,
        validation: &Labeled,
        n_features: usize,
        seed: u64,
    ) -> Result<Self, EmbeddingError> {
        if name == HeadName::Boosting {
            return boosting::fit(train, validation, n_features, seed).map(|text| Self::Boosting { text });
        }
        let scale = Scale::fit(&train.features, n_features);
        let (scaled, scaled_validation) = (scale.applied(&train.features), scale.applied(&validation.features));
        if name == HeadName::Mlp {
            let train = BinaryRows { features: &scaled, labels: &train.labels };
            let validation = BinaryRows { features: &scaled_validation, labels: &validation.labels };
            let options = MlpOptions { seed, ..MlpOptions::default() };
            return Ok(Self::Mlp { scale, network: Mlp::fit(&options, train, validation, n_features) });
        }
        let rows: Vec<Row<'_>> = rows(&scaled, n_features);
        let labels: Vec<usize> = train.labels.iter().map(|label| usize::from(*label)).collect();
        let mut model = SoftmaxRegression::new(n_features, 2);
        let mut best: Option<(f64, SoftmaxRegression)> = None;
        for l2 in PENALTIES {
            model = model.refit(&SoftmaxRegressionOptions { l2, ..Default::default() }, &rows, &labels);
            let scores = linear_scores(&model, &scaled_validation, n_features);
            let loss = log_loss(&scores, &validation.labels);
            if best.as_ref().is_none_or(|(least, _)| loss < *least) {
                best = Some((loss, model.clone()));
            }
        }
        let (_, model) = best.expect("there is a penalty");
        Ok(Self::Linear { scale, model })
    }

    /// Makes it ready to score.
    ///
    /// # Errors
    /// As [`Head::fit`], and for a text that is no model.
    pub(crate) fn scorer(&self) -> Result<Scorer<'_>, EmbeddingError> {
        let trees = if let Self::Boosting { text } = self { Some(boosting::Trees::read(text)?) } else { None };
        Ok(Scorer { head: self, trees })
    }
}

/// A head that is ready to score.
pub(crate) struct Scorer<'h> {
    head: &'h Head,
    trees: Option<boosting::Trees>,
}

impl Scorer<'_> {
    /// Log-odds of yes of each row.
    ///
    /// # Errors
    /// What LightGBM refuses.
    pub(crate) fn scores(&self, rows: &[f32], n_features: usize) -> Result<Vec<f64>, EmbeddingError> {
        match (self.head, &self.trees) {
            (Head::Linear { scale, model }, _) => Ok(linear_scores(model, &scale.applied(rows), n_features)),
            (Head::Mlp { scale, network }, _) => Ok(network.scores(&scale.applied(rows))),
            (Head::Boosting { .. }, Some(trees)) => trees.scores(rows),
            (Head::Boosting { .. }, None) => Err(EmbeddingError::NoBoosting),
        }
    }
}

fn rows(values: &[f32], n_features: usize) -> Vec<Row<'_>> {
    values.chunks_exact(n_features).map(|values| Row { indices: None, values }).collect()
}

fn linear_scores(model: &SoftmaxRegression, scaled: &[f32], n_features: usize) -> Vec<f64> {
    let log_odds = |row| {
        let p = f64::from(model.probabilities(row)[1]).clamp(1e-9, 1.0 - 1e-9);
        (p / (1.0 - p)).ln()
    };
    rows(scaled, n_features).into_iter().map(log_odds).collect()
}

/// Mean log-loss of log-odds.
fn log_loss(scores: &[f64], labels: &[bool]) -> f64 {
    let loss = |(score, is_yes): (&f64, &bool)| {
        let margin = if *is_yes { *score } else { -score };
        (-margin).max(0.0) + (-margin.abs()).exp().ln_1p()
    };
    scores.iter().zip(labels).map(loss).sum::<f64>() / labels.len().max(1) as f64
}

#[cfg(not(feature = "boosting"))]
mod boosting {
    use super::Labeled;
    use crate::error::EmbeddingError;

    pub(super) fn fit(_: &Labeled, _: &Labeled, _: usize, _: u64) -> Result<String, EmbeddingError> {
        Err(EmbeddingError::NoBoosting)
    }

    /// There are none.
    pub(super) enum Trees {}

    impl Trees {
        pub(super) fn read(_: &str) -> Result<Self, EmbeddingError> {
            Err(EmbeddingError::NoBoosting)
        }

        #[expect(clippy::unused_self, reason = "as with LightGBM")]
        pub(super) fn scores(&self, _: &[f32]) -> Result<Vec<f64>, EmbeddingError> {
            Err(EmbeddingError::NoBoosting)
        }
    }
}

#[cfg(feature = "boosting")]
mod boosting {
    use spaxiom_eval::{Boosting, BoostingOptions, BoostingRows};

    use super::Labeled;
    use crate::error::EmbeddingError;

    /// Few of the rows are yes, and what tells them is a product of several numbers: more leaves, smaller steps and a weaker
    /// penalty than for the probes, chosen by the average precision on sites that were learned from.
    pub(super) fn fit(
        train: &Labeled,
        validation: &Labeled,
        n_features: usize,
        seed: u64,
    ) -> Result<String, EmbeddingError> {
        let options = BoostingOptions {
            max_rounds: 1_500,
            patience: 80,
            learning_rate: 0.03,
            n_leaves: 31,
            feature_share: 0.5,
            l2: 1.0,
            seed: u32::try_from(seed % 1_000_003).expect("a small number"),
            ..BoostingOptions::default()
        };
        let labels = |of: &Labeled| -> Vec<usize> { of.labels.iter().map(|label| usize::from(*label)).collect() };
        let (train_labels, validation_labels) = (labels(train), labels(validation));
        let train = BoostingRows { features: &train.features, labels: &train_labels };
        let validation = BoostingRows { features: &validation.features, labels: &validation_labels };
        Ok(Boosting::fit(&options, train, Some(validation), n_features, 2)?.to_text()?)
    }

    /// Trees that were read.
    pub(super) struct Trees(Boosting);

    impl Trees {
        pub(super) fn read(text: &str) -> Result<Self, EmbeddingError> {
            Ok(Self(Boosting::from_text(text)?))
        }

        pub(super) fn scores(&self, rows: &[f32]) -> Result<Vec<f64>, EmbeddingError> {
            let log_odds = |row: &[f64]| {
                let p = row[1].clamp(1e-9, 1.0 - 1e-9);
                (p / (1.0 - p)).ln()
            };
            Ok(self.0.probabilities(rows)?.chunks_exact(2).map(log_odds).collect())
        }
    }
}
