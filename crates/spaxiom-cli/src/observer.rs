//! Progress of training on a terminal.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use spaxiom_embedding::{EvalReport, Flow, Observer, StepReport};

use crate::{clock, stop};

/// A bar with loss, events per second and time left; without a terminal one line per evaluation.
pub(crate) struct TrainingProgress {
    bar: ProgressBar,
    start: Instant,
    n_events: usize,
}

impl TrainingProgress {
    pub(crate) fn new(name: &str) -> Self {
        stop::listen();
        let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {msg} {eta} left")
            .expect("a constant template")
            .progress_chars("=> ");
        let bar = ProgressBar::new(0).with_style(style).with_prefix(name.to_owned());
        Self { bar, start: clock::now(), n_events: 0 }
    }

    fn events_per_sec(&self) -> f64 {
        self.n_events as f64 / self.start.elapsed().as_secs_f64().max(1e-9)
    }
}

impl Observer for TrainingProgress {
    fn step(&mut self, report: &StepReport<'_>) -> Flow {
        self.n_events += report.n_events;
        self.bar.set_length(report.max_steps);
        self.bar.set_position(report.step);
        self.bar.set_message(format!("loss {:.4}, {:.0} events/s,", report.loss, self.events_per_sec()));
        if stop::asked() { Flow::Stop } else { Flow::Continue }
    }

    fn evaluated(&mut self, report: &EvalReport<'_>) {
        let metrics = report.metrics.iter().map(|metric| format!(", {} {:.4}", metric.name, metric.value));
        let best = if report.is_best { " (best)" } else { "" };
        let rate = self.events_per_sec();
        let line = format!(
            "step {}: validation loss {:.4}{}{best}, {rate:.0} events/s",
            report.step,
            report.loss,
            metrics.collect::<String>(),
        );
        if let Some(warning) = collapse(report) {
            tracing::warn!("step {}: {warning}", report.step);
        }
        if self.bar.is_hidden() {
            tracing::info!("{line}");
        } else {
            self.bar.println(line);
        }
    }
}

/// Dimensions below which compared vectors say hardly anything.
const LEAST_RANK: f64 = 3.0;

/// Cosine of two different events above which they are hardly two.
const MOST_ALIKE: f64 = 0.95;

/// What to change where the vectors of a contrastive objective grow alike.
fn collapse(report: &EvalReport<'_>) -> Option<String> {
    let figure = |name: &str| report.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value);
    let (rank, alike, same) = (figure("effective_rank")?, figure("negative_cosine")?, figure("same_share")?);
    if same > 0.5 {
        return Some(format!(
            "{:.0} % of the pairs of a batch count as the same events and teach nothing: raise `objectives.info-nce.same-share`",
            same * 100.0
        ));
    }
    (rank < LEAST_RANK || alike > MOST_ALIKE).then(|| {
        format!(
            "vectors collapse (effective rank {rank:.1}, cosine of different events {alike:.2}): raise `train.batch-size`, \
            lower `train.learning-rate` or `objectives.info-nce.temperature`, or mix in `mep`"
        )
    })
}

impl Drop for TrainingProgress {
    fn drop(&mut self) {
        stop::listen_no_more();
        self.bar.finish_and_clear();
    }
}

/// A bar that counts items; hidden without a terminal.
pub(crate) fn counter(name: &str, n: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} {per_sec} {eta} left")
        .expect("a constant template")
        .progress_chars("=> ");
    ProgressBar::new(n as u64).with_style(style).with_prefix(name.to_owned())
}
