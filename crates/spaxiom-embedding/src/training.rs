//! Training: from a data set to a run folder.

mod neighbors;
mod train;

pub(crate) use self::train::objectives;
pub use self::train::{RunSummary, TrainJob, train};
