//! Arguments of `index`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use spaxiom_embedding::{ExportFormat, VectorName};

use super::kind::IndexFlags;
use crate::args::{BackendArgs, DataArgs, StoreArgs, vector_parser};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask index build --store stores/warehouse --run runs/warehouse --data data/warehouse\n  \
    cargo xtask index stats --store stores/warehouse\n  \
    cargo xtask index snapshot --store stores/warehouse --to backups/warehouse-monday\n  \
    cargo xtask index build --store 'postgres://spaxiom@db/buildings?schema=warehouses' --run runs/warehouse --data data/warehouse\n\n\
    A build that was stopped goes on where it was. The password of a database server is read from PGPASSWORD, or from the\n\
    file that SPAXIOM_STORE_PASSWORD_FILE names."
)]
pub(crate) struct IndexArgs {
    #[command(subcommand)]
    pub(crate) action: IndexAction,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cargo xtask index add --store stores/warehouse --run runs/warehouse --data today.jsonl"
)]
pub(crate) struct IndexAddArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// The run whose encoder is used
    #[arg(long)]
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Replace stored events that have the same site and id but different content
    #[arg(long)]
    pub(crate) replace: bool,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask index build --store stores/warehouse --run runs/warehouse --data data/warehouse\n  \
    cargo xtask index build --store stores/small --run runs/warehouse --data data/warehouse --kind exact\n  \
    cargo xtask index build --store stores/large --run runs/warehouse --data data/warehouse --kind rabitq --set bits=2"
)]
pub(crate) struct IndexBuildArgs {
    #[command(flatten)]
    pub(crate) add: IndexAddArgs,
    /// Parts of the vectors that are stored [default: as before, or both]
    #[arg(long, value_parser = vector_parser())]
    pub(crate) vector: Option<VectorName>,
    #[command(flatten)]
    pub(crate) index: IndexFlags,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask index delete --store stores/warehouse --where 'time < 2025-01-06'\n  \
    cargo xtask index delete --store stores/warehouse --where 'site = warehouse-03 and type = SensorFault'\n\n\
    `index compact` reclaims the space."
)]
pub(crate) struct IndexDeleteArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Condition on the events to delete, as in `search --where`
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) condition: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo xtask index snapshot --store stores/warehouse --to backups/warehouse-monday")]
pub(crate) struct IndexSnapshotArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// New folder for the copy
    #[arg(long)]
    pub(crate) to: PathBuf,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cargo xtask index restore --from backups/warehouse-monday --store stores/warehouse"
)]
pub(crate) struct IndexRestoreArgs {
    /// Folder of the snapshot
    #[arg(long)]
    pub(crate) from: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask index verify --store stores/warehouse\n  \
    cargo xtask index verify --store stores/warehouse --queries 500 --min-recall 0.95\n\n\
    Recall counts a hit that is as near as the tenth exact one. Fails where something is damaged or recall is too low.")]
pub(crate) struct IndexVerifyArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Queries for recall and latency, of stored and of out-of-distribution vectors each; 0 to skip
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub(crate) queries: usize,
    /// Fail below this mean recall@10
    #[arg(long, default_value_t = 0.9, value_name = "SHARE")]
    pub(crate) min_recall: f64,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask index export --store stores/warehouse --to parquet --out warehouse.parquet\n  \
    cargo xtask index export --store stores/warehouse --to atlas --out atlas.parquet\n\n\
    Embedding Atlas opens the second by `embedding-atlas atlas.parquet --x projection_x --y projection_y --neighbors neighbors`.\n\
    The graph of an HNSW store is the file index.faiss in its folder, which FAISS reads."
)]
pub(crate) struct IndexExportArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Format of the file
    #[arg(long, value_parser = format_parser())]
    pub(crate) to: ExportFormat,
    /// File to write
    #[arg(long)]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cargo xtask index import --store stores/other --from vectors.parquet --encoder their-model-2\n  \
    cargo xtask search --store stores/other --id some-id\n\n\
    The file has the columns id and vector (a list of floats); site_id, type, zone, time and metadata are optional,\n\
    and other columns become attributes for --where."
)]
pub(crate) struct IndexImportArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Parquet file with the vectors
    #[arg(long)]
    pub(crate) from: PathBuf,
    /// Name of the model that made the vectors; a store holds vectors of one model
    #[arg(long)]
    pub(crate) encoder: String,
    #[command(flatten)]
    pub(crate) index: IndexFlags,
}

fn format_parser() -> impl TypedValueParser<Value = ExportFormat> {
    let value = |format: ExportFormat| {
        PossibleValue::new(format.as_str()).help(match format {
            ExportFormat::Parquet => "Ids, sites, types, zones, times, metadata, vectors and two coordinates",
            ExportFormat::Npy => "Vectors as an array for NumPy, other columns as FILE.ids.parquet beside it",
            ExportFormat::Atlas => "A table for Embedding Atlas, with coordinates and neighbors",
        })
    };
    let known = "one of the possible values";
    PossibleValuesParser::new(ExportFormat::ALL.map(value))
        .map(move |name| ExportFormat::from_name(&name).expect(known))
}

#[derive(Debug, Subcommand)]
pub(crate) enum IndexAction {
    /// Embed all events of the data and index them
    Build(IndexBuildArgs),
    /// Add events; they are searchable immediately, and the index is rebuilt when a quarter is not in it
    Add(IndexAddArgs),
    /// Delete the events that pass a condition, such as all before a day
    Delete(IndexDeleteArgs),
    /// Reclaim the space of deleted events and rebuild the index over everything that is stored
    Compact(StoreArgs),
    /// Print what is stored, its size and the index kind
    Stats(StoreArgs),
    /// Verify the database, every vector and the index file, and measure recall, latency and drift
    Verify(IndexVerifyArgs),
    /// Copy a store as it is at this moment, while others write
    Snapshot(IndexSnapshotArgs),
    /// Verify a snapshot and make a store of it
    Restore(IndexRestoreArgs),
    /// Write ids, metadata, vectors and coordinates to a file for other programs
    Export(IndexExportArgs),
    /// Make a store of vectors that another program made
    Import(IndexImportArgs),
}
