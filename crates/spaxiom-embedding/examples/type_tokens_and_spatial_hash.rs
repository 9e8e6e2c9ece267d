//! What an encoder reads of an event: one token per field, and the grid cells of its place at four scales.
//!
//! `cargo run --package spaxiom-embedding --example type_tokens_and_spatial_hash`
#![expect(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;

use spaxiom_embedding::{Event, Tokenizer, TokenizerOptions, group_by_site, spatial_hash};

fn main() -> Result<(), Box<dyn Error>> {
    let lines = [
        r#"{"type": "DoorOpened", "zone": "entrance", "x": 1, "y": 2, "time": "2025-01-06T10:20:00Z"}"#,
        r#"{"type": "QueueFormed", "zone": "loading_dock", "x": 12.5, "y": 8.3, "length": 8, "time": "2025-01-06T10:23:45Z"}"#,
        r#"{"type": "QueueFormed", "zone": "loading_dock", "x": 13.2, "y": 8.1, "length": 3, "time": "2025-01-06T11:02:10Z"}"#,
    ];
    let events = lines.into_iter().map(Event::from_json).collect::<Result<Vec<Event>, _>>()?;
    let sequences = group_by_site(events);

    // Words, bins and scales are learned from training events alone.
    let tokenizer = Tokenizer::fit(&TokenizerOptions::default(), &sequences)?;
    let tokens = tokenizer.tokenize(&sequences[0]);
    for (event, row) in sequences[0].events().iter().zip(tokens.window(0, tokens.len()).rows()) {
        let described = tokenizer.fields().iter().zip(row).map(|(field, id)| field.describe(*id));
        println!("{} at {}\n  {}", event.kind, event.time, described.collect::<Vec<String>>().join("  "));
        println!("  read back: {:?} in {:?}", tokenizer.decode(row).kind, tokenizer.decode(row).zone);
    }

    for resolution_m in [0.5, 1.0, 2.0, 4.0] {
        let (first, second) = (spatial_hash(12.5, 8.3, resolution_m), spatial_hash(13.2, 8.1, resolution_m));
        let relation = if first == second { "the same cell" } else { "two cells" };
        println!("cells of {resolution_m} m: {first} and {second}, {relation}");
    }
    Ok(())
}
