//! What a pretraining does before its first step: read, split, learn a tokenizer, tokenize.

use std::cell::Cell;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use spaxiom_embedding::{
    BackendName, Dataset, EmbeddingError, Engine, EvalReport, Example, Flow, Judged, ModelShape, Objectives, Observer,
    Outcome, Preset, Provenance, ReadOptions, RunConfig, RunFolder, StepReport, Task, TextEncoder, TextShape,
    TextTraining, TrainJob, TrainState, TrainingInput, TrainingOutput, Weights, WindowEncoder,
};

use crate::folder::Folder;
use crate::options::BenchOptions;
use crate::row::BenchRow;
use crate::timing::{median, now, peak_mib};

/// Stands in for a backend: stops the clock where training would begin.
struct UpToFirstStep {
    started: Instant,
    figures: Cell<Option<(Duration, anyhow::Result<f64>)>>,
}

impl Engine for UpToFirstStep {
    fn name(&self) -> BackendName {
        BackendName::Flex
    }

    fn train(
        &self,
        _: &ModelShape,
        _: &Objectives,
        _: Option<&Weights>,
        _: TrainingInput<'_>,
    ) -> Result<TrainingOutput, EmbeddingError> {
        self.figures.set(Some((self.started.elapsed(), peak_mib())));
        Ok(TrainingOutput { weights: Weights::new(), outcome: Outcome::Interrupted, state: TrainState::default() })
    }

    fn judge(
        &self,
        _: &ModelShape,
        _: &Objectives,
        _: &Weights,
        _: &[&[Example<'_>]],
        _: u64,
    ) -> Result<Vec<Judged>, EmbeddingError> {
        unreachable!("nothing is judged before the first step")
    }

    fn encoder(&self, _: &ModelShape, _: &Weights, _: Option<usize>) -> Result<Box<dyn WindowEncoder>, EmbeddingError> {
        unreachable!("nothing is encoded before the first step")
    }

    fn train_texts(&self, _: &TextShape, _: TextTraining<'_>) -> Result<Weights, EmbeddingError> {
        unreachable!("no text is read before the first step")
    }

    fn text_encoder(&self, _: &TextShape, _: &Weights) -> Result<Box<dyn TextEncoder>, EmbeddingError> {
        unreachable!("no text is read before the first step")
    }

    fn untrained(&self, _: &ModelShape, _: u64) -> Box<dyn WindowEncoder> {
        unreachable!("nothing is encoded before the first step")
    }
}

/// Nobody watches a run that does not begin.
struct Nobody;

impl Observer for Nobody {
    fn step(&mut self, _: &StepReport<'_>) -> Flow {
        Flow::Stop
    }

    fn evaluated(&mut self, _: &EvalReport<'_>) {}
}

/// Events per second and peak memory of an intake, each run in a process of its own.
pub(crate) fn intake(options: &BenchOptions, folder: &Folder) -> anyhow::Result<Vec<BenchRow>> {
    let file = folder.events(options.events)?;
    let threads = options.threads.to_string();
    let run = || {
        let output = Command::new(&options.program)
            .args(["bench", "--threads", &threads, "--intake-file"])
            .arg(&file)
            .output()
            .context("a process of its own for the intake")?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "the intake failed: {}", String::from_utf8_lossy(&output.stderr));
        let mut numbers = text.split_whitespace().map(str::parse::<f64>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(secs)), Some(Ok(mib))) => Ok((secs, mib)),
            _ => anyhow::bail!("wanted seconds and MiB, got `{}`", text.trim()),
        }
    };
    let figures = (0..options.runs).map(|_| run()).collect::<anyhow::Result<Vec<(f64, f64)>>>()?;
    let row = |workload: &str, unit, ours| BenchRow {
        workload: workload.into(),
        unit,
        ours,
        peer: None,
        ratio: None,
        runs: options.runs,
        threads: options.threads,
        peer_name: None,
    };
    let secs = median(figures.iter().map(|(secs, _)| *secs));
    Ok(vec![
        row("intake", "events/s", options.events as f64 / secs),
        row("intake, peak memory", "MiB", median(figures.iter().map(|(_, mib)| *mib))),
    ])
}

/// Does what `pretrain --preset tiny` does with a file or a folder before its first step;
/// returns the seconds that it took and this process's peak memory in MiB.
///
/// # Errors
/// A file that cannot be read, and a system without `/proc`.
pub fn intake_of(data: &Path, threads: u32) -> anyhow::Result<(f64, f64)> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads as usize).build_global();
    pool.context("the threads of the intake")?;
    let options = ReadOptions { threads: Some(threads as usize), ..ReadOptions::default() };
    let engine = UpToFirstStep { started: now(), figures: Cell::new(None) };
    let dataset = Dataset::load(data, &options)?;
    let run = tempfile::tempdir().context("a folder for the run")?;
    let job = TrainJob {
        config: RunConfig::preset(Preset::Tiny, Task::Pretrain),
        data: &dataset,
        run: &RunFolder::new(run.path()),
        from: None,
        resume: false,
        provenance: Provenance::default(),
    };
    spaxiom_embedding::train(job, &engine, &mut Nobody)?;
    let (time, mib) = engine.figures.take().context("training never began")?;
    Ok((time.as_secs_f64(), mib?))
}
