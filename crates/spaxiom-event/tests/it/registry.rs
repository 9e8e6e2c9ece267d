//! The registry: names, units, ranges, and what is never guessed.

use spaxiom_event::{AttrValue, Event, Registry, Unit};

fn attrs(kind: &str, members: &str) -> Vec<(String, AttrValue)> {
    let text = format!(r#"{{"type":"{kind}","time":0,{members}}}"#);
    let event = Event::from_json(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    event.attrs.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
}

fn refused(kind: &str, members: &str, want: &str) {
    let error = Event::from_json(&format!(r#"{{"type":"{kind}","time":0,{members}}}"#)).expect_err(members).to_string();
    assert!(error.contains(want), "{members}\n  gave: {error}\n  want: {want}");
}

fn number(name: &str, value: f64) -> Vec<(String, AttrValue)> {
    vec![(name.to_owned(), AttrValue::Number(value))]
}

#[test]
fn every_type_of_the_seed_and_of_the_package_is_declared() {
    let seed = [
        "QueueFormed",
        "DoorOpened",
        "OccupancyChanged",
        "FallEvent",
        "StandingStill",
        "SlowWalking",
        "GaitInstability",
    ];
    let package = ["OccupancyChanged", "CrowdingDetected", "QueueLengthChanged", "ADLEvent", "ServiceNeeded"];
    let series = ["CrowdFormation", "QueueOverflow"];
    for kind in seed.into_iter().chain(package).chain(series) {
        assert!(Registry::built_in().get(kind).is_some(), "{kind}");
    }
}

#[test]
fn an_alias_becomes_the_declared_name_and_unit() {
    for name in ["wait_time", "wait_time_s", "wait_time_est", "wait_time_seconds", "avg_wait_time_s"] {
        assert_eq!(attrs("QueueFormed", &format!("\"{name}\":120")), number("wait_time_s", 120.0), "{name}");
    }
    assert_eq!(attrs("QueueFormed", "\"wait_time_min\":2"), number("wait_time_s", 120.0));
    assert_eq!(attrs("OccupancyChanged", "\"occupancy_fraction\":0.25"), number("percent", 25.0));
    assert_eq!(attrs("Unheard", "\"wait_time_est\":120"), number("wait_time_s", 120.0));
}

#[test]
fn a_unit_beside_the_number_is_converted() {
    assert_eq!(attrs("QueueFormed", r#""wait_time":{"value":2,"unit":"min"}"#), number("wait_time_s", 120.0));
    assert_eq!(attrs("SlowWalking", r#""speed":{"value":3.6,"unit":"km/h"}"#), number("speed_mps", 1.0));
    assert_eq!(attrs("Unheard", r#""dwell":{"value":3,"unit":"min"}"#), number("dwell_s", 180.0));
    assert_eq!(attrs("Unheard", r#""dwell_s":{"value":3,"unit":"min"}"#), number("dwell_s", 180.0));
    refused("QueueFormed", r#""wait_time":{"value":2,"unit":"m"}"#, "wanted a unit that can become s, got m");
    refused("QueueFormed", r#""wait_time":{"value":2,"unit":"parsec"}"#, "unknown unit `parsec`");
}

#[test]
fn percent_and_fraction_are_never_guessed() {
    refused("LiftMoved", "\"occupancy\":0.75", "`occupancy_pct` or `occupancy_fraction`");
    refused("LiftMoved", "\"humidity\":40", "could be a percentage (0 to 100) or a fraction (0 to 1)");
    assert_eq!(attrs("LiftMoved", "\"occupancy_pct\":75"), number("occupancy_pct", 75.0));
    assert_eq!(attrs("LiftMoved", "\"occupancy_fraction\":0.75"), number("occupancy_pct", 75.0));
    // Declared by the package: 0 to 100.
    assert_eq!(attrs("OccupancyChanged", "\"percent\":0.75"), number("percent", 0.75));
}

#[test]
fn two_names_of_one_attribute_have_to_agree() {
    refused("QueueFormed", "\"wait_time\":120,\"wait_time_s\":121", "`wait_time_s` is given twice");
    assert_eq!(attrs("QueueFormed", "\"wait_time\":120,\"wait_time_s\":120"), number("wait_time_s", 120.0));
    refused("QueueFormed", "\"length\":\"long\"", "wanted a number in count, got `long`");
}

#[test]
fn unknown_types_and_attributes_are_kept() {
    assert_eq!(attrs("PalletScanned", "\"pallet\":\"p1\""), [("pallet".to_owned(), AttrValue::Text("p1".into()))]);
    assert_eq!(attrs("DoorOpened", "\"badge\":true"), [("badge".to_owned(), AttrValue::Flag(true))]);
}

#[test]
fn units_convert_within_a_dimension_only() {
    assert_eq!(Unit::from_symbol("°F").unwrap().convert(212.0, Unit::Celsius).map(f64::round), Some(100.0));
    assert_eq!(Unit::Hour.convert(1.5, Unit::Minute), Some(90.0));
    assert_eq!(Unit::Meter.convert(1.0, Unit::Second), None);
    assert_eq!(Unit::Fraction.base(), Unit::Percent);
}

#[test]
fn a_registry_file_is_laid_over_the_built_in_one() {
    let path = crate::written("registry.toml", b"format = 1\n[types.LiftMoved]\ndoc = \"a lift\"\naliases = [\"Lift\"]\nattributes.load = { unit = \"percent\", max = 100 }\n");
    let registry = Registry::load(&path).unwrap();
    assert_eq!(registry.attribute("LiftMoved", "load").unwrap().unit, Some(Unit::Percent));
    assert!(registry.get("QueueFormed").is_some());
    let wrong = |text: &[u8]| {
        let error = Registry::load(&crate::written("wrong.toml", text)).unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    };
    assert!(wrong(b"format = 2").contains("wanted 1, got 2"));
    assert!(
        wrong(b"format = 1\n[types.A]\ndoc=\"\"\nattributes.x = { unit = \"stone\" }")
            .contains("unknown variant `stone`")
    );
}
