//! `convert`: events of one format to events of another.

use std::path::PathBuf;

use chrono::TimeDelta;
use clap::Args;
use serde::Serialize;
use spaxiom_embedding::{
    Deduplicator, EventWriter, LabelSpan, Record, Reorder, SpanBuilder, Target, replace_file, write_labels,
};

use crate::args::ReadArgs;
use crate::exit::Exit;
use crate::input::{Inputs, Quarantine};
use crate::output;

/// What stands for standard output.
const STDOUT: &str = "-";

/// Ids that are remembered to drop duplicates.
const N_REMEMBERED: usize = 1 << 20;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask convert home.txt --to jsonl --out home/events.jsonl --labels home/labels.jsonl\n  \
    cargo xtask convert events.jsonl.gz --to parquet --out events.parquet --allowed-lateness 60 --quarantine late.jsonl\n\n\
    Duplicates by site and id are dropped, counted and kept by --quarantine. Exit code 3: done, but some lines were rejected (with --strict: 1)."
)]
pub(crate) struct ConvertArgs {
    /// Files of events, folders of such files, or - for standard input
    #[arg(required = true)]
    pub(crate) input: Vec<PathBuf>,
    /// How the events are to be written down
    #[arg(long, value_enum)]
    pub(crate) to: Target,
    /// The file to write, or - for standard output; what is there is replaced once the new one is whole
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Write the activities that the input marks here
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// Sort by time, waiting so many seconds for late events; those that come later are rejected
    #[arg(long, value_name = "SECS")]
    pub(crate) allowed_lateness: Option<f64>,
    /// Keep every rejected line and late event here, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub(crate) quarantine: Option<PathBuf>,
    /// Fail when a line is rejected
    #[arg(long)]
    pub(crate) strict: bool,
}

/// What was done.
#[derive(Debug, Default, Serialize)]
struct Converted {
    events: u64,
    rejected: u64,
    late: u64,
    duplicates: u64,
    /// Values that are in no event.
    left_out: u64,
    labelled_spans: usize,
    unpaired_marks: usize,
}

pub(crate) fn run(args: &ConvertArgs, json: bool) -> anyhow::Result<Exit> {
    let converted = convert(args)?;
    let is_stdout = args.out.as_os_str() == STDOUT;
    if is_stdout {
        output::text_to_stderr();
    }
    if json && !is_stdout {
        output::json(&converted)?;
    } else {
        let Converted { events, rejected, late, duplicates, left_out, labelled_spans, unpaired_marks } = &converted;
        let out = if is_stdout { "standard output".into() } else { args.out.display().to_string() };
        output::text(&format!(
            "{out}: {events} events; {rejected} lines rejected, {late} of them late, {duplicates} duplicates dropped, \
            {labelled_spans} labeled spans, {unpaired_marks} marks without a partner\n"
        ));
        if *left_out > 0 {
            output::text(&format!("{left_out} values were left out of events; `check` says which\n"));
        }
    }
    Ok(Exit::of_rejected(converted.rejected, args.strict))
}

fn convert(args: &ConvertArgs) -> anyhow::Result<Converted> {
    let ConvertArgs { input, to, out, labels, read, allowed_lateness, quarantine, strict: _ } = args;
    let options = read.options()?;
    let inputs = Inputs::new(input)?;
    let mut quarantine = Quarantine::open(quarantine.as_deref())?;
    let is_stdout = out.as_os_str() == STDOUT;
    let mut writer = if is_stdout { EventWriter::to(std::io::stdout(), *to)? } else { EventWriter::create(out, *to)? };
    let mut converted = Converted::default();
    let mut ids = Deduplicator::new(N_REMEMBERED);
    let mut spans = Vec::new();
    for (path, reader) in inputs.open(&options) {
        let mut order = allowed_lateness.map(lateness).transpose()?.map(Reorder::new);
        let mut builder = SpanBuilder::default();
        let mut ready = Vec::new();
        let mut reader = reader?;
        for record in &mut reader {
            let Record { event, mark, .. } = match record {
                Ok(record) => record,
                Err(rejected) => {
                    quarantine.rejected(&path, &rejected)?;
                    continue;
                }
            };
            if ids.is_duplicate(&event) {
                quarantine.duplicate(&path, &event)?;
                continue;
            }
            if let Some(mark) = mark {
                builder.push(&event.site_id, mark);
            }
            match &mut order {
                None => ready.push(event),
                Some(order) => {
                    if let Err(late) = order.push(event, &mut ready) {
                        converted.late += 1;
                        quarantine.late(&path, &late)?;
                    }
                }
            }
            for event in ready.drain(..) {
                writer.write(&event)?;
                converted.events += 1;
            }
        }
        converted.left_out += reader.n_left_out();
        for event in order.map(Reorder::finish).unwrap_or_default() {
            writer.write(&event)?;
            converted.events += 1;
        }
        let (of_input, unpaired) = builder.finish();
        // Episodes of two files are two, whatever each file calls its first.
        let n_before = spans.len();
        spans.extend(
            of_input
                .into_iter()
                .enumerate()
                .map(|(i, span)| LabelSpan { episode_id: format!("{}-{}", span.site_id, n_before + i), ..span }),
        );
        converted.unpaired_marks += unpaired.len();
    }
    writer.finish()?;
    if let Some(labels) = labels {
        // Whole, or the one that was there is kept.
        let mut lines = Vec::new();
        write_labels(&mut lines, &spans)?;
        replace_file(labels, &lines)?;
    }
    converted.labelled_spans = spans.len();
    converted.duplicates = ids.n_duplicates();
    converted.rejected = quarantine.finish()?;
    Ok(converted)
}

fn lateness(secs: f64) -> anyhow::Result<TimeDelta> {
    anyhow::ensure!((0.0..1e9).contains(&secs), "`--allowed-lateness`: wanted seconds from 0 on, got `{secs}`");
    #[expect(clippy::cast_possible_truncation, reason = "below 1e12")]
    Ok(TimeDelta::milliseconds((secs * 1e3) as i64))
}
