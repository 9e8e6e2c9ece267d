//! Public data sets beside the project: the counts stand in the notes of each.

use std::io::Write;
use std::path::{Path, PathBuf};

use spaxiom_event::{EventLog, ReadOptions, read_log};

/// The path of a data set in the folder `SPAXIOM_DATASETS`; without that variable the test is skipped.
///
/// `cargo xtask test` counts skipped tests: each appends its name to the file `SPAXIOM_SKIPPED`.
#[expect(clippy::disallowed_methods, reason = "these tests run where somebody has the data")]
fn dataset(name: &str) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("SPAXIOM_DATASETS") {
        let path = Path::new(&folder).join(name);
        assert!(path.exists(), "`SPAXIOM_DATASETS` has no `{}`", path.display());
        return Some(path);
    }
    if let Some(skipped) = std::env::var_os("SPAXIOM_SKIPPED") {
        let mut file = fs_err::OpenOptions::new().append(true).create(true).open(PathBuf::from(skipped)).unwrap();
        let name = std::thread::current().name().unwrap().to_owned();
        writeln!(file, "{name}; `SPAXIOM_DATASETS` names the folder of its data").unwrap();
    }
    None
}

fn logs(name: &str, columns: Option<&str>) -> Vec<EventLog> {
    let Some(path) = dataset(name) else { return Vec::new() };
    let options = ReadOptions { columns: columns.map(|map| map.parse().unwrap()), ..ReadOptions::default() };
    let mut files = vec![path.clone()];
    if path.is_dir() {
        files = fs_err::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.retain(|file| !file.ends_with("NOTES.md"));
    }
    files.iter().map(|file| read_log(file, &options).unwrap()).collect()
}

/// Wants so many events and so many spans in the files of a data set together, and nothing rejected or lost.
fn holds(name: &str, columns: Option<&str>, n_events: u64, n_spans: usize) {
    let logs = logs(name, columns);
    if logs.is_empty() {
        return;
    }
    let rejected: Vec<String> = logs.iter().flat_map(|log| &log.rejected).map(ToString::to_string).collect();
    assert_eq!(rejected.len(), 0, "{name}: {:?}", rejected.first());
    let found: u64 = logs.iter().map(|log| log.events.len() as u64 + log.n_duplicates).sum();
    assert_eq!(found, n_events, "{name}");
    assert_eq!(logs.iter().map(|log| log.spans.len()).sum::<usize>(), n_spans, "{name}");
}

#[test]
fn ten_days_of_aruba_with_all_their_marks() {
    let logs = logs("casas_aruba_10d/data_aruba_formatted_10days.txt", None);
    for log in &logs {
        assert_eq!((log.events.len(), log.rejected.len()), (71_828, 0));
        assert_eq!(2 * log.spans.len() + log.unpaired.len(), 2 * 359);
    }
}

#[test]
fn a_home_with_an_activity_on_every_event() {
    holds("casas_al_smarthome/data", None, 61_578, 2_731);
}

#[test]
fn scripted_tasks_of_44_people() {
    holds("casas_kyoto_adl/raw", None, 11_586, 0);
}

#[test]
fn a_week_of_named_areas() {
    holds("casas_cil_tm000/tm000.multiday_absence.txt", None, 21_968, 0);
}

const INTERVALS: &str =
    "delimiter=tabs,time=Start time,end_time=End time,sensor=Location,zone=Place,type='PresenceDetected',kind=Type";

#[test]
fn two_homes_of_intervals() {
    holds("uci_adl_ordonez/OrdonezA_Sensors.txt", Some(INTERVALS), 409, 0);
    holds("uci_adl_ordonez/OrdonezB_Sensors.txt", Some(INTERVALS), 2_334, 0);
}

#[test]
fn readings_of_a_tag_in_two_clinical_rooms() {
    let logs = logs(
        "uci_healthy_older_rfid",
        Some("time=1[s],type='TagRead',site=@file,zone=5,rssi=6,phase=7,frequency=8,label=9"),
    );
    if !logs.is_empty() {
        assert_eq!(logs.len(), 87);
        assert_eq!(logs.iter().map(|log| log.events.len() as u64 + log.n_duplicates).sum::<u64>(), 75_128);
    }
}

#[test]
fn readings_of_body_tags_with_falls() {
    let map = "time=timestamp[ticks],type='TagRead',entity=sequence_name,tag=tag_indicator,x=x_coordinate,y=y_coordinate,z=z_coordinate,label=activity";
    let logs = logs("ldpa_subset/ConfLongDemo_JSI.txt", Some(map));
    for log in &logs {
        assert_eq!((log.events.len(), log.rejected.len()), (16_486, 0));
        assert!(log.spans.iter().any(|span| span.label == "falling"));
    }
}

#[test]
fn sequences_of_earthquakes() {
    for (name, n_events) in [("train", 49_363), ("dev", 6_612), ("test", 14_748)] {
        let map = "time=time_since_start[d],type=type,entity=seq";
        holds(&format!("tpp_earthquake/{name}.csv"), Some(map), n_events, 0);
    }
}
