//! Steps of pretraining.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use spaxiom_embedding::{
    Cell, EncoderKind, EvalReport, EventEncoderConfig, EventReader, EventSequence, Flow, Observer, Preset, PretextName,
    RecurrentEventEncoderConfig, RunConfig, SequenceKey, Sequencer, SequencerOptions, StepReport, Task, Tokenizer,
    engine, training_steps,
};

use super::ingest::{MAX_LEN, tokens_of};
use super::peers::{self, Encoded};
use super::{Folder, Row};
use crate::args::BenchArgs;

/// Events of the file that the windows come from; the peers' own.
const N_EVENTS: usize = 200_000;

/// Windows of a step, and steps over all windows, as of the peers.
const BATCH: usize = 32;
const N_BATCHES: usize = 4;

/// Events of a window of the recurrent step: a row more is that of `[CLS]`.
const N_ROWS: usize = 64;

/// Steps of a layer alone in a run.
const LAYER_STEPS: usize = 3;

/// Steps that do not count: memory is found, and threads are started.
const N_WARMUP: usize = 4;

/// Milliseconds of a step: the mean over the batches, the median of the runs.
pub(super) fn train(args: &BenchArgs, folder: &Folder) -> anyhow::Result<Vec<Row>> {
    let file = folder.events(N_EVENTS)?;
    let (tokenizer, _) = tokens_of(&file, args.threads)?;
    let mut windows = windows(&file)?;
    windows.sort_by_key(|window| window.events().len());
    let peers = match &args.peers {
        Some(folder) => peers::train(folder, &args.python, &file, args.threads).context("the peer of `train`")?,
        None => Vec::new(),
    };
    let spread = |n: usize, of: &[EventSequence]| -> Vec<EventSequence> {
        (0..n).map(|at| of[(2 * at + 1) * of.len() / (2 * n)].clone()).collect()
    };
    // Sorted, so that a batch has windows of about one length: of the peers the faster way.
    let real = spread(BATCH * N_BATCHES, &windows);
    let long: Vec<EventSequence> = windows.iter().filter_map(|window| first(window, N_ROWS - 1)).collect();
    let long = spread(BATCH, &long);
    let small = RunConfig::preset(Preset::Small, Task::Pretrain);
    let gru = RecurrentEventEncoderConfig { n_layers: 1, bidirectional: false, ..Preset::Base.into() };
    let gru = RunConfig { encoder: EventEncoderConfig::Gru(gru), ..small.clone().with_encoder(EncoderKind::Gru) };
    let work = [
        ("train small, masked events", small.clone(), &real, "train/small/torch/mep_"),
        ("train small, InfoNCE", small.with_objectives(&[PretextName::InfoNce]), &real, "train/small/torch/infonce_"),
        ("train gru 256 -> 512, masked events", gru, &long, "train/gru_256_512/step_b32_s64"),
    ];
    let mut found = Vec::new();
    for (workload, config, windows, peer) in work {
        found.push((workload, median_ms(args, config, &tokenizer, windows, folder)?, peer));
    }
    found.push(("train gru 256 -> 512, the layer alone", layer_ms(args, Cell::Gru)?, "train/gru_256_512/step_b32_s64"));
    found.push((
        "train lstm 256 -> 512, the layer alone",
        layer_ms(args, Cell::Lstm)?,
        "train/lstm_256_512/step_b32_s64",
    ));
    let row = |(workload, ms, peer): (&str, f64, &str)| {
        let peer = fastest(&peers, peer);
        Row {
            workload: workload.into(),
            unit: "ms/step",
            ours: ms,
            peer,
            ratio: peer.map(|peer| ms / peer),
            runs: args.runs,
            threads: args.threads,
            peer_name: peer.map(|_| "torch f32".into()),
        }
    };
    Ok(found.into_iter().map(row).collect())
}

/// Milliseconds of a step of a recurrent layer over random rows, as the peer does it: no embedding, no heads.
fn layer_ms(args: &BenchArgs, cell: Cell) -> anyhow::Result<f64> {
    let config =
        RecurrentEventEncoderConfig { n_layers: 1, bidirectional: false, max_len: N_ROWS, ..Preset::Base.into() };
    let n_steps = N_WARMUP + LAYER_STEPS * args.runs as usize;
    let mut times = vec![Instant::now()];
    engine("flex")?.recurrent_steps(cell, &config, BATCH, &mut || {
        times.push(Instant::now());
        if times.len() > n_steps { Flow::Stop } else { Flow::Continue }
    });
    let run = |run: &[Instant]| (run[LAYER_STEPS] - run[0]).as_secs_f64() * 1000.0 / LAYER_STEPS as f64;
    Ok(median(times[N_WARMUP..].windows(LAYER_STEPS + 1).step_by(LAYER_STEPS).map(run)))
}

fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The faster one of a peer's batches, padded to one length or to four.
fn fastest(peers: &[Encoded], prefix: &str) -> Option<f64> {
    let found = peers.iter().filter(|figure| figure.workload.starts_with(prefix)).map(|figure| figure.ms);
    found.min_by(f64::total_cmp)
}

/// The sequences of single entities, as long as those of the peers.
fn windows(file: &Path) -> anyhow::Result<Vec<EventSequence>> {
    let cut = SequencerOptions { key: SequenceKey::Entity, max_len: MAX_LEN, ..SequencerOptions::default() };
    let mut sequencer = Sequencer::new(&cut)?;
    let mut windows = Vec::new();
    for record in EventReader::open(file, &Default::default())? {
        windows.extend(sequencer.push(record?.event));
    }
    windows.extend(sequencer.finish());
    Ok(windows)
}

/// The first events of a sequence that has so many.
fn first(sequence: &EventSequence, n: usize) -> Option<EventSequence> {
    let last = sequence.events().get(n - 1)?.time;
    let first = sequence.filtered(|event| event.time <= last);
    (first.events().len() == n).then_some(first)
}

fn median_ms(
    args: &BenchArgs,
    mut config: RunConfig,
    tokenizer: &Tokenizer,
    windows: &[EventSequence],
    folder: &Folder,
) -> anyhow::Result<f64> {
    let n_batches = windows.len().div_ceil(BATCH) as u64;
    config.train.batch_size = BATCH;
    config.train.max_steps = N_WARMUP as u64 + u64::from(args.runs) * n_batches;
    config.train.evaluate_every = u64::MAX;
    let mut clock = Clock { times: vec![Instant::now()] };
    let scratch = folder.path.join("checkpoint");
    training_steps(&config, tokenizer, windows, engine("flex")?.as_ref(), &mut clock, &scratch)?;
    let times = &clock.times[N_WARMUP..];
    let run = usize::try_from(n_batches)?;
    let ms = |from: usize| (times[from + run] - times[from]).as_secs_f64() * 1000.0 / run as f64;
    Ok(median((0..args.runs as usize).map(|number| ms(number * run))))
}

/// When each step was done.
struct Clock {
    times: Vec<Instant>,
}

impl Observer for Clock {
    fn step(&mut self, _report: &StepReport<'_>) -> Flow {
        self.times.push(Instant::now());
        Flow::Continue
    }

    fn evaluated(&mut self, _report: &EvalReport<'_>) {}
}
