//! What is measured, and how.

use std::path::PathBuf;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Workload {
    /// JSON lines to token sequences, everything in memory
    Ingest,
    /// JSON lines to validated events, on one thread
    Validate,
    /// Parsed events to composite ids and values, on one thread
    Tokenize,
    /// Parquet and a recorder database of Home Assistant to validated events, by their readers alone
    Read,
    /// Token windows to vectors, one by one and in a batch, presets small and base
    Encode,
    /// Training steps: masked events, contrastive views and a GRU, preset small, 32 windows of real lengths
    Train,
    /// No time: the share of small-world episodes whose label an oracle recognizes in an augmented view
    Views,
    /// Events that a clocked memory takes in, and rows that it gives, on one thread
    Remember,
    /// Time and peak memory of `pretrain` up to its first step
    Intake,
    /// A store of `--vectors` vectors of 768 values: adding, and build, memory, recall and latency of every kind of index
    Index,
    /// Peak memory of JSON lines to token sequences as a stream, for N and for 10 N events
    Memory,
    /// A server that is asked 50 times a second, while events come in and connections say nothing
    Serve,
}

impl Workload {
    /// What is measured by default.
    pub const DEFAULT: [Self; 4] = [Self::Ingest, Self::Validate, Self::Tokenize, Self::Memory];
}

/// Options of a benchmark.
#[derive(Debug, Clone)]
pub struct BenchOptions {
    /// Events of the benchmark file; 1,000,000.
    pub events: usize,
    /// Vectors of the store that is searched; 50,000.
    pub vectors: usize,
    /// Runs of ours, of which the median counts; 5, and at least 1.
    pub runs: u32,
    /// Threads of ours and of the peers; 2, and at least 1.
    pub threads: u32,
    /// Folder of the Python peers (`peer.py`); `None` to run ours alone.
    pub peers: Option<PathBuf>,
    /// The interpreter for the peers.
    pub python: PathBuf,
    /// Data of the store that is served; `None` to simulate a warehouse.
    pub data: Option<PathBuf>,
    /// Seconds of each load on the server; 10.
    pub secs: f64,
    /// Where to keep the benchmark file; `None` for a temporary folder.
    pub keep: Option<PathBuf>,
    /// A program that prints its peak memory in MiB when called with `bench --threads N --stream-file FILE`
    /// ([`crate::peak_of_stream`]), and seconds and peak memory with `--intake-file FILE` ([`crate::intake_of`]):
    /// peak memory is measured in a process of its own.
    pub program: PathBuf,
}
