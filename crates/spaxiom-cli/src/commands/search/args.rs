//! The words of `search`.

use std::path::PathBuf;

use clap::Args;

use crate::args::{BackendArgs, StoreArgs};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask search --run runs/warehouse --store stores/warehouse -k 10 \\\n    \
    --event '{\"type\":\"QueueFormed\",\"zone\":\"loading_dock\",\"site_id\":\"warehouse-03\",\"length\":4,\"time\":\"2025-01-20T10:23:45Z\"}'\n  \
    cargo xtask search --run runs/warehouse --store stores/warehouse --id 0123456789abcdef \\\n    \
    --where 'zone in (dock_1, dock_2) and hour in 7..9 and weekday in mon..fri' --evidence\n  \
    cargo xtask search --store stores/warehouse --at warehouse-03 2025-01-20T10:00\n  \
    cargo xtask search --run runs/warehouse --store stores/warehouse --text 'queues in loading zones between 7 and 9 am'\n  \
    cargo xtask search --store stores/warehouse --unusual --where 'site = warehouse-03 and time >= 2025-01-27'\n  \
    cargo xtask search --store stores/warehouse --like ID1 --like ID2 --unlike ID3\n  \
    cargo xtask search --run runs/warehouse --store stores/warehouse --explain ID1 ID2\n\n\
    Conditions of --where: type, zone and site with = != in (A, B); time with < <= > >= and in FROM..TO;\n\
    hour in 7..9 and weekday in mon..fri on the site's clock; any attribute, as in length > 5; and, or, not, parentheses.")]
pub(crate) struct SearchArgs {
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Run that filled the store; only `--event`, `--explain` and `--evidence` need it
    #[arg(long, required_unless_present_any = ["id", "at", "like", "vector_file", "text", "unusual"])]
    pub(crate) run: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) query: QueryArgs,
    /// Number of hits
    #[arg(short, default_value_t = 10)]
    pub(crate) k: usize,
    /// Every event is a hit; by default those within 15 minutes of a nearer hit of their site are folded into it
    #[arg(long)]
    pub(crate) all: bool,
    /// Find events unlike this stored one, repeatable
    #[arg(long, value_name = "ID", requires = "like")]
    pub(crate) unlike: Vec<String>,
    /// End of the span of `--at` [default: 15 minutes after TIME]
    #[arg(long, value_name = "TIME", requires = "at")]
    pub(crate) until: Option<String>,
    /// Explain each hit and list what followed it within 30 minutes (with `--event` or `--id`)
    #[arg(long)]
    pub(crate) evidence: bool,
    /// File with what was before `--event` at its site; by default what the store has of it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["id", "at", "like", "vector_file", "explain", "text"])]
    pub(crate) context: Option<PathBuf>,
    /// Events that `--unusual` looks at, evenly spread over those that pass
    #[arg(long, value_name = "N", requires = "unusual", default_value_t = 5_000)]
    pub(crate) look_at: usize,
    /// Find what is like that which `--text` names, instead of that alone
    #[arg(long, requires = "text")]
    pub(crate) no_filter: bool,
    /// The time that `yesterday` in `--text` is the day before of [default: now]
    #[arg(long, value_name = "TIME", requires = "text")]
    pub(crate) now: Option<String>,
    /// What zones are for, so that `--text` can speak of `loading zones` [default: what the run knows]
    #[arg(long, value_name = "FILE", requires = "text")]
    pub(crate) site_map: Option<PathBuf>,
    /// Only events that pass a condition, such as `type = QueueFormed and length > 5 and hour in 7..9`
    #[arg(long = "where", value_name = "CONDITION", help_heading = "Filters")]
    pub(crate) condition: Option<String>,
    /// Only events of this type
    #[arg(long = "type", value_name = "TYPE", help_heading = "Filters")]
    pub(crate) kind: Option<String>,
    /// Only events in this zone
    #[arg(long, help_heading = "Filters")]
    pub(crate) zone: Option<String>,
    /// Only events of this site
    #[arg(long, help_heading = "Filters")]
    pub(crate) site: Option<String>,
    /// Only events from this time on (RFC 3339)
    #[arg(long, help_heading = "Filters")]
    pub(crate) from: Option<String>,
    /// Only events before this time (RFC 3339)
    #[arg(long, help_heading = "Filters")]
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
    /// What to find, in words: types, zones, times and numbers that it names become a filter, which is printed
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// What was happening at a site: average the 15 minutes from TIME on (site's local time unless TIME has an offset)
    #[arg(long, num_args = 2, value_names = ["SITE", "TIME"])]
    pub(crate) at: Vec<String>,
    /// Find moments unlike those of other days at the same site and hour
    #[arg(long)]
    pub(crate) unusual: bool,
    /// Find events like this stored one; repeat to average several
    #[arg(long, value_name = "ID")]
    pub(crate) like: Vec<String>,
    /// File with a query vector, a JSON array of numbers
    #[arg(long, value_name = "FILE")]
    pub(crate) vector_file: Option<PathBuf>,
    /// Explain why two stored events are similar, and list what followed the second
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    pub(crate) explain: Vec<String>,
}
