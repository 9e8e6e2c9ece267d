//! What was really going on: spans of time at a site, kept apart from the events.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::error::EventError;
use crate::event::Event;
use crate::ids::SiteId;

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
/// Where spans of a site overlap, the one that started last counts, as long as it lasts.
#[derive(Debug, Clone, Default)]
pub struct LabelIndex {
    sites: BTreeMap<SiteId, SiteSpans>,
}

/// The spans of a site in order of their starts.
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
        let mut sites: BTreeMap<SiteId, SiteSpans> = BTreeMap::new();
        for span in spans {
            let n_known = numbers.len();
            let episode = *numbers.entry((span.site_id.clone(), span.episode_id.clone())).or_insert(n_known);
            let site = sites.entry(span.site_id.clone()).or_default();
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
        let SiteSpans { spans, episodes, latest_ends } = self.sites.get(&event.site_id)?;
        let n_started = spans.partition_point(|span| span.start <= event.time);
        for at in (0..n_started).rev() {
            if latest_ends[at] < event.time {
                return None;
            }
            if event.time <= spans[at].end {
                return Some(KnownLabel { label: &spans[at].label, span: &spans[at], episode: episodes[at] });
            }
        }
        None
    }
}

/// Reads a label file: one [`LabelSpan`] per line.
pub fn read_labels(path: &Path) -> Result<Vec<LabelSpan>, EventError> {
    let mut spans = Vec::new();
    for (line, text) in (1..).zip(BufReader::new(fs_err::File::open(path)?).lines()) {
        let damaged = |source| EventError::Label { path: path.to_owned(), line, source };
        let span: LabelSpan = serde_json::from_str(&text?).map_err(damaged)?;
        if span.end < span.start {
            let message = format_args!("it ends at {} before it starts at {}", span.end, span.start);
            return Err(damaged(serde::de::Error::custom(message)));
        }
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
