//! Experience embeddings: the facade over all layers.
//!
//! Takes event files and run folders, gives trained runs, vectors, hits and reports.
//! Burn's generics are instantiated here, once per backend that is compiled in; behind [`Engine`] there are none.
//! Knows no command line, no environment and no clock: progress and times are the caller's.
//!
//! # Example
//!
//! ```rust,no_run
//! use std::path::Path;
//!
//! use spaxiom_embedding::{EmbeddingPipeline, Event, Filter, Run, engine};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let run = Run::open(Path::new("runs/warehouse"))?;
//!     let store = Path::new("stores/warehouse");
//!     let pipeline = EmbeddingPipeline::open(&run, store, engine("flex")?.as_ref())?;
//!     let event = Event::from_json(r#"{"type": "DoorOpened", "zone": "dock_2", "time": "2025-01-20T10:23:45Z"}"#)?;
//!     for hit in pipeline.search_event(&event, 10, &Filter::All)? {
//!         println!("{} in {:?} at {}: {:.3}", hit.kind, hit.zone, hit.time, hit.similarity);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # Features
//!
//! - `flex` (default), `ndarray`, `wgpu`, `cuda`: the backends that are compiled in; [`engine()`] chooses one by its name.
//! - `faiss` (default): HNSW stores; without it there is exact search.
//! - `boosting`: gradient boosting by LightGBM beside the linear probes of an evaluation.
//! - `clap`: names of encoders, objectives, layouts and index kinds are values of a command line.

mod data;
mod engine;
mod error;
mod evaluation;
mod exchange;
mod files;
mod forecast;
mod page;
mod pipeline;
mod retrieval;
mod risk;
mod run;
mod training;
mod vector;
mod words;

pub use crate::data::{
    DataFolder, Dataset, ExampleRequest, LabeledEvent, Learned, PartData, SampleRequest, ShardedDataset, TrainingData,
    TrainingExamples,
};
pub use crate::engine::{
    BackendName, Engine, ModelShape, SiteWalk, TextEncoder, TextShape, TextTraining, TrainingInput, TrainingOutput,
    Weights, WindowEncoder, engine,
};
pub use crate::error::EmbeddingError;
pub use crate::evaluation::{
    AblationJob, AblationReport, AblationRow, Boosted, Details, EvaluateOptions, EventBefore, FewShot, GivenAway,
    HeldOut, IndexFigures, LabelShare, MapPoint, Report, ReportRow, ShownMoment, ShownQuery, ablate, evaluate,
};
pub use crate::exchange::{ExportFormat, Imported, export_store, import_vectors};
pub use crate::forecast::{
    Backtest, CountErrors, ExpectedCount, Forecast, ForecastInput, ForecastOptions, LastEvent, NextEventChance,
    NextScores, forecast,
};
pub use crate::pipeline::{
    Added, Aligned, Committed, EmbeddingPipeline, Evidence, Explained, Followed, Hidden, LivePipeline, Nearest, Query,
    Relaxed, SearchResult, StoreSearch, Taken, TextHits, TextSearch, Unusual,
};
pub use crate::retrieval::{
    TextEvaluateOptions, TextJob, TextReport, TextRow, TextSet, TextSummary, TextVectors, evaluate_text, fit_text,
};
pub use crate::risk::{
    AlertTarget, AtThreshold, FallRiskClassifier, HeadName, RiskEvaluateOptions, RiskJob, RiskOptions, RiskReport,
    RiskRow, RiskRule, RiskScore, RiskStream, RiskSummary, SiteFigures, evaluate_risk, fit_risk,
};
pub use crate::run::{Manifest, Provenance, Run, RunConfig, RunFolder, Task};
pub use crate::training::{RunSummary, TrainJob, train};
pub use crate::vector::{LiveVectors, VectorFile, VectorName, VectorOptions, VectorReader, VectorStream, Vectors};
pub use crate::words::{FilterScores, Names, Reading, TextQuery, Unread};

pub use spaxiom_encoder::{
    BatchLayout, Cell, ContrastiveEventEncoder, EncoderConfig, EncoderError, EncoderKind, EventEncoderConfig,
    FusionMethod, GruEventEncoder, LstmEventEncoder, MultiModalFusion, MultiModalFusionConfig, NamedTensor, Pca,
    Pooling, Preset, Readout, RecurrentEventEncoderConfig, SpatioTemporalGnn, SpatioTemporalGnnConfig,
    TextQueryEncoder, TextQueryEncoderConfig, TransformerEventEncoder, TransformerEventEncoderConfig, WeightFile,
};
pub use spaxiom_eval::{EvalError, Interval, Latency, Part, Split, SplitDates, SplitOptions};
pub use spaxiom_event::{
    AttrSpec, AttrValue, Attrs, ColumnMap, DecisionOutcome, DecisionPoint, Deduplicator, Doctor, DoctorOptions,
    EntityId, EntityRecord, Event, EventError, EventLog, EventReader, EventSequence, EventWriter, Finding, First,
    Format, Framing, Head, Health, LabelIndex, LabelSpan, Late, LineError, Normalizer, Note, Parsed, Pseudonymizer,
    ReadOptions, Record, RecordParser, Registry, Rejected, RelevanceRecord, Reorder, SequenceKey, Sequencer,
    SequencerOptions, Site, SiteId, SiteMap, Source, SpanBuilder, Target, TextEncoding, Unit, UnpairedMark, Zone,
    group_by_site, read_events, read_labels, read_log, read_records, write_broken_line, write_jsonl, write_labels,
    write_records,
};
pub use spaxiom_file::{NewFile, hex, replace_file};
pub use spaxiom_index::{
    Added as StoreAdded, AuditOptions, AuditReport, BuildReport, Choice, Drift, Exact, Field, Filter, Hit, IndexError,
    IndexFile, IndexKind, IndexState, KindName, KindRecord, KindSettings, Layout, Moment, Neighbor, Progress, RaBitQ,
    RaBitQOptions, Record as StoreRecord, Rows, Sample, SearchAudit, Store, StoreBytes, StoreHeader, StoreNames,
    StoreStats, VectorId, VectorIndex, VectorSource, VectorStore, VerifyReport, choose, normalize,
};
#[cfg(feature = "faiss")]
pub use spaxiom_index::{Hnsw, HnswOptions, HnswStorage, IvfPq, IvfPqOptions};
pub use spaxiom_objective::{
    Checkpoint, ClassWeights, ClassificationOptions, EvalReport, Example, Examples, Flow, InOrder, InfoNceOptions,
    JigsawOptions, Judged, LinkPredictionOptions, MaskedEventOptions, Metric, Mining, NextEventOptions,
    NodeAttributeOptions, ObjectiveContext, ObjectiveError, ObjectiveName, ObjectiveSet, Objectives, Observer, Outcome,
    Show, StepReport, TextPairs, TextTrainOptions, TrainOptions, TrainState, Trainer, TrainingSet, TripletOptions,
};
pub use spaxiom_token::{
    AugmentOptions, Augmenter, CellReport, ClockedMemory, EdgeType, EntityMemory, EntityMemoryOptions, EntityState,
    EventSpan, EventTable, FitReport, LayoutName, LinkOptions, MemoryOptions, MemoryReader, MemoryState, MemoryStream,
    SequenceRows, Sites, TokenError, TokenSequence, TokenTable, TokenWindow, Tokenizer, TokenizerFit, TokenizerOptions,
    spatial_hash,
};
