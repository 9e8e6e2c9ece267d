//! Vocabularies, bins, rows and the artifact.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use spaxiom_event::{AttrValue, Event, EventSequence, Position, group_by_site};
use spaxiom_token::{Clock, LayoutName, TokenError, Tokenizer, TokenizerOptions, special};

pub(crate) fn start() -> DateTime<Utc> {
    "2025-01-06T10:00:00Z".parse().unwrap()
}

/// A queue of this length, so many seconds after the first Monday at ten.
pub(crate) fn queue(length: f64, secs: i64) -> Event {
    let mut event = Event::new("QueueFormed", "s", start() + TimeDelta::seconds(secs));
    event.zone = Some("loading_dock".into());
    event.position = Some(Position { x: 12.5, y: 8.3, z: None });
    event.attrs.insert("length", AttrValue::Number(length));
    event.with_derived_id()
}

pub(crate) fn door(secs: i64) -> Event {
    let mut event = Event::new("DoorOpened", "s", start() + TimeDelta::seconds(secs));
    event.zone = Some("entrance".into());
    event.with_derived_id()
}

pub(crate) fn sequence(events: Vec<Event>) -> EventSequence {
    group_by_site(events).remove(0)
}

fn fitted() -> Tokenizer {
    let events =
        (0..40).map(|i| if i % 2 == 0 { queue(f64::from(i), i64::from(i) * 60) } else { door(i64::from(i) * 60) });
    Tokenizer::fit(&TokenizerOptions::default(), &[sequence(events.collect())]).unwrap()
}

fn described(tokenizer: &Tokenizer, event: &Event, previous: Option<DateTime<Utc>>) -> Vec<String> {
    let ids = tokenizer.encode(event, previous);
    tokenizer.fields().iter().zip(ids).map(|(field, id)| field.describe(id)).collect()
}

#[test]
fn an_event_is_one_row_of_readable_tokens() {
    let words = described(&fitted(), &queue(8.0, 60), Some(start() + TimeDelta::seconds(50)));
    let is_cell = |word: &String| word.starts_with("cell_");
    assert_eq!(words.iter().filter(|word| is_cell(word)).count(), 4, "{words:?}");
    let others: Vec<&str> = words.iter().filter(|word| !is_cell(word)).map(String::as_str).collect();
    // Ten seconds lie in the bucket from 8 to 16; 8 is the fourth of the even lengths 0 to 38 in 16 bins.
    assert_eq!(others, ["type:QueueFormed", "zone:loading_dock", "hour:10", "gap:bin_5", "length:bin_3"]);
}

#[test]
fn what_an_event_has_not_is_none_and_what_training_never_saw_is_unknown() {
    let tokenizer = fitted();
    let words = described(&tokenizer, &door(0), None);
    assert!(words.contains(&"length:NONE".into()) && words.contains(&"gap:NONE".into()), "{words:?}");
    let mut other = door(0);
    other.zone = Some("roof".into());
    let words = described(&tokenizer, &other, None);
    assert!(words.iter().any(|word| word.starts_with("zone:unknown_")), "{words:?}");
}

#[test]
fn special_tokens_have_fixed_ids() {
    let ids = [special::PAD, special::CLS, special::SEP, special::MASK, special::UNK, special::NONE, special::FIRST];
    assert_eq!(ids, [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn an_unknown_type_or_zone_is_named_with_those_that_are_known() {
    let tokenizer = fitted();
    let mut other = door(0);
    other.zone = Some("roof".into());
    let error = tokenizer.require_known(&other).unwrap_err().to_string();
    assert_eq!(error, "unknown zone `roof`; known are entrance, loading_dock");
    let error = tokenizer.require_known(&Event::new("Flood", "s", start())).unwrap_err().to_string();
    assert_eq!(error, "unknown type `Flood`; known are DoorOpened, QueueFormed");
    assert!(tokenizer.require_known(&door(0)).is_ok());
}

#[test]
fn below_three_weeks_the_clock_names_no_days() {
    let days = |n: i64| sequence(vec![door(0), door(n * 86_400)]);
    let sizes = |n, clock| {
        let options = TokenizerOptions { clock, ..TokenizerOptions::default() };
        let tokenizer = Tokenizer::fit(&options, &[days(n)]).unwrap();
        let size = |name: &str| {
            let field = tokenizer.fields().iter().find(|field| field.name == name);
            field.map(|field| field.n_tokens() - special::FIRST)
        };
        (size("hour"), size("day"))
    };
    assert_eq!(sizes(20, Clock::Auto), (Some(24), None));
    assert_eq!(sizes(21, Clock::Auto), (Some(24), Some(7)));
    assert_eq!(sizes(21, Clock::HourOfDay), (Some(24), None));
    assert_eq!(sizes(1, Clock::HourOfWeek), (Some(168), None));
}

#[test]
fn nothing_to_learn_from_is_an_error() {
    assert!(matches!(Tokenizer::fit(&TokenizerOptions::default(), &[]), Err(TokenError::NoEvents)));
}

#[test]
fn options_out_of_range_are_named() {
    let check = |options: TokenizerOptions, want: &str| {
        let error = Tokenizer::fit(&options, &[sequence(vec![door(0)])]).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    check(TokenizerOptions { n_bins: 1, ..TokenizerOptions::default() }, "`n-bins` has to be 2 or more, got 1");
    check(
        TokenizerOptions { what: true, layout: LayoutName::Flat, ..TokenizerOptions::default() },
        "`layout` has to be composite with `what`, got flat",
    );
    check(TokenizerOptions { cell_buckets: 0, ..TokenizerOptions::default() }, "`cell-buckets`");
    check(TokenizerOptions { cell_resolutions_m: vec![0.0], ..TokenizerOptions::default() }, "`cell-resolutions-m`");
}

#[test]
fn the_artifact_is_the_same_bytes_and_reads_back_equal() {
    let tokenizer = fitted();
    let text = tokenizer.to_json();
    assert_eq!(text, fitted().to_json());
    assert_eq!(Tokenizer::from_json(&text).unwrap(), tokenizer);
    let newer = text.replacen("\"format\": 3", "\"format\": 9", 1);
    assert!(matches!(Tokenizer::from_json(&newer), Err(TokenError::Format { found: 9, want: 4 })));
    assert!(matches!(Tokenizer::from_json("{}"), Err(TokenError::Json(_))));
}

/// Every build opens the tokenizers that builds before it wrote.
#[test]
fn format_1_is_read_and_gives_the_ids_that_it_always_gave() {
    let tokenizer = Tokenizer::from_json(include_str!("../fixtures/tokenizer-format-1.json")).unwrap();
    assert_eq!(tokenizer.encode(&queue(8.0, 60), Some(start())), [7, 7, 35, 411, 153, 409, 16, 13, 9]);
}

pub(crate) fn any_events() -> impl Strategy<Value = Vec<Event>> {
    let event = (0.0f64..50.0, 0i64..1_000_000, any::<bool>());
    let event = event.prop_map(|(length, secs, is_queue)| if is_queue { queue(length, secs) } else { door(secs) });
    proptest::collection::vec(event, 1..40)
}

proptest! {
    #[test]
    fn a_stream_gives_the_rows_of_the_whole(events in any_events()) {
        let (tokenizer, sequence) = (fitted(), sequence(events));
        let whole = tokenizer.tokenize(&sequence);
        let mut previous = None;
        for (event, row) in sequence.events().iter().zip(whole.window(0, whole.len()).rows()) {
            prop_assert_eq!(tokenizer.encode(event, previous), row);
            previous = Some(event.time);
        }
    }

    #[test]
    fn ids_and_entities_never_reach_a_token(events in any_events()) {
        let renamed = events.iter().cloned().enumerate().map(|(i, mut event)| {
            event.id = format!("other-{i}").into();
            event.entity_id = Some(format!("person-{i}").into());
            event
        });
        let renamed = sequence(renamed.collect());
        let original = sequence(events);
        let fit = |sequence: &EventSequence| {
            Tokenizer::fit(&TokenizerOptions::default(), std::slice::from_ref(sequence)).unwrap()
        };
        prop_assert_eq!(fit(&original).to_json(), fit(&renamed).to_json());
        prop_assert_eq!(fit(&original).tokenize(&original), fit(&original).tokenize(&renamed));
    }

    #[test]
    fn every_id_is_within_the_size_of_its_field(events in any_events()) {
        let tokenizer = fitted();
        let tokens = tokenizer.tokenize(&sequence(events));
        for row in tokens.window(0, tokens.len()).rows() {
            for (id, size) in row.iter().zip(tokenizer.field_sizes()) {
                prop_assert!((*id as usize) < size);
            }
        }
    }
}
