//! What was really going on: spans of time at a site, kept apart from the events.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::EventError;
use crate::event::Event;
use crate::ids::SiteId;

/// The label of events outside every span.
pub const UNLABELLED: &str = "Other";

/// One episode: an activity in a home, a hidden cause in a simulated site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelSpan {
    /// Where.
    pub site_id: SiteId,
    /// Unique over all sites; two spans with one id are parts of one episode.
    pub episode_id: String,
    /// The activity or cause.
    pub label: String,
    /// First instant that belongs to it.
    pub start: DateTime<Utc>,
    /// Last instant that belongs to it.
    pub end: DateTime<Utc>,
}

/// The label of one event with the stretch of time that shares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labelled<'a> {
    /// The activity, the cause, or [`UNLABELLED`].
    pub label: &'a str,
    /// The span, or none between spans.
    pub span: Option<&'a LabelSpan>,
    /// Counts the stretches of a site: two events with one number belong to one episode or one pause between episodes.
    pub stretch: usize,
}

/// Finds the span of an event.
///
/// Where spans of a site overlap, the one that started last wins.
#[derive(Debug, Clone, Default)]
pub struct LabelIndex {
    sites: BTreeMap<SiteId, Vec<LabelSpan>>,
}

impl LabelIndex {
    /// Orders the spans by site and start.
    #[must_use]
    pub fn new(spans: Vec<LabelSpan>) -> Self {
        let mut sites: BTreeMap<SiteId, Vec<LabelSpan>> = BTreeMap::new();
        for span in spans {
            sites.entry(span.site_id.clone()).or_default().push(span);
        }
        for spans in sites.values_mut() {
            spans.sort_by_key(|span| span.start);
        }
        Self { sites }
    }

    /// Whether there is any span.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// What is known of the time and place of `event`.
    #[must_use]
    pub fn of(&self, event: &Event) -> Labelled<'_> {
        let spans = self.sites.get(&event.site_id).map_or(&[][..], Vec::as_slice);
        let n_started = spans.partition_point(|span| span.start <= event.time);
        let last = n_started.checked_sub(1).map(|last| &spans[last]);
        match last.filter(|span| event.time <= span.end) {
            Some(span) => Labelled { label: &span.label, span: Some(span), stretch: 2 * n_started - 1 },
            None => Labelled { label: UNLABELLED, span: None, stretch: 2 * n_started },
        }
    }
}

/// Reads a label file: one [`LabelSpan`] per line.
pub fn read_labels(path: &Path) -> Result<Vec<LabelSpan>, EventError> {
    let mut spans = Vec::new();
    for (line, text) in (1..).zip(BufReader::new(fs_err::File::open(path)?).lines()) {
        let span =
            serde_json::from_str(&text?).map_err(|source| EventError::Label { path: path.to_owned(), line, source })?;
        spans.push(span);
    }
    Ok(spans)
}

/// Writes a label file.
pub fn write_labels(mut out: impl Write, spans: &[LabelSpan]) -> Result<(), EventError> {
    for span in spans {
        serde_json::to_writer(&mut out, span).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
