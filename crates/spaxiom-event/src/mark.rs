//! Marks that an annotator wrote beside events, to spans.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::ids::SiteId;
use crate::label::LabelSpan;
use crate::source::{ActivityMark, MarkEdge};

/// A begin that never ended, or an end that never began; it makes no span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{activity}` {missing} at {time} has no partner", missing = match edge { MarkEdge::End => "end", _ => "begin" })]
pub struct UnpairedMark {
    /// The name of the activity.
    pub activity: String,
    /// The edge that is there.
    pub edge: MarkEdge,
    /// When.
    pub time: DateTime<Utc>,
}

/// Joins begins and ends, and runs of events with one activity, to spans.
#[derive(Debug, Default)]
pub struct SpanBuilder {
    open: BTreeMap<(SiteId, String), DateTime<Utc>>,
    runs: BTreeMap<SiteId, Run>,
    n_spans: usize,
    spans: Vec<LabelSpan>,
    unpaired: Vec<UnpairedMark>,
}

/// Events of one activity after one another.
#[derive(Debug)]
struct Run {
    activity: String,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl SpanBuilder {
    /// Takes the mark of the next event of a site.
    pub fn push(&mut self, site_id: &SiteId, mark: ActivityMark) {
        let ActivityMark { activity, edge, time } = mark;
        match edge {
            MarkEdge::Begin => {
                if let Some(time) = self.open.insert((site_id.clone(), activity.clone()), time) {
                    self.unpaired.push(UnpairedMark { activity, edge, time });
                }
            }
            MarkEdge::End => match self.open.remove(&(site_id.clone(), activity.clone())) {
                Some(start) => self.close(site_id, activity, start, time),
                None => self.unpaired.push(UnpairedMark { activity, edge, time }),
            },
            MarkEdge::Within => self.extend_run(site_id, activity, time),
        }
    }

    /// The spans in order of their ends, and the marks without a partner in order of time.
    #[must_use]
    pub fn finish(mut self) -> (Vec<LabelSpan>, Vec<UnpairedMark>) {
        for (site_id, Run { activity, start, end }) in std::mem::take(&mut self.runs) {
            self.close(&site_id, activity, start, end);
        }
        let never_ended =
            self.open.into_iter().map(|((_, activity), time)| UnpairedMark { activity, edge: MarkEdge::Begin, time });
        self.unpaired.extend(never_ended);
        self.unpaired.sort_by_key(|mark| mark.time);
        (self.spans, self.unpaired)
    }

    fn extend_run(&mut self, site_id: &SiteId, activity: String, time: DateTime<Utc>) {
        match self.runs.get_mut(site_id) {
            Some(run) if run.activity == activity => {
                // A reading that came late belongs to the run, which does not get shorter by it.
                run.start = run.start.min(time);
                run.end = run.end.max(time);
            }
            _ => {
                let run = Run { activity, start: time, end: time };
                if let Some(Run { activity, start, end }) = self.runs.insert(site_id.clone(), run) {
                    self.close(site_id, activity, start, end);
                }
            }
        }
    }

    fn close(&mut self, site_id: &SiteId, label: String, start: DateTime<Utc>, end: DateTime<Utc>) {
        let episode_id = format!("{site_id}-{}", self.n_spans);
        self.n_spans += 1;
        self.spans.push(LabelSpan { site_id: site_id.clone(), entity_id: None, episode_id, label, start, end });
    }
}
