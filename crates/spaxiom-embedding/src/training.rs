//! Training: from a data set to a run folder.

mod half_lives;
mod neighbors;
mod train;

pub use self::train::{RunSummary, TrainJob, train};
pub(crate) use self::train::{objectives, with_memory};
