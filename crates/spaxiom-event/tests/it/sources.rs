//! What real sources emit, one shape after the other.

use spaxiom_event::{AttrValue, Event, Format, MarkEdge, ReadOptions};

use crate::{read, read_with};

fn events(text: &str, format: &str) -> Vec<Event> {
    read(text, format).into_iter().map(|record| record.unwrap().event).collect()
}

fn event(text: &str, format: &str) -> Event {
    let mut events = events(text, format);
    assert_eq!(events.len(), 1, "{text}");
    events.remove(0)
}

fn refused(text: &str, format: &str, want: &str) {
    let error = read(text, format).remove(0).expect_err(text);
    assert!(error.contains(want), "{text}\n  gave: {error}\n  want: {want}");
}

#[test]
fn the_first_line_tells_the_format() {
    for (line, want) in [
        (r#"{"type":"A","time":0}"#, "jsonl"),
        (r#"{"event_type":"QueueLengthChanged","timestamp":1.5,"pattern_name":"q"}"#, "spaxiom"),
        (r#"data: {"type":"pattern_event","agent_id":"a","event":{},"timestamp":"2025-01-06T10:00:00Z"}"#, "spaxiom"),
        (r#"{"id":7,"timestamp":"2025-01-06 10:00:00","event_type":"X","source":"s","data":{}}"#, "spaxiom"),
        (r#"{"specversion":"1.0","id":"1","source":"/a","type":"T"}"#, "cloudevents"),
        (
            r#"{"event_type":"state_changed","data":{},"time_fired":"2025-01-06T10:00:00Z","origin":"LOCAL"}"#,
            "home-assistant",
        ),
        (r#"{"id":3,"type":"event","event":{"event_type":"state_changed","data":{}}}"#, "home-assistant"),
        ("2010-11-04\t00:03:50.209589\tM003\tON\tSleeping begin", "casas"),
        ("date,time,sensor,message", "casas"),
        ("2/1/2009,8:00:38 AM,M048,OFF,,,", "casas"),
        ("2011-06-15 01:03:39.14962 Bedroom Bedroom ON Sleep", "casas"),
    ] {
        assert_eq!(Format::detect(line).map(Format::name), Some(want), "{line}");
    }
    assert_eq!(Format::detect("hello world"), None);
}

const CLOUD_EVENT: &str = r#"{"specversion":"1.0","id":"a-1","source":"/sites/ward-5f","type":"org.example.spaxiom.FallEvent.v2",
    "time":"2025-01-06T10:23:45Z","subject":"room_12","data":{"x":12.5,"y":8.3,"entity_id":"p7","attrs":{"stability_score":0.2}}}"#;

#[test]
fn a_cloud_event_keeps_its_payload_and_loses_its_prefix() {
    let event = event(CLOUD_EVENT, "cloudevents");
    assert_eq!((event.id.as_str(), event.kind.as_str(), event.site_id.as_str()), ("a-1", "FallEvent", "ward-5f"));
    assert_eq!(event.zone.as_ref().unwrap().as_str(), "room_12");
    assert_eq!(event.entity_id.as_ref().unwrap().as_str(), "p7");
    assert_eq!(event.attrs["stability_score"], AttrValue::Number(0.2));
    assert_eq!(event.position.unwrap().x, 12.5);
}

#[test]
fn cloud_events_come_single_in_a_batch_and_one_per_line() {
    let line = CLOUD_EVENT.replace('\n', " ");
    let (a, b) = (line.clone(), line.replace("a-1", "a-2"));
    for text in [
        format!("{a}\n{b}\n"),
        format!("[{a},{b}]"),
        format!("[\n{CLOUD_EVENT},\n{b}\n]\n"),
        format!("{CLOUD_EVENT}\n{b}"),
    ] {
        let ids: Vec<String> = events(&text, "cloudevents").iter().map(|event| event.id.to_string()).collect();
        assert_eq!(ids, ["a-1", "a-2"], "{text}");
    }
}

#[test]
fn a_bad_member_of_a_batch_loses_no_other() {
    let line = CLOUD_EVENT.replace('\n', " ");
    let text = format!("[{line},{{\"specversion\":\"1.0\"}}, nonsense,\n{line}]");
    let records = read(&text, "cloudevents");
    assert_eq!(records.iter().filter(|record| record.is_ok()).count(), 2, "{records:?}");
    assert!(records[1].as_ref().unwrap_err().contains("`id` is missing"), "{records:?}");
}

#[test]
fn a_payload_may_be_base64_or_a_plain_value() {
    // {"zone":"z"}
    let text = r#"{"specversion":"1.0","id":"1","source":"urn:x","type":"T","time":"2025-01-06T10:23:45Z","data_base64":"eyJ6b25lIjoieiJ9"}"#;
    let event = event(text, "cloudevents");
    assert_eq!((event.zone.unwrap().as_str(), event.site_id.as_str()), ("z", "urn:x"));
    let text = text.replace("\"data_base64\":\"eyJ6b25lIjoieiJ9\"", "\"data\":21.5");
    assert_eq!(self::event(&text, "cloudevents").attrs["value"], AttrValue::Number(21.5));
    refused(&text.replace("1.0", "0.3"), "cloudevents", "wanted 1.0, got `0.3`");
    refused(&text.replace("\"data\":21.5", "\"data_base64\":\"%\""), "cloudevents", "wanted base64");
}

#[test]
fn the_three_spaxiom_shapes_are_read() {
    let pattern = r#"{"event_type":"OccupancyChanged","timestamp":1736159025.25,"pattern_name":"lobby","zone":"lobby","percent":87.5,"previous_percent":80.0,"hotspots":[{"x":1,"y":2,"weight":0.5},{"x":3,"y":4,"weight":0.9}]}"#;
    let event = event(pattern, "spaxiom");
    assert_eq!(event.time.to_rfc3339(), "2025-01-06T10:23:45.250+00:00");
    assert_eq!(event.attrs["percent"], AttrValue::Number(87.5));
    assert_eq!((event.attrs.number("hotspot_count"), event.attrs.number("hotspot_x")), (Some(2.0), Some(3.0)));
    let queue = r#"{"event_type":"QueueLengthChanged","timestamp":1.0,"pattern_name":"q","queue_name":"checkout","length":8,"previous_length":7,"wait_time_seconds":120}"#;
    let event = self::event(queue, "spaxiom");
    assert_eq!(event.zone.unwrap().as_str(), "checkout");
    assert_eq!(event.attrs["wait_time_s"], AttrValue::Number(120.0));

    let record = r#"{"id":12,"timestamp":"2025-01-06 10:23:45","event_type":"ServiceNeeded","source":"edge","data":"{\"facility\":\"wc_1\",\"reason\":\"spill\",\"details\":{\"value\":3}}","severity":"warning"}"#;
    let event = self::event(record, "spaxiom");
    assert_eq!((event.id.as_str(), event.zone.unwrap().to_string()), ("12", "wc_1".to_owned()));
    assert_eq!(event.attrs["details.value"], AttrValue::Number(3.0));
    assert_eq!(event.severity.unwrap().name(), "warn");
    assert_eq!(event.time.to_rfc3339(), "2025-01-06T10:23:45+00:00");

    let frame = format!(
        r#"data: {{"type":"pattern_event","agent_id":"a7","event":{queue},"timestamp":"2025-01-06T10:00:00Z"}}"#
    );
    let event = self::event(&frame, "spaxiom");
    assert_eq!((event.kind.as_str(), event.time.timestamp()), ("QueueLengthChanged", 1));
    assert_eq!(event.attrs["agent_id"], AttrValue::Text("a7".into()));
}

#[test]
fn the_shapes_of_the_series_and_the_seed_are_canonical_enough() {
    let gait = r#"{"type":"GaitInstability","site_id":"hospital-5f","zone":"ward-b-hall-2","timestamp":"2025-01-06T10:00:00Z","stability_score":0.23,"recent_steps":28,"assistive_device":"walker"}"#;
    assert_eq!(event(gait, "jsonl").attrs.len(), 3);
    let crowd = r#"{"type":"CrowdFormation","site_id":"s","zone":"z","start_time":"2025-01-06T10:00:00Z","end_time":"2025-01-06T10:05:00Z","peak_occupancy_pct":91,"avg_wait_time_s":40}"#;
    let event = event(crowd, "jsonl");
    assert_eq!((event.end() - event.time).num_minutes(), 5);
    assert_eq!(event.attrs["wait_time_s"], AttrValue::Number(40.0));
    let node = self::event(r#"{"type": "DoorOpened", "zone": "entrance", "t": 0}"#, "jsonl");
    assert_eq!(node.time.timestamp(), 0);
}

fn state_changed(entity: &str, class: &str, old: &str, new: &str) -> String {
    format!(
        r#"{{"event_type":"state_changed","time_fired":"2025-01-06T10:00:01+00:00","origin":"LOCAL","context":{{"id":"c1"}},"data":{{"entity_id":"{entity}","old_state":{{"state":"{old}"}},"new_state":{{"state":"{new}","last_changed":"2025-01-06T10:00:00+00:00","attributes":{{"device_class":"{class}","unit_of_measurement":"°C"}}}}}}}}"#
    )
}

#[test]
fn home_assistant_changes_of_state_become_events_by_device_class_and_edge() {
    for (entity, class, old, new, want) in [
        ("binary_sensor.front", "door", "off", "on", "DoorOpened"),
        ("binary_sensor.front", "window", "on", "off", "DoorClosed"),
        ("binary_sensor.hall", "motion", "off", "on", "MotionDetected"),
        ("binary_sensor.hall", "moving", "on", "off", "MotionCleared"),
        ("binary_sensor.bed", "occupancy", "off", "on", "OccupancyChanged"),
        ("binary_sensor.sink", "moisture", "off", "on", "SpillDetected"),
        ("binary_sensor.x", "vibration", "off", "on", "SensorOn"),
        ("sensor.bath", "temperature", "21.0", "21.5", "MeasurementChanged"),
        ("media_player.tv", "tv", "idle", "playing", "StateChanged"),
    ] {
        let event = event(&state_changed(entity, class, old, new), "home-assistant");
        assert_eq!(event.kind.as_str(), want, "{class} {old} {new}");
        assert_eq!(event.zone.unwrap().as_str(), entity);
        assert_eq!(event.id.as_str(), format!("c1/{entity}/1736157600000000"));
        assert_eq!(event.time.timestamp(), 1_736_157_600);
    }
    let warm = event(&state_changed("sensor.bath", "temperature", "21.0", "21.5"), "home-assistant");
    assert_eq!(warm.attrs["value_cel"], AttrValue::Number(21.5));
}

#[test]
fn home_assistant_says_much_that_is_no_event() {
    for (old, new) in [("on", "on"), ("on", "unavailable"), ("unavailable", "on"), ("off", "unknown")] {
        let text = state_changed("binary_sensor.front", "door", old, new);
        assert_eq!(read(&text, "home-assistant").len(), 0, "{old} {new}");
    }
    let call = r#"{"event_type":"call_service","time_fired":"2025-01-06T10:00:01+00:00","data":{}}"#;
    assert_eq!(read(call, "home-assistant").len(), 0);
    refused(
        r#"{"event_type":"state_changed","time_fired":"2025-01-06T10:00:01+00:00"}"#,
        "home-assistant",
        "`data` is missing",
    );
}

#[test]
fn casas_has_csv_and_labels_on_every_line() {
    let csv = "date,time,sensor,message\n2008-02-27,12:43:27.416392,M08,ON\n2008-02-27,12:43:28,AD1-A,2.88\n2008-02-27,12:43:29,asterisk,START\n";
    let kinds: Vec<String> = events(csv, "casas").iter().map(|event| event.kind.to_string()).collect();
    assert_eq!(kinds, ["MotionDetected", "MeasurementChanged", "StateChanged"]);
    assert_eq!(event("2/1/2009,8:00:38 PM,M048,OFF,,,", "casas").time.to_rfc3339(), "2009-02-01T20:00:38+00:00");
    let labeled = read("2011-06-15 01:03:39.14962 Bedroom BedroomABed ON Sleep", "casas").remove(0).unwrap();
    let mark = labeled.mark.unwrap();
    assert_eq!((mark.activity.as_str(), mark.edge), ("Sleep", MarkEdge::Within));
    assert_eq!(labeled.event.kind.as_str(), "MotionDetected");
    assert_eq!(labeled.event.zone.unwrap().as_str(), "BedroomABed");
    assert_eq!(labeled.event.zone_path[0].as_str(), "Bedroom");
}

#[test]
fn times_on_the_wall_become_utc_in_the_zone_of_the_site() {
    let options = |zone: &str| ReadOptions {
        format: Some(Format::Casas),
        time_zone: Some(zone.parse().unwrap()),
        ..ReadOptions::default()
    };
    let at = |text: &str| {
        let records = read_with(text, &options("America/Los_Angeles"));
        records[0].as_ref().map(|record| record.event.time.to_rfc3339()).map_err(String::clone)
    };
    assert_eq!(at("2010-11-04 00:03:50 M003 ON").unwrap(), "2010-11-04T07:03:50+00:00");
    // Clocks went back on this day: the first of the two instants is meant.
    assert_eq!(at("2010-11-07 01:30:00 M003 ON").unwrap(), "2010-11-07T08:30:00+00:00");
    assert!(at("2010-03-14 02:30:00 M003 ON").unwrap_err().contains("clocks jumped over it"));
}

fn columns(text: &str, map: &str) -> Vec<Result<spaxiom_event::Record, String>> {
    read_with(text, &ReadOptions { columns: Some(map.parse().unwrap()), ..ReadOptions::default() })
}

#[test]
fn columns_are_named_by_the_header_or_counted() {
    let tags = "id, seq, time_stamp, x, y, z, what\n0,A01,633790226051280329,4.06,1.89,0.5,walking\n";
    let map = "time=time_stamp[ticks],type='TagRead',entity=seq,x=x,y=y,z=z,label=what";
    let record = columns(tags, map).remove(0).unwrap();
    assert_eq!(record.event.time.to_rfc3339(), "2009-05-27T12:03:25.128032900+00:00");
    assert_eq!(record.event.entity_id.unwrap().as_str(), "A01");
    assert_eq!(record.event.position.unwrap().z, Some(0.5));
    assert_eq!(record.mark.unwrap().activity, "walking");

    let rfid = "0.5,0.27,1.0,-0.08,1,-63.5,4.7,921.75,1\n";
    let record = columns(rfid, "time=1[s],type='TagRead',zone=5,rssi=6,site=@file,label=9").remove(0).unwrap();
    assert_eq!(record.event.time.timestamp_millis(), 500);
    assert_eq!(record.event.attrs["rssi_dbm"], AttrValue::Number(-63.5));
    assert_eq!(record.event.site_id.as_str(), "trial");
}

#[test]
fn intervals_between_ruled_lines_are_read() {
    let text = "Start time\tEnd time\t\tLocation\tType\t\tPlace\n----------\t--------\t-----\t-----\n\
        2012-11-11 21:14:21\t\t2012-11-12 00:21:49\t\tSeat\t\tPressure\tLiving\n";
    let map =
        "delimiter=tabs,time=Start time,end_time=End time,zone=Place,sensor=Location,type='PresenceDetected',kind=Type";
    let records = columns(text, map);
    assert_eq!(records.len(), 1);
    let event = &records[0].as_ref().unwrap().event;
    assert_eq!((event.end() - event.time).num_seconds(), 11_248);
    assert_eq!(event.attrs["kind"], AttrValue::Text("Pressure".into()));
}

#[test]
fn a_wrong_column_map_says_what_is_wrong() {
    let wrong = |map: &str| map.parse::<spaxiom_event::ColumnMap>().unwrap_err().to_string();
    assert!(wrong("type=1").contains("`time=` is missing"));
    assert!(wrong("time=1").contains("`type='...'`"));
    assert!(wrong("time").contains("wanted `member=column`"));
    assert!(wrong("time=0,type=1").contains("counted from 1"));
    assert!(wrong("time=1[weeks],type=2").contains("`ticks`, got `weeks`"));
    assert!(wrong("time=1,type=2,delimiter=dot").contains("`blanks`, got `dot`"));
    assert!(wrong("time=1,time=2,type=3").contains("there twice"));
    let read = columns("a,b\n1,2\n", "time=a[s],type='T',v=b");
    assert_eq!(read[0].as_ref().unwrap().event.attrs["v"], AttrValue::Number(2.0));
    let short = columns("a,b\n1\n", "time=a[s],type='T',v=b").remove(0).unwrap_err();
    assert!(short.contains("wanted 2 columns, got 1"), "{short}");
    let text = columns("a,b\nx,2\n", "time=a,type='T'").remove(0).unwrap_err();
    assert!(text.contains("a count needs its unit"), "{text}");
}
