//! Everything that a run needs to go on, in one file that is replaced whole.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use spaxiom_encoder::{NamedTensor, WeightFile};
use spaxiom_file::replace_file;

use crate::error::ObjectiveError;

/// Where a run stands; by default at its beginning.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TrainState {
    /// Steps done.
    pub step: u64,
    /// The epoch of the next step.
    pub epoch: u64,
    /// Batches of that epoch that are done.
    pub batch_in_epoch: usize,
    /// The lowest validation loss so far.
    pub best_loss: Option<f64>,
    /// Evaluations since then.
    pub n_worse: usize,
    /// Running mean of the loss of the steps, and the lowest that it was.
    pub mean_loss: Option<[f64; 2]>,
    /// The order of the examples of the part of the epoch that is under way, where their neighbors decide it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<usize>,
    /// Early stopping has ended the run.
    pub ended: bool,
}

/// The format that this build writes.
const FORMAT: u32 = 4;

/// The oldest format that this build reads.
const OLDEST_FORMAT: u32 = 3;

/// Where the weights of the classification head are since format 4.
const CLASSIFIER: &str = "heads.classify";

/// Weights by their names since format 4: before, the classification head stood beside the encoder.
#[must_use]
pub fn renamed_weights(weights: BTreeMap<String, NamedTensor>) -> BTreeMap<String, NamedTensor> {
    weights.into_iter().map(|(name, tensor)| (renamed(name), tensor)).collect()
}

fn renamed(name: String) -> String {
    let is_known = ["encoder.", "heads."].iter().any(|group| name.starts_with(group));
    if is_known { name } else { format!("{CLASSIFIER}.{name}") }
}

/// The same for the state of the optimizer.
fn renamed_moments(moments: BTreeMap<String, NamedTensor>) -> BTreeMap<String, NamedTensor> {
    let renamed = |(name, tensor): (String, NamedTensor)| match name.split_once('.') {
        Some((moment, name)) => (format!("{moment}.{}", renamed(name.to_owned())), tensor),
        None => (name, tensor),
    };
    moments.into_iter().map(renamed).collect()
}

/// The state as it is written.
#[derive(Serialize, Deserialize)]
struct StateFile {
    format: u32,
    state: TrainState,
}

/// Weights, best weights, optimizer and state of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Where the run stands.
    pub state: TrainState,
    /// Weights after the last step.
    pub model: BTreeMap<String, NamedTensor>,
    /// Weights at the lowest validation loss.
    pub best: BTreeMap<String, NamedTensor>,
    /// The running mean of the weights, where there is one.
    pub mean: BTreeMap<String, NamedTensor>,
    /// The optimizer's moments.
    pub optimizer: BTreeMap<String, NamedTensor>,
}

impl Checkpoint {
    /// Writes a temporary file beside `path` and renames it: a full disk leaves the old checkpoint as it was.
    pub fn write(&self, path: &Path) -> Result<(), ObjectiveError> {
        let Self { state, model, best, mean, optimizer } = self;
        let groups = [("model", model), ("best", best), ("mean", mean), ("optimiser", optimizer)];
        let tensors = groups.into_iter().flat_map(|(group, tensors)| {
            tensors.iter().map(move |(name, tensor)| (format!("{group}.{name}"), tensor.clone()))
        });
        let file = StateFile { format: FORMAT, state: state.clone() };
        let metadata = serde_json::to_string(&file).expect("the state is plain data");
        let bytes = WeightFile { tensors: tensors.collect(), metadata }.to_bytes();
        replace_file(path, &bytes)?;
        Ok(())
    }

    /// Reads what [`Checkpoint::write`] wrote.
    ///
    /// # Errors
    /// [`ObjectiveError::CheckpointFormat`] for the checkpoint of another build.
    pub fn read(path: &Path) -> Result<Self, ObjectiveError> {
        let WeightFile { tensors, metadata } = WeightFile::read(path)?;
        let StateFile { format, state } = serde_json::from_str(&metadata).map_err(ObjectiveError::State)?;
        if !(OLDEST_FORMAT..=FORMAT).contains(&format) {
            return Err(ObjectiveError::CheckpointFormat { path: path.to_owned(), found: format, want: FORMAT });
        }
        let [model, best, mean, optimizer] = Default::default();
        let mut checkpoint = Self { state, model, best, mean, optimizer };
        for (name, tensor) in tensors {
            let groups = [
                ("model.", &mut checkpoint.model),
                ("best.", &mut checkpoint.best),
                ("mean.", &mut checkpoint.mean),
                ("optimiser.", &mut checkpoint.optimizer),
            ];
            for (prefix, group) in groups {
                if let Some(name) = name.strip_prefix(prefix) {
                    group.insert(name.to_owned(), tensor.clone());
                }
            }
        }
        let Self { state, model, best, mean, optimizer } = checkpoint;
        let [model, best, mean] = [model, best, mean].map(renamed_weights);
        Ok(Self { state, model, best, mean, optimizer: renamed_moments(optimizer) })
    }
}
