//! What can go wrong from an event file to a report.

use std::path::PathBuf;

use spaxiom_encoder::EncoderError;
use spaxiom_eval::EvalError;
use spaxiom_event::EventError;
use spaxiom_index::IndexError;
use spaxiom_objective::ObjectiveError;
use spaxiom_token::TokenError;

/// Why a run, a search or an evaluation cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbeddingError {
    /// A graph without edges is a bag of events.
    #[error(
        "the encoder reads edges between events, and the tokenizer joins none: add `[tokenizer.links]` to the experiment file"
    )]
    NoEdges,
    /// Something that only an encoder has was asked of a run whose vectors are memory alone.
    #[error("this run has a memory and no encoder: {what}")]
    NoEncoder {
        /// What was asked, and what to do.
        what: &'static str,
    },
    /// A memory that was exchanged after the run was made, or of another build.
    #[error("`{path}` is not the memory of this run: copy the file of the run back, or train it anew")]
    OtherMemory {
        /// The file.
        path: PathBuf,
    },
    /// What was kept of a stream does not fit to what goes on with it.
    #[error(
        "what is kept of {of} was made by another run or a newer build: go on with that run, or begin with an empty store"
    )]
    OtherState {
        /// The site or entity.
        of: String,
    },
    /// Tokens that are made of a stretch of time cannot be gone on with in the middle of one.
    #[error("a stream cannot go on after a restart with the token layout `bins`: train with `composite` or `flat`")]
    NotLive,
    /// A run without a text encoder.
    #[error(
        "`{path}` has no text encoder: make one by `finetune --task retrieval --from {path} --data DATA --out RUN`"
    )]
    NoText {
        /// The run.
        path: PathBuf,
    },
    /// Too few events to learn from, or to judge by.
    #[error("{path}: {n_events} events of the part that is wanted, which are too few")]
    FewEvents {
        /// The data.
        path: PathBuf,
        /// How many there are.
        n_events: usize,
    },
    /// A site that the data do not have, or not before the moment that is asked about.
    #[error("{path}: no event of the site `{site}`{before}; the data have {known}")]
    NoSite {
        /// The data.
        path: PathBuf,
        /// The site.
        site: String,
        /// Before what; empty where the data have none at all.
        before: String,
        /// The sites that are there.
        known: String,
    },
    /// A past that is too short to learn what comes in so long a time.
    #[error(
        "site `{site}` has {n_events} events: too few to learn from what comes in {horizon_mins} minutes; give more of its past, or a shorter horizon"
    )]
    ShortHistory {
        /// The site.
        site: String,
        /// Its events up to the moment that is asked about.
        n_events: usize,
        /// How far ahead.
        horizon_mins: i64,
    },
    /// A head of trees in a build without LightGBM.
    #[error(
        "this build has no gradient boosting: choose `--head mlp` or `--head linear`, or build with `--features boosting`, as `cargo xtask` does"
    )]
    NoBoosting,
    /// A text without a word that names anything: every event would be found.
    #[error("no word of the text names a type, zone, site, attribute or time of the store: {words}")]
    NothingUnderstood {
        /// The words.
        words: String,
    },
    /// A run without a head for the risk.
    #[error(
        "`{path}` is no fall-risk run: make one by `finetune --task fall-risk --from {path} --data DATA --out RUN`"
    )]
    NoRisk {
        /// The run.
        path: PathBuf,
    },
    /// Too little to learn a risk from, or to judge one.
    #[error("{path}: {n_decisions} decision points with {n_outcomes} outcomes {part}, and {want} are needed")]
    FewOutcomes {
        /// The data.
        path: PathBuf,
        /// How many there are.
        n_decisions: usize,
        /// How many have an outcome.
        n_outcomes: usize,
        /// Of which part.
        part: &'static str,
        /// What is needed.
        want: &'static str,
    },
    /// An objective that could be met without learning anything, or not at all.
    #[error("the objective {objective} needs {want}")]
    Unfit {
        /// Its name.
        objective: &'static str,
        /// What it needs.
        want: &'static str,
    },
    /// One file, or none, where there have to be several.
    #[error(
        "`{path}` is no folder of event files: with `--stream` every file of the folder is a part of the data, for example made by `split --lines 1000000`"
    )]
    NoShards {
        /// The path.
        path: PathBuf,
    },
    /// Events that cannot be read.
    #[error(transparent)]
    Event(#[from] EventError),
    /// A tokenizer that cannot be learned, read or applied.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Weights that cannot be read or applied.
    #[error(transparent)]
    Encoder(#[from] EncoderError),
    /// Training that cannot go on.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// A store that cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// A split or figure that cannot be made.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A file of a run that cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A name that is no backend.
    #[error("unknown backend `{got}`; there are {known}", known = crate::engine::BackendName::all())]
    UnknownBackend {
        /// The name.
        got: String,
    },
    /// Apart from an unknown name: another build of the program has it.
    #[error("backend `{name}` is not compiled in, this program has {compiled}; choose one of these by `--backend`, or build with `--features {name}` (`cargo xtask ... --backend {name}` does)", compiled = crate::engine::BackendName::compiled())]
    NotCompiledIn {
        /// The backend.
        name: &'static str,
    },
    /// Apart from a backend that is not compiled in: this machine has nothing that it could run on.
    #[error("backend `{name}` finds no device here; there are {usable}: choose one of these by `--backend`")]
    NoDevice {
        /// The backend.
        name: &'static str,
        /// The backends that run here.
        usable: String,
    },
    /// The folder is no run, or one that was cut off before its first weights.
    #[error(
        "`{path}` holds no run that can be used: `{missing}` is not there; make one with `pretrain`, or go on with a stopped one by `--resume`"
    )]
    NoRun {
        /// The folder.
        path: PathBuf,
        /// The file that is not there.
        missing: &'static str,
    },
    /// Nothing to resume from.
    #[error("`{path}` holds no checkpoint to resume from: start a run there with `--out`")]
    NoCheckpoint {
        /// The folder.
        path: PathBuf,
    },
    /// A run folder is never overwritten by accident.
    #[error("`{path}` holds a run already: choose another folder, or go on with it by `--resume`")]
    RunExists {
        /// The folder.
        path: PathBuf,
    },
    /// A file of somebody else is never overwritten.
    #[error("`{path}` is there, and it is not from a run: choose another folder")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A configuration that cannot be read.
    #[error("`{path}` is no configuration of a run")]
    Config {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// A tokenizer of another build, or a damaged one.
    #[error("`{path}` cannot be used; train the run anew, or copy the file of the run that it came from")]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: TokenError,
    },
    /// A file of a run that is damaged.
    #[error("`{path}` is damaged: train the run anew, or copy the file from where it is whole")]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// A tokenizer that was exchanged after the run was made.
    #[error(
        "`{path}` is not the tokenizer of this run (fingerprint {found}, the manifest says {want}): copy the file of the run back"
    )]
    OtherTokenizer {
        /// The file.
        path: PathBuf,
        /// Fingerprint in the manifest.
        want: String,
        /// Fingerprint of the file.
        found: String,
    },
    /// A task that needs labels got data without any.
    #[error("`{path}` has no labels: {wanted}")]
    NoLabels {
        /// The data.
        path: PathBuf,
        /// What is needed.
        wanted: &'static str,
    },
    /// Every line of the input was bad.
    #[error("`{path}` holds no line that can be read; the first bad one: {first}")]
    AllRejected {
        /// The data.
        path: PathBuf,
        /// The first bad line.
        first: String,
    },
    /// A kill between two files, or a file that was changed by hand.
    #[error("`{path}` has the weights {found}, the manifest says {want}: finish the run by `--resume`")]
    OtherWeights {
        /// The file.
        path: PathBuf,
        /// SHA-256 in the manifest.
        want: String,
        /// SHA-256 of the file.
        found: String,
    },
    /// Apart from damage: another version of the program reads it.
    #[error("`{path}` has run format {found}, this build reads {want}: train it anew")]
    RunFormat {
        /// The folder.
        path: PathBuf,
        /// The number in the folder.
        found: u32,
        /// The number of this build.
        want: u32,
    },
    /// A fine-tuning is resumed from its own checkpoint, never from another run.
    #[error("`{run}` did not start from the weights of `{from}`; leave out `--from` to resume it")]
    OtherStart {
        /// The run that is resumed.
        run: PathBuf,
        /// The run that was named.
        from: PathBuf,
    },
    /// Two runs that cannot stand side by side.
    #[error(
        "`{run}` did not start from `{from}`: they have other tokens or windows; name the run that it was fine-tuned from"
    )]
    NotFrom {
        /// The fine-tuned run.
        run: PathBuf,
        /// The run that was named.
        from: PathBuf,
    },
    /// A resumed run has to see the data that it was started on.
    #[error(
        "`{path}` does not hold the data of the run in `{run}` (fingerprint {got}, wanted {want}): give the same data with the same reading options, or start a new run with `--out`"
    )]
    OtherData {
        /// The run.
        run: PathBuf,
        /// The data.
        path: PathBuf,
        /// Fingerprint of the run's data.
        want: String,
        /// Fingerprint of these data.
        got: String,
    },
    /// Vectors are written in two formats.
    #[error("`{path}` names no format of vectors: end it with `.parquet` or `.npy`")]
    VectorFormat {
        /// The file.
        path: PathBuf,
    },
    /// Vectors that cannot be written as Parquet.
    #[error("vectors cannot be written as Parquet")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// An event is compared by its vector, which a run makes.
    #[error("a search by an event needs the run that filled the store")]
    NeedsRun,
    /// A file of vectors that somebody else made, which a store cannot take.
    #[error("`{path}`: {what}")]
    Import {
        /// The file.
        path: PathBuf,
        /// What was wanted, and what was found.
        what: String,
    },
    /// A span of time in which the store has no event of the site.
    #[error("no event of the site `{site}` from {from} to {to} in the store")]
    NothingThen {
        /// The site.
        site: String,
        /// The beginning.
        from: String,
        /// The end.
        to: String,
    },
    /// A store that another program filled keeps something else beside its vectors.
    #[error("what the store keeps of `{id}` is no event")]
    StoredEvent {
        /// The id.
        id: String,
        /// What is wrong with it.
        #[source]
        source: spaxiom_event::LineError,
    },
    /// An id that is not in the store.
    #[error("no event `{id}` in the store")]
    NoSuchEvent {
        /// The id.
        id: String,
    },
}
