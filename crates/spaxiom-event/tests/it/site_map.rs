//! The site map: zones, shapes, sensors, and what it adds to an event.

use proptest::prelude::*;
use spaxiom_event::{Event, Format, ReadOptions, Shape, SiteMap};

use crate::read_with;

const MAP: &str = r#"
format = 1
[sites.home]
time-zone = "America/Los_Angeles"
[sites.home.zones]
flat = { kind = "flat", floor = "2" }
bedroom = { kind = "bedroom", within = "flat", shape = { kind = "rectangle", x = 0, y = 0, width = 4, height = 3 }, neighbors = ["hall"] }
bed = { kind = "bed", within = "bedroom", shape = { kind = "circle", x = 1, y = 1, radius = 0.9 } }
hall = { kind = "hall", within = "flat", shape = { kind = "polygon", points = [[4, 0], [8, 0], [8, 2], [4, 2]] } }
[sites.home.sensors]
M001 = { zone = "bedroom", x = 2.0, y = 2.5 }
M002 = { x = 5.0, y = 1.0, z = 2.2 }
"#;

fn placed(line: &str, format: Format) -> Event {
    let site_map = Some(SiteMap::parse(MAP).unwrap());
    let options = ReadOptions { format: Some(format), site_map, ..ReadOptions::default() };
    read_with(line, &options).remove(0).unwrap().event
}

#[test]
fn a_sensor_gives_an_event_its_zone_its_place_and_its_clock() {
    let event = placed("2010-11-04 00:03:50 M001 ON", Format::Casas);
    assert_eq!(event.site_id.as_str(), "home");
    assert_eq!(event.zone.unwrap().as_str(), "bedroom");
    assert_eq!(event.position.unwrap().x, 2.0);
    assert_eq!(event.zone_path[0].as_str(), "flat");
    assert_eq!(event.time.to_rfc3339(), "2010-11-04T07:03:50+00:00");
    let event = placed("2010-11-04 00:03:50 M002 ON", Format::Casas);
    assert_eq!(event.zone.unwrap().as_str(), "hall", "the zone of its place");
    assert_eq!(placed("2010-11-04 00:03:50 M999 ON", Format::Casas).zone.unwrap().as_str(), "M999");
}

#[test]
fn a_place_gives_an_event_the_smallest_zone_that_holds_it() {
    let zone = |x: f64, y: f64| {
        let event = placed(&format!(r#"{{"type":"T","time":0,"x":{x},"y":{y}}}"#), Format::Jsonl);
        event.zone.map(|zone| zone.to_string())
    };
    assert_eq!(zone(1.0, 1.0).as_deref(), Some("bed"));
    assert_eq!(zone(3.0, 2.0).as_deref(), Some("bedroom"));
    assert_eq!(zone(4.5, 1.0).as_deref(), Some("hall"));
    assert_eq!(zone(40.0, 1.0), None);
    let said = placed(r#"{"type":"T","time":0,"x":1,"y":1,"zone":"hall"}"#, Format::Jsonl);
    assert_eq!(said.zone.unwrap().as_str(), "hall", "what the event says itself is not changed");
}

#[test]
fn neighbors_are_a_graph() {
    let map = SiteMap::parse(MAP).unwrap();
    assert_eq!(map.get("home").unwrap().zone_graph(), [("bedroom", "hall")]);
}

#[test]
fn a_wrong_map_says_where() {
    let wrong = |from: &str, to: &str, want: &str| {
        let error = SiteMap::parse(&MAP.replace(from, to)).expect_err(to).to_string();
        assert!(error.contains(want), "{error}");
    };
    wrong("neighbors = [\"hall\"]", "neighbors = [\"roof\"]", "zone `bedroom` names `roof`");
    wrong("zone = \"bedroom\", x", "zone = \"attic\", x", "sensor `M001` is in `attic`");
    wrong("radius = 0.9", "radius = 0", "shape of zone `bed` has no extent");
    wrong("x = 2.0, y = 2.5", "x = 2.0", "sensor `M001` needs both");
    wrong("America/Los_Angeles", "Mars/Olympus", "wanted one like `Europe/Berlin`");
    wrong("floor = \"2\"", "within = \"bed\"", "is within itself");
    wrong("format = 1", "format = 1\ncolor = 3", "unknown field `color`");
}

proptest! {
    #[test]
    fn a_polygon_of_four_corners_is_a_rectangle(x in -2.0f64..6.0, y in -2.0f64..5.0) {
        let rectangle = Shape::Rectangle { x: 0.0, y: 0.0, width: 4.0, height: 3.0 };
        let polygon = Shape::Polygon { points: vec![[0.0, 0.0], [4.0, 0.0], [4.0, 3.0], [0.0, 3.0]] };
        prop_assert_eq!(rectangle.contains(x, y), polygon.contains(x, y));
        prop_assert!((rectangle.area() - polygon.area()).abs() < 1e-9);
    }
}
