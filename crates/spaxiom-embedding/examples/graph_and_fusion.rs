//! A graph encoder and a fusion of modalities, chosen by name; both read the edges between events.
//!
//! `cargo run --package spaxiom-embedding --example graph_and_fusion`
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use spaxiom_embedding::{
    EncoderKind, Event, EventEncoderConfig, LinkOptions, ModelShape, Preset, Tokenizer, TokenizerOptions, engine,
    group_by_site,
};

/// A door opens, somebody comes in, and a queue forms because of it, or for another reason.
fn events(cause: &str) -> Result<Vec<Event>, Box<dyn Error>> {
    let lines = [
        r#"{"id": "door", "type": "DoorOpened", "zone": "entrance", "time": "2025-01-06T10:00:00Z"}"#.to_owned(),
        r#"{"id": "person", "type": "OccupancyChanged", "zone": "entrance", "count": 3, "time": "2025-01-06T10:00:02Z"}"#
            .to_owned(),
        format!(
            r#"{{"id": "queue", "type": "QueueFormed", "zone": "loading_dock", "time": "2025-01-06T10:01:10Z", "caused_by": ["{cause}"]}}"#
        ),
    ];
    Ok(lines.iter().map(|line| Event::from_json(line)).collect::<Result<_, _>>()?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let sequences = group_by_site(events("person")?);
    let options = TokenizerOptions { links: Some(LinkOptions::default()), ..TokenizerOptions::default() };
    let tokenizer = Tokenizer::fit(&options, &sequences)?;
    let tokens = tokenizer.tokenize(&sequences[0]);
    for edge in tokens.window(0, tokens.len()).edges() {
        println!("{:?} edge from event {} to event {}", edge.kind, edge.from, edge.to);
    }

    let engine = engine("flex")?;
    for kind in [EncoderKind::Gnn, EncoderKind::Fusion] {
        let config = EventEncoderConfig::preset(kind, Preset::Tiny);
        let encoder = engine.untrained(&ModelShape::new(config, &tokenizer), 0);
        let vector = |cause: &str| -> Result<Vec<f32>, Box<dyn Error>> {
            let tokens = tokenizer.tokenize(&group_by_site(events(cause)?)[0]);
            Ok(encoder.encode(&[tokens.window(0, tokens.len())]))
        };
        let (known, unknown) = (vector("person")?, vector("something else")?);
        let distance = known.iter().zip(&unknown).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
        println!("{kind:?}: {} dimensions; the queue moves by {distance:.3} without its cause", known.len());
    }
    Ok(())
}
