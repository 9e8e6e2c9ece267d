//! Steps of pretraining.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use burn::backend::{Autodiff, Flex};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use spaxiom_embedding::{
    Augmenter, Cell, EncoderKind, EvalReport, EventEncoderConfig, EventReader, EventSequence, EventSpan, Example, Flow,
    InOrder, ModelShape, ObjectiveContext, ObjectiveName, Objectives, Observer, Preset, RecurrentEventEncoderConfig,
    RunConfig, SequenceKey, Sequencer, SequencerOptions, StepReport, Task, TokenSequence, Tokenizer, Trainer,
    TrainingInput, TrainingSet, engine,
};
use spaxiom_encoder::{RecurrentStack, RecurrentStackConfig, WeightRng};
use spaxiom_objective::{AdamW, AdamWOptions};

use crate::folder::Folder;
use crate::ingest::{MAX_LEN, tokens_of};
use crate::options::BenchOptions;
use crate::peers::{self, Encoded};
use crate::row::BenchRow;
use crate::timing::{median, now};

/// The backend on which the layers alone are timed: the default one.
type B = Autodiff<Flex>;

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
pub(crate) fn train(options: &BenchOptions, folder: &Folder) -> anyhow::Result<Vec<BenchRow>> {
    let file = folder.events(N_EVENTS)?;
    let (tokenizer, _) = tokens_of(&file, options.threads)?;
    let mut windows = windows(&file)?;
    windows.sort_by_key(|window| window.events().len());
    let peers = match &options.peers {
        Some(folder) => peers::train(folder, &options.python, &file, options.threads).context("the peer of `train`")?,
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
    let gru = RunConfig { encoder: Some(EventEncoderConfig::Gru(gru)), ..small.clone().with_encoder(EncoderKind::Gru) };
    let work = [
        ("train small, masked events", small.clone(), &real, "train/small/torch/mep_"),
        ("train small, InfoNCE", small.with_objectives(&[ObjectiveName::InfoNce]), &real, "train/small/torch/infonce_"),
        ("train gru 256 -> 512, masked events", gru, &long, "train/gru_256_512/step_b32_s64"),
    ];
    let mut found = Vec::new();
    for (workload, config, windows, peer) in work {
        found.push((workload, step_ms(options, config, &tokenizer, windows, folder)?, peer));
    }
    found.push((
        "train gru 256 -> 512, the layer alone",
        layer_ms(options, Cell::Gru),
        "train/gru_256_512/step_b32_s64",
    ));
    found.push((
        "train lstm 256 -> 512, the layer alone",
        layer_ms(options, Cell::Lstm),
        "train/lstm_256_512/step_b32_s64",
    ));
    let row = |(workload, ms, peer): (&str, f64, &str)| {
        let peer = fastest(&peers, peer);
        BenchRow {
            workload: workload.into(),
            unit: "ms/step",
            ours: ms,
            peer,
            ratio: peer.map(|peer| ms / peer),
            runs: options.runs,
            threads: options.threads,
            peer_name: peer.map(|_| "torch f32".into()),
        }
    };
    Ok(found.into_iter().map(row).collect())
}

/// Milliseconds of a step of a recurrent layer over random rows, as the peer does it: no embedding, no heads.
///
/// The loss is the mean square of the states.
fn layer_ms(options: &BenchOptions, cell: Cell) -> f64 {
    let RecurrentEventEncoderConfig { d_embed, d_hidden, .. } = Preset::Base.into();
    let config = RecurrentStackConfig { d_in: d_embed, d_hidden, n_layers: 1, bidirectional: false };
    let device = Default::default();
    let mut stack = RecurrentStack::<B>::new(cell, config, &mut WeightRng::new(0), &device);
    let rows = WeightRng::new(1).matrix::<B>([BATCH * N_ROWS, d_embed], &device).val().detach();
    let rows = rows.reshape([BATCH, N_ROWS, d_embed]);
    let keep = Tensor::ones([BATCH, N_ROWS], &device);
    let (rate, mut optimizer) = (1e-4, AdamW::new(AdamWOptions::default()));
    let mut times = vec![now()];
    for _ in 0..N_WARMUP + LAYER_STEPS * options.runs as usize {
        let (states, _) = stack.forward(rows.clone(), &keep);
        let grads = states.powi_scalar(2).mean().backward();
        let mut grads = GradientsParams::from_grads(grads, &stack);
        stack = optimizer.step::<B, _>(stack, &mut grads, rate, 1.0);
        times.push(now());
    }
    let run = |run: &[Instant]| (run[LAYER_STEPS] - run[0]).as_secs_f64() * 1000.0 / LAYER_STEPS as f64;
    median(times[N_WARMUP..].windows(LAYER_STEPS + 1).step_by(LAYER_STEPS).map(run))
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

/// A whole window with its events.
fn whole<'a>((tokens, events): (&'a TokenSequence, &'a EventSequence)) -> Example<'a> {
    Example { events: Some(EventSpan::whole(events)), ..Example::new(tokens.window(0, tokens.n_positions())) }
}

/// Milliseconds of a step over the windows.
fn step_ms(
    options: &BenchOptions,
    mut config: RunConfig,
    tokenizer: &Tokenizer,
    windows: &[EventSequence],
    folder: &Folder,
) -> anyhow::Result<f64> {
    let n_batches = windows.len().div_ceil(BATCH) as u64;
    config.train.batch_size = BATCH;
    config.train.max_steps = N_WARMUP as u64 + u64::from(options.runs) * n_batches;
    config.train.evaluate_every = u64::MAX;
    config.check()?;
    let tokens: Vec<TokenSequence> = windows.iter().map(|window| tokenizer.tokenize(window)).collect();
    let examples: Vec<Example<'_>> = tokens.iter().zip(windows).map(whole).collect();
    let train = InOrder::new(&examples);
    let augmenter = Augmenter::new(tokenizer.clone(), config.augment.clone())?;
    let context = ObjectiveContext::of(tokenizer).with_views(augmenter);
    let objectives = Objectives::new(config.objectives.clone(), context)?;
    let mut clock = Clock { times: vec![now()] };
    let input = TrainingInput {
        trainer: &Trainer::new(config.train.clone())?,
        data: TrainingSet::new(&train, &examples[..BATCH.min(examples.len())]),
        resume: None,
        checkpoint_path: &folder.path.join("checkpoint"),
        observer: &mut clock,
        seed: config.train.seed,
    };
    let encoder = config.encoder.clone().context("the preset has an encoder")?;
    engine("flex")?.train(&ModelShape::new(encoder, tokenizer), &objectives, None, input)?;
    let times = &clock.times[N_WARMUP..];
    let run = usize::try_from(n_batches)?;
    let ms = |from: usize| (times[from + run] - times[from]).as_secs_f64() * 1000.0 / run as f64;
    Ok(median((0..options.runs as usize).map(|number| ms(number * run))))
}

/// When each step was done.
struct Clock {
    times: Vec<Instant>,
}

impl Observer for Clock {
    fn step(&mut self, _report: &StepReport<'_>) -> Flow {
        self.times.push(now());
        Flow::Continue
    }

    fn evaluated(&mut self, _report: &EvalReport<'_>) {}
}
