//! From a file of events to a trained encoder, a store, and the events most like a new one.
//!
//! `cargo run --package spaxiom-embedding --example train_and_search`
#![expect(clippy::print_stdout, reason = "an example prints")]

mod common;

use std::error::Error;
use std::sync::Arc;

use spaxiom_embedding::{EmbeddingPipeline, EvalReport, Event, Exact, Filter, Flow, Observer, StepReport, engine};

/// Prints every evaluation.
struct Progress;

impl Observer for Progress {
    fn step(&mut self, _: &StepReport<'_>) -> Flow {
        Flow::Continue
    }

    fn evaluated(&mut self, report: &EvalReport<'_>) {
        println!("step {}: validation loss {:.3}", report.step, report.loss);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let data = common::simulate(&folder.path().join("data"))?;
    println!("{} events of {} sites", data.n_events(), data.n_sites());
    let run = common::pretrain(&data, &folder.path().join("run"), &mut Progress)?;

    let engine = engine("flex")?;
    let store = folder.path().join("store");
    let pipeline = EmbeddingPipeline::create(&run, &store, Arc::new(Exact), engine.as_ref())?;
    let added = pipeline.add_data(&data, |_| {})?;
    pipeline.build_index(&())?;
    println!("{} events stored", added.n_new);

    let query = r#"{"type": "QueueFormed", "zone": "loading_dock", "length": 4, "time": "2025-01-20T10:23:45Z"}"#;
    for hit in pipeline.search_event(&Event::from_json(query)?, 5, &Filter::All)? {
        println!("{:.3}  {} in {} at {}", hit.similarity, hit.kind, hit.zone.unwrap_or_default(), hit.time);
    }
    Ok(())
}
