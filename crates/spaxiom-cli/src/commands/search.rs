//! `search`: an event to the events nearest to it.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::json;
use spaxiom_embedding::{EmbeddingPipeline, Event, Filter, Run, SearchResult};

use crate::args::BackendArgs;
use crate::exit::Exit;
use crate::output;

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
    /// Number of hits
    #[arg(short, default_value_t = 10)]
    pub(crate) k: usize,
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
}

pub(crate) fn run(args: &SearchArgs, json: bool) -> anyhow::Result<Exit> {
    let run = Run::open(&args.run)?;
    let engine = args.backend.engine_for(&run)?;
    let pipeline = EmbeddingPipeline::open(&run, &args.store, engine.as_ref())?;
    let filter = filter(args)?;
    let hits = match (&args.query.event, &args.query.id) {
        (Some(event), _) => {
            let event = Event::from_json(event).context("`--event`")?;
            if pipeline.vectors().memory().is_some() {
                let part =
                    pipeline.vectors().encoder().map_or("as the first event of its site", |_| "by its encoder alone");
                tracing::info!("nothing is known of what was before this event: it is compared {part}");
            }
            pipeline.search_event(&event, args.k, &filter)?
        }
        (None, Some(id)) => pipeline.search_id(id, args.k, &filter)?,
        (None, None) => return Err(anyhow!("name a query by `--event` or `--id`")),
    };
    if json {
        output::json(&json!({"hits": hits}))?;
    } else {
        output::text(&table(&hits));
    }
    Ok(Exit::Done)
}

fn filter(args: &SearchArgs) -> anyhow::Result<Filter> {
    let SearchArgs { kind, zone, site, from, to, .. } = args;
    Ok(Filter {
        kind: kind.clone(),
        zone: zone.clone(),
        site: site.clone(),
        from_ns: from.as_deref().map(|time| nanoseconds("--from", time)).transpose()?,
        to_ns: to.as_deref().map(|time| nanoseconds("--to", time)).transpose()?,
    })
}

fn nanoseconds(flag: &str, text: &str) -> anyhow::Result<i64> {
    let event = json!({"type": "Time", "time": text}).to_string();
    let event = Event::from_json(&event).with_context(|| format!("`{flag}`"))?;
    event.time.timestamp_nanos_opt().with_context(|| format!("`{flag}` is out of range"))
}

/// Similarity, type, zone, time and id, one line a hit.
pub(crate) fn table(hits: &[SearchResult]) -> String {
    let mut text = format!("{:>10}  {:<20} {:<16} {:<30} id\n", "similarity", "type", "zone", "time");
    for SearchResult { id, similarity, kind, zone, time, metadata: _ } in hits {
        let zone = zone.as_deref().unwrap_or("-");
        let _ = writeln!(text, "{similarity:>10.4}  {kind:<20} {zone:<16} {time:<30} {id}");
    }
    text
}
