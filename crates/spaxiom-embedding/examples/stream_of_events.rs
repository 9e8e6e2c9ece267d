//! Vectors of a stream: each event is encoded when it comes, in the context of those before it.
//!
//! `cargo run --package spaxiom-embedding --example stream_of_events`
#![expect(clippy::print_stdout, reason = "an example prints")]

mod common;

use std::error::Error;
use std::sync::Arc;

use spaxiom_embedding::{EmbeddingPipeline, Exact, Filter, engine};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let data = common::simulate(&folder.path().join("data"))?;
    let run = common::pretrain(&data, &folder.path().join("run"), &mut common::Quiet)?;
    let store = folder.path().join("store");
    let pipeline = EmbeddingPipeline::create(&run, &store, Arc::new(Exact), engine("flex")?.as_ref())?;

    // What happened at the other sites is in the store; the last site reports event by event.
    let mut sites: Vec<_> = data.sequences().collect();
    let live = sites.pop().ok_or("the data have no site")?;
    for site in &sites {
        pipeline.add_to_index(site, |_| {})?;
    }
    let mut stream = pipeline.stream();
    let mut streamed = Vec::new();
    for event in &live.events()[..40] {
        let vector = stream.push(event);
        let nearest = pipeline.store().search(&vector, 1, &Filter::All)?;
        if let [hit] = nearest.as_slice() {
            println!(
                "{:<20} is most like {} at {} ({:.3})",
                event.kind, hit.record.kind, hit.record.site, hit.similarity
            );
        }
        streamed.extend(vector);
    }

    // The vectors are those of the whole sequence at once, to the last bit.
    let whole = pipeline.encode(&live);
    let is_same = streamed.iter().zip(&whole).all(|(a, b)| a.to_bits() == b.to_bits());
    println!("streamed and whole are {}", if is_same { "the same" } else { "different" });
    if is_same { Ok(()) } else { Err("a stream has other vectors than its sequence".into()) }
}
