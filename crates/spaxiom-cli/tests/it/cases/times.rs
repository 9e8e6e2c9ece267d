//! Times: zones, offsets, units, patterns, and hours that come twice.

use super::{checked, counts, finds, gives, told};
use crate::fed;

#[test]
fn a_time_zone_is_for_every_format() {
    let want = "2026-07-19T13:36:01Z";
    for (name, words) in [
        ("39-probes/local.jsonl", &["--time-zone", "Europe/Berlin"][..]),
        ("39-probes/local.jsonl", &["--time-zone", "+02:00"]),
        ("39-probes/nocolon.jsonl", &[]),
    ] {
        let (report, _) = checked(name, words);
        assert_eq!((&report["events"], &report["first"]), (&1.into(), &want.into()), "{name} {words:?}");
    }
    told("39-probes/local.jsonl", &[], &["names no time zone", "--time-zone"]);
}

#[test]
fn a_pattern_reads_what_no_rule_does() {
    let map = ["--columns", "time=time,type=type"];
    told("39-probes/ct.csv", &map, &["time=1[%d.%m.%Y %H:%M]"]);
    gives("39-probes/ct.csv", &map, 3, &["A 08:00:00", "B 10:00:00", "G 10:00:00.500"]);
    for (pattern, want) in [
        ("%Y-%m-%d %H:%M:%S", "C 01:02:03"),
        ("%d/%m/%Y %H:%M:%S", "D 10:00:00"),
        ("%Y/%m/%d %H:%M:%S", "E 10:00:00"),
        ("%Y%m%dT%H%M%SZ", "F 10:00:00"),
        ("%Y-%m-%d %H:%M:%S UTC", "H 10:00:00"),
        ("%m/%d/%Y %I:%M:%S %p", "K 08:00:38"),
    ] {
        gives("39-probes/ct.csv", &["--columns", &format!("time=time[{pattern}],type=type")], 3, &[want]);
    }
    let map = "time=dd-MM-yyyy:HH.mm[%d-%m-%Y:%H.%M],type=step,cost=cost";
    gives("13-xes-csv/pm.csv", &["--columns", map], 0, &["open request 08:15:00 cost=12", "check 17:40:00 cost=250"]);
    let map = "time=done at[%Y/%m/%d %H:%M:%S%.f],type=step,entity=visit";
    gives("13-xes-csv/slash.csv", &["--columns", map], 0, &["Sign-in 08:05:12.250", "Blood count 08:41:00"]);
    for (pattern, want) in [
        ("%Y-%m-%dT%H:%MZ", "A 10:23:00"),
        ("%Y%m%dT%H%M%SZ", "A 10:23:45"),
        ("%G-W%V-%uT%H:%M:%SZ", "A 10:23:45"),
        ("%Y-%jT%H:%M:%SZ", "A 10:23:45"),
        ("%Y-%m-%dT%H:%M:%S,%fZ", "A 10:23:45.500"),
        ("%Y-%m-%dT%H:%M:%S%.fZ[UTC]", "A 10:23:45"),
        ("%a, %d %b %Y %H:%M:%S GMT", "A 10:23:45"),
        ("ms", "A 10:23:45.123"),
    ] {
        let (events, _) =
            super::converted("19-times/t.jsonl", &["--columns", &format!("id=id,time=time[{pattern}],type=type")]);
        let time = want.trim_start_matches("A ");
        let is_there = |event: &serde_json::Value| event["time"].as_str().unwrap() == format!("2025-01-06T{time}Z");
        assert!(events.iter().any(is_there), "{pattern}: {events:?}");
    }
}

#[test]
fn a_count_has_a_unit_and_a_wrong_one_is_told() {
    told("23-epoch-ms/ms.jsonl", &[], &["`[ms]`", "time=time[ms]"]);
    told("08-zigbee2mqtt/epoch.jsonl", &[], &["`[ms]`", "time=timestamp[ms]"]);
    let (report, _) = checked("23-epoch-ms/ms.jsonl", &["--columns", "time=time[ms],type=type"]);
    assert_eq!((&report["events"], &report["first"]), (&2.into(), &"2025-01-06T10:23:45.123Z".into()));
    let (report, _) = checked("08-zigbee2mqtt/epoch.jsonl", &["--columns", "time=timestamp[ms],type=type,*"]);
    assert_eq!((&report["events"], &report["first"]), (&2.into(), &"2025-01-21T08:31:39.123Z".into()));
    told("23-epoch-ms/ms_as_s.csv", &["--columns", "time=ts[s],type=type"], &["`[ms]`"]);
    told("23-epoch-ms/us_as_ms.csv", &["--columns", "time=ts[ms],type=type"], &["`[us]`"]);
    finds("23-epoch-ms/s_as_ms.csv", &["--columns", "time=ts[ms],type=type"], "january-1970", &["`[s]`"]);
    let (report, _) = checked("23-epoch-ms/neg.csv", &["--columns", "time=ts[s],type=type"]);
    assert_eq!((&report["events"], &report["first"]), (&4.into(), &"1969-12-31T23:46:48Z".into()));
}

#[test]
fn times_in_json_are_read_or_told() {
    let (events, _) = super::converted("19-times/n.jsonl", &[]);
    let time = |events: &[serde_json::Value], id: &str| {
        events.iter().find(|event| event["id"] == id).map(|event| event["time"].as_str().unwrap().to_owned())
    };
    assert_eq!(time(&events, "n3").unwrap(), "1969-12-31T23:59:59Z");
    assert_eq!(time(&events, "n15").unwrap(), "2025-01-06T10:23:45Z");
    assert_eq!(time(&events, "n16").unwrap(), "2025-01-06T10:23:45.123Z");
    told(
        "19-times/n.jsonl",
        &[],
        &["line 3: `time`: 1736159025123 looks like `[ms]`", "1736159025123456 looks like `[us]`"],
    );
    let (events, _) = super::converted("19-times/t.jsonl", &[]);
    assert_eq!(time(&events, "t7").unwrap(), "2025-01-06T04:38:45Z");
    assert_eq!(time(&events, "t8").unwrap(), "2025-01-06T05:23:45Z");
    for id in ["t12", "t13", "t14", "t15", "t16", "t17", "t20", "t32", "t33", "t34", "t35"] {
        assert_eq!(time(&events, id), None, "{id}");
    }
    for (id, want) in
        [("t0", "2016-12-31T23:59:60Z"), ("t25", "2262-04-11T23:47:16.854775807Z"), ("t6", "2025-01-06T10:23:45Z")]
    {
        assert_eq!(time(&events, id).unwrap(), want);
    }
}

/// In Berlin clocks went from 03:00 back to 02:00 on 2025-10-26.
#[test]
fn the_order_tells_the_hour_that_comes_twice_apart() {
    let rows = "time,type\n2025-10-26 02:10:00,A\n2025-10-26 02:50:00,B\n2025-10-26 02:05:00,C\n2025-10-26 02:55:00,D\n2025-10-26 03:05:00,E\n";
    let words = [
        "convert",
        "-",
        "--to",
        "jsonl",
        "--out",
        "-",
        "--time-zone",
        "Europe/Berlin",
        "--columns",
        "time=time,type=type",
    ];
    let text = String::from_utf8(fed(&words, rows).stdout).unwrap();
    let times: Vec<String> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["time"].as_str().unwrap()[11..16].to_owned()
        })
        .collect();
    assert_eq!(times, ["00:10", "00:50", "01:05", "01:55", "02:05"]);
    counts("39-probes/local.jsonl", &["--time-zone", "Europe/Berlin"], 1, 0);
}
