//! `metrics.jsonl`: one line per step and evaluation, the same for a run that was stopped and resumed.

use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::{Map, Value, json};
use spaxiom_file::replace_file;
use spaxiom_objective::{EvalReport, Flow, Metric, Observer, StepReport};

/// Writes every report down and passes it on.
pub(crate) struct MetricsLog<'a> {
    file: BufWriter<fs_err::File>,
    inner: &'a mut dyn Observer,
    error: Option<std::io::Error>,
}

impl<'a> MetricsLog<'a> {
    /// Goes on after step `step`; lines of later steps, which a checkpoint does not hold, are dropped.
    pub(crate) fn open(path: &Path, step: u64, inner: &'a mut dyn Observer) -> std::io::Result<Self> {
        let kept =
            if step > 0 && path.exists() { lines_up_to(&fs_err::read_to_string(path)?, step) } else { String::new() };
        // The old file stays until what is kept of it is on the disk.
        replace_file(path, kept.as_bytes())?;
        let file = fs_err::OpenOptions::new().append(true).open(path)?;
        Ok(Self { file: BufWriter::new(file), inner, error: None })
    }

    /// Fails where a line could not be written.
    pub(crate) fn finish(mut self) -> std::io::Result<()> {
        self.error.take().map_or_else(|| self.file.flush(), Err)
    }

    fn write(&mut self, mut line: Map<String, Value>, metrics: &[Metric]) {
        line.extend(metrics.iter().map(|metric| (metric.name.to_owned(), json!(metric.value))));
        let written = serde_json::to_writer(&mut self.file, &line).map_err(std::io::Error::from);
        if let Err(error) = written.and_then(|()| self.file.write_all(b"\n")) {
            self.error.get_or_insert(error);
        }
    }
}

impl Observer for MetricsLog<'_> {
    fn step(&mut self, report: &StepReport<'_>) -> Flow {
        let line = [
            ("step", json!(report.step)),
            ("loss", json!(report.loss)),
            ("learning_rate", json!(report.learning_rate)),
            ("gradient_norm", json!(report.gradient_norm)),
            ("events", json!(report.n_events)),
        ];
        self.write(line.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(), report.metrics);
        // A disk that is full now will not hold the checkpoint either: stop at once.
        match (self.inner.step(report), &self.error) {
            (flow, None) => flow,
            (_, Some(_)) => Flow::Stop,
        }
    }

    fn evaluated(&mut self, report: &EvalReport<'_>) {
        let line =
            [("step", json!(report.step)), ("validation_loss", json!(report.loss)), ("best", json!(report.is_best))];
        self.write(line.map(|(name, value)| (name.to_owned(), value)).into_iter().collect(), report.metrics);
        // The checkpoint comes next: it must not know of steps that the metrics do not hold.
        if let Err(error) = self.file.flush() {
            self.error.get_or_insert(error);
        }
        self.inner.evaluated(report);
    }
}

fn lines_up_to(text: &str, step: u64) -> String {
    let is_kept = |line: &&str| {
        let line: Option<Value> = serde_json::from_str(line).ok();
        line.and_then(|line| line["step"].as_u64()).is_some_and(|found| found <= step)
    };
    text.lines().filter(is_kept).fold(String::new(), |kept, line| kept + line + "\n")
}
