//! `check`: reads, validates and counts events, says which lines are bad and what is odd about the rest.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use spaxiom_embedding::{Doctor, DoctorOptions, Health, ReadOptions, Record, Registry, Rejected, SpanBuilder};

use crate::args::ReadArgs;
use crate::exit::Exit;
use crate::input::{Inputs, Quarantine};
use crate::output;

/// Bad lines that are listed; all are counted.
const N_LISTED: usize = 20;

/// Findings of one kind that are listed: in a building with many empty rooms each looks like a dead sensor.
const N_ALIKE: usize = 5;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask check data/warehouse --json\n  \
    cargo xtask check home.txt.gz --format casas --time-zone America/Los_Angeles --quarantine bad.jsonl\n  \
    cargo xtask check home-assistant_v2.db --time-zone Europe/Berlin\n  \
    cargo xtask check mqtt.txt --mapping zigbee2mqtt\n  \
    cargo xtask check tags.csv --columns \"time=timestamp[ticks],type='TagRead',x=x,y=y,label=activity\"\n\n\
    Exit code 3: read, but some lines were rejected (with --strict: 1).")]
pub(crate) struct CheckArgs {
    /// Files of events, folders of such files, or - for standard input
    #[arg(required = true)]
    pub(crate) input: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// Keep every rejected line here, as JSON lines with path, line, offset, reason and raw text
    #[arg(long, value_name = "FILE")]
    pub(crate) quarantine: Option<PathBuf>,
    /// Seconds by which an event may be older than the newest one of its site
    #[arg(long, value_name = "SECS", default_value_t = 60.0)]
    pub(crate) allowed_lateness: f64,
    /// Events of one sensor in a minute above which it chatters
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) chatter_per_min: u32,
    /// Fail when a line is rejected
    #[arg(long)]
    pub(crate) strict: bool,
}

/// The kind of the findings that say what is in no event.
const LEFT_OUT: &str = "left-out";

/// Why lines were rejected: one entry for all that are alike.
#[derive(Debug, Default)]
struct Reasons {
    entries: Vec<Reason>,
    places: HashMap<String, usize>,
}

#[derive(Debug)]
struct Reason {
    first: String,
    n_more: u64,
    last_line: u64,
}

impl Reasons {
    fn push(&mut self, path: &str, rejected: &Rejected) {
        let message = rejected.reason.to_string();
        // What was found differs from line to line, what was wanted does not.
        let wanted = message.split("got `").next().unwrap_or_default();
        let key = format!("{path}\n{wanted}");
        if let Some(place) = self.places.get(&key) {
            let Reason { n_more, last_line, .. } = &mut self.entries[*place];
            (*n_more, *last_line) = (*n_more + 1, rejected.line);
        } else if self.entries.len() < N_LISTED {
            self.places.insert(key, self.entries.len());
            let first = format!("{path}: {rejected}");
            self.entries.push(Reason { first, n_more: 0, last_line: rejected.line });
        }
    }

    fn listed(self) -> Vec<String> {
        let told = |Reason { first, n_more, last_line }: Reason| match n_more {
            0 => first,
            n => format!("{first} (and {n} more like this, the last in line {last_line})"),
        };
        self.entries.into_iter().map(told).collect()
    }
}

/// What the inputs hold together.
#[derive(Debug, Serialize)]
struct Report {
    #[serde(flatten)]
    health: Health,
    files: BTreeMap<&'static str, u64>,
    rejected: u64,
    skipped: BTreeMap<&'static str, u64>,
    activities: BTreeMap<String, u64>,
    labelled_spans: u64,
    unpaired_marks: Vec<String>,
    reasons: Vec<String>,
}

pub(crate) fn run(args: &CheckArgs, json: bool) -> anyhow::Result<Exit> {
    let CheckArgs { input, read, quarantine, allowed_lateness, chatter_per_min, strict } = args;
    let options = read.options()?;
    let doctor = DoctorOptions {
        allowed_lateness_secs: *allowed_lateness,
        chatter_per_min: *chatter_per_min,
        ..DoctorOptions::default()
    };
    let inputs = Inputs::new(input)?;
    let report = examine(&inputs, &options, doctor, Quarantine::open(quarantine.as_deref())?)?;
    if json {
        output::json(&report)?;
    } else {
        output::text(&report.to_text());
    }
    Ok(Exit::of_rejected(report.rejected, *strict))
}

fn examine(
    inputs: &Inputs,
    options: &ReadOptions,
    doctor: DoctorOptions,
    mut quarantine: Quarantine,
) -> anyhow::Result<Report> {
    let registry = options.registry.clone().unwrap_or_else(|| Registry::built_in().clone());
    let mut doctor = Doctor::new(doctor, registry, options.site_map.clone().unwrap_or_default());
    let (mut files, mut skipped, mut activities) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let (mut labelled_spans, mut unpaired_marks, mut reasons) = (0, Vec::new(), Reasons::default());
    let mut findings = Vec::new();
    for (path, reader) in inputs.open(options) {
        let mut reader = reader?;
        *files.entry(reader.format_name()).or_default() += 1;
        let mut spans = SpanBuilder::default();
        for record in &mut reader {
            match record {
                Ok(Record { event, mark, .. }) => {
                    doctor.observe(&event);
                    if let Some(mark) = mark {
                        spans.push(&event.site_id, mark);
                    }
                }
                Err(rejected) => {
                    reasons.push(&path, &rejected);
                    quarantine.rejected(&path, &rejected)?;
                }
            }
        }
        findings.extend(reader.findings());
        for (reason, n) in reader.skipped() {
            *skipped.entry(*reason).or_default() += n;
        }
        let (spans, unpaired) = spans.finish();
        labelled_spans += spans.len() as u64;
        for span in spans {
            *activities.entry(span.label).or_default() += 1;
        }
        unpaired_marks.extend(unpaired.iter().map(|mark| format!("{path}: {mark}")));
    }
    let rejected = quarantine.finish()?;
    let mut health = doctor.finish();
    // What was done to the input comes before what the events say.
    findings.append(&mut health.findings);
    findings.sort_by_key(|finding| finding.kind != LEFT_OUT);
    health.findings = findings;
    let reasons = reasons.listed();
    Ok(Report { health, files, rejected, skipped, activities, labelled_spans, unpaired_marks, reasons })
}

impl Report {
    fn to_text(&self) -> String {
        let Self { health, files, rejected, skipped, activities, labelled_spans, unpaired_marks, reasons } = self;
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{} events, {rejected} lines rejected, {labelled_spans} labeled spans ({})",
            health.events,
            counted(files.iter().map(|(format, n)| (*format, *n)))
        );
        if let (Some(first), Some(last)) = (health.first, health.last) {
            let days = (last - first).as_seconds_f64() / 86_400.0;
            let _ = writeln!(text, "from {} to {}, {days:.1} days", first.to_rfc3339(), last.to_rfc3339());
        }
        let lists =
            [("sites", &health.sites), ("types", &health.types), ("zones", &health.zones), ("activities", activities)];
        for (name, counts) in lists.into_iter().filter(|(_, counts)| !counts.is_empty()) {
            let listed = counted(counts.iter().map(|(value, n)| (value.as_str(), *n)));
            let _ = writeln!(text, "{} {name}: {listed}", counts.len());
        }
        if !skipped.is_empty() {
            let _ =
                writeln!(text, "lines without an event: {}", counted(skipped.iter().map(|(reason, n)| (*reason, *n))));
        }
        for alike in health.findings.chunk_by(|a, b| a.kind == b.kind) {
            for finding in alike.iter().take(N_ALIKE) {
                let _ = writeln!(text, "{}: {}\n  {}", finding.kind, finding.detail, finding.advice);
            }
            if let Some(n_more) = alike.len().checked_sub(N_ALIKE).filter(|n_more| *n_more > 0) {
                let _ = writeln!(text, "{}: and {n_more} more; `--json` lists them all", alike[0].kind);
            }
        }
        for mark in unpaired_marks.iter().take(N_LISTED) {
            let _ = writeln!(text, "unpaired mark: {mark}");
        }
        for reason in reasons {
            let _ = writeln!(text, "rejected: {reason}");
        }
        if *rejected > reasons.len() as u64 {
            let _ = writeln!(text, "`--quarantine FILE` keeps all {rejected} of them");
        }
        text
    }
}

/// The most frequent first; a building has too many zones to list them all.
fn counted<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    const N_NAMED: usize = 40;
    let mut counts: Vec<(&str, u64)> = counts.collect();
    counts.sort_by_key(|(name, n)| (std::cmp::Reverse(*n), *name));
    let named: Vec<String> = counts.iter().take(N_NAMED).map(|(name, n)| format!("{name} {n}")).collect();
    let more = if counts.len() > N_NAMED { ", ..." } else { "" };
    named.join(", ") + more
}
