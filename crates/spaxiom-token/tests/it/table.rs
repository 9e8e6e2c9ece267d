//! Tables of events against sequences of events: the same ids on every way.

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use spaxiom_event::{AttrValue, Event, EventReader, Position, ReadOptions, SequenceKey, Severity, group_by_site};
use spaxiom_token::{EventTable, Tokenizer, TokenizerOptions};

prop_compose! {
    pub(crate) fn any_event()(
        kind in prop_oneof![Just("A"), Just("B"), Just("C")],
        site in prop_oneof![Just("s1"), Just("s2"), Just("s0")],
        zone in proptest::option::of(prop_oneof![Just("hall"), Just("dock"), Just("bed")]),
        millis in 0i64..3_000_000_000,
        at in proptest::option::of((-20.0f64..20.0, -20.0f64..20.0)),
        number in proptest::option::of(-5.0f64..5.0),
        mixed in proptest::option::of(prop_oneof![
            (0.0f64..3.0).prop_map(AttrValue::Number),
            any::<bool>().prop_map(AttrValue::Flag),
            "[a-c]".prop_map(AttrValue::Text),
        ]),
    ) -> Event {
        let mut event = Event::new(kind, site, DateTime::from_timestamp_millis(millis).unwrap());
        event.zone = zone.map(Into::into);
        event.position = at.map(|(x, y)| Position { x, y, z: None });
        number.map(|number| event.attrs.insert("number", number.into()));
        mixed.map(|mixed| event.attrs.insert("mixed", mixed));
        event
    }
}

prop_compose! {
    /// With everything that no tokenizer reads.
    fn any_whole_event()(
        event in any_event(),
        id in "[a-f0-9]{0,30}",
        extent_millis in proptest::option::of(0i64..90_000),
        height in proptest::option::of(-3.0f64..9.0),
        path in proptest::collection::vec(prop_oneof![Just("floor1"), Just("ward_a")], 0..3),
        entity in proptest::option::of(prop_oneof![Just("p1"), Just("p2")]),
        confidence in proptest::option::of(0.0f64..1.0),
        severity in proptest::option::of(prop_oneof![Just(Severity::Info), Just(Severity::Alert)]),
        causes in proptest::collection::vec("[a-f]{1,3}", 0..2),
    ) -> Event {
        let position = event.position.map(|at| Position { z: height, ..at });
        Event {
            id: id.as_str().into(),
            end_time: extent_millis.map(|millis| event.time + TimeDelta::milliseconds(millis)),
            zone_path: path.into_iter().map(Into::into).collect(),
            position,
            entity_id: entity.map(Into::into),
            confidence,
            severity,
            caused_by: causes.iter().map(|id| id.as_str().into()).collect(),
            ..event
        }
    }
}

/// Values bit by bit; all that are not numbers are one.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { u32::MAX } else { value.to_bits() }).collect()
}

pub(crate) fn table(events: &[Event]) -> EventTable {
    let mut table = EventTable::new(SequenceKey::Site);
    for event in events {
        table.push(event);
    }
    table
}

proptest! {
    #[test]
    fn a_table_gives_the_ids_of_its_sequences(
        train in proptest::collection::vec(any_event(), 1..60),
        events in proptest::collection::vec(any_event(), 1..60),
        cut in 0usize..60,
    ) {
        let options = TokenizerOptions { n_bins: 4, what: true, ..TokenizerOptions::default() };
        let tokenizer = Tokenizer::fit(&options, &group_by_site(train.clone())).unwrap();
        prop_assert_eq!(&Tokenizer::fit_table(&options, &table(&train)).unwrap(), &tokenizer);

        let sequences = group_by_site(events.clone());
        let slow: Vec<(Vec<u32>, Vec<u32>)> = sequences.iter().map(|sequence| {
            let tokens = tokenizer.tokenize(sequence);
            (tokens.window(0, tokens.len()).ids(), bits(&tokens.window(0, tokens.len()).values()))
        }).collect();
        let (first, second) = events.split_at(cut.min(events.len()));
        let mut joined = table(first);
        joined.append(&table(second));
        let fast = tokenizer.tokenize_table(&joined).unwrap();
        let sequence = |i| (fast.sequence(i).ids(), bits(&fast.sequence(i).values()));
        let fast: Vec<(Vec<u32>, Vec<u32>)> = (0..fast.n_sequences()).map(sequence).collect();
        prop_assert_eq!(fast, slow);
    }
}

proptest! {
    #[test]
    fn whole_events_come_back_from_a_table(
        events in proptest::collection::vec(any_whole_event(), 0..60),
        cut in 0usize..60,
    ) {
        let (first, second) = events.split_at(cut.min(events.len()));
        let whole = |events: &[Event]| {
            let mut table = EventTable::of_whole_events(SequenceKey::Site);
            for event in events {
                table.push(event);
            }
            table
        };
        let mut joined = whole(first);
        joined.append(&whole(second));
        let rows: Vec<u32> = (0..).take(events.len()).collect();
        prop_assert_eq!(joined.events(&rows).collect::<Vec<Event>>(), events.clone());
        let found: Vec<(String, Vec<Event>)> = joined
            .by_sequence()
            .iter()
            .map(|sequence| (sequence.site_id.to_string(), joined.events(&sequence.rows).collect()))
            .collect();
        let want: Vec<(String, Vec<Event>)> = group_by_site(events)
            .iter()
            .map(|sequence| (sequence.site_id().to_string(), sequence.events().to_vec()))
            .collect();
        prop_assert_eq!(found, want);
    }

    #[test]
    fn some_rows_of_a_table_are_the_sequences_of_their_events(
        train in proptest::collection::vec(any_event(), 1..60),
        events in proptest::collection::vec(any_event(), 1..60),
        from_millis in 0i64..3_000_000_000,
    ) {
        let options = TokenizerOptions { n_bins: 4, what: true, ..TokenizerOptions::default() };
        let tokenizer = Tokenizer::fit(&options, &group_by_site(train)).unwrap();
        let is_late = |event: &Event| event.time.timestamp_millis() >= from_millis;
        let late: Vec<Event> = events.iter().filter(|event| is_late(event)).cloned().collect();
        let table = table(&events);
        let mut sequences: Vec<Vec<u32>> = table.by_sequence().into_iter().map(|sequence| sequence.rows).collect();
        for rows in &mut sequences {
            rows.retain(|row| table.time_ns(*row) / 1_000_000 >= from_millis);
        }
        sequences.retain(|rows| !rows.is_empty());
        let rows: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
        let slow: Vec<_> = group_by_site(late.clone()).iter().map(|sequence| tokenizer.tokenize(sequence)).collect();
        prop_assert_eq!(tokenizer.tokenize_rows(&table, &rows).unwrap(), slow);
        let selected = table.select(sequences.iter().flatten().copied());
        let fitted = |fit: Result<Tokenizer, _>| fit.ok().map(|tokenizer: Tokenizer| tokenizer.to_json());
        prop_assert_eq!(
            fitted(Tokenizer::fit_table(&options, &selected)),
            fitted(Tokenizer::fit(&options, &group_by_site(late))),
        );
    }
}

#[test]
fn windows_cut_every_sequence_and_an_event_without_the_key_is_left_out() {
    let mut events: Vec<Event> = (0..5)
        .map(|i| {
            let mut event = Event::new("A", "s", DateTime::from_timestamp(i, 0).unwrap());
            event.entity_id = Some(if i == 4 { "e2" } else { "e1" }.into());
            event
        })
        .collect();
    events.push(Event::new("A", "s", DateTime::from_timestamp(9, 0).unwrap()));
    let mut table = EventTable::new(SequenceKey::Entity);
    for event in &events {
        table.push(event);
    }
    let tokens = Tokenizer::fit_table(&TokenizerOptions::default(), &table).unwrap().tokenize_table(&table).unwrap();
    assert_eq!((tokens.n_sequences(), tokens.n_events()), (2, 5));
    assert_eq!(tokens.windows(3).map(|window| window.len()).collect::<Vec<_>>(), [3, 1, 1]);
}

#[test]
fn a_source_that_is_read_on_several_threads_gives_the_table_of_one() {
    let line = |i: i64| match i {
        17 | 39_999 => "{\"type\": \"A\"}\n".into(),
        _ => format!("{{\"type\":\"T{}\",\"time\":{},\"site_id\":\"s{}\",\"zone\":\"z{i}\"}}\n", i % 7, i / 3, i % 4),
    };
    let text: String = (0..60_000).map(line).collect();
    let read = |threads| {
        let options = ReadOptions { threads: Some(threads), ..ReadOptions::default() };
        let bytes = Box::new(std::io::Cursor::new(text.clone().into_bytes()));
        EventTable::read(SequenceKey::Site, EventReader::from_stream(bytes, "test", &options).unwrap())
    };
    let ((one, _), (several, rejected)) = (read(1), read(3));
    assert_eq!(rejected.iter().map(|line| line.line).collect::<Vec<_>>(), [18, 40_000]);
    let tokenizer = Tokenizer::fit_table(&TokenizerOptions::default(), &one).unwrap();
    assert_eq!(Tokenizer::fit_table(&TokenizerOptions::default(), &several).unwrap(), tokenizer);
    let ids = |table: &EventTable| {
        let tokens = tokenizer.tokenize_table(table).unwrap();
        tokens.windows(1_000).flat_map(|window| window.ids()).collect::<Vec<u32>>()
    };
    assert_eq!(several.len(), 59_998);
    assert_eq!(ids(&one), ids(&several));
}
