//! Edges between events: which there are, how many at most, and that windows and streams have the same.

use proptest::prelude::*;
use spaxiom_event::{Event, EventSequence, SiteMap, group_by_site};
use spaxiom_token::{
    Edge, EdgeType, LayoutName, LinkOptions, Sites, TokenError, Tokenizer, TokenizerFit, TokenizerOptions,
};

use crate::table::table;

const MAP: &str = r#"
format = 1

[sites.clinic.zones.room]
kind = "bed"
neighbors = ["hall"]

[sites.clinic.zones.hall]
kind = "hall"

[sites.clinic.zones.cellar]
kind = "store"
"#;

fn sequence(events: &[(&str, u32)]) -> EventSequence {
    let start: chrono::DateTime<chrono::Utc> = "2025-01-06T10:00:00Z".parse().unwrap();
    let event = |&(zone, secs): &(&str, u32)| {
        let mut event = Event::new("DoorOpened", "clinic", start + chrono::TimeDelta::seconds(secs.into()));
        event.zone = Some(zone.into());
        event.with_derived_id()
    };
    group_by_site(events.iter().map(event)).remove(0)
}

fn tokenizer(links: LinkOptions, train: &EventSequence) -> Tokenizer {
    let options = TokenizerOptions { links: Some(links), ..TokenizerOptions::default() };
    let fit = TokenizerFit { options, sites: Sites::new(&SiteMap::parse(MAP).unwrap(), None), registry: None };
    fit.table(&table(train.events())).unwrap().0
}

fn edge(from: usize, to: usize, kind: EdgeType) -> Edge {
    Edge { from, to, kind }
}

#[test]
fn events_are_joined_by_place_by_time_and_by_cause() {
    use EdgeType::{Causal, Spatial, Temporal};

    let mut events =
        sequence(&[("room", 0), ("cellar", 10), ("hall", 45), ("room", 60), ("room", 600)]).events().to_vec();
    events[4].caused_by = vec![events[1].id.clone()];
    let sequence = group_by_site(events).remove(0);
    let tokens = tokenizer(LinkOptions::default(), &sequence).tokenize(&sequence);
    let edges: Vec<Edge> = tokens.window(0, 5).edges().collect();
    assert_eq!(
        edges,
        [
            // Within 30 seconds, in zones that are no neighbors.
            edge(0, 1, Temporal),
            // Neighbors, 45 seconds apart.
            edge(0, 2, Spatial),
            edge(2, 3, Spatial),
            edge(0, 3, Spatial),
            edge(2, 3, Temporal),
            edge(3, 4, Spatial),
            edge(2, 4, Spatial),
            edge(0, 4, Spatial),
            edge(1, 4, Causal),
        ]
    );
    // What lies before a window is no part of it.
    let edges: Vec<Edge> = tokens.window(2, 5).edges().collect();
    assert_eq!(edges, [edge(0, 1, Spatial), edge(0, 1, Temporal), edge(1, 2, Spatial), edge(0, 2, Spatial)]);
}

#[test]
fn the_latest_events_are_joined_and_no_more_than_the_degree() {
    let sequence = sequence(&[("room", 0), ("room", 1), ("room", 2), ("room", 3), ("room", 4)]);
    let degree = |max_degree, look_back| {
        let links = LinkOptions { max_degree, look_back, ..LinkOptions::default() };
        let tokens = tokenizer(links, &sequence).tokenize(&sequence);
        let window = tokens.window(0, 5);
        window.edges().filter(|edge| edge.to == 4 && edge.kind == EdgeType::Temporal).map(|edge| edge.from).collect()
    };
    assert_eq!(degree(2, 128), [3, 2]);
    assert_eq!(degree(8, 3), [3, 2, 1]);
    let without: Vec<usize> = degree(8, 128);
    assert_eq!(without, [3, 2, 1, 0]);
}

#[test]
fn edges_need_rows_that_are_events_and_possible_options() {
    let sequence = sequence(&[("room", 0)]);
    let fit = |options| TokenizerFit { options, ..TokenizerFit::default() }.table(&table(sequence.events()));
    let links = Some(LinkOptions::default());
    let error = fit(TokenizerOptions { layout: LayoutName::Flat, links, ..TokenizerOptions::default() }).unwrap_err();
    assert_eq!(error.to_string(), "`layout` has to be composite where events are joined, got flat");
    let links = Some(LinkOptions { max_degree: 0, ..LinkOptions::default() });
    let error = fit(TokenizerOptions { links, ..TokenizerOptions::default() }).unwrap_err();
    assert!(matches!(error, TokenError::Setting { name: "max-degree", .. }), "{error}");
}

proptest! {
    /// Distances are relative, so that a window of a stream and of the whole sequence have the same edges.
    #[test]
    fn a_stream_has_the_edges_of_the_sequence(
        events in prop::collection::vec((0usize..3, 0u32..40), 1..60),
        max_len in 1usize..9,
    ) {
        let mut now = 0;
        let events: Vec<(&str, u32)> = events
            .into_iter()
            .map(|(zone, gap)| {
                now += gap;
                (["room", "hall", "cellar"][zone], now)
            })
            .collect();
        let sequence = sequence(&events);
        let tokenizer = tokenizer(LinkOptions { max_degree: 3, look_back: 5, ..LinkOptions::default() }, &sequence);
        let again = Tokenizer::from_json(&tokenizer.to_json()).unwrap();
        prop_assert_eq!(again.links(), tokenizer.links());
        let tokens = tokenizer.tokenize(&sequence);
        let mut stream = again.stream(max_len);
        for (last, event) in sequence.events().iter().enumerate() {
            let whole: Vec<Edge> = tokens.context(last, max_len).edges().collect();
            let streamed: Vec<Edge> = stream.push(event).edges().collect();
            prop_assert_eq!(&streamed, &whole);
            for Edge { from, to, .. } in whole {
                prop_assert!(from < to && to < max_len);
            }
        }
    }
}
