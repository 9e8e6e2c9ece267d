//! What a position is: an event, a token, a stretch of time; and that a stream gives what the whole gives.

use chrono::TimeDelta;
use proptest::prelude::*;
use spaxiom_event::EventSequence;
use spaxiom_token::{Layout, LayoutName, TokenError, TokenWindow, Tokenizer, TokenizerOptions, special};

use crate::tokenizer::{any_events, door, queue, sequence, start};

fn fitted(layout: LayoutName) -> Tokenizer {
    let events =
        (0..40).map(|i| if i % 2 == 0 { queue(f64::from(i), i64::from(i) * 60) } else { door(i64::from(i) * 60) });
    Tokenizer::fit(&TokenizerOptions { layout, ..TokenizerOptions::default() }, &[sequence(events.collect())]).unwrap()
}

/// Ten minutes: a queue and a door within the first five, a door in the next, and one after a gap.
fn some() -> EventSequence {
    sequence(vec![queue(8.0, 0), door(60), door(301), door(1200)])
}

fn words(tokenizer: &Tokenizer, window: TokenWindow<'_>) -> Vec<String> {
    let vocabulary = tokenizer.vocabulary();
    window.ids().into_iter().map(|id| vocabulary[id as usize].clone()).collect()
}

#[test]
fn flat_tokens_are_the_seeds_with_separators() {
    let tokenizer = fitted(LayoutName::Flat);
    assert_eq!(tokenizer.layout(), Layout::Flat);
    let tokens = tokenizer.tokenize(&some());
    assert_eq!((tokens.len(), tokenizer.field_sizes().len()), (4, 1));
    let want = ["type:QueueFormed", "zone:loading_dock", "hour:10", "length:bin_3", "SEP"];
    assert_eq!(words(&tokenizer, tokens.context(0, 100)), want);
    let want = ["SEP", "type:DoorOpened", "zone:entrance", "hour:10", "gap:bin_7", "SEP"];
    assert_eq!(words(&tokenizer, tokens.context(1, 6)), want);
    assert_eq!(
        (tokens.first_of_context(1, 6), tokens.first_of_context(1, 5), tokens.first_of_context(3, 6)),
        (0, 1, 2)
    );
    assert_eq!(tokenizer.vocabulary()[special::MASK as usize], "MASK");
    assert_eq!(tokenizer.vocabulary().len(), tokenizer.field_sizes()[0]);
}

#[test]
fn a_bin_counts_its_events_and_an_open_one_those_until_now() {
    let tokenizer = fitted(LayoutName::Bins);
    let names: Vec<&str> = tokenizer.fields().iter().map(|field| field.name.as_str()).collect();
    assert_eq!(names, ["hour", "gap", "count:DoorOpened", "count:QueueFormed"]);
    let tokens = tokenizer.tokenize(&some());
    assert_eq!((tokens.len(), tokens.n_positions()), (4, 3));
    let described = |event| {
        let rows = tokens.context(event, 10).rows().map(<[u32]>::to_vec).collect::<Vec<_>>();
        let of_row = |row: &Vec<u32>| -> Vec<String> {
            tokenizer.fields().iter().zip(row).map(|(field, &id)| field.describe(id)).collect()
        };
        rows.iter().map(of_row).collect::<Vec<_>>()
    };
    assert_eq!(described(0), [["hour:10", "gap:NONE", "count:DoorOpened:bin_0", "count:QueueFormed:bin_1"]]);
    assert_eq!(described(1), [["hour:10", "gap:NONE", "count:DoorOpened:bin_1", "count:QueueFormed:bin_1"]]);
    // The door at 10:20 sees the two bins before it, the nearer of them 15 minutes ago.
    assert_eq!(described(3).len(), 3);
    assert_eq!(described(3)[2], ["hour:10", "gap:bin_11", "count:DoorOpened:bin_1", "count:QueueFormed:bin_0"]);
    assert_eq!(tokens.context(3, 2).len(), 2);
    assert_eq!(
        (tokens.first_of_context(3, 2), tokens.first_of_context(3, 3), tokens.first_of_context(1, 1)),
        (2, 0, 0)
    );
}

#[test]
fn a_type_that_training_never_saw_is_in_no_count() {
    let tokenizer = fitted(LayoutName::Bins);
    let mut other = door(10);
    other.kind = "FireAlarm".into();
    let row = tokenizer.tokenize(&sequence(vec![other])).context(0, 4).ids();
    assert_eq!(row[2..], [special::FIRST, special::FIRST]);
}

#[test]
fn only_the_composite_layout_is_for_tables() {
    let mut table = spaxiom_token::EventTable::new(spaxiom_event::SequenceKey::Site);
    table.push(&door(0));
    assert!(matches!(fitted(LayoutName::Flat).tokenize_table(&table), Err(TokenError::Layout)));
}

proptest! {
    #[test]
    fn a_stream_gives_the_contexts_of_the_whole(
        events in any_events(),
        layout in prop_oneof![Just(LayoutName::Composite), Just(LayoutName::Flat), Just(LayoutName::Bins)],
        max_len in 1usize..12,
    ) {
        let (tokenizer, sequence) = (fitted(layout), sequence(events));
        let whole = tokenizer.tokenize(&sequence);
        prop_assert_eq!(whole.len(), sequence.events().len());
        let mut stream = tokenizer.stream(max_len);
        for (at, event) in sequence.events().iter().enumerate() {
            prop_assert_eq!(stream.push(event), whole.context(at, max_len), "event {}", at);
        }
    }

    #[test]
    fn a_context_holds_nothing_after_its_event(
        events in any_events(),
        layout in prop_oneof![Just(LayoutName::Composite), Just(LayoutName::Flat), Just(LayoutName::Bins)],
    ) {
        let (tokenizer, sequence) = (fitted(layout), sequence(events));
        let whole = tokenizer.tokenize(&sequence);
        let half = sequence.events().len() / 2;
        let end = sequence.events()[half].time + TimeDelta::nanoseconds(1);
        let first = sequence.filtered(|event| event.time < end);
        let cut = tokenizer.tokenize(&first);
        prop_assert_eq!(whole.context(half, 8), cut.context(half, 8));
        prop_assert!(sequence.events()[0].time >= start());
    }

    #[test]
    fn every_id_is_within_its_vocabulary(
        events in any_events(),
        layout in prop_oneof![Just(LayoutName::Composite), Just(LayoutName::Flat), Just(LayoutName::Bins)],
    ) {
        let tokenizer = fitted(layout);
        let tokens = tokenizer.tokenize(&sequence(events));
        for row in tokens.window(0, tokens.n_positions()).rows() {
            for (id, size) in row.iter().zip(tokenizer.field_sizes()) {
                prop_assert!((*id as usize) < size);
            }
        }
    }
}
