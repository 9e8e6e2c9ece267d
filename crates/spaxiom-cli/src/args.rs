//! The words of the command line.

mod read;
mod simulate;
mod train;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
pub(crate) use read::ReadArgs;
pub(crate) use simulate::SimulateArgs;
use spaxiom_embedding::KindName;
pub(crate) use train::{AblateArgs, FinetuneArgs, ObjectiveArg, PresetArg, PretrainArgs, TaskArg, TrainArgs};

/// Experience embeddings: typed sensor events to vectors that can be searched, classified and evaluated.
#[derive(Debug, Parser)]
#[command(name = "spaxiom-embed", version)]
pub(crate) struct Cli {
    /// Print one JSON document to stdout instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Log more
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulate buildings with hidden causes
    Simulate(SimulateArgs),
    /// Read events, validate them, count them and report bad lines
    Check(CheckArgs),
    /// Read events in one format and write them in another
    Convert(ConvertArgs),
    /// Train an encoder without labels
    Pretrain(PretrainArgs),
    /// Train a pretrained encoder for a task with labels
    Finetune(FinetuneArgs),
    /// Embed events into a store and index them
    Index(IndexArgs),
    /// Find the events nearest to one
    Search(SearchArgs),
    /// Compare a run with controls on sites and days that training never saw
    Eval(EvalArgs),
    /// Pretrain by several objectives and seeds and compare the frozen vectors with those of the untrained encoder
    Ablate(AblateArgs),
    /// Time this program, beside the Python programs that do the same work
    Bench(BenchArgs),
    /// Everything, once: simulate, check, pretrain, fine-tune, index, search, evaluate
    Demo(DemoArgs),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask check data/warehouse --json\n  \
    cargo xtask check home.txt.gz --format casas --time-zone America/Los_Angeles --quarantine bad.jsonl\n  \
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetArg {
    /// One canonical event per line; the endings .gz and .zst compress
    Jsonl,
    /// One CloudEvent 1.0 per line; the endings .gz and .zst compress
    Cloudevents,
    /// Apache Parquet, compressed with zstd
    Parquet,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask convert home.txt --to jsonl --out home/events.jsonl --labels home/labels.jsonl\n  \
    cargo xtask convert events.jsonl.gz --to parquet --out events.parquet --allowed-lateness 60 --quarantine late.jsonl\n\n\
    Duplicates are dropped and counted. Exit code 3: done, but some lines were rejected (with --strict: 1)."
)]
pub(crate) struct ConvertArgs {
    /// Files of events, folders of such files, or - for standard input
    #[arg(required = true)]
    pub(crate) input: Vec<PathBuf>,
    /// How the events are to be written down
    #[arg(long, value_enum)]
    pub(crate) to: TargetArg,
    /// The file to write; what is there is replaced once the new one is whole
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

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// A file of events, or a folder with events.jsonl and labels.jsonl
    #[arg(long)]
    pub(crate) data: PathBuf,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
}

#[derive(Debug, Args)]
pub(crate) struct BackendArgs {
    /// What computes: flex, ndarray, wgpu or cuda, if compiled in [default: flex, or that of the run]
    #[arg(long)]
    pub(crate) backend: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask index build --store stores/warehouse --run runs/warehouse --data data/warehouse\n  \
    cargo xtask index stats --store stores/warehouse\n\n\
    A build that was stopped goes on where it was."
)]
pub(crate) struct IndexArgs {
    #[command(subcommand)]
    pub(crate) action: IndexAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndexAction {
    /// Embed all events of the data and index them
    Build(IndexBuildArgs),
    /// Embed more events; they are found at once, the index is left as it is
    Add(IndexAddArgs),
    /// Build the index file anew over everything that is stored
    Compact(StoreArgs),
    /// Count
    Stats(StoreArgs),
    /// Check database and index file
    Verify(StoreArgs),
}

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// Folder of the store
    #[arg(long)]
    pub(crate) store: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct IndexAddArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The run whose encoder is used
    #[arg(long)]
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

#[derive(Debug, Args)]
pub(crate) struct IndexBuildArgs {
    #[command(flatten)]
    pub(crate) add: IndexAddArgs,
    #[command(flatten)]
    pub(crate) index: IndexFlags,
}

/// Options of the index; an existing store keeps those that are not given.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct IndexFlags {
    /// Index kind [default: as before, or hnsw]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<KindName>,
    /// HNSW: neighbors per vector [default: as before, or 32]
    #[arg(long)]
    pub(crate) m: Option<u32>,
    /// HNSW: candidates kept while building [default: as before, or 80]
    #[arg(long)]
    pub(crate) ef_construction: Option<u32>,
    /// HNSW: candidates kept while searching [default: as before, or 64]
    #[arg(long)]
    pub(crate) ef_search: Option<u32>,
    /// HNSW: threads while building; with more than one the graph is not reproducible [default: as before, or 1]
    #[arg(long)]
    pub(crate) threads: Option<u32>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask search --run runs/warehouse --store stores/warehouse -k 10 \\\n    \
    --event '{\"type\":\"QueueFormed\",\"zone\":\"loading_dock\",\"length\":4,\"time\":\"2025-01-20T10:23:45Z\"}'\n  \
    cargo xtask search --run runs/warehouse --store stores/warehouse --id 0123456789abcdef --zone dock_2")]
pub(crate) struct SearchArgs {
    /// Folder of the store
    #[arg(long)]
    pub(crate) store: PathBuf,
    /// The run that filled the store
    #[arg(long)]
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) query: QueryArgs,
    /// Hits
    #[arg(short, default_value_t = 10)]
    pub(crate) k: usize,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) kind: Option<String>,
    /// Only events in this zone
    #[arg(long)]
    pub(crate) zone: Option<String>,
    /// Only events of this site
    #[arg(long)]
    pub(crate) site: Option<String>,
    /// Only events from this time on (RFC 3339)
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// Only events before this time (RFC 3339)
    #[arg(long)]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct QueryArgs {
    /// The event to compare with, as JSON
    #[arg(long, value_name = "JSON")]
    pub(crate) event: Option<String>,
    /// The stored event to compare with
    #[arg(long)]
    pub(crate) id: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cargo xtask eval --run runs/causes --from runs/warehouse --data data/warehouse --out runs/causes"
)]
pub(crate) struct EvalArgs {
    /// The run
    #[arg(long)]
    pub(crate) run: PathBuf,
    /// The pretrained run that a fine-tuned one started from, for a row of its own
    #[arg(long, value_name = "RUN")]
    pub(crate) from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Folder for report.json and report.html [default: that of the run]
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WorkloadArg {
    /// JSON lines to token sequences, everything in memory
    Ingest,
    /// JSON lines to validated events, on one thread
    Validate,
    /// Parsed events to composite ids and values, on one thread
    Tokenize,
    /// Token windows to vectors, one by one and in a batch, presets small and base
    Encode,
    /// Steps of pretraining: masked events, views and a GRU, preset small, 32 windows of real lengths
    Train,
    /// No time: the share of small-world episodes whose label an oracle tells from a view
    Views,
    /// Peak memory of JSON lines to token sequences as a stream, for N and for ten times N events
    Memory,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask bench --workload ingest\n  \
    cargo xtask bench --workload ingest --peers peers --python venv/bin/python --json\n\n\
    `ratio` is our time over the peer's: below 1 is faster. Ours and the peer's run in turn on the same file.")]
pub(crate) struct BenchArgs {
    /// What is timed; everything where it is not said
    #[arg(long, value_enum, value_name = "NAME")]
    pub(crate) workload: Vec<WorkloadArg>,
    /// Events of the benchmark file
    #[arg(long, default_value_t = 1_000_000, value_name = "N")]
    pub(crate) events: usize,
    /// Runs of ours; the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) runs: u32,
    /// Threads of ours and of the peers
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) threads: u32,
    /// Run the Python peers in this folder too (`peer.py`)
    #[arg(long, value_name = "DIR")]
    pub(crate) peers: Option<PathBuf>,
    /// The interpreter for the peers, with their packages
    #[arg(long, default_value = "python3")]
    pub(crate) python: PathBuf,
    /// Keep the benchmark file here, and use it again [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    /// Used by `--workload memory` for a process of its own
    #[arg(long, hide = true, value_name = "FILE")]
    pub(crate) stream_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask demo\n  cargo xtask demo --data home.txt --format casas")]
pub(crate) struct DemoArgs {
    /// Events of your own instead of simulated ones
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// Folder for everything that the demo makes [default: the next free runs/demo-N]
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Decides everything random
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}
