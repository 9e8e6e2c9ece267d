//! The way from JSON lines to token sequences.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use spaxiom_embedding::{
    Deduplicator, EventReader, EventTable, ReadOptions, Record, Reorder, SequenceKey, Sequencer, SequencerOptions,
    TokenTable, Tokenizer, TokenizerOptions, group_by_site,
};

use crate::folder::Folder;
use crate::options::BenchOptions;
use crate::peers;
use crate::row::BenchRow;
use crate::timing::{median_rate, peak_mib};

/// Events of a sequence at most, as of the peers.
pub(crate) const MAX_LEN: usize = 128;

/// How late the events of the benchmark file are at most.
const LATENESS_SECS: i64 = 30;

/// Events from which the tokenizer of the stream is learned.
const N_TO_FIT: usize = 100_000;

/// Ids that the stream remembers to tell duplicates.
const N_REMEMBERED: usize = 100_000;

/// Everything in memory, as the peers do it: read and validate, learn the vocabularies, tokenize, cut into sequences.
pub(crate) fn ingest(options: &BenchOptions, file: &Path) -> anyhow::Result<Vec<BenchRow>> {
    let mut n_sequences = 0;
    let ours = median_rate(options.runs, options.events, || {
        let (_, tokens) = tokens_of(file, options.threads)?;
        ensure!(tokens.n_events() == options.events, "{} of {} events were read", tokens.n_events(), options.events);
        n_sequences = tokens.windows(MAX_LEN).count();
        Ok(())
    })?;
    tracing::info!("{} events in {n_sequences} sequences", options.events);
    let row = |peer: Option<(String, f64)>| {
        let (peer_name, peer) = peer.unzip();
        BenchRow {
            workload: "ingest".into(),
            unit: "events/s",
            ours,
            peer,
            ratio: peer.map(|peer| peer / ours),
            runs: options.runs,
            threads: options.threads,
            peer_name,
        }
    };
    let Some(peers) = &options.peers else { return Ok(vec![row(None)]) };
    let found = peers::ingest(peers, &options.python, file, options.threads)?;
    Ok(found.into_iter().map(|peer| row(Some(peer))).collect())
}

/// A tokenizer that is learned from a file, and the tokens of it, one sequence per entity.
pub(crate) fn tokens_of(file: &Path, threads: u32) -> anyhow::Result<(Tokenizer, TokenTable)> {
    let options = ReadOptions { threads: Some(threads as usize), ..ReadOptions::default() };
    let (table, rejected) = EventTable::read(SequenceKey::Entity, EventReader::open(file, &options)?);
    ensure!(rejected.is_empty(), "{} lines of the benchmark file were rejected", rejected.len());
    // Peers give no values beside their buckets.
    let options = TokenizerOptions { value_segments: 0, ..TokenizerOptions::default() };
    let tokenizer = Tokenizer::fit_table(&options, &table)?;
    let tokens = tokenizer.tokenize_table(&table)?;
    Ok((tokenizer, tokens))
}

/// JSON lines to validated events, on one thread.
pub(crate) fn validate(options: &BenchOptions, file: &Path) -> anyhow::Result<BenchRow> {
    let ours = median_rate(options.runs, options.events, || {
        let reader = EventReader::open(file, &ReadOptions::default())?;
        let n_events = reader.flatten().count();
        ensure!(n_events == options.events, "{n_events} of {} events were read", options.events);
        Ok(())
    })?;
    Ok(alone("validate", ours, options.runs))
}

/// Parsed events to composite ids and values, on one thread: the tokenizer that sequences and streams go through.
pub(crate) fn tokenize(options: &BenchOptions, file: &Path) -> anyhow::Result<BenchRow> {
    let reading = ReadOptions { threads: Some(options.threads as usize), ..ReadOptions::default() };
    let events = EventReader::open(file, &reading)?.filter_map(Result::ok).map(|record| record.event);
    let sequences = group_by_site(events);
    let tokenizer = Tokenizer::fit(&TokenizerOptions::default(), &sequences)?;
    let ours = median_rate(options.runs, options.events, || {
        let n_events: usize = sequences.iter().map(|sequence| tokenizer.tokenize(sequence).len()).sum();
        ensure!(n_events == options.events, "{n_events} of {} events were tokenized", options.events);
        Ok(())
    })?;
    Ok(alone("tokenize", ours, options.runs))
}

/// A figure on one thread without a peer.
fn alone(workload: &str, ours: f64, runs: u32) -> BenchRow {
    let (peer, ratio, peer_name) = (None, None, None);
    BenchRow { workload: workload.into(), unit: "events/s", ours, peer, ratio, runs, threads: 1, peer_name }
}

/// Peak memory of the stream for N and for 10 N events, each in a process of its own.
pub(crate) fn memory(options: &BenchOptions, folder: &Folder) -> anyhow::Result<Vec<BenchRow>> {
    let mut rows = Vec::new();
    for n_events in [options.events, 10 * options.events] {
        let file = folder.events(n_events)?;
        let threads = options.threads.to_string();
        let output = Command::new(&options.program)
            .args(["bench", "--threads", &threads, "--stream-file"])
            .arg(&file)
            .output()
            .context("a process of its own for the stream")?;
        ensure!(output.status.success(), "the stream failed: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        let mib: f64 = text.trim().parse().with_context(|| format!("the peak memory, not `{}`", text.trim()))?;
        rows.push(BenchRow {
            workload: format!("memory of {n_events} events"),
            unit: "MiB",
            ours: mib,
            peer: None,
            ratio: None,
            runs: 1,
            threads: options.threads,
            peer_name: None,
        });
    }
    Ok(rows)
}

/// Reads, deduplicates, sorts, cuts and tokenizes a file as a stream; returns this process's peak memory in MiB.
///
/// # Errors
/// A file that cannot be read, and a system without `/proc`.
pub fn peak_of_stream(file: &Path, threads: u32) -> anyhow::Result<f64> {
    let options = ReadOptions { threads: Some(threads as usize), ..ReadOptions::default() };
    let first = EventReader::open(file, &options)?.filter_map(Result::ok).take(N_TO_FIT);
    let mut table = EventTable::new(SequenceKey::Entity);
    for record in first {
        table.push(&record.event);
    }
    let tokenizer = Tokenizer::fit_table(&TokenizerOptions::default(), &table)?;
    drop(table);
    let mut ids = Deduplicator::new(N_REMEMBERED);
    let mut order = Reorder::new(TimeDelta::seconds(LATENESS_SECS));
    let cut = SequencerOptions { key: SequenceKey::Entity, max_len: MAX_LEN, ..SequencerOptions::default() };
    let mut sequencer = Sequencer::new(&cut)?;
    let (mut ready, mut n_tokens) = (Vec::new(), 0);
    for record in EventReader::open(file, &options)? {
        let Ok(Record { event, .. }) = record else { continue };
        if ids.is_duplicate(&event) {
            continue;
        }
        // What is late is counted by the order itself.
        let _ = order.push(event, &mut ready);
        for sequence in ready.drain(..).flat_map(|event| sequencer.push(event)) {
            n_tokens += tokenizer.tokenize(&sequence).len();
        }
    }
    tracing::info!("{n_tokens} events tokenized, {} late", order.n_late());
    peak_mib()
}
