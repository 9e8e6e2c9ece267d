//! Arguments of `index`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use spaxiom_embedding::VectorName;

use super::kind::IndexFlags;
use crate::args::{BackendArgs, DataArgs, vector_parser};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask index build --store stores/warehouse --run runs/warehouse --data data/warehouse\n  \
    cargo xtask index stats --store stores/warehouse\n  \
    cargo xtask index snapshot --store stores/warehouse --to backups/warehouse-monday\n\n\
    A build that was stopped goes on where it was."
)]
pub(crate) struct IndexArgs {
    #[command(subcommand)]
    pub(crate) action: IndexAction,
}

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// Folder of the store
    #[arg(long)]
    pub(crate) store: PathBuf,
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
    The place of deleted events is given back by `index compact`."
)]
pub(crate) struct IndexDeleteArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Which events, as `search --where` has them
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) condition: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cargo xtask index snapshot --store stores/warehouse --to backups/warehouse-monday")]
pub(crate) struct IndexSnapshotArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Folder of the copy, which is not there yet
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

#[derive(Debug, Subcommand)]
pub(crate) enum IndexAction {
    /// Embed all events of the data and index them
    Build(IndexBuildArgs),
    /// Add events without rebuilding the index; they are searchable immediately
    Add(IndexAddArgs),
    /// Delete the events that pass a condition, such as all before a day
    Delete(IndexDeleteArgs),
    /// Reclaim the space of deleted events and rebuild the index over everything that is stored
    Compact(StoreArgs),
    /// Print what is stored, its size and the index kind
    Stats(StoreArgs),
    /// Verify the database, every vector and the index file
    Verify(StoreArgs),
    /// Copy a store as it is at this moment, while others write
    Snapshot(IndexSnapshotArgs),
    /// Verify a snapshot and make a store of it
    Restore(IndexRestoreArgs),
}
