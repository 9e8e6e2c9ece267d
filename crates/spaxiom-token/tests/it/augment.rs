//! Views of windows: what changes, what stays, and that a seed makes the same view again.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use spaxiom_event::{Event, EventSequence, Position, group_by_site};
use spaxiom_token::{AugmentOptions, Augmenter, EventSpan, Tokenizer, TokenizerOptions};

fn sequence(len: u32) -> EventSequence {
    let start: DateTime<Utc> = "2025-01-06T10:00:00Z".parse().unwrap();
    let event = |at: u32| {
        let kind = ["DoorOpened", "QueueFormed"][at as usize % 2];
        let mut event = Event::new(kind, "site", start + TimeDelta::seconds(i64::from(at) * 7));
        event.zone = Some("dock".into());
        event.position = Some(Position { x: f64::from(at), y: 1.0, z: None });
        event.with_derived_id()
    };
    group_by_site((0..len).map(event)).pop().unwrap()
}

fn still() -> AugmentOptions {
    let (shift_secs, jitter_secs, zone_dropout, event_dropout, position_noise_m) = (0.0, 0.0, 0.0, 0.0, 0.0);
    AugmentOptions { shift_secs, jitter_secs, zone_dropout, event_dropout, position_noise_m, least_slice: 1.0 }
}

fn augmenter(sequence: &EventSequence, options: AugmentOptions) -> Augmenter {
    let tokenizer = Tokenizer::fit(&TokenizerOptions::default(), std::slice::from_ref(sequence)).unwrap();
    Augmenter::new(tokenizer, options).unwrap()
}

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

#[test]
fn a_view_without_changes_is_the_window() {
    let sequence = sequence(12);
    let augmenter = augmenter(&sequence, still());
    let span = EventSpan::whole(&sequence).part(2..9);
    assert_eq!(augmenter.events(span, &mut rng(1)).events(), span.events());
    assert_eq!(augmenter.view(span, &mut rng(1)), augmenter.tokens(span));
}

proptest! {
    #[test]
    fn a_view_keeps_order_gaps_and_the_last_event_whatever_else_it_changes(len in 1u32..40, seed: u64) {
        let sequence = sequence(len);
        let augmenter = augmenter(&sequence, AugmentOptions::default());
        let span = EventSpan::whole(&sequence);
        let view = augmenter.events(span, &mut rng(seed));
        let events = view.events();
        prop_assert_eq!(&events.last().unwrap().id, &span.events().last().unwrap().id);
        prop_assert!(events.len() <= len as usize);
        // The events that are left have been moved together, by half a minute at most.
        let of = |id| span.events().iter().find(|event| event.id == id).unwrap();
        let moved: Vec<TimeDelta> = events.iter().map(|event| event.time - of(event.id.clone()).time).collect();
        prop_assert!(moved.iter().all(|by| *by == moved[0] && by.abs() <= TimeDelta::seconds(30)));
        prop_assert!(events.iter().all(|event| event.kind == of(event.id.clone()).kind));
        prop_assert_eq!(augmenter.events(span, &mut rng(seed)), view);
    }
}

/// Shares over many views.
#[test]
fn dropouts_have_the_shares_that_they_are_given() {
    let sequence = sequence(40);
    let options = AugmentOptions { zone_dropout: 0.1, event_dropout: 0.05, ..still() };
    let augmenter = augmenter(&sequence, options);
    let views: Vec<EventSequence> =
        (0..500).map(|seed| augmenter.events(EventSpan::whole(&sequence), &mut rng(seed))).collect();
    let n_kept: usize = views.iter().map(|view| view.events().len()).sum();
    let n_blind = views.iter().flat_map(EventSequence::events).filter(|event| event.zone.is_none()).count();
    // Standard errors are 0.002 and 0.002.
    let dropped = 1.0 - n_kept as f64 / (500.0 * 40.0);
    assert!((dropped - 0.05 * 39.0 / 40.0).abs() < 0.008, "{dropped}");
    let blind = n_blind as f64 / n_kept as f64;
    assert!((blind - 0.1).abs() < 0.009, "{blind}");
}

#[test]
fn moving_events_one_by_one_changes_their_order_and_moving_them_together_does_not() {
    let sequence = sequence(40);
    let swapped = |options| {
        let view = augmenter(&sequence, options).events(EventSpan::whole(&sequence), &mut rng(1));
        let order: Vec<f64> = view.events().iter().map(|event| event.position.unwrap().x).collect();
        order.windows(2).filter(|pair| pair[0] > pair[1]).count()
    };
    assert_eq!(swapped(AugmentOptions { shift_secs: 30.0, ..still() }), 0);
    // Seven seconds lie between two events: half a minute leaves little of their order.
    assert!(swapped(AugmentOptions { jitter_secs: 30.0, ..still() }) > 10);
}

#[test]
fn an_unlike_neighbor_is_close_by_and_of_another_type() {
    let sequence = sequence(40);
    let span = EventSpan::whole(&sequence).part(10..20);
    for seed in 0..50 {
        let other = span.unlike_neighbor(4, &mut rng(seed)).unwrap();
        let (own, found) = (span.events().last().unwrap(), other.events().last().unwrap());
        assert_ne!(own.kind, found.kind);
        assert!((found.time - own.time).abs() <= TimeDelta::seconds(4 * 7));
    }
    let alike = group_by_site(sequence.filtered(|event| event.kind.as_str() == "DoorOpened").events().to_vec()).pop();
    assert!(EventSpan::whole(&alike.unwrap()).unlike_neighbor(4, &mut rng(0)).is_none());
}

#[test]
fn wrong_settings_are_named() {
    let sequence = sequence(4);
    let tokenizer = Tokenizer::fit(&TokenizerOptions::default(), std::slice::from_ref(&sequence)).unwrap();
    for (options, want) in [
        (AugmentOptions { zone_dropout: 1.5, ..still() }, "augment.zone-dropout"),
        (AugmentOptions { least_slice: 0.0, ..still() }, "augment.least-slice"),
        (AugmentOptions { shift_secs: -1.0, ..still() }, "augment.shift-secs"),
    ] {
        let error = Augmenter::new(tokenizer.clone(), options).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    }
}
