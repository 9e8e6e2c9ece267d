//! Metrics, intervals, splits and controls over slices of numbers.
//!
//! Takes plain slices (similarities, labels, sparse rows), gives figures with intervals.
//! Knows no events, no tensors and no index, so that a figure never depends on what produced the numbers.
//!
//! # Example
//!
//! ```
//! use spaxiom_eval::{auroc, clustered_mean};
//!
//! let scores = [(0.9, true), (0.8, true), (0.4, false), (0.6, false)];
//! assert!((auroc(&scores) - 1.0).abs() < 1e-12);
//!
//! // Values of one cluster (an episode, an entity) are resampled together.
//! let interval = clustered_mean(&[1.0, 1.0, 0.0, 0.0, 1.0, 0.0], &[0, 0, 1, 1, 2, 2], 42);
//! assert!(interval.low <= interval.mean && interval.mean <= interval.high);
//! ```
//!
//! # Features
//!
//! - `boosting`: gradient boosting by LightGBM, which is built with it.

mod binary;
#[cfg(feature = "boosting")]
mod boosting;
mod bootstrap;
mod calibration;
mod classify;
mod error;
mod lbfgs;
mod logistic;
mod mlp;
mod n_gram;
mod part;
mod retrieval;
mod ridge;
mod silhouette;
mod split;
mod timing;

pub use crate::binary::{OperatingPoint, auroc, average_precision, operating_points, precision_at_recall};
#[cfg(feature = "boosting")]
pub use crate::boosting::{Boosting, BoostingOptions, BoostingRows};
pub use crate::bootstrap::{Interval, clustered_mean, clustered_statistic};
pub use crate::calibration::{Calibration, Platt, ReliabilityBin, calibration, reliability};
pub use crate::classify::{accuracy, macro_f1};
pub use crate::error::EvalError;
pub use crate::logistic::{Row, SoftmaxRegression, SoftmaxRegressionOptions};
pub use crate::mlp::{BinaryRows, Mlp, MlpOptions};
pub use crate::n_gram::NGram;
pub use crate::part::Part;
pub use crate::retrieval::{Ranked, RetrievalScores, recall_overlap, score_ranking};
pub use crate::ridge::{RegressionRows, Ridge, explained_variance};
pub use crate::silhouette::silhouette;
pub use crate::split::{EntitySplit, Split, SplitDates, SplitOptions, check_no_leak};
pub use crate::timing::{Latency, latency};
