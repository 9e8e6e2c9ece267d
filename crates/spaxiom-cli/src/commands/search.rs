//! `search`: an event to the events nearest to it.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use serde_json::json;
use spaxiom_embedding::{Dataset, EmbeddingPipeline, Event, Filter, Query, ReadOptions, Run, SearchResult};

use crate::args::BackendArgs;
use crate::exit::{Exit, WrongUse};
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask search --run runs/warehouse --store stores/warehouse -k 10 \\\n    \
    --event '{\"type\":\"QueueFormed\",\"zone\":\"loading_dock\",\"site_id\":\"warehouse-03\",\"length\":4,\"time\":\"2025-01-20T10:23:45Z\"}'\n  \
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
    /// Every event is a hit; by default those within 15 minutes of a nearer hit of their site are folded into it
    #[arg(long)]
    pub(crate) all: bool,
    /// File with what was before `--event` at its site; by default what the store has of it
    #[arg(long, value_name = "FILE", conflicts_with = "id")]
    pub(crate) context: Option<PathBuf>,
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
}

pub(crate) fn run(args: &SearchArgs, json: bool) -> anyhow::Result<Exit> {
    let run = Run::open(&args.run)?;
    let engine = args.backend.engine_for(&run)?;
    let pipeline = EmbeddingPipeline::open(&run, &args.store, engine.as_ref())?;
    let filter = filter(args)?;
    let found = |query: Query<'_>| {
        if args.all { pipeline.search_all(query, args.k, &filter) } else { pipeline.search(query, args.k, &filter) }
    };
    let hits = match (&args.query.event, &args.query.id) {
        (Some(event), _) => {
            let event =
                Event::from_json(event).context("`--event` wants a JSON object with `type`, `time` and `site_id`")?;
            let context = context(args, &pipeline, &event)?;
            found(Query::Event { event: &event, context: &context })?
        }
        (None, Some(id)) => found(Query::Id(id))?,
        (None, None) => return Err(anyhow!("name a query by `--event` or `--id`")),
    };
    if json {
        output::json(&json!({"hits": hits}))?;
    } else {
        output::text(&table(&hits));
    }
    Ok(Exit::Done)
}

/// What was before an event: from a file, or from the store.
fn context(args: &SearchArgs, pipeline: &EmbeddingPipeline, event: &Event) -> anyhow::Result<Vec<Event>> {
    let (events, from) = match &args.context {
        Some(path) => {
            let data = Dataset::load(path, &ReadOptions::default())?;
            let own = data.sequences().find(|sequence| *sequence.site_id() == event.site_id);
            let own = own.with_context(|| format!("no event of the site `{}` in {}", event.site_id, path.display()))?;
            (own.filtered(|other| other.time <= event.time).events().to_vec(), "file")
        }
        None => (pipeline.stored_context(event)?, "store"),
    };
    if events.is_empty() {
        let vectors = pipeline.vectors();
        let part = match (vectors.encoder(), vectors.memory()) {
            (Some(_), Some(_)) => "by its encoder alone",
            _ => "as the first event of its site",
        };
        tracing::info!(
            "nothing is known of what was before this event: it is compared {part}; `--context FILE` tells it"
        );
    } else {
        tracing::info!("context: {} events of `{}` from the {from}", events.len(), event.site_id);
    }
    Ok(events)
}

fn filter(args: &SearchArgs) -> anyhow::Result<Filter> {
    let SearchArgs { kind, zone, site, from, to, .. } = args;
    let (from_ns, to_ns) = (
        from.as_deref().map(|time| nanoseconds("--from", time)).transpose()?,
        to.as_deref().map(|time| nanoseconds("--to", time)).transpose()?,
    );
    if let (Some(from_ns), Some(to_ns), Some(from), Some(to)) = (from_ns, to_ns, from, to)
        && from_ns > to_ns
    {
        return Err(WrongUse(format!("`--from` {from} lies after `--to` {to}")).into());
    }
    let named = [kind.clone().map(Filter::kind), zone.clone().map(Filter::zone), site.clone().map(Filter::site)];
    let filter = args.condition.as_deref().map(condition).transpose()?.unwrap_or_default();
    Ok(named.into_iter().flatten().fold(filter, Filter::and).and(Filter::between(from_ns, to_ns)))
}

/// The filter that `--where` says.
pub(crate) fn condition(text: &str) -> anyhow::Result<Filter> {
    Ok(Filter::parse(text).map_err(|error| WrongUse(format!("`--where`: {error}")))?)
}

fn nanoseconds(flag: &str, text: &str) -> anyhow::Result<i64> {
    let event = json!({"type": "Time", "time": text}).to_string();
    let event = Event::from_json(&event).with_context(|| format!("`{flag}`"))?;
    event.time.timestamp_nanos_opt().with_context(|| format!("`{flag}` is out of range"))
}

/// Similarity, type, site, zone, time, folded hits and id, one line a hit.
pub(crate) fn table(hits: &[SearchResult]) -> String {
    let mut text = format!(
        "{:>10}  {:<20} {:<14} {:<16} {:<30} {:>5}  id\n",
        "similarity", "type", "site", "zone", "time", "more"
    );
    for SearchResult { id, site, similarity, kind, zone, time, n_folded, metadata: _ } in hits {
        let zone = zone.as_deref().unwrap_or("-");
        let more = if *n_folded > 0 { format!("+{n_folded}") } else { String::new() };
        let _ = writeln!(text, "{similarity:>10.4}  {kind:<20} {site:<14} {zone:<16} {time:<30} {more:>5}  {id}");
    }
    text
}
