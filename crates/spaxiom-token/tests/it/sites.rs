//! Local clocks, kinds of zones, floors, and sites that training never saw.

use chrono::{DateTime, Utc};
use spaxiom_event::{Event, Position, SiteMap, group_by_site};
use spaxiom_token::{Field, LayoutName, Pool, Sites, TemporalBins, Tokenizer, TokenizerFit, TokenizerOptions, special};

use crate::table::table;

const MAP: &str = r#"
format = 1

[sites.clinic]
time-zone = "Europe/Berlin"

[sites.clinic.zones.room_1]
kind = "bed"
floor = "1"
neighbors = ["hall_1"]

[sites.clinic.zones.hall_1]
kind = "hall"
floor = "1"

[sites.clinic.zones.room_2]
kind = "bed"
floor = "2"

[sites.other.zones.r17]
kind = "bed"
neighbors = ["corridor"]

[sites.other.zones.corridor]
kind = "hall"
"#;

fn sites() -> Sites {
    Sites::new(&SiteMap::parse(MAP).unwrap(), None)
}

fn event(site: &str, zone: &str, time: &str) -> Event {
    let mut event = Event::new("DoorOpened", site, time.parse().unwrap());
    event.zone = Some(zone.into());
    event.position = Some(Position { x: 1.0, y: 2.0, z: None });
    event.with_derived_id()
}

fn fitted(options: TokenizerOptions) -> Tokenizer {
    let zones = ["room_1", "hall_1", "room_2"];
    let events = zones.map(|zone| event("clinic", zone, "2025-01-06T10:00:00Z"));
    let fit = TokenizerFit { options, sites: sites(), registry: Some("r".into()) };
    fit.table(&table(&events)).unwrap().0
}

fn described(tokenizer: &Tokenizer, event: &Event) -> Vec<String> {
    let ids = tokenizer.encode(event, None);
    tokenizer.fields().iter().zip(ids).map(|(field, id)| field.describe(id)).collect()
}

fn word(words: &[String], field: &str) -> String {
    words.iter().find(|word| word.starts_with(&format!("{field}:"))).unwrap().clone()
}

#[test]
fn hours_are_those_of_the_clock_on_the_wall() {
    let tokenizer = fitted(TokenizerOptions::default());
    let hour = |site: &str, time: &str| word(&described(&tokenizer, &event(site, "room_1", time)), "hour");
    assert_eq!(hour("clinic", "2025-01-06T10:00:00Z"), "hour:11");
    assert_eq!(hour("clinic", "2025-07-06T10:00:00Z"), "hour:12");
    assert_eq!(hour("other", "2025-07-06T10:00:00Z"), "hour:10");
    // The night in which the clocks go forward, and the one in which they go back.
    assert_eq!(hour("clinic", "2025-03-30T00:59:59Z"), "hour:1");
    assert_eq!(hour("clinic", "2025-03-30T01:00:00Z"), "hour:3");
    assert_eq!(hour("clinic", "2025-10-26T00:30:00Z"), "hour:2");
    assert_eq!(hour("clinic", "2025-10-26T01:30:00Z"), "hour:2");
}

#[test]
fn a_zone_of_an_unseen_site_has_its_kind_and_its_neighbors() {
    let tokenizer = fitted(TokenizerOptions::default());
    let words = described(&tokenizer, &event("other", "r17", "2025-01-06T10:00:00Z"));
    assert_eq!((word(&words, "kind").as_str(), word(&words, "near").as_str()), ("kind:bed", "near:hall"));
    assert!(word(&words, "zone").starts_with("zone:unknown_"), "{words:?}");
    let words = described(&tokenizer, &event("clinic", "room_2", "2025-01-06T10:00:00Z"));
    assert_eq!((word(&words, "kind").as_str(), word(&words, "near").as_str()), ("kind:bed", "near:NONE"));
    // A site of which the map came later.
    let later = "format = 1\n[sites.new]\ntime-zone = \"Asia/Tokyo\"\n[sites.new.zones.lobby]\nkind = \"hall\"\n";
    let tokenizer = tokenizer.with_sites(&Sites::new(&SiteMap::parse(later).unwrap(), None));
    let words = described(&tokenizer, &event("new", "lobby", "2025-01-06T10:00:00Z"));
    assert_eq!((word(&words, "kind").as_str(), word(&words, "hour").as_str()), ("kind:hall", "hour:19"));
}

#[test]
fn unknown_zones_fall_into_several_slots_and_their_share_is_told() {
    let tokenizer = fitted(TokenizerOptions::default());
    let zones: Vec<String> = (0..40).map(|i| format!("ward_{i}")).collect();
    let mut events: Vec<Event> = zones.iter().map(|zone| event("new", zone, "2025-01-06T10:00:00Z")).collect();
    let slots: std::collections::BTreeSet<String> =
        events.iter().map(|event| word(&described(&tokenizer, event), "zone")).collect();
    assert!(slots.len() >= 5, "{slots:?}");
    events.extend((0..10).map(|_| event("new", "hall_1", "2025-01-06T10:00:00Z")));
    let tokens = tokenizer.tokenize(&group_by_site(events)[0]);
    let shares = tokenizer.unknown_shares([&tokens]);
    assert_eq!(shares, [("type", 0.0), ("zone", 0.8), ("kind", 0.0), ("near", 0.0)]);
    let flat = fitted(TokenizerOptions { layout: LayoutName::Flat, ..TokenizerOptions::default() });
    let tokens = flat.tokenize(&group_by_site(vec![event("new", "ward", "2025-01-06T10:00:00Z")])[0]);
    assert_eq!(flat.unknown_shares([&tokens])[1], ("zone", 1.0));
}

#[test]
fn floors_are_kept_apart_and_sites_only_where_that_is_wanted() {
    let cells = |options: TokenizerOptions, site: &str, zone: &str| -> Vec<u32> {
        let tokenizer = fitted(options);
        let ids = tokenizer.encode(&event(site, zone, "2025-01-06T10:00:00Z"), None);
        let is_cell = |field: &Field| field.name.starts_with("cell_");
        tokenizer.fields().iter().zip(ids).filter(|(field, _)| is_cell(field)).map(|(_, id)| id).collect()
    };
    let default = TokenizerOptions::default;
    assert_eq!(cells(default(), "clinic", "room_1"), cells(default(), "clinic", "hall_1"));
    assert_ne!(cells(default(), "clinic", "room_1"), cells(default(), "clinic", "room_2"));
    assert_eq!(cells(default(), "other", "r17"), cells(default(), "new", "anywhere"));
    let apart = || TokenizerOptions { cell_sites: Pool::Apart, ..default() };
    assert_ne!(cells(apart(), "other", "r17"), cells(apart(), "new", "anywhere"));
    let pooled = || TokenizerOptions { cell_floors: Pool::Pooled, ..default() };
    assert_eq!(cells(pooled(), "clinic", "room_1"), cells(pooled(), "clinic", "room_2"));
}

#[test]
fn fitting_tells_how_many_cells_share_a_bucket() {
    let at = |x: f64| {
        let mut event = event("clinic", "room_1", "2025-01-06T10:00:00Z");
        event.position = Some(Position { x, y: 0.0, z: None });
        event
    };
    let events: Vec<Event> = (0..8).map(|i| at(f64::from(i))).collect();
    let report = |cell_buckets| {
        let options =
            TokenizerOptions { cell_buckets, cell_resolutions_m: vec![1.0, 4.0], ..TokenizerOptions::default() };
        TokenizerFit { options, ..TokenizerFit::default() }.table(&table(&events)).unwrap().1
    };
    assert_eq!(
        report(1).cells.iter().map(|cell| (cell.n_cells, cell.collisions)).collect::<Vec<_>>(),
        [(8, 1.0), (2, 1.0)]
    );
    let roomy = report(100_000);
    assert_eq!(
        roomy.cells.iter().map(|cell| (cell.n_cells, cell.collisions)).collect::<Vec<_>>(),
        [(8, 0.0), (2, 0.0)]
    );
    assert_eq!(roomy.n_events, 8);
}

#[test]
fn the_artifact_names_registry_and_site_map_and_keeps_the_sites() {
    let tokenizer = fitted(TokenizerOptions::default());
    let text = tokenizer.to_json();
    assert!(text.contains("\"registry\": \"r\""), "{text}");
    assert!(text.contains(&format!("\"site-map\": \"{}\"", sites().fingerprint())), "{text}");
    let read = Tokenizer::from_json(&text).unwrap();
    assert_eq!(read, tokenizer);
    let event = event("clinic", "room_1", "2025-07-06T10:00:00Z");
    assert_eq!(described(&read, &event), described(&tokenizer, &event));
}

/// Every build opens the tokenizers that builds before it wrote.
#[test]
fn formats_2_to_4_are_read_and_give_the_ids_that_they_always_gave() {
    let event = event("clinic", "room_1", "2025-07-06T10:00:00Z");
    for text in
        [include_str!("../fixtures/tokenizer-format-2.json"), include_str!("../fixtures/tokenizer-format-3.json")]
    {
        let tokenizer = Tokenizer::from_json(text).unwrap();
        assert_eq!(tokenizer.encode(&event, None), [6, 7, 6, 7, 130, 466, 472, 473, 18, special::NONE]);
    }
    let without_what = include_str!("../fixtures/tokenizer-format-3.json");
    assert_eq!(fitted(TokenizerOptions::default()).to_json(), without_what.trim_end());
    assert_eq!(Tokenizer::from_json(without_what).unwrap().to_json(), without_what.trim_end());
    let newest = include_str!("../fixtures/tokenizer-format-4.json");
    let tokenizer = Tokenizer::from_json(newest).unwrap();
    assert_eq!(tokenizer.encode(&event, None), [6, 7, 7, 6, 7, 130, 466, 472, 473, 18, special::NONE]);
    assert_eq!(tokenizer.to_json(), newest.trim_end());
    assert_eq!(fitted(TokenizerOptions { what: true, ..TokenizerOptions::default() }).to_json(), newest.trim_end());
}

#[test]
fn type_and_zone_together_are_one_word_each_and_decode_to_it() {
    let tokenizer = fitted(TokenizerOptions { what: true, ..TokenizerOptions::default() });
    let field = tokenizer.what_field().unwrap();
    let ids = tokenizer.encode(&event("clinic", "room_1", "2025-07-06T10:00:00Z"), None);
    assert_eq!(tokenizer.fields()[field].describe(ids[field]), "what:DoorOpened@room_1");
    assert!(tokenizer.decode(&ids).words.contains(&("what".into(), "DoorOpened@room_1".into())));
    assert_eq!(fitted(TokenizerOptions::default()).what_field(), None);
}

fn doors(times: &[&str]) -> Vec<(DateTime<Utc>, u32)> {
    let events = times.iter().map(|time| event("clinic", "room_1", time));
    let zone = Some("Europe/Berlin".parse().unwrap());
    let bins = TemporalBins::new(vec!["DoorOpened".into()], 360).unwrap().count(&group_by_site(events)[0], zone);
    bins.starts.into_iter().zip(bins.counts.data().iter().copied()).collect()
}

#[test]
fn bins_are_aligned_to_the_sites_midnight_through_changes_of_the_clock() {
    // Six hours from local midnight: five hours long in the night of March, seven in that of October.
    let spring = doors(&["2025-03-29T23:00:00Z", "2025-03-30T03:59:59Z", "2025-03-30T04:00:00Z"]);
    let want = [("2025-03-29T23:00:00Z", 2), ("2025-03-30T04:00:00Z", 1)];
    assert_eq!(spring, want.map(|(time, n)| (time.parse().unwrap(), n)));
    let autumn = doors(&["2025-10-25T22:00:00Z", "2025-10-26T04:59:59Z", "2025-10-26T05:00:00Z"]);
    let want = [("2025-10-25T22:00:00Z", 2), ("2025-10-26T05:00:00Z", 1)];
    assert_eq!(autumn, want.map(|(time, n)| (time.parse().unwrap(), n)));
    assert!(TemporalBins::new(Vec::new(), 7).is_err());
}

#[test]
fn windows_of_five_minutes_of_the_hour_that_comes_twice_are_two() {
    let events = ["2025-10-26T00:32:00Z", "2025-10-26T01:32:00Z"].map(|time| event("clinic", "room_1", time));
    let zone = Some("Europe/Berlin".parse().unwrap());
    let bins = TemporalBins::new(vec!["DoorOpened".into()], 5).unwrap().count(&group_by_site(events.to_vec())[0], zone);
    let want = ["2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z"].map(|time| time.parse::<DateTime<Utc>>().unwrap());
    assert_eq!(bins.starts, want);
}
