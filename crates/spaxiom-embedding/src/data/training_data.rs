//! What a run is trained on, in memory or file by file.

use std::path::Path;

use spaxiom_eval::{Part, Split, SplitOptions};
use spaxiom_objective::{Example, Examples, ObjectiveSet};
use spaxiom_token::{
    ClockedMemory, EventSpan, EventTable, FitReport, MemoryOptions, SequenceRows, Sites, TokenWindow, Tokenizer,
    TokenizerFit,
};

use super::labeled::LabeledEvent;
use super::part::PartData;
use crate::error::EmbeddingError;

/// Which examples a run needs.
#[derive(Debug, Clone, Copy)]
pub struct ExampleRequest<'a> {
    /// The split of the run.
    pub split: &'a Split,
    /// The tokenizer of the run.
    pub tokenizer: &'a Tokenizer,
    /// The memory of the run, if it has one: objectives count its tokens.
    pub memory: Option<&'a ClockedMemory>,
    /// Maximum number of positions in a window.
    pub max_len: usize,
    /// The objectives, which decide whether examples carry events and classes.
    pub objectives: &'a ObjectiveSet,
    /// The labels in the order of the classes; empty without classes.
    pub classes: &'a [String],
}

impl ExampleRequest<'_> {
    /// Whether examples have to carry their events.
    pub(crate) fn needs_events(&self) -> bool {
        self.objectives.names().iter().any(|name| name.needs_events())
    }

    /// A part with the moments of its windows, where an objective needs them.
    pub(crate) fn with_moments(&self, part: PartData) -> PartData {
        part.with_moments(self.objectives, self.memory)
    }

    /// The examples of labeled events; those whose label was not seen in training are left out.
    pub(crate) fn labeled_examples<'d>(&self, data: &'d PartData, labeled: &[LabeledEvent]) -> Vec<Example<'d>> {
        let known = labeled.iter().filter(|event| event.class < self.classes.len());
        let example = |event: &LabeledEvent| {
            let window = data.context(event.place(), self.max_len);
            let events = self.needs_events().then(|| {
                let end = event.event_idx + 1;
                EventSpan::whole(&data.sequences()[event.sequence_idx]).part(end - window.len()..end)
            });
            Example { events, moment: data.moment(event.place()), ..Example::of_class(window, event.class) }
        };
        known.map(example).collect()
    }
}

/// Moments of the training part that are wanted.
#[derive(Debug, Clone, Copy)]
pub struct SampleRequest<'a> {
    /// The split of the run.
    pub split: &'a Split,
    /// The tokenizer of the run.
    pub tokenizer: &'a Tokenizer,
    /// The memory of the run.
    pub memory: &'a ClockedMemory,
    /// Maximum number of positions in a window.
    pub max_len: usize,
    /// About so many moments, evenly spread.
    pub n_events: usize,
}

/// What is learned from the events of the training part before an encoder is.
#[derive(Debug, Clone)]
pub struct Learned {
    /// Events to tokens.
    pub tokenizer: Tokenizer,
    /// What it learned, in numbers.
    pub report: FitReport,
    /// Sites to what they remember.
    pub memory: ClockedMemory,
}

impl Learned {
    pub(crate) fn of(fit: &TokenizerFit, memory: &MemoryOptions, train: &EventTable) -> Result<Self, EmbeddingError> {
        let (tokenizer, report) = fit.table(train)?;
        Ok(Self { tokenizer, report, memory: ClockedMemory::fit(memory, fit, train)? })
    }
}

/// The examples that a run learns from.
pub struct TrainingExamples<'a> {
    /// Makes one epoch after another.
    pub examples: Box<dyn Examples + 'a>,
    /// Training examples per class; empty without classes.
    pub class_counts: Vec<usize>,
}

/// What a tokenizer and an encoder are trained on.
pub trait TrainingData {
    /// Where the data were read from.
    fn path(&self) -> &Path;

    /// Whether whole splits fit into memory; `false` for data that are read file by file.
    fn is_in_memory(&self) -> bool;

    /// A hash of all events and labels as they were understood.
    fn fingerprint(&self) -> &str;

    /// The clocks and zones of the sites.
    fn sites(&self) -> &Sites;

    /// Fingerprint of the registry that gave attributes their units.
    fn registry(&self) -> &str;

    /// Splits sites and days.
    ///
    /// # Errors
    /// Data that cannot be split.
    fn split(&self, options: &SplitOptions) -> Result<Split, EmbeddingError>;

    /// Learns tokenizer and memory from the training split.
    ///
    /// # Errors
    /// Events that give none, or cannot be read.
    fn fit(&self, fit: &TokenizerFit, memory: &MemoryOptions, split: &Split) -> Result<Learned, EmbeddingError>;

    /// All events as columns, and the rows of each site in order of time; none where they are not in memory at once.
    fn all_columns(&self) -> Option<(&EventTable, &[SequenceRows])>;

    /// Shows windows of the training split with what the memory says at their last events, in one or more portions.
    ///
    /// # Errors
    /// Events that cannot be read.
    fn sample(
        &self,
        request: &SampleRequest<'_>,
        show: &mut dyn FnMut(&[TokenWindow<'_>], Vec<f32>),
    ) -> Result<(), EmbeddingError>;

    /// The labels of the training split in order: the classes of a classifier.
    ///
    /// # Errors
    /// [`EmbeddingError::NoLabels`] if there are fewer than two.
    fn classes(&self, split: &Split) -> Result<Vec<String>, EmbeddingError>;

    /// A whole split in memory.
    ///
    /// # Errors
    /// Events that cannot be read.
    fn part_data(&self, split: &Split, part: Part, tokenizer: &Tokenizer) -> Result<PartData, EmbeddingError>;

    /// The labeled events of a split in memory.
    fn labeled(&self, request: &ExampleRequest<'_>, part: Part, data: &PartData) -> Vec<LabeledEvent>;

    /// The examples of the training split.
    ///
    /// # Errors
    /// Events that cannot be read.
    fn training_examples<'a>(&'a self, request: ExampleRequest<'a>) -> Result<TrainingExamples<'a>, EmbeddingError>;
}
