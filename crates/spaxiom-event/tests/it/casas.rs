//! CASAS text: sensors to events, marks to spans.

use spaxiom_event::{AttrValue, MarkEdge, Record};

use crate::read;

fn records(text: &str) -> Vec<Result<Record, String>> {
    read(text, "casas")
}

fn record(line: &str) -> Record {
    records(line).remove(0).unwrap()
}

#[test]
fn a_sensors_letter_and_value_give_the_type() {
    for (sensor, value, want) in [
        ("M003", "ON", "MotionDetected"),
        ("M003", "OFF", "MotionCleared"),
        ("D001", "OPEN", "DoorOpened"),
        ("D001", "CLOSE", "DoorClosed"),
        ("L005", "ON", "SensorOn"),
        ("I001", "ABSENT", "SensorOff"),
        ("T002", "21.5", "MeasurementChanged"),
    ] {
        let event = record(&format!("2010-11-04 00:03:50.209589 {sensor} {value}")).event;
        assert_eq!(event.kind.as_str(), want, "{sensor} {value}");
        assert_eq!(event.zone.unwrap().as_str(), sensor);
    }
}

#[test]
fn a_temperature_keeps_its_value() {
    let event = record("2010-11-04\t00:15:08.984841\tT002\t21.5").event;
    assert_eq!(event.attrs["value_cel"], AttrValue::Number(21.5));
    assert_eq!(event.time.to_rfc3339(), "2010-11-04T00:15:08.984841+00:00");
}

#[test]
fn a_mark_is_not_part_of_the_event() {
    let marked = record("2010-11-04 00:03:50.2 M003 ON Sleeping begin");
    let mark = marked.mark.unwrap();
    assert_eq!((mark.activity.as_str(), mark.edge), ("Sleeping", MarkEdge::Begin));
    assert_eq!(marked.event, record("2010-11-04 00:03:50.2 M003 ON").event);
}

#[test]
fn a_bad_line_is_named_and_the_rest_is_read() {
    let text = "2010-11-04 00:00:01 M001 ON\n2010-11-04 M001 ON\n2010-11-04 00:00:02 M001 MAYBE\n\n2010-11-04 00:00:03 M001 OFF\n";
    let records = records(text);
    assert_eq!(records.len(), 4);
    assert!(records[0].is_ok() && records[3].is_ok());
    assert!(records[1].as_ref().unwrap_err().starts_with("line 2: wanted `date time sensor value"));
    assert!(records[2].as_ref().unwrap_err().contains("sensor `M001`: wanted ON, OFF"));
}
