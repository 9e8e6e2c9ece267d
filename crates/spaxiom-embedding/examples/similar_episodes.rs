//! When did something like this happen before, what was really going on, and what came of it?
//!
//! `cargo run --package spaxiom-embedding --example similar_episodes`
#![expect(clippy::print_stdout, reason = "an example prints")]

mod common;

use std::error::Error;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use spaxiom_embedding::{EmbeddingPipeline, EventSequence, Exact, Filter, LabelIndex, engine, read_labels};

/// The types of the events of the next ten minutes.
fn what_followed(site: &EventSequence, time: DateTime<Utc>) -> String {
    let until = time + TimeDelta::minutes(10);
    let next = site.events().iter().filter(|event| event.time > time && event.time <= until);
    next.take(4).map(|event| event.kind.to_string()).collect::<Vec<String>>().join(", ")
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let data_folder = folder.path().join("data");
    let data = common::simulate(&data_folder)?;
    let run = common::pretrain(&data, &folder.path().join("run"), &mut common::Quiet)?;
    let store = folder.path().join("store");
    let pipeline = EmbeddingPipeline::create(&run, &store, Arc::new(Exact), engine("flex")?.as_ref())?;
    pipeline.add_data(&data, |_| {})?;
    pipeline.build_index(&())?;

    // Labels are apart from the events: no encoder has seen them.
    let labels = LabelIndex::new(read_labels(&data_folder.join("labels.jsonl"))?);
    let sites: Vec<EventSequence> = data.sequences().collect();
    let last_site = sites.last().ok_or("the data have no site")?;
    let now = last_site.events().iter().rfind(|event| event.kind.as_str() == "QueueFormed").ok_or("no queue formed")?;
    let label = |known: Option<&str>| known.unwrap_or("unknown").to_owned();
    let zone = now.zone.as_ref().map_or("no zone", |zone| zone.as_str());
    println!("now: {} in {zone}, {}", now.kind, label(labels.of(now).map(|known| known.label)));

    // Before now, one hit a day and site: ten hits are ten moments.
    let mut seen = Vec::new();
    for hit in pipeline.search_id(now.id.as_str(), 400, &Filter::All)? {
        let time: DateTime<Utc> = hit.time.parse()?;
        let Some(site) = sites.iter().find(|site| hit.metadata["site_id"] == site.site_id().as_str()) else { continue };
        let moment = (site.site_id().clone(), time.date_naive());
        if time >= now.time || seen.contains(&moment) || seen.len() == 10 {
            continue;
        }
        seen.push(moment);
        let known = labels.at(site.site_id(), None, time).map(|known| known.label);
        println!(
            "{:.3} at {} {}: {}; then {}",
            hit.similarity,
            site.site_id(),
            hit.time,
            label(known),
            what_followed(site, time)
        );
    }
    Ok(())
}
