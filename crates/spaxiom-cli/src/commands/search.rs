//! `search`: an event to the events nearest to it.

use std::fmt::Write;

use anyhow::{Context, anyhow};
use serde_json::json;
use spaxiom_embedding::{EmbeddingPipeline, Event, Filter, PipelineOptions, RunFolder, SearchResult, Store};

use super::engine_for;
use super::index::BATCH_SIZE;
use crate::args::SearchArgs;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(args: &SearchArgs, json: bool) -> anyhow::Result<Exit> {
    let run = RunFolder::new(&args.run);
    let engine = engine_for(&args.backend, &run)?;
    // A search must not make a store where there is none.
    let index = Store::inspect(&args.store)?.stats()?.index.open()?;
    let options = PipelineOptions { batch_size: BATCH_SIZE, index };
    let pipeline = EmbeddingPipeline::open(&run, &args.store, options, engine.as_ref())?;
    let filter = filter(args)?;
    let hits = match (&args.query.event, &args.query.id) {
        (Some(event), _) => {
            let event = Event::from_json(event).context("`--event`")?;
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
