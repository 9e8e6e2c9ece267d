//! A data set: events with labels, cut into parts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use spaxiom_eval::{Part, Split, SplitOptions};
use spaxiom_event::{
    EntityId, Event, EventSequence, LabelIndex, LabelSpan, ReadOptions, SequenceKey, SiteId, SiteMap, group_by_site,
    read_events, read_labels,
};
use spaxiom_file::hex;
use spaxiom_objective::{Examples, Flow, Labeled, ObjectiveError, Show};
use spaxiom_token::{
    ClockedMemory, EventTable, MemoryOptions, SequenceRows, Sites, TokenSequence, TokenWindow, Tokenizer, TokenizerFit,
};

use super::folder::DataFolder;
use super::labeled::LabeledEvent;
use super::part::{self, PartData};
use super::training_data::{ExampleRequest, Learned, SampleRequest, TrainingData, TrainingExamples};
use crate::error::EmbeddingError;

const SECS_PER_DAY: i64 = 86_400;
const NANOS_PER_SEC: i64 = 1_000_000_000;

/// Episodes of events without a label are numbered from here on, each part from its own beginning.
const FIRST_OTHER: u64 = 1 << 40;

/// Events of one or more sites, with what was really going on where that is known.
///
/// Events are kept as columns, which need a fraction of their memory.
#[derive(Debug)]
pub struct Dataset {
    path: PathBuf,
    table: Arc<EventTable>,
    sequences: Vec<SequenceRows>,
    labels: LabelIndex,
    n_rejected: usize,
    n_duplicates: u64,
    n_left_out: u64,
    n_unpaired: usize,
    fingerprint: String,
    sites: Sites,
    registry: String,
}

impl Dataset {
    /// Reads a file, or a folder with `events.jsonl` (also compressed, or Parquet) and perhaps `labels.jsonl` and `site-map.toml`.
    ///
    /// A site map in the options counts before the one of the folder.
    ///
    /// # Errors
    /// [`EmbeddingError::AllRejected`] where no line can be read; single bad lines are counted.
    pub fn load(path: &Path, options: &ReadOptions) -> Result<Self, EmbeddingError> {
        Self::new(path, options, hash)
    }

    /// The same without a fingerprint, for files whose fingerprint is known.
    pub(crate) fn read(path: &Path, options: &ReadOptions) -> Result<Self, EmbeddingError> {
        Self::new(path, options, |_, _, _| String::new())
    }

    fn new(
        path: &Path,
        options: &ReadOptions,
        fingerprint: impl Fn(&EventTable, &[SequenceRows], &[LabelSpan]) -> String,
    ) -> Result<Self, EmbeddingError> {
        let folder = path.is_dir().then(|| DataFolder::new(path));
        let events = folder.as_ref().map_or_else(|| path.to_owned(), DataFolder::events);
        let mut options = options.clone();
        if let Some(map) =
            folder.as_ref().map(DataFolder::site_map).filter(|map| options.site_map.is_none() && map.exists())
        {
            options.site_map = Some(SiteMap::load(&map)?);
        }
        let mut table = EventTable::of_whole_events(SequenceKey::Site);
        let log = read_events(&events, &options, |event| table.push(&event))?;
        if let (true, Some(first)) = (table.is_empty(), log.rejected.first()) {
            return Err(EmbeddingError::AllRejected { path: events, first: first.to_string() });
        }
        let mut spans = log.spans;
        if let Some(labels) = folder.as_ref().map(DataFolder::labels).filter(|labels| labels.exists()) {
            spans.extend(read_labels(&labels)?);
        }
        table.shrink_to_fit();
        let sequences = table.by_sequence();
        Ok(Self {
            path: path.to_owned(),
            fingerprint: fingerprint(&table, &sequences, &spans),
            table: Arc::new(table),
            sequences,
            labels: LabelIndex::new(spans),
            n_rejected: log.rejected.len(),
            n_duplicates: log.n_duplicates,
            n_left_out: log.n_left_out,
            n_unpaired: log.unpaired.len(),
            sites: Sites::new(&options.site_map.clone().unwrap_or_default(), options.time_zone),
            registry: options.registry_fingerprint(),
        })
    }

    /// The whole events of each site, in order of site; they are made one site after the other.
    #[must_use]
    pub fn sequences(&self) -> impl DoubleEndedIterator<Item = EventSequence> {
        self.sequences.iter().filter_map(|sequence| group_by_site(self.table.events(&sequence.rows)).pop())
    }

    /// The tokens of each site.
    #[must_use]
    pub fn tokenize(&self, tokenizer: &Tokenizer) -> Vec<TokenSequence> {
        part::tokenize(&self.table, &self.sequences, tokenizer)
    }

    /// The tokens of one site, by its place among them.
    pub(crate) fn tokenize_site(&self, tokenizer: &Tokenizer, site: usize) -> TokenSequence {
        let tokens = part::tokenize(&self.table, &self.sequences[site..=site], tokenizer).pop();
        tokens.expect("one sequence in, one out")
    }

    /// The sites, in order of their names.
    pub fn site_ids(&self) -> impl Iterator<Item = &SiteId> {
        self.sequences.iter().map(|sequence| &sequence.site_id)
    }

    /// Events as columns, and the rows of each site in order of time.
    pub(crate) fn columns(&self) -> (&EventTable, &[SequenceRows]) {
        (&self.table, &self.sequences)
    }

    /// Number of sites.
    #[must_use]
    pub fn n_sites(&self) -> usize {
        self.sequences.len()
    }

    /// Number of events.
    #[must_use]
    pub fn n_events(&self) -> usize {
        self.table.len()
    }

    /// Number of events of some of the sites.
    #[must_use]
    pub fn n_events_of(&self, is_wanted: impl Fn(&SiteId) -> bool) -> usize {
        let wanted = self.sequences.iter().filter(|sequence| is_wanted(&sequence.site_id));
        wanted.map(|sequence| sequence.rows.len()).sum()
    }

    /// Whether anything is known of what was really going on.
    #[must_use]
    pub fn has_labels(&self) -> bool {
        !self.labels.is_empty()
    }

    /// What was really going on at an event, where that is known.
    pub(crate) fn label_of(&self, event: &Event) -> Option<&str> {
        self.labels.of(event).map(|known| known.label)
    }

    /// Lines that could not be read.
    #[must_use]
    pub fn n_rejected(&self) -> usize {
        self.n_rejected
    }

    /// Events that were left out because one of their site and id was there.
    #[must_use]
    pub fn n_duplicates(&self) -> u64 {
        self.n_duplicates
    }

    /// Values that are in no event: lists, numbers that are none, columns without a place.
    #[must_use]
    pub fn n_left_out(&self) -> u64 {
        self.n_left_out
    }

    /// Activity marks without a partner, which give no label.
    #[must_use]
    pub fn n_unpaired(&self) -> usize {
        self.n_unpaired
    }

    /// A hash of all events and labels as they were understood: another time zone or site map gives another.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The clocks and zones of its sites, as far as a site map says them.
    #[must_use]
    pub fn sites(&self) -> &Sites {
        &self.sites
    }

    /// Fingerprint of the registry that gave attributes their units.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Where it was read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Splits the sites of these data, and the days that have events.
    pub fn split(&self, options: &SplitOptions) -> Result<Split, EmbeddingError> {
        let sites: Vec<&str> = self.sequences.iter().map(|sequence| sequence.site_id.as_str()).collect();
        Ok(Split::new(options, &sites, &self.days().into_iter().collect::<Vec<_>>())?)
    }

    /// The days that have events, counted from 1970-01-01.
    pub(crate) fn days(&self) -> BTreeSet<i64> {
        let day = |row: &u32| self.secs(*row).div_euclid(SECS_PER_DAY);
        self.sequences.iter().flat_map(|sequence| &sequence.rows).map(day).collect()
    }

    /// Whole seconds since 1970 of a row.
    fn secs(&self, row: u32) -> i64 {
        self.table.time_ns(row).div_euclid(NANOS_PER_SEC)
    }

    /// The rows of one part; no event of another part is in them.
    pub(crate) fn rows(&self, split: &Split, part: Part) -> Vec<SequenceRows> {
        let of_part = |sequence: &SequenceRows| {
            let site = sequence.site_id.as_str();
            let rows = sequence.rows.iter().copied().filter(|row| split.part(site, self.secs(*row)) == Some(part));
            SequenceRows { site_id: sequence.site_id.clone(), rows: rows.collect() }
        };
        self.sequences.iter().map(of_part).filter(|sequence| !sequence.rows.is_empty()).collect()
    }

    /// The sequences of one part, whole events.
    #[must_use]
    pub fn part(&self, split: &Split, part: Part) -> Vec<EventSequence> {
        let rows = self.rows(split, part);
        rows.iter().filter_map(|sequence| group_by_site(self.table.events(&sequence.rows)).pop()).collect()
    }

    /// A part as tokens.
    #[must_use]
    pub fn part_data(&self, split: &Split, part: Part, tokenizer: &Tokenizer) -> PartData {
        PartData::new(&self.table, self.rows(split, part), tokenizer)
    }

    /// What a memory says at the moments of some events of a part, given by sequence and event in order; row after row.
    ///
    /// It has seen everything of the site up to that moment, parts that nothing is learned from included.
    #[must_use]
    pub fn remembered(&self, memory: &ClockedMemory, part: &PartData, places: &[(usize, usize)]) -> Vec<f32> {
        let in_sites = self.in_sites(part, places);
        in_sites.into_par_iter().flat_map_iter(|(site, places)| memory.read_rows(&self.table, site, &places)).collect()
    }

    /// Events of a part, given by sequence and event in order, as events of the whole sites.
    pub(crate) fn in_sites(&self, part: &PartData, places: &[(usize, usize)]) -> Vec<(&SequenceRows, Vec<usize>)> {
        let of_sequence = |places: &[(usize, usize)]| {
            let own = part.rows(places[0].0);
            let site = self.sequences.iter().find(|sequence| sequence.site_id == own.site_id);
            let site = site.expect("a part has the sites of its data");
            // Rows of a part are rows of the site in the same order.
            let mut next = 0;
            let place = |&(_, event_idx): &(usize, usize)| {
                let row = own.rows[event_idx];
                next += site.rows[next..].iter().position(|other| *other == row).expect("a row of the site");
                next
            };
            (site, places.iter().map(place).collect())
        };
        places.chunk_by(|a, b| a.0 == b.0).map(of_sequence).collect()
    }

    /// The labels of the training part in order: the classes of a classifier.
    ///
    /// # Errors
    /// [`EmbeddingError::NoLabels`] where there are fewer than two to tell apart.
    pub fn classes(&self, split: &Split) -> Result<Vec<String>, EmbeddingError> {
        let wanted = "a folder with `labels.jsonl`, or CASAS text with activity marks";
        if self.labels.is_empty() {
            return Err(EmbeddingError::NoLabels { path: self.path.clone(), wanted });
        }
        let mut labels: BTreeSet<&str> = BTreeSet::new();
        for SequenceRows { site_id, rows } in &self.rows(split, Part::Train) {
            for (row, entity) in rows.iter().zip(self.table.entities(rows)) {
                let time = DateTime::from_timestamp_nanos(self.table.time_ns(*row));
                let known = self.labels.at(site_id, entity.map(EntityId::from).as_ref(), time);
                labels.extend(known.map(|known| known.label));
            }
        }
        if labels.len() < 2 {
            let wanted = "two labels or more on training days, with the sites of the events";
            return Err(EmbeddingError::NoLabels { path: self.path.clone(), wanted });
        }
        Ok(labels.into_iter().map(String::from).collect())
    }

    /// The labeled events of a part; those of an episode that reaches into another part are left out.
    ///
    /// An event of which nobody said what was going on has no label: it is no class, and is found by no query.
    #[must_use]
    pub fn labeled(
        &self,
        split: &Split,
        part: Part,
        data: &PartData,
        classes: &[String],
        max_len: usize,
    ) -> Vec<LabeledEvent> {
        self.labeled_or(None, split, part, data, classes, max_len)
    }

    /// The same with events of which nobody said what was going on as those of a class of their own, if one is given;
    /// what comes between two labeled events is one episode of it.
    pub(crate) fn labeled_or(
        &self,
        other: Option<usize>,
        split: &Split,
        part: Part,
        data: &PartData,
        classes: &[String],
        max_len: usize,
    ) -> Vec<LabeledEvent> {
        let mut labeled = Vec::new();
        let (mut n_others, mut is_other) = (0, false);
        // Labels that training never saw are classes of their own that nothing predicts.
        let mut unseen: BTreeMap<&str, usize> = BTreeMap::new();
        for (sequence_idx, tokens) in data.tokens.iter().enumerate() {
            let site = data.site_id(sequence_idx);
            for (event_idx, entity) in data.entities(sequence_idx).enumerate() {
                let time = data.time((sequence_idx, event_idx));
                let first = tokens.first_of_context(event_idx, max_len);
                let start = data.time((sequence_idx, first));
                let Some(known) = self.labels.at(site, entity.map(EntityId::from).as_ref(), time) else {
                    if let Some(class) = other {
                        n_others += u64::from(!is_other);
                        let episode = FIRST_OTHER + n_others;
                        labeled.push(LabeledEvent { sequence_idx, event_idx, class, episode, start, time });
                    }
                    is_other = true;
                    continue;
                };
                is_other = false;
                let is_inside = |time: DateTime<Utc>| split.part(site.as_str(), time.timestamp()) == Some(part);
                if !is_inside(known.span.start) || !is_inside(known.span.end) {
                    continue;
                }
                let class = classes.binary_search_by(|class| class.as_str().cmp(known.label));
                let n_known = classes.len() + unseen.len();
                let class = class.unwrap_or_else(|_| *unseen.entry(known.label).or_insert(n_known));
                labeled.push(LabeledEvent {
                    sequence_idx,
                    event_idx,
                    class,
                    episode: known.episode as u64,
                    start,
                    time,
                });
            }
        }
        labeled
    }
}

impl TrainingData for Dataset {
    fn path(&self) -> &Path {
        self.path()
    }

    fn is_in_memory(&self) -> bool {
        true
    }

    fn fingerprint(&self) -> &str {
        self.fingerprint()
    }

    fn sites(&self) -> &Sites {
        self.sites()
    }

    fn registry(&self) -> &str {
        self.registry()
    }

    fn split(&self, options: &SplitOptions) -> Result<Split, EmbeddingError> {
        self.split(options)
    }

    fn fit(&self, fit: &TokenizerFit, memory: &MemoryOptions, split: &Split) -> Result<Learned, EmbeddingError> {
        let rows = self.rows(split, Part::Train);
        Learned::of(fit, memory, &self.table.select(rows.iter().flat_map(|sequence| sequence.rows.iter().copied())))
    }

    fn all_columns(&self) -> Option<(&EventTable, &[SequenceRows])> {
        Some(self.columns())
    }

    fn sample(
        &self,
        request: &SampleRequest<'_>,
        show: &mut dyn FnMut(&[TokenWindow<'_>], Vec<f32>),
    ) -> Result<(), EmbeddingError> {
        let SampleRequest { split, tokenizer, memory, max_len, n_events } = *request;
        let part = self.part_data(split, Part::Train, tokenizer);
        let places: Vec<(usize, usize)> = part.places().collect();
        let places: Vec<(usize, usize)> =
            places.iter().copied().step_by(places.len().div_ceil(n_events).max(1)).collect();
        let windows: Vec<TokenWindow<'_>> = places.iter().map(|place| part.context(*place, max_len)).collect();
        show(&windows, self.remembered(memory, &part, &places));
        Ok(())
    }

    fn classes(&self, split: &Split) -> Result<Vec<String>, EmbeddingError> {
        self.classes(split)
    }

    fn part_data(&self, split: &Split, part: Part, tokenizer: &Tokenizer) -> Result<PartData, EmbeddingError> {
        Ok(self.part_data(split, part, tokenizer))
    }

    fn labeled(&self, request: &ExampleRequest<'_>, part: Part, data: &PartData) -> Vec<LabeledEvent> {
        self.labeled(request.split, part, data, request.classes, request.max_len)
    }

    fn training_examples<'a>(&'a self, request: ExampleRequest<'a>) -> Result<TrainingExamples<'a>, EmbeddingError> {
        let part = request.with_moments(self.part_data(request.split, Part::Train, request.tokenizer));
        let Some(options) = &request.objectives.classify else {
            let examples = Box::new(AllWindows { part, request });
            return Ok(TrainingExamples { examples, class_counts: Vec::new() });
        };
        let labeled = TrainingData::labeled(self, &request, Part::Train, &part);
        let mut class_counts = vec![0; request.classes.len()];
        for event in labeled.iter().filter(|event| event.class < request.classes.len()) {
            class_counts[event.class] += 1;
        }
        let examples = Box::new(LabeledWindows { part, labeled, per_epoch: options.examples_per_epoch, request });
        Ok(TrainingExamples { examples, class_counts })
    }
}

/// The windows of the training split.
struct AllWindows<'a> {
    part: PartData,
    request: ExampleRequest<'a>,
}

impl Examples for AllWindows<'_> {
    fn epoch(&self, rng: &mut ChaCha8Rng, show: &mut Show<'_>) -> Result<Flow, ObjectiveError> {
        self.part.windows(self.request.max_len, self.request.needs_events()).epoch(rng, show)
    }
}

/// The contexts of the labeled events of the training split.
struct LabeledWindows<'a> {
    part: PartData,
    labeled: Vec<LabeledEvent>,
    per_epoch: usize,
    request: ExampleRequest<'a>,
}

impl Examples for LabeledWindows<'_> {
    fn epoch(&self, rng: &mut ChaCha8Rng, show: &mut Show<'_>) -> Result<Flow, ObjectiveError> {
        let examples = self.request.labeled_examples(&self.part, &self.labeled);
        Labeled::new(examples, self.per_epoch).epoch(rng, show)
    }
}

fn hash(table: &EventTable, sequences: &[SequenceRows], spans: &[LabelSpan]) -> String {
    let mut hash = Sha256::new();
    for event in sequences.iter().flat_map(|sequence| table.events(&sequence.rows)) {
        hash.update(serde_json::to_vec(&event).expect("an event is plain data"));
    }
    for span in spans {
        hash.update(serde_json::to_vec(span).expect("a span is plain data"));
    }
    hex(&hash.finalize()[..8])
}
