//! The recorder database of Home Assistant: tables after those of its releases 2024.4 (schema 43) to 2026.2 (schema 53).

use std::path::Path;

use rusqlite::Connection;
use spaxiom_event::{AttrValue, Event, EventError, EventReader, ReadOptions, read_log};
use tempfile::TempDir;

/// The columns of `states` are the same in all these versions.
const TABLES: &str = "
CREATE TABLE schema_changes (change_id INTEGER PRIMARY KEY, schema_version INTEGER, changed DATETIME);
CREATE TABLE states_meta (metadata_id INTEGER PRIMARY KEY, entity_id VARCHAR(255));
CREATE TABLE state_attributes (attributes_id INTEGER PRIMARY KEY, hash BIGINT, shared_attrs TEXT);
CREATE TABLE states (
    state_id INTEGER PRIMARY KEY, entity_id CHAR(0), state VARCHAR(255), attributes CHAR(0), event_id SMALLINT,
    last_changed CHAR(0), last_changed_ts FLOAT, last_reported_ts FLOAT, last_updated CHAR(0), last_updated_ts FLOAT,
    old_state_id INTEGER, attributes_id INTEGER, context_id CHAR(0), context_user_id CHAR(0), context_parent_id CHAR(0),
    origin_idx SMALLINT, context_id_bin BLOB, context_user_id_bin BLOB, context_parent_id_bin BLOB, metadata_id INTEGER);
INSERT INTO states_meta VALUES (1, 'binary_sensor.hall_motion'), (2, 'sensor.office_temp'), (3, 'light.hall');
INSERT INTO state_attributes VALUES (1, 0, '{\"device_class\":\"motion\"}'),
    (2, 0, '{\"unit_of_measurement\":\"°C\",\"device_class\":\"temperature\"}'), (3, 0, '{}');
";

/// Row, entity, state, when it changed (none: when it was updated), when it was updated, attributes, context and its parent.
type Row = (i64, i64, Option<&'static str>, Option<f64>, f64, i64, Option<[u8; 16]>, Option<[u8; 16]>);

const TRIGGER: [u8; 16] = [1; 16];
const AUTOMATION: [u8; 16] = [2; 16];

fn rows() -> Vec<Row> {
    vec![
        (1, 1, Some("off"), None, 1_756_677_600.0, 1, None, None),
        (2, 3, Some("off"), None, 1_756_677_600.5, 3, None, None),
        (3, 1, Some("on"), None, 1_756_677_850.123, 1, Some(TRIGGER), None),
        (4, 3, Some("on"), None, 1_756_677_850.2, 3, Some(AUTOMATION), Some(TRIGGER)),
        (5, 2, Some("21.4"), None, 1_756_677_961.0, 2, None, None),
        // Only attributes changed: the time of the change stays that of the row before.
        (6, 1, Some("on"), Some(1_756_677_850.123), 1_756_677_970.0, 1, None, None),
        (7, 1, Some("unavailable"), None, 1_756_678_000.0, 1, None, None),
        (8, 1, Some("off"), None, 1_756_678_100.0, 1, None, None),
        (9, 2, Some("unknown"), None, 1_756_678_150.0, 2, None, None),
        (10, 2, Some("21.9"), None, 1_756_678_200.0, 2, None, None),
        (11, 3, None, None, 1_756_678_300.0, 3, None, None),
    ]
}

fn database(path: &Path, version: i64, rows: &[Row]) -> Connection {
    let connection = Connection::open(path).unwrap();
    // As Home Assistant opens it.
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.execute_batch(TABLES).unwrap();
    connection.execute("INSERT INTO schema_changes (schema_version) VALUES (?1)", [version]).unwrap();
    insert(&connection, rows);
    connection
}

/// A small database that nobody writes to any more.
pub(crate) fn closed_database(path: &Path) {
    let connection = database(path, 53, &rows());
    connection.pragma_update(None, "journal_mode", "DELETE").unwrap();
}

fn insert(connection: &Connection, rows: &[Row]) {
    let sql = "INSERT INTO states (state_id, metadata_id, state, last_changed_ts, last_updated_ts, attributes_id,
        context_id_bin, context_parent_id_bin) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    for row in rows {
        connection.execute(sql, *row).unwrap();
    }
}

fn events(path: &Path) -> Vec<Event> {
    let log = read_log(path, &ReadOptions::default()).unwrap();
    assert!(log.rejected.is_empty(), "{:?}", log.rejected);
    log.events
}

#[test]
fn every_schema_gives_the_same_changes() {
    for version in 43..=53 {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("home-assistant_v2.db");
        // The writer stays open: Home Assistant runs while its file is read.
        let _writer = database(&path, version, &rows());
        let events = events(&path);
        let told: Vec<(&str, i64)> = events
            .iter()
            .map(|event| (event.kind.as_str(), event.time.timestamp_millis() - 1_756_677_600_000))
            .collect();
        let want = [
            ("MotionDetected", 250_123),
            ("SensorOn", 250_200),
            ("MeasurementChanged", 361_000),
            ("MotionCleared", 500_000),
            ("MeasurementChanged", 600_000),
        ];
        assert_eq!(told, want, "schema {version}");
        assert_eq!(events[2].attrs["value_cel"], AttrValue::Number(21.4));
        // The light went on because of the motion.
        assert_eq!(events[1].caused_by, [events[0].id.clone()]);
        assert!(
            events[0].id.as_str().starts_with("01040G2081040G2081040G2081/binary_sensor.hall_motion/"),
            "{}",
            events[0].id
        );
    }
}

#[test]
fn areas_and_names_come_from_the_registries_beside_the_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("home-assistant_v2.db");
    let _writer = database(&path, 50, &rows());
    let storage = folder.path().join(".storage");
    fs_err::create_dir(&storage).unwrap();
    let write = |name: &str, data: serde_json::Value| {
        let document = serde_json::json!({"version": 1, "key": name, "data": data});
        fs_err::write(storage.join(name), document.to_string()).unwrap();
    };
    write(
        "core.entity_registry",
        serde_json::json!({"entities": [
            {"entity_id": "binary_sensor.hall_motion", "area_id": null, "device_id": "d1", "name": "By the stairs", "platform": "zha"},
            {"entity_id": "light.hall", "area_id": "hall", "device_id": null, "name": null},
        ]}),
    );
    write("core.device_registry", serde_json::json!({"devices": [{"id": "d1", "area_id": "hall", "name": "PIR"}]}));
    write("core.area_registry", serde_json::json!({"areas": [{"id": "hall", "name": "Hall"}]}));
    let events = events(&path);
    assert_eq!(events[0].zone.as_ref().unwrap().as_str(), "Hall");
    assert_eq!(events[0].attrs["sensor"], AttrValue::from("binary_sensor.hall_motion"));
    assert_eq!(events[0].attrs["sensor_name"], AttrValue::from("By the stairs"));
    assert_eq!(events[1].zone.as_ref().unwrap().as_str(), "Hall");
    assert_eq!(events[2].zone.as_ref().unwrap().as_str(), "sensor.office_temp");
}

#[test]
fn rows_that_come_while_it_is_read_are_read_too() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("home-assistant_v2.db");
    let many: Vec<Row> = (0..10_000)
        .map(|i| {
            (i + 1, 1, Some(if i % 2 == 0 { "off" } else { "on" }), None, 1_756_677_600.0 + i as f64, 1, None, None)
        })
        .collect();
    let writer = database(&path, 50, &many[..5_000]);
    let mut reader = EventReader::open(&path, &ReadOptions::default()).unwrap();
    // The first state of the sensor is no change.
    assert_eq!(reader.by_ref().take(1_000).flatten().count(), 1_000);
    insert(&writer, &many[5_000..]);
    assert_eq!(reader.flatten().count(), 8_999);
}

#[test]
fn other_databases_are_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("old.db");
    drop(database(&path, 41, &rows()));
    let error = EventReader::open(&path, &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, EventError::OldRecorder { found: Some(41), .. }), "{error}");
    let path = folder.path().join("other.db");
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    let error = EventReader::open(&path, &ReadOptions::default()).unwrap_err();
    assert!(error.to_string().contains("no recorder database"), "{error}");
    let path = folder.path().join("damaged.db");
    fs_err::write(&path, [&b"SQLite format 3\0"[..], &[7; 4096]].concat()).unwrap();
    assert!(matches!(EventReader::open(&path, &ReadOptions::default()), Err(EventError::Database { .. })));
}
