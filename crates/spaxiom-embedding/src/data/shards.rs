//! Data larger than memory: a folder of event files that are read one after the other in every epoch.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;
use std::thread;

use rand::RngExt;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};
use spaxiom_eval::{Part, Split, SplitOptions};
use spaxiom_event::{ReadOptions, SequenceKey, SiteMap};
use spaxiom_file::hex;
use spaxiom_objective::{Examples, Flow, ObjectiveError, Show};
use spaxiom_token::{EventTable, MemoryOptions, SequenceRows, Sites, TokenWindow, Tokenizer, TokenizerFit};

use super::dataset::Dataset;
use super::folder::DataFolder;
use super::labeled::LabeledEvent;
use super::part::PartData;
use super::training_data::{ExampleRequest, Learned, SampleRequest, TrainingData, TrainingExamples};
use crate::error::EmbeddingError;

/// Training events that a tokenizer is learned from, at most: the first ones of every site in every file, the same share of each.
const N_FIT: usize = 4_000_000;

/// A folder of event files, the shards: each holds the events of a stretch of time, or of some of the sites, whole.
///
/// At any time one of them is in memory, and the next one is being read; sequences end where their file ends.
/// The validation part, which decides about early stopping, is in memory all the time: keep `[split] validation-days` small.
#[derive(Debug)]
pub struct ShardedDataset {
    path: PathBuf,
    shards: Vec<PathBuf>,
    options: ReadOptions,
    sites: Sites,
    registry: String,
    fingerprint: String,
    site_names: BTreeSet<String>,
    days: BTreeSet<i64>,
    n_events: usize,
    n_rejected: usize,
}

impl ShardedDataset {
    /// Reads every file of the folder once, in order of their names, for its sites, its days and its hash.
    ///
    /// A site map in the options counts before the `site-map.toml` of the folder; labels are not read.
    ///
    /// # Errors
    /// [`EmbeddingError::NoShards`] for what is no folder of files, [`EmbeddingError::AllRejected`] where no line of a file can be read.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, EmbeddingError> {
        let folder = DataFolder::new(path);
        let shards = if path.is_dir() { folder.files()? } else { Vec::new() };
        if shards.is_empty() {
            return Err(EmbeddingError::NoShards { path: path.to_owned() });
        }
        let mut options = options.clone();
        let map = folder.site_map();
        if options.site_map.is_none() && map.exists() {
            options.site_map = Some(SiteMap::load(&map)?);
        }
        let mut data = Self {
            path: path.to_owned(),
            shards,
            sites: Sites::new(&options.site_map.clone().unwrap_or_default(), options.time_zone),
            registry: options.registry_fingerprint(),
            options,
            fingerprint: String::new(),
            site_names: BTreeSet::new(),
            days: BTreeSet::new(),
            n_events: 0,
            n_rejected: 0,
        };
        let mut hash = Sha256::new();
        for shard in &data.shards {
            let shard = Dataset::load(shard, &data.options)?;
            hash.update(shard.fingerprint());
            data.site_names.extend(shard.columns().1.iter().map(|sequence| sequence.site_id.to_string()));
            data.days.extend(shard.days());
            data.n_events += shard.n_events();
            data.n_rejected += shard.n_rejected();
        }
        data.fingerprint = hex(&hash.finalize()[..8]);
        Ok(data)
    }

    /// Number of files.
    #[must_use]
    pub fn n_shards(&self) -> usize {
        self.shards.len()
    }

    /// Number of events.
    #[must_use]
    pub fn n_events(&self) -> usize {
        self.n_events
    }

    /// Lines that could not be read.
    #[must_use]
    pub fn n_rejected(&self) -> usize {
        self.n_rejected
    }

    /// One file.
    fn read(&self, shard: usize) -> Result<Dataset, EmbeddingError> {
        Dataset::read(&self.shards[shard], &self.options)
    }
}

impl TrainingData for ShardedDataset {
    fn path(&self) -> &Path {
        &self.path
    }

    fn is_in_memory(&self) -> bool {
        false
    }

    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn sites(&self) -> &Sites {
        &self.sites
    }

    fn registry(&self) -> &str {
        &self.registry
    }

    fn split(&self, options: &SplitOptions) -> Result<Split, EmbeddingError> {
        let sites: Vec<&str> = self.site_names.iter().map(String::as_str).collect();
        Ok(Split::new(options, &sites, &self.days.iter().copied().collect::<Vec<_>>())?)
    }

    fn fit(&self, fit: &TokenizerFit, memory: &MemoryOptions, split: &Split) -> Result<Learned, EmbeddingError> {
        let share = N_FIT as f64 / self.n_events.max(1) as f64;
        let mut table = EventTable::new(SequenceKey::Site);
        for shard in 0..self.shards.len() {
            let data = self.read(shard)?;
            let rows = data.rows(split, Part::Train);
            let rows = rows.iter().flat_map(|sequence| first(&sequence.rows, share)).copied();
            table.append(&data.columns().0.select(rows));
        }
        Learned::of(fit, memory, &table)
    }

    fn all_columns(&self) -> Option<(&EventTable, &[SequenceRows])> {
        None
    }

    /// What happened before the beginning of a file is not remembered.
    fn sample(
        &self,
        request: &SampleRequest<'_>,
        show: &mut dyn FnMut(&[TokenWindow<'_>], Vec<f32>),
    ) -> Result<(), EmbeddingError> {
        let request = SampleRequest { n_events: request.n_events.div_ceil(self.shards.len()), ..*request };
        (0..self.shards.len()).try_for_each(|shard| self.read(shard)?.sample(&request, show))
    }

    fn part_data(&self, split: &Split, part: Part, tokenizer: &Tokenizer) -> Result<PartData, EmbeddingError> {
        let part_of = |shard| {
            let data = self.read(shard)?;
            Ok(PartData::apart(data.columns().0, data.rows(split, part), tokenizer))
        };
        let parts: Result<Vec<PartData>, EmbeddingError> = (0..self.shards.len()).map(part_of).collect();
        Ok(PartData::joined(parts?))
    }

    fn classes(&self, _: &Split) -> Result<Vec<String>, EmbeddingError> {
        let wanted = "labels are read with all data in memory: leave `--stream` out";
        Err(EmbeddingError::NoLabels { path: self.path.clone(), wanted })
    }

    fn labeled(&self, _: &ExampleRequest<'_>, _: Part, _: &PartData) -> Vec<LabeledEvent> {
        Vec::new()
    }

    fn training_examples<'a>(&'a self, request: ExampleRequest<'a>) -> Result<TrainingExamples<'a>, EmbeddingError> {
        let examples = Box::new(ShardWindows { data: self, request });
        Ok(TrainingExamples { examples, class_counts: Vec::new() })
    }
}

/// The first rows of a sequence, so large a share of them; consecutive, so that the times between them are right.
fn first(rows: &[u32], share: f64) -> &[u32] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of events")]
    let n = (rows.len() as f64 * share).ceil() as usize;
    &rows[..n.min(rows.len())]
}

/// The windows of the training part, file by file in random order, and within each of them in random order.
struct ShardWindows<'a> {
    data: &'a ShardedDataset,
    request: ExampleRequest<'a>,
}

impl ShardWindows<'_> {
    fn load(&self, shard: usize) -> Result<PartData, EmbeddingError> {
        let part = self.data.read(shard)?.part_data(self.request.split, Part::Train, self.request.tokenizer);
        Ok(self.request.with_moments(part))
    }
}

impl Examples for ShardWindows<'_> {
    fn epoch(&self, rng: &mut ChaCha8Rng, show: &mut Show<'_>) -> Result<Flow, ObjectiveError> {
        let mut order: Vec<usize> = (0..self.data.n_shards()).collect();
        order.shuffle(rng);
        let order: Vec<(usize, u64)> = order.into_iter().map(|shard| (shard, rng.random())).collect();
        thread::scope(|scope| {
            // The next file is read and tokenized while this one is trained on; it waits until it is wanted.
            let (sender, loaded) = sync_channel(0);
            scope.spawn(move || {
                for (shard, seed) in order {
                    // Nobody wants it any more where training was stopped.
                    if sender.send((self.load(shard), seed)).is_err() {
                        return;
                    }
                }
            });
            for (part, seed) in loaded {
                let part = part.map_err(|error| ObjectiveError::Given(Box::new(error)))?;
                let windows = part.windows(self.request.max_len, self.request.needs_events());
                if windows.epoch(&mut ChaCha8Rng::seed_from_u64(seed), show)? == Flow::Stop {
                    return Ok(Flow::Stop);
                }
            }
            Ok(Flow::Continue)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::first;

    #[test]
    fn a_share_of_a_sequence_is_its_beginning_and_never_nothing() {
        let rows: Vec<u32> = (10..20).collect();
        assert_eq!([0.01, 0.25, 1.0, 7.0].map(|share| first(&rows, share).len()), [1, 3, 10, 10]);
        assert_eq!(first(&rows, 0.25)[2], 12);
        assert!(first(&[], 0.5).is_empty());
    }
}
