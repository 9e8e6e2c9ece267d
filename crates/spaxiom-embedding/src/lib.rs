//! Experience embeddings: the facade over all layers.
//!
//! Takes event files and run folders, gives trained runs, vectors, hits and reports.
//! Burn's generics are instantiated here, once per backend that is compiled in; behind [`Engine`] there are none.
//! Knows no command line, no environment and no clock: progress and times are the caller's.

/// The example of the README compiles.
#[cfg(all(doctest, feature = "faiss"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

mod backend;
mod burn_engine;
mod config;
mod cpu_encoder;
mod curves;
mod data_folder;
mod dataset;
mod engine;
mod error;
mod evaluate;
mod files;
mod metrics;
mod neighbours;
mod pipeline;
mod reduce;
mod report;
mod run;
mod shards;
mod steps;
mod train;

pub use crate::backend::{BackendName, engine};
pub use crate::config::{ClassWeights, ClassifyOptions, RunConfig, Task};
pub use crate::data_folder::DataFolder;
pub use crate::dataset::{Dataset, LabelledPart, PartData};
pub use crate::engine::{Engine, ModelShape, WindowEncoder};
pub use crate::error::EmbeddingError;
pub use crate::evaluate::{AblationJob, AblationReport, AblationRow, EvaluateOptions, ablate, evaluate};
pub use crate::pipeline::{EmbeddingPipeline, PipelineOptions, SearchResult};
pub use crate::report::{HeldOut, IndexFigures, Report, ReportRow};
pub use crate::run::{Manifest, Provenance, RunFolder};
pub use crate::shards::ShardedDataset;
pub use crate::steps::training_steps;
pub use crate::train::{FinetuneJob, PretrainJob, RunSummary, finetune, pretrain, pretrain_sharded};

pub use spaxiom_encoder::{
    Cell, ContrastiveEventEncoder, EncoderKind, EventEncoderConfig, FusionMethod, GruEventEncoder, LstmEventEncoder,
    MultiModalFusion, MultiModalFusionConfig, Pca, Pooling, Preset, Readout, RecurrentEventEncoderConfig,
    SpatioTemporalGnn, SpatioTemporalGnnConfig, TextQueryEncoder, TextQueryEncoderConfig, TransformerEventEncoder,
    TransformerEventEncoderConfig, WeightFile, replace_file,
};
pub use spaxiom_event::{
    AttrSpec, AttrValue, Attrs, ColumnMap, DecisionOutcome, DecisionPoint, Deduplicator, Doctor, DoctorOptions,
    EntityRecord, Event, EventError, EventLog, EventReader, EventSequence, EventWriter, Finding, Format, Health,
    LabelIndex, LabelSpan, Late, LineError, Pseudonymizer, ReadOptions, Record, Registry, Rejected, RelevanceRecord,
    Reorder, SequenceKey, Sequencer, SequencerOptions, SiteId, SiteMap, SpanBuilder, Target, Unit, UnpairedMark, Zone,
    group_by_site, read_labels, read_log, read_records, write_broken_line, write_jsonl, write_labels, write_records,
};
pub use spaxiom_index::{
    Exact, Filter, IndexError, IndexKind, KindName, KindRecord, KindSettings, Store, StoreStats, VectorIndex,
    VerifyReport,
};
#[cfg(feature = "faiss")]
pub use spaxiom_index::{Hnsw, HnswOptions};
pub use spaxiom_objective::{EvalReport, Flow, Observer, Outcome, PretextName, StepReport, TrainOptions};
pub use spaxiom_token::{
    AugmentOptions, Augmenter, CellReport, EdgeType, EventSpan, EventTable, FitReport, LayoutName, LinkOptions, Sites,
    TokenError, TokenSequence, TokenTable, TokenWindow, Tokenizer, TokenizerFit, TokenizerOptions, spatial_hash,
};
