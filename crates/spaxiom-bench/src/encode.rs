//! Token windows to vectors, through the encoders of the presets.

use std::path::Path;

use anyhow::Context;
use spaxiom_embedding::{
    EventEncoderConfig, ModelShape, Pooling, Preset, RecurrentEventEncoderConfig, TokenSequence, TokenWindow,
    Tokenizer, TransformerEventEncoderConfig, WindowEncoder, engine,
};

use crate::folder::Folder;
use crate::ingest::{MAX_LEN, tokens_of};
use crate::options::BenchOptions;
use crate::peers::{self, Encoded};
use crate::row::BenchRow;
use crate::timing::{median, median_ms, now};

/// Events of the file that the windows come from; the peers' own.
const N_EVENTS: usize = 200_000;

/// Lengths of a single window.
const LENGTHS: [usize; 4] = [1, 8, 64, 512];

/// Windows of the batch, evenly spread over all lengths.
const BATCH: usize = 64;

/// Events of a site before the one that is timed: what goes on event by event takes as long after many as after few.
const N_BEFORE: [usize; 2] = [10, 10_000];

/// Events that are timed one by one.
const N_STEPS: usize = 1_000;

/// Milliseconds of recurrent layers, and of transformers over single windows and over 1,000 events in a batch of real lengths;
/// their vector is the state of `[CLS]`, as of the peers.
pub(crate) fn encode(options: &BenchOptions, folder: &Folder) -> anyhow::Result<Vec<BenchRow>> {
    let file = folder.events(N_EVENTS)?;
    let (tokenizer, tokens) = tokens_of(&file, options.threads)?;
    let mut windows: Vec<TokenWindow<'_>> = tokens.windows(MAX_LEN).collect();
    let site = stream(&windows, N_BEFORE[N_BEFORE.len() - 1] + N_STEPS);
    let stream = stream(&windows, LENGTHS[LENGTHS.len() - 1]);
    windows.sort_by_key(TokenWindow::len);
    let batch: Vec<TokenWindow<'_>> =
        (0..BATCH).map(|at| windows[(2 * at + 1) * windows.len() / (2 * BATCH)]).collect();
    let mut rows = recurrent(options, &tokenizer, &stream, &file)?;
    for n_before in N_BEFORE {
        rows.push(next_event(options, &tokenizer, &site, n_before)?);
    }
    for (preset, name) in [(Preset::Small, "small"), (Preset::Base, "base")] {
        let encoder = encoder(preset, &tokenizer)?;
        let ours = figures(encoder.as_ref(), &stream, &batch, options.runs);
        let peers = peers_of(options, name, &file)?;
        rows.extend(ours.into_iter().map(|(workload, ms)| {
            let peer = peers.iter().find(|peer| peer.workload == workload).map(|peer| peer.ms);
            row(options, format!("encode {name}, {workload}"), ms, peer)
        }));
    }
    Ok(rows)
}

fn row(options: &BenchOptions, workload: String, ms: f64, peer: Option<f64>) -> BenchRow {
    BenchRow {
        workload,
        unit: "ms",
        ours: ms,
        peer,
        ratio: peer.map(|peer| ms / peer),
        runs: options.runs,
        threads: options.threads,
        peer_name: peer.map(|_| "torch f32".into()),
    }
}

/// One recurrent layer 256 -> 512 over 64 rows; ours embeds the events as well.
fn recurrent(
    options: &BenchOptions,
    tokenizer: &Tokenizer,
    stream: &TokenSequence,
    file: &Path,
) -> anyhow::Result<Vec<BenchRow>> {
    const N_ROWS: usize = 64;
    let peers = match &options.peers {
        Some(folder) => peers::train(folder, &options.python, file, options.threads).context("the peer of `encode`")?,
        None => Vec::new(),
    };
    let mut rows = Vec::new();
    for (bidirectional, ways) in [(false, ""), (true, "bi")] {
        let config = RecurrentEventEncoderConfig { n_layers: 1, bidirectional, max_len: N_ROWS, ..Preset::Base.into() };
        let gru = EventEncoderConfig::Gru(config.clone());
        for (config, name) in [(gru, "gru"), (EventEncoderConfig::Lstm(config), "lstm")] {
            let encoder = engine("flex")?.untrained(&ModelShape::new(config, tokenizer), 1);
            for n_windows in [1, 32] {
                // One row is that of `[CLS]`.
                let windows: Vec<TokenWindow<'_>> =
                    (0..n_windows).map(|from| stream.window(from, from + N_ROWS - 1)).collect();
                let ms = median_ms(options.runs * 3, || drop(encoder.encode(&windows)));
                let peer = format!("train/{ways}{name}_256_512/forward_b{n_windows}_s64");
                let peer = peers.iter().find(|figure| figure.workload == peer).map(|figure| figure.ms);
                rows.push(row(options, format!("encode {ways}{name}, {n_windows} of {N_ROWS}"), ms, peer));
            }
        }
    }
    Ok(rows)
}

/// The vector of the next event of a site after `n_before` others.
fn next_event(
    options: &BenchOptions,
    tokenizer: &Tokenizer,
    site: &TokenSequence,
    n_before: usize,
) -> anyhow::Result<BenchRow> {
    let config = EventEncoderConfig::Gru(Preset::Small.into());
    let encoder = engine("flex")?.untrained(&ModelShape::new(config, tokenizer), 1);
    let mut walk = encoder.walk().context("a GRU of one direction goes on event by event")?;
    drop(walk.read(site.window(0, n_before)));
    let ms = median((n_before..n_before + N_STEPS).map(|at| {
        let start = now();
        drop(walk.read(site.window(at, at + 1)));
        start.elapsed().as_secs_f64() * 1000.0
    }));
    Ok(row(options, format!("encode small gru, the next event after {n_before}"), ms, None))
}

fn encoder(preset: Preset, tokenizer: &Tokenizer) -> anyhow::Result<Box<dyn WindowEncoder>> {
    let longest = LENGTHS[LENGTHS.len() - 1];
    let config = TransformerEventEncoderConfig { pooling: Pooling::Cls, max_len: longest, ..preset.into() };
    Ok(engine("flex")?.untrained(&ModelShape::new(EventEncoderConfig::Transformer(config), tokenizer), 1))
}

/// The first events of all sequences as one.
fn stream(windows: &[TokenWindow<'_>], len: usize) -> TokenSequence {
    let mut stream = TokenSequence::new(windows.first().map_or(1, TokenWindow::n_fields));
    let rows = windows.iter().flat_map(TokenWindow::rows).take(len);
    rows.for_each(|row| stream.push(row.iter().copied()));
    stream
}

fn figures(
    encoder: &dyn WindowEncoder,
    stream: &TokenSequence,
    batch: &[TokenWindow<'_>],
    runs: u32,
) -> Vec<(String, f64)> {
    let single = |len: &usize| {
        let few = if *len < 64 { 20 } else { 3 };
        (peers::single(*len), median_ms(runs * few, || drop(encoder.encode(&[stream.window(0, *len)]))))
    };
    let mut figures: Vec<(String, f64)> = LENGTHS.iter().map(single).collect();
    let n_events: usize = batch.iter().map(TokenWindow::len).sum();
    let ms = median_ms(runs, || drop(encoder.encode(batch)));
    tracing::info!("a batch of {} windows with {n_events} events", batch.len());
    figures.push((peers::BATCH.to_owned(), ms * 1000.0 / n_events as f64));
    figures
}

fn peers_of(options: &BenchOptions, preset: &str, file: &Path) -> anyhow::Result<Vec<Encoded>> {
    let Some(folder) = &options.peers else { return Ok(Vec::new()) };
    peers::encode(folder, &options.python, preset, file, options.threads).context("the peer of `encode`")
}
