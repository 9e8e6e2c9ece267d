//! The folder of a run: its files, its configuration, and a run that was opened.

mod config;
mod config_format;
mod folder;
mod manifest;
mod metrics_log;
mod opened;

pub use self::config::{RunConfig, Task};
pub use self::folder::RunFolder;
pub use self::manifest::{Manifest, Provenance};
pub(crate) use self::metrics_log::MetricsLog;
pub use self::opened::Run;
