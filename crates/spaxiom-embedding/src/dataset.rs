//! A data set: events with labels, cut into parts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, Utc};
use sha2::{Digest, Sha256};
use spaxiom_eval::{Part, Split, SplitOptions};
use spaxiom_event::{EventSequence, LabelIndex, ReadOptions, group_by_site, read_labels, read_log};
use spaxiom_token::{TokenSequence, TokenWindow, Tokenizer};

use crate::error::EmbeddingError;
use crate::files;

const EVENTS: &str = "events.jsonl";
const LABELS: &str = "labels.jsonl";

/// Events of one or more sites, with what was really going on where that is known.
#[derive(Debug)]
pub struct Dataset {
    path: PathBuf,
    sequences: Vec<EventSequence>,
    labels: LabelIndex,
    n_rejected: usize,
    fingerprint: String,
}

impl Dataset {
    /// Reads a file, or a folder with `events.jsonl` and perhaps `labels.jsonl`.
    ///
    /// # Errors
    /// [`EmbeddingError::AllRejected`] where no line can be read; single bad lines are counted.
    pub fn load(path: &Path, options: &ReadOptions) -> Result<Self, EmbeddingError> {
        let is_folder = path.is_dir();
        let events = if is_folder { path.join(EVENTS) } else { path.to_owned() };
        let log = read_log(&events, options)?;
        if let (true, Some(first)) = (log.events.is_empty(), log.rejected.first()) {
            return Err(EmbeddingError::AllRejected { path: events, first: first.to_string() });
        }
        let mut spans = log.spans;
        let label_file = path.join(LABELS);
        if is_folder && label_file.exists() {
            spans.extend(read_labels(&label_file)?);
        }
        Ok(Self {
            path: path.to_owned(),
            sequences: group_by_site(log.events),
            labels: LabelIndex::new(spans),
            n_rejected: log.rejected.len(),
            fingerprint: fingerprint(&events)?,
        })
    }

    /// One sequence per site, whole.
    #[must_use]
    pub fn sequences(&self) -> &[EventSequence] {
        &self.sequences
    }

    /// Number of events.
    #[must_use]
    pub fn n_events(&self) -> usize {
        self.sequences.iter().map(|sequence| sequence.events().len()).sum()
    }

    /// Lines that could not be read.
    #[must_use]
    pub fn n_rejected(&self) -> usize {
        self.n_rejected
    }

    /// A hash of the event file.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Where it was read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Splits the sites and days of these data.
    pub fn split(&self, options: &SplitOptions) -> Result<Split, EmbeddingError> {
        let sites: Vec<&str> = self.sequences.iter().map(|sequence| sequence.site_id().as_str()).collect();
        let days = || self.sequences.iter().flat_map(EventSequence::events).map(|event| day(event.time));
        let (first, last) = days().min().zip(days().max()).unwrap_or((0, 0));
        Ok(Split::new(options, &sites, first, last)?)
    }

    /// The sequences of one part; no event of another part is in them.
    #[must_use]
    pub fn part(&self, split: &Split, part: Part) -> Vec<EventSequence> {
        self.sequences
            .iter()
            .map(|sequence| {
                let site = sequence.site_id().as_str();
                sequence.filtered(|event| split.part(site, day(event.time)) == Some(part))
            })
            .filter(|sequence| !sequence.events().is_empty())
            .collect()
    }

    /// A part as tokens.
    #[must_use]
    pub fn part_data(&self, split: &Split, part: Part, tokenizer: &Tokenizer) -> PartData {
        let sequences = self.part(split, part);
        let tokens = sequences.iter().map(|sequence| tokenizer.tokenize(sequence)).collect();
        PartData { sequences, tokens }
    }

    /// The labels of the training part in order: the classes of a classifier.
    ///
    /// # Errors
    /// [`EmbeddingError::NoLabels`] where the data have none.
    pub fn classes(&self, split: &Split) -> Result<Vec<String>, EmbeddingError> {
        let wanted = "a folder with `labels.jsonl`, or CASAS text with activity marks";
        if self.labels.is_empty() {
            return Err(EmbeddingError::NoLabels { path: self.path.clone(), wanted });
        }
        let train = self.part(split, Part::Train);
        let labels: BTreeSet<&str> =
            train.iter().flat_map(EventSequence::events).map(|event| self.labels.of(event).label).collect();
        Ok(labels.into_iter().map(String::from).collect())
    }

    /// The labelled events of a part; those of an episode that reaches into another part are left out.
    #[must_use]
    pub fn labelled(&self, split: &Split, part: Part, data: &PartData, classes: &[String]) -> LabelledPart {
        let mut labelled = LabelledPart::default();
        for (sequence_idx, sequence) in data.sequences.iter().enumerate() {
            let site = sequence.site_id().as_str();
            for (event_idx, event) in sequence.events().iter().enumerate() {
                let known = self.labels.of(event);
                let is_inside = |time| split.part(site, day(time)) == Some(part);
                if known.span.is_some_and(|span| !is_inside(span.start) || !is_inside(span.end)) {
                    continue;
                }
                let class = classes.binary_search_by(|class| class.as_str().cmp(known.label));
                labelled.places.push((sequence_idx, event_idx));
                // A label that training never saw is a class that nothing predicts.
                labelled.classes.push(class.unwrap_or(classes.len()));
                labelled.episodes.push((sequence_idx as u64) << 32 | known.stretch as u64);
                labelled.sites.push(sequence_idx);
                labelled.times.push(event.time);
            }
        }
        labelled
    }
}

/// A part of a data set: its events, and their tokens.
#[derive(Debug)]
pub struct PartData {
    /// One per site.
    pub sequences: Vec<EventSequence>,
    /// One per site.
    pub tokens: Vec<TokenSequence>,
}

impl PartData {
    /// The context of an event.
    #[must_use]
    pub fn context(&self, (sequence_idx, event_idx): (usize, usize), max_len: usize) -> TokenWindow<'_> {
        self.tokens[sequence_idx].context(event_idx, max_len)
    }
}

/// Labelled events of a part, side by side.
#[derive(Debug, Clone, Default)]
pub struct LabelledPart {
    /// Sequence and event within the part.
    pub places: Vec<(usize, usize)>,
    /// The class of each, or the number of classes where training never saw its label.
    pub classes: Vec<usize>,
    /// The episode of each; events of one episode are not independent.
    pub episodes: Vec<u64>,
    /// The site of each.
    pub sites: Vec<usize>,
    /// The time of each.
    pub times: Vec<DateTime<Utc>>,
}

impl LabelledPart {
    /// At most `n` of them, evenly spread.
    #[must_use]
    pub fn spread(&self, n: usize) -> Self {
        let len = self.places.len();
        let mut chosen = Self::default();
        for i in (0..len.min(n)).map(|i| i * len / len.min(n)) {
            chosen.places.push(self.places[i]);
            chosen.classes.push(self.classes[i]);
            chosen.episodes.push(self.episodes[i]);
            chosen.sites.push(self.sites[i]);
            chosen.times.push(self.times[i]);
        }
        chosen
    }
}

fn day(time: DateTime<Utc>) -> i64 {
    i64::from(time.date_naive().num_days_from_ce())
}

fn fingerprint(path: &Path) -> Result<String, EmbeddingError> {
    let digest = Sha256::digest(fs_err::read(path)?);
    Ok(files::hex(&digest[..8]))
}
