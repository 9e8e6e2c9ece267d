//! What was really going on: spans of time at a site, kept apart from the events.

mod truth;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::EventError;
use crate::event::Event;
use crate::ids::{EntityId, SiteId};

pub use truth::{DecisionOutcome, DecisionPoint, EntityRecord, RelevanceRecord, read_records, write_records};

/// One episode: an activity in a home, a hidden cause in a simulated site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelSpan {
    /// Where.
    pub site_id: SiteId,
    /// Whom it is about; none for everybody at the site.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entity_id: Option<EntityId>,
    /// Unique over all sites; two spans with one id are parts of one episode.
    pub episode_id: String,
    /// The activity or cause.
    pub label: String,
    /// First instant that belongs to it.
    pub start: DateTime<Utc>,
    /// Last instant that belongs to it.
    pub end: DateTime<Utc>,
}

/// What was going on when an event happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownLabel<'a> {
    /// The activity or cause.
    pub label: &'a str,
    /// The span that the event lies in.
    pub span: &'a LabelSpan,
    /// Counts the episodes of all sites: two spans with one id at one site have one number.
    pub episode: usize,
}

/// Finds the span of an event.
///
/// Where spans of a site overlap, the one that started last counts, as long as it lasts;
/// one about the event's own entity counts before those about everybody.
#[derive(Debug, Clone, Default)]
pub struct LabelIndex {
    sites: BTreeMap<SiteId, BTreeMap<Option<EntityId>, SiteSpans>>,
}

/// The spans of an entity, or of all of a site, in order of their starts.
#[derive(Debug, Clone, Default)]
struct SiteSpans {
    spans: Vec<LabelSpan>,
    episodes: Vec<usize>,
    /// The latest end of a span and of all before it: where to stop looking back.
    latest_ends: Vec<DateTime<Utc>>,
}

impl LabelIndex {
    /// Orders the spans by site and start.
    #[must_use]
    pub fn new(mut spans: Vec<LabelSpan>) -> Self {
        spans.sort_by(|a, b| (&a.site_id, a.start).cmp(&(&b.site_id, b.start)));
        let mut numbers: BTreeMap<(SiteId, String), usize> = BTreeMap::new();
        let mut sites: BTreeMap<SiteId, BTreeMap<Option<EntityId>, SiteSpans>> = BTreeMap::new();
        for span in spans {
            let n_known = numbers.len();
            let episode = *numbers.entry((span.site_id.clone(), span.episode_id.clone())).or_insert(n_known);
            let site = sites.entry(span.site_id.clone()).or_default().entry(span.entity_id.clone()).or_default();
            let latest = site.latest_ends.last().map_or(span.end, |latest| span.end.max(*latest));
            site.latest_ends.push(latest);
            site.episodes.push(episode);
            site.spans.push(span);
        }
        Self { sites }
    }

    /// Whether there is any span.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// What was going on at the time and site of `event`, where that is known.
    #[must_use]
    pub fn of(&self, event: &Event) -> Option<KnownLabel<'_>> {
        self.at(&event.site_id, event.entity_id.as_ref(), event.time)
    }

    /// What was going on at a site and time, for an entity or for all, where that is known.
    #[must_use]
    pub fn at(&self, site: &SiteId, entity: Option<&EntityId>, time: DateTime<Utc>) -> Option<KnownLabel<'_>> {
        let site = self.sites.get(site)?;
        let of_entity = entity.and_then(|entity| site.get(&Some(entity.clone()))?.at(time));
        of_entity.or_else(|| site.get(&None)?.at(time))
    }
}

impl SiteSpans {
    fn at(&self, time: DateTime<Utc>) -> Option<KnownLabel<'_>> {
        let Self { spans, episodes, latest_ends } = self;
        let n_started = spans.partition_point(|span| span.start <= time);
        for at in (0..n_started).rev() {
            if latest_ends[at] < time {
                return None;
            }
            if time <= spans[at].end {
                return Some(KnownLabel { label: &spans[at].label, span: &spans[at], episode: episodes[at] });
            }
        }
        None
    }
}

/// Reads a label file: one [`LabelSpan`] per line.
pub fn read_labels(path: &Path) -> Result<Vec<LabelSpan>, EventError> {
    let spans: Vec<LabelSpan> = read_records(path)?;
    for (line, span) in (1..).zip(&spans) {
        if span.end < span.start {
            let message = format_args!("it ends at {} before it starts at {}", span.end, span.start);
            let source = serde::de::Error::custom(message);
            return Err(EventError::Label { path: path.to_owned(), line, source });
        }
    }
    Ok(spans)
}

/// Writes a label file.
pub fn write_labels(out: impl Write, spans: &[LabelSpan]) -> Result<(), EventError> {
    write_records(out, spans)
}
