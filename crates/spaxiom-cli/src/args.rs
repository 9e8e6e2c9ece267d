//! The words of the command line.

mod read;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
pub(crate) use read::ReadArgs;
use spaxiom_embedding::{EncoderKind, LayoutName, Preset};
use spaxiom_sim::{Difficulty, NoiseLevel, ScenarioName, SmallWorld};

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
    /// Time this program, beside the Python programs that do the same work
    Bench(BenchArgs),
    /// Everything, once: simulate, check, pretrain, fine-tune, index, search, evaluate
    Demo(DemoArgs),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ScenarioArg {
    /// Patients who walk, are helped or fall, with causes spread over hours, zones and order
    Hospital,
    /// Trucks, docks, queues and doors
    Warehouse,
    /// Customers, aisles, tills and crowding
    Retail,
    /// A small world in which only the number of events of each type tells the label
    CountOnly,
    /// A small world in which only the order of types tells the label
    OrderOnly,
    /// A small world in which only the time between events tells the label
    GapOnly,
    /// A small world in which only the way round tells the label
    PathOnly,
}

impl From<ScenarioArg> for ScenarioName {
    fn from(scenario: ScenarioArg) -> Self {
        match scenario {
            ScenarioArg::Hospital => Self::Hospital,
            ScenarioArg::Warehouse => Self::Warehouse,
            ScenarioArg::Retail => Self::Retail,
            ScenarioArg::CountOnly => Self::Small(SmallWorld::CountOnly),
            ScenarioArg::OrderOnly => Self::Small(SmallWorld::OrderOnly),
            ScenarioArg::GapOnly => Self::Small(SmallWorld::GapOnly),
            ScenarioArg::PathOnly => Self::Small(SmallWorld::PathOnly),
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum NoiseArg {
    /// Nothing is lost, late, doubled or wrong
    Clean,
    /// As in public data: chatter, losses, duplicates, disorder, silences, drift, broken lines
    Real,
    /// As in a bad month
    Harsh,
}

impl From<NoiseArg> for NoiseLevel {
    fn from(noise: NoiseArg) -> Self {
        match noise {
            NoiseArg::Clean => Self::Clean,
            NoiseArg::Real => Self::Real,
            NoiseArg::Harsh => Self::Harsh,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum DifficultyArg {
    /// Nearly all evidence of a cause is there
    Easy,
    Medium,
    /// Much of the evidence is missing or misleading
    Hard,
}

impl From<DifficultyArg> for Difficulty {
    fn from(difficulty: DifficultyArg) -> Self {
        match difficulty {
            DifficultyArg::Easy => Self::Easy,
            DifficultyArg::Medium => Self::Medium,
            DifficultyArg::Hard => Self::Hard,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PresetArg {
    /// 2 layers of width 64, minutes on two cores
    Tiny,
    /// 4 layers of width 256
    Small,
    /// 12 layers of width 768, for a GPU
    Base,
}

impl From<PresetArg> for Preset {
    fn from(preset: PresetArg) -> Self {
        match preset {
            PresetArg::Tiny => Self::Tiny,
            PresetArg::Small => Self::Small,
            PresetArg::Base => Self::Base,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum EncoderArg {
    /// Attention over the events of a window
    Transformer,
    /// Event after event, with a memory beside the state
    Lstm,
    /// Event after event, with fewer weights
    Gru,
    /// Messages along edges of place, time and cause
    Gnn,
}

impl From<EncoderArg> for EncoderKind {
    fn from(encoder: EncoderArg) -> Self {
        match encoder {
            EncoderArg::Transformer => Self::Transformer,
            EncoderArg::Lstm => Self::Lstm,
            EncoderArg::Gru => Self::Gru,
            EncoderArg::Gnn => Self::Gnn,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ObjectiveArg {
    /// Masked event prediction
    Mep,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum TokensArg {
    /// An event, with type, zone, cells, attributes and times side by side
    Composite,
    /// A token: type, zone, attributes and times one after the other, with separators
    Flat,
    /// Five minutes, with the number of events of each type
    Bins,
}

impl From<TokensArg> for LayoutName {
    fn from(tokens: TokensArg) -> Self {
        match tokens {
            TokensArg::Composite => Self::Composite,
            TokensArg::Flat => Self::Flat,
            TokensArg::Bins => Self::Bins,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum TaskArg {
    /// Tell the labels of the data: hidden causes or activities
    Classify,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask simulate --scenario warehouse --sites 8 --days 28 --seed 1 --out data/warehouse\n  \
    cargo xtask simulate --scenario hospital --sites 10 --days 90 --noise real --out data/hospital\n  \
    cargo xtask simulate --scenario retail --sites 2 --days 1 --realtime 60 --out - | ...\n\n\
    The same words give the same bytes. Hidden causes, decision points and relevance lie beside the events, never in them."
)]
pub(crate) struct SimulateArgs {
    /// What is simulated
    #[arg(long, value_enum)]
    pub(crate) scenario: ScenarioArg,
    /// Decides everything random
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Number of sites
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) sites: u32,
    /// Days per site
    #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) days: u32,
    /// How sure the evidence of the hidden causes is
    #[arg(long, value_enum, default_value = "medium")]
    pub(crate) difficulty: DifficultyArg,
    /// What sensors and networks do to the events
    #[arg(long, value_enum, default_value = "clean")]
    pub(crate) noise: NoiseArg,
    /// Share of lines that break off, instead of that of the noise
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) malformed: Option<f64>,
    /// Constants of your own instead of those in datasets/scenarios
    #[arg(long, value_name = "FILE")]
    pub(crate) constants: Option<PathBuf>,
    /// Folder for events, labels and the rest of the truth; - for a stream of events to stdout
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Write events.parquet instead of events.jsonl
    #[arg(long)]
    pub(crate) parquet: bool,
    /// Replay so many times as fast as real (with --out -)
    #[arg(long, value_name = "TIMES", value_parser = times)]
    pub(crate) realtime: Option<f64>,
    /// Replace files that are there already
    #[arg(long)]
    pub(crate) overwrite: bool,
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
pub(crate) struct TrainArgs {
    /// Folder of the new run
    #[arg(long, required_unless_present = "resume")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with the run in this folder from its last checkpoint
    #[arg(long, value_name = "RUN", conflicts_with = "out")]
    pub(crate) resume: Option<PathBuf>,
    /// Steps at most [default: that of the preset]
    #[arg(long)]
    pub(crate) max_steps: Option<u64>,
    /// Decides first weights, order and masks [default: 0]
    #[arg(long, conflicts_with = "resume")]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask pretrain --data data/warehouse --preset tiny --out runs/warehouse\n  \
    cargo xtask pretrain --data data/warehouse --preset small --encoder gru --out runs/gru\n  \
    cargo xtask pretrain --data data/warehouse --resume runs/warehouse\n\n\
    Ctrl-C writes a checkpoint and ends with exit code 130."
)]
pub(crate) struct PretrainArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Sizes that are known to work
    #[arg(long, value_enum, conflicts_with_all = ["config", "resume"])]
    pub(crate) preset: Option<PresetArg>,
    /// An experiment file (TOML): any settings over those of the preset it names
    #[arg(long, conflicts_with = "resume")]
    pub(crate) config: Option<PathBuf>,
    /// Which encoder [default: transformer, or what the experiment file says]
    #[arg(long, value_enum, conflicts_with = "resume")]
    pub(crate) encoder: Option<EncoderArg>,
    /// What a position is [default: composite, or what the experiment file says]
    #[arg(long, value_enum, conflicts_with = "resume")]
    pub(crate) tokens: Option<TokensArg>,
    /// What it learns
    #[arg(long, value_enum, default_value = "mep")]
    pub(crate) objective: ObjectiveArg,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cargo xtask finetune --task classify --from runs/warehouse --data data/warehouse --out runs/causes\n\n\
    Ctrl-C writes a checkpoint and ends with exit code 130."
)]
pub(crate) struct FinetuneArgs {
    /// What is learnt
    #[arg(long, value_enum)]
    pub(crate) task: TaskArg,
    /// The pretrained run to start from
    #[arg(long, value_name = "RUN", required_unless_present = "resume")]
    pub(crate) from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArg {
    /// Compare every vector
    Exact,
    /// FAISS HNSW graph
    Hnsw,
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

/// What a store that is there already keeps unless it is said again.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct IndexFlags {
    /// How searches are answered [default: as before, or hnsw]
    #[arg(long, value_enum)]
    pub(crate) kind: Option<KindArg>,
    /// HNSW: neighbours of a vector [default: as before, or 32]
    #[arg(long)]
    pub(crate) m: Option<u32>,
    /// HNSW: candidates while building [default: as before, or 80]
    #[arg(long)]
    pub(crate) ef_construction: Option<u32>,
    /// HNSW: candidates while searching [default: as before, or 64]
    #[arg(long)]
    pub(crate) ef_search: Option<u32>,
    /// HNSW: threads while building; with more than one the graph is not the same every time [default: as before, or 1]
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

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "wanted a number from 0 to 1".into())
}

fn times(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|times: &f64| *times > 0.0 && times.is_finite())
        .ok_or_else(|| "wanted a number above 0".into())
}
