//! Homes: Home Assistant and CASAS.

use tempfile::TempDir;

use super::{checked, counts, gives};
use crate::{json, written};

const SIX: [&str; 6] = [
    "MotionDetected binary_sensor.hall_motion 22:04:10.123",
    "MotionCleared binary_sensor.hall_motion 22:06:00.500",
    "MeasurementChanged sensor.office_temp 22:06:01 device_class=\"temperature\" value_cel=21.4",
    "MeasurementChanged sensor.office_temp 22:08:01 device_class=\"temperature\" value_cel=21.9",
    "MotionDetected binary_sensor.hall_motion 22:10:00",
    "MotionCleared binary_sensor.hall_motion 22:11:00",
];

#[test]
fn an_outage_is_no_change_and_hides_none() {
    let hall = |kind: &str, time: &str| format!("{kind} binary_sensor.hall {time}");
    let want =
        [hall("MotionCleared", "08:00:00"), hall("MotionDetected", "08:02:00"), hall("MotionCleared", "08:03:00")];
    gives("39-probes/unav.jsonl", &[], 0, &want.each_ref().map(String::as_str));
    for name in ["joined", "simple", "textattrs"] {
        gives(&format!("38-ha-recorder/{name}.jsonl"), &[], 0, &SIX);
    }
}

#[test]
fn histories_are_read_in_each_of_their_shapes() {
    for words in [&[][..], &["--format", "home-assistant"]] {
        let (report, _) = checked("01-ha-history-csv/history.csv", words);
        assert_eq!((&report["events"], &report["rejected"]), (&4.into(), &0.into()));
        assert_eq!(report["skipped"]["state unknown or unavailable"], 2);
        let (report, _) = checked("02-ha-ws-compressed/ws.json", words);
        assert_eq!((&report["events"], &report["first"]), (&4.into(), &"2025-08-31T22:04:10.123Z".into()));
        let (report, _) = checked("03-ha-rest-history/rest.json", words);
        assert_eq!((&report["events"], &report["first"]), (&3.into(), &"2025-08-31T22:04:10.123456Z".into()));
    }
    let map = "time=last_changed,sensor=entity_id,zone=entity_id,type='StateChanged',state=state";
    counts("01-ha-history-csv/history.csv", &["--columns", map], 7, 0);
}

#[test]
fn casas_lines_have_labels_of_several_words_and_sensors_with_names() {
    let folder = TempDir::new().unwrap();
    let home = written(
        folder.path(),
        "home.txt",
        "2010-11-04 05:40:51 M004 ON Bed to Toilet begin\n2010-11-04 05:41:51 M004 OFF Bed to Toilet end\n\
         2010-11-04 05:43:00 Fridge ON None\n2010-11-04 05:44:00 Frontdoor ON Leaving\n\
         2010-11-04 05:45:00 ToiletFlush ON\n2010-11-04 05:46:00 Bedroom ON\n",
    );
    let report = json(&["check", &home]);
    assert_eq!((&report["events"], &report["rejected"]), (&6.into(), &0.into()));
    assert_eq!(report["activities"], serde_json::json!({"Bed to Toilet": 1, "Leaving": 1}));
    let types = serde_json::json!({"DoorOpened": 1, "MotionCleared": 1, "MotionDetected": 2, "SensorOn": 2});
    assert_eq!(report["types"], types);
}
