//! `check`: reads, validates and counts events, and says which lines are bad and why.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;
use spaxiom_embedding::{EventLog, read_log};

use crate::args::CheckArgs;
use crate::exit::Exit;
use crate::output;

/// Bad lines that are listed; all are counted.
const N_LISTED: usize = 20;

/// What the files hold together.
#[derive(Debug, Default, Serialize)]
struct Counts {
    events: usize,
    rejected: usize,
    types: BTreeMap<String, usize>,
    zones: BTreeMap<String, usize>,
    sites: BTreeMap<String, usize>,
    first: Option<String>,
    last: Option<String>,
    labelled_spans: usize,
    unpaired_marks: Vec<String>,
    reasons: Vec<String>,
}

pub(crate) fn run(args: &CheckArgs, json: bool) -> anyhow::Result<Exit> {
    let CheckArgs { input, format, strict } = args;
    let mut counts = Counts::default();
    for path in input {
        let log = read_log(path, format.format())?;
        counts.add(&path.display().to_string(), &log);
    }
    if json {
        output::json(&counts)?;
    } else {
        output::text(&counts.to_text());
    }
    Ok(match (counts.rejected, strict) {
        (0, _) => Exit::Done,
        (_, true) => Exit::Failed,
        (_, false) => Exit::SomeRejected,
    })
}

impl Counts {
    fn add(&mut self, path: &str, log: &EventLog) {
        self.events += log.events.len();
        self.rejected += log.rejected.len();
        self.labelled_spans += log.spans.len();
        for event in &log.events {
            *self.types.entry(event.kind.to_string()).or_default() += 1;
            *self.sites.entry(event.site_id.to_string()).or_default() += 1;
            if let Some(zone) = &event.zone {
                *self.zones.entry(zone.to_string()).or_default() += 1;
            }
        }
        let times = log.events.first().zip(log.events.last());
        if let Some((first, last)) = times {
            // RFC 3339 in UTC sorts as text.
            let (first, last) = (first.time.to_rfc3339(), last.time.to_rfc3339());
            self.first = Some(self.first.take().map_or(first.clone(), |earlier| earlier.min(first)));
            self.last = Some(self.last.take().map_or(last.clone(), |later| later.max(last)));
        }
        self.unpaired_marks.extend(log.unpaired.iter().map(|mark| format!("{path}: {mark}")));
        let n_more = N_LISTED.saturating_sub(self.reasons.len());
        self.reasons.extend(log.rejected.iter().take(n_more).map(|rejected| format!("{path}: {rejected}")));
    }

    fn to_text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{} events, {} lines rejected, {} labelled spans",
            self.events, self.rejected, self.labelled_spans
        );
        if let (Some(first), Some(last)) = (&self.first, &self.last) {
            let _ = writeln!(text, "from {first} to {last}");
        }
        for (name, counts) in [("sites", &self.sites), ("types", &self.types), ("zones", &self.zones)] {
            let listed: Vec<String> = counts.iter().map(|(value, n)| format!("{value} {n}")).collect();
            let _ = writeln!(text, "{} {name}: {}", counts.len(), listed.join(", "));
        }
        for mark in &self.unpaired_marks {
            let _ = writeln!(text, "unpaired mark: {mark}");
        }
        for reason in &self.reasons {
            let _ = writeln!(text, "rejected: {reason}");
        }
        if self.rejected > self.reasons.len() {
            let _ = writeln!(text, "and {} more", self.rejected - self.reasons.len());
        }
        text
    }
}
