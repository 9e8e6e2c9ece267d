//! Data sets: where the files are, what was read from them, and the splits.

mod dataset;
mod folder;
mod labeled;
mod part;
mod shards;
mod training_data;

pub use self::dataset::Dataset;
pub use self::folder::DataFolder;
pub use self::labeled::LabeledEvent;
pub(crate) use self::labeled::spread;
pub use self::part::PartData;
pub(crate) use self::part::tokenize;
pub use self::shards::ShardedDataset;
pub use self::training_data::{ExampleRequest, Learned, SampleRequest, TrainingData, TrainingExamples};
