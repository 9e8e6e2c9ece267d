//! Numbers beside their buckets, explicit bins, decoding, and units.

use proptest::prelude::*;
use spaxiom_event::{Event, EventReader, EventSequence, ReadOptions, Registry, group_by_site};
use spaxiom_token::{NumberSource, Tokenizer, TokenizerOptions, spatial_hash};

use crate::tokenizer::{any_events, door, queue, sequence};

fn fitted() -> Tokenizer {
    let events = (0..40).map(|i| queue(f64::from(i % 20), i64::from(i) * 60)).collect();
    Tokenizer::fit(&TokenizerOptions::default(), &[sequence(events)]).unwrap()
}

fn features(tokenizer: &Tokenizer, event: &Event) -> Vec<f32> {
    let tokens = tokenizer.tokenize_event(event);
    let values = tokens.window(0, 1).values();
    let mut features = Vec::new();
    for (number, value) in tokenizer.numbers().iter().zip(values) {
        if matches!(number.source(), NumberSource::Attribute { .. }) {
            number.push_features(value, &mut features);
        }
    }
    features
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt()
}

#[test]
fn eight_and_nine_differ_and_both_are_near() {
    let tokenizer = fitted();
    let of = |length: f64| features(&tokenizer, &queue(length, 0));
    let (eight, nine, nineteen) = (of(8.0), of(9.0), of(19.0));
    assert!(distance(&eight, &nine) > 0.05);
    assert!(distance(&eight, &nine) * 4.0 < distance(&eight, &nineteen));
    // Scaled, eight segments, and the flag.
    assert_eq!((eight.len(), *eight.last().unwrap()), (10, 0.0));
    let missing = features(&tokenizer, &door(0));
    assert_eq!((missing.iter().sum::<f32>(), *missing.last().unwrap()), (1.0, 1.0));
}

/// Values against a piecewise-linear encoding worked out by hand.
#[test]
fn segments_fill_up_one_after_the_other() {
    let events = [0.0, 10.0, 20.0, 40.0].into_iter().enumerate();
    let events = events.map(|(i, length)| queue(length, i64::try_from(i).unwrap())).collect();
    let options = TokenizerOptions { value_segments: 2, ..TokenizerOptions::default() };
    let tokenizer = Tokenizer::fit(&options, &[sequence(events)]).unwrap();
    // Boundaries 0, 20, 40; median 20, quartiles 10 and 20.
    let scale = 10.0 / 1.349;
    let near = |length: f64, want: [f32; 4]| {
        let got = features(&tokenizer, &queue(length, 0));
        assert!(distance(&got, &want) < 1e-5, "{length}: {got:?}, not {want:?}");
    };
    near(10.0, [-10.0 / scale, 0.5, 0.0, 0.0]);
    near(30.0, [10.0 / scale, 1.0, 0.5, 0.0]);
    near(50.0, [30.0 / scale, 1.0, 1.0, 0.0]);
    near(1e9, [8.0, 1.0, 1.0, 0.0]);
}

#[test]
fn explicit_bins_are_those_of_the_seed() {
    let bins = [("length".to_owned(), vec![0.0, 5.0, 10.0, 20.0])].into();
    let options = TokenizerOptions { bins, ..TokenizerOptions::default() };
    let tokenizer = Tokenizer::fit(&options, &[sequence(vec![queue(1.0, 0), queue(30.0, 60)])]).unwrap();
    let ids = tokenizer.encode(&queue(8.0, 0), None);
    let words: Vec<String> = tokenizer.fields().iter().zip(ids).map(|(field, id)| field.describe(id)).collect();
    assert!(words.contains(&"length:bin_2".into()), "{words:?}");
    let wrong = TokenizerOptions { bins: [("length".to_owned(), vec![5.0, 0.0])].into(), ..options };
    let error = Tokenizer::fit(&wrong, &[sequence(vec![queue(1.0, 0)])]).unwrap_err().to_string();
    assert!(error.contains("`bins` has to be ascending edges, got length = [5.0, 0.0]"), "{error}");
    let wrong = TokenizerOptions { bins: [("width".to_owned(), vec![5.0])].into(), ..wrong };
    let error = Tokenizer::fit(&wrong, &[sequence(vec![queue(1.0, 0)])]).unwrap_err().to_string();
    assert_eq!(error, "unknown attribute in `bins` `width`; known are length");
}

#[test]
fn rare_words_are_unknown_and_the_most_frequent_are_kept() {
    let events = vec![door(0), door(1), queue(1.0, 2)];
    let fit = |options| Tokenizer::fit(&options, &[sequence(events.clone())]).unwrap();
    let knows_queues = |tokenizer: &Tokenizer| tokenizer.require_known(&queue(1.0, 0)).is_ok();
    assert!(knows_queues(&fit(TokenizerOptions::default())));
    assert!(!knows_queues(&fit(TokenizerOptions { min_count: 2, ..TokenizerOptions::default() })));
    assert!(!knows_queues(&fit(TokenizerOptions { max_words: 1, ..TokenizerOptions::default() })));
}

/// Events with a wait, in the unit that this registry keeps waits in.
fn waits(unit: &str, minutes: &[f64]) -> EventSequence {
    let registry =
        format!("format = 1\n[types.Pause]\ndoc = \"\"\n[types.Pause.attributes.slack]\nunit = \"{unit}\"\n");
    let line = |(i, minutes): (usize, &f64)| {
        format!("{{\"type\":\"Pause\",\"time\":{i},\"slack\":{{\"value\":{minutes},\"unit\":\"min\"}}}}\n")
    };
    let text: String = minutes.iter().enumerate().map(line).collect();
    let options = ReadOptions { registry: Some(Registry::parse(&registry).unwrap()), ..ReadOptions::default() };
    let reader = EventReader::from_stream(Box::new(std::io::Cursor::new(text)), "test", &options).unwrap();
    group_by_site(reader.map(|record| record.unwrap().event)).remove(0)
}

proptest! {
    #[test]
    fn minutes_and_seconds_give_the_same_tokens(halves in proptest::collection::vec(0u32..400, 2..40)) {
        let minutes: Vec<f64> = halves.into_iter().map(|half| f64::from(half) / 2.0).collect();
        let (in_minutes, in_seconds) = (waits("min", &minutes), waits("s", &minutes));
        prop_assert_ne!(in_minutes.events()[0].attrs.number("slack"), None);
        let fit = |sequence: &EventSequence| {
            Tokenizer::fit(&TokenizerOptions::default(), std::slice::from_ref(sequence)).unwrap()
        };
        let (one, other) = (fit(&in_minutes), fit(&in_seconds));
        for (a, b) in in_minutes.events().iter().zip(in_seconds.events()) {
            prop_assert_eq!(one.encode(a, None), other.encode(b, None));
            prop_assert!(distance(&features(&one, a), &features(&other, b)) < 1e-3);
        }
    }

    #[test]
    fn what_is_decoded_is_what_was_encoded(events in any_events()) {
        let tokenizer = Tokenizer::fit(&TokenizerOptions::default(), &[sequence(events.clone())]).unwrap();
        let mut previous = None;
        for event in sequence(events).events() {
            let decoded = tokenizer.decode(&tokenizer.encode(event, previous));
            prop_assert_eq!(decoded.kind.as_deref(), Some(event.kind.as_str()));
            prop_assert_eq!(decoded.zone.as_deref(), event.zone.as_ref().map(spaxiom_event::ZoneId::as_str));
            let bucket = |name: &str| decoded.buckets.iter().find(|(field, _)| field == name).map(|(_, own)| *own);
            prop_assert_eq!(bucket("hour"), Some(chrono::Timelike::hour(&event.time)));
            prop_assert_eq!(bucket("gap").is_some(), previous.is_some());
            prop_assert_eq!(bucket("attr:length").is_some(), event.attrs.number("length").is_some());
            let cells: Vec<u32> = decoded.cells.iter().map(|(_, own)| *own).collect();
            let want: Vec<u32> = event.position.map_or(Vec::new(), |at| {
                [0.5, 1.0, 2.0, 4.0].map(|side| spatial_hash(at.x, at.y, side).bucket(512)).to_vec()
            });
            prop_assert_eq!(cells, want);
            previous = Some(event.time);
        }
    }
}
