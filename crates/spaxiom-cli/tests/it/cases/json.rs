//! JSON of any source: formats, numbers, members, joined files, messages.

use tempfile::TempDir;

use super::{case, checked, converted, counts, finds, gives, told};
use crate::{WORLD, done, fails, fed, json, output, written};

#[test]
fn events_of_one_context_are_as_many_as_there_are() {
    let (events, _) = converted("04-ha-context-reuse/sc.jsonl", &[]);
    let mut ids: Vec<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((events.len(), ids.len()), (5, 5));
    let path = case("04-ha-context-reuse/sc.jsonl");
    let folder = TempDir::new().unwrap();
    let kept = folder.path().join("kept.jsonl");
    let twice =
        output(&["convert", &path, &path, "--to", "jsonl", "--out", "-", "--quarantine", kept.to_str().unwrap()]);
    assert_eq!(String::from_utf8_lossy(&twice.stdout).lines().count(), 5);
    assert_eq!(fs_err::read_to_string(kept).unwrap().lines().count(), 5, "duplicates are kept");
    let (report, _) = checked("04-ha-context-reuse/sc.jsonl", &[]);
    assert_eq!(report["last"], "2025-09-01T08:00:05Z");
    assert!(report["findings"].as_array().unwrap().iter().all(|finding| finding["kind"] != "duplicates"));
}

#[test]
fn the_first_object_tells_the_format_not_the_first_line() {
    let three = ["DoorOpened dock 10:23:40 n=0", "DoorOpened dock 10:23:41 n=1", "DoorOpened dock 10:23:42 n=2"];
    for name in ["batch1.json", "batch2.json", "batch3.json"] {
        gives(&format!("07-cloudevents/{name}"), &[], 0, &three);
        assert_eq!(checked(&format!("07-cloudevents/{name}"), &[]).0["files"]["cloudevents"], 1);
    }
    gives("07-cloudevents/single.json", &[], 0, &three[..1]);
    gives("07-cloudevents/batch.json", &[], 0, &["T 10:23:40 n=0", "T 10:23:41 n=1", "T 10:23:42 n=2"]);
    for name in ["ha_pretty.json", "ha_lines.json"] {
        let (report, _) = checked(&format!("39-probes/{name}"), &[]);
        let counts =
            (&report["types"]["SensorOn"], &report["types"]["SensorOff"], &report["types"]["MeasurementChanged"]);
        assert_eq!(counts, (&2.into(), &1.into(), &2.into()), "{name}");
        assert_eq!(report["files"]["home-assistant"], 1);
    }
    for name in ["spx.json", "spx1.json"] {
        gives(&format!("39-probes/{name}"), &[], 0, &["QueueFormed dock 10:23:45.500 length=4"]);
    }
    for name in ["blankfirst.jsonl", "pat.json", "pat_pretty.json"] {
        counts(&format!("39-probes/{name}"), &[], 1, 0);
    }
    let looks_like_another =
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/a\",\"type\":\"T\",\"time\":\"2025-01-06T10:00:00Z\"}\n";
    let checked = fed(&["check", "-", "--format", "jsonl"], looks_like_another);
    assert!(String::from_utf8_lossy(&checked.stdout).contains("look like the format `cloudevents`"));
}

#[test]
fn whole_numbers_are_exact_or_text_and_never_rounded() {
    let (events, _) = converted("22-numbers/n.jsonl", &[]);
    let n = |id: &str| {
        let event = events.iter().find(|event| event["id"] == id).unwrap();
        event["attrs"]["n"].to_string().trim_matches('"').to_owned()
    };
    for (id, want) in [
        ("n0", "9007199254740993"),
        ("n1", "9223372036854775807"),
        ("n2", "18446744073709551615"),
        ("n3", "18446744073709551616"),
        ("n4", "123456789012345678901234567890"),
        ("n8", "5e-324"),
        ("n10", "-0.0"),
        ("n21", "100000000000000000000"),
    ] {
        assert_eq!(n(id), want, "{id}");
    }
    finds("22-numbers/n.jsonl", &[], "long-integer", &["`n`", "9007199254740993"]);
    let (rows, _) = converted("11-parquet-types/bigint.parquet", &[]);
    let numbers: Vec<String> = rows.iter().map(|row| row["attrs"]["n"].to_string().replace('"', "")).collect();
    assert_eq!(numbers, ["9007199254740993", "-9007199254740993", "9223372036854775807"]);
}

#[test]
fn a_member_that_is_no_value_costs_itself() {
    let (events, code) = converted("22-numbers/n.jsonl", &[]);
    assert_eq!((events.len(), code), (28, 0));
    let by_second =
        |secs: &str| events.iter().find(|event| event["time"] == format!("2025-01-06T10:00:{secs}Z")).unwrap();
    assert_eq!(by_second("40")["id"], "12345678901234567");
    assert_eq!(by_second("41")["entity_id"], "9007199254740993");
    assert_eq!(by_second("42")["zone"], "12");
    assert_eq!(by_second("43")["type"], "5");
    assert_eq!((by_second("44")["x"].as_f64(), by_second("44")["y"].as_f64()), (Some(1.5), Some(2.0)));
    finds("22-numbers/n.jsonl", &[], "left-out", &["5 values of `n`", "1e400"]);
    counts("39-probes/nullattrs.jsonl", &[], 1, 0);
    counts("07-cloudevents/ce.jsonl", &[], 8, 3);
    finds("07-cloudevents/ce.jsonl", &[], "left-out", &["`value`", "[1,2,3]"]);
}

#[test]
fn no_member_of_the_source_vanishes() {
    gives(
        "39-probes/ext.jsonl",
        &[],
        0,
        &["DoorOpened 10:00:01 n=1 sensorid=\"D7\" sequence=12 severitytext=\"high\""],
    );
    let (events, _) = converted("07-cloudevents/ce.jsonl", &[]);
    let eighth = &events.iter().find(|event| event["id"] == "8").unwrap()["attrs"];
    assert_eq!((&eighth["comexampleext"], &eighth["comexampleint"]), (&"v1".into(), &5.into()));
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (a, c, d, p, e) = (at("a.jsonl"), at("c.jsonl"), at("d.jsonl"), at("p.parquet"), at("e.jsonl"));
    done(&["convert", &case("32-roundtrip/rich.jsonl"), "--to", "jsonl", "--out", &a]);
    done(&["convert", &a, "--to", "cloudevents", "--out", &c]);
    done(&["convert", &c, "--to", "jsonl", "--out", &d]);
    done(&["convert", &a, "--to", "parquet", "--out", &p]);
    done(&["convert", &p, "--to", "jsonl", "--out", &e]);
    let first = fs_err::read(a).unwrap();
    assert!(first == fs_err::read(d).unwrap() && first == fs_err::read(e).unwrap());
}

#[test]
fn a_member_that_is_there_twice_is_named_at_any_depth() {
    counts("17-duplicate-keys/dup.jsonl", &[], 0, 8);
    told("17-duplicate-keys/dup.jsonl", &[], &["line 8: `o.n` is given twice", "line 4: `zone` is given twice"]);
    told("17-duplicate-keys/dup_ce.jsonl", &[], &["line 1: `data.n` is given twice", "line 2: `data` is given twice"]);
    told("17-duplicate-keys/dup_ha.jsonl", &[], &["new_state.state` is given twice"]);
}

#[test]
fn json_of_any_shape_is_mapped_by_paths() {
    let map = "time=last_seen,type='StateChanged',zone=device.friendlyName,state=occupancy";
    let want = ["StateChanged hall_pir 08:31:39 state=true", "StateChanged hall_pir 08:33:09 state=false"];
    gives("08-zigbee2mqtt/iso.jsonl", &["--columns", map], 0, &want);
    told(
        "08-zigbee2mqtt/iso.jsonl",
        &[],
        &["`type` is missing", "`last_seen`", "--columns", "zone=device.friendlyName"],
    );
    told("08-zigbee2mqtt/topic.txt", &[], &["a topic stands before the JSON", "--mapping zigbee2mqtt"]);
    gives(
        "08-zigbee2mqtt/topic.txt",
        &["--mapping", "zigbee2mqtt"],
        0,
        &["MotionDetected zigbee2mqtt/hall_pir 08:31:39 battery_pct=100"],
    );
    counts("39-probes/nocolon.jsonl", &["--format", "jsonl", "--columns", "time=time,type=type"], 1, 0);
    fails(
        &["check", &case("39-probes/a.csv"), "--format", "casas", "--columns", "time=time,type=type"],
        2,
        "--columns",
    );
    fails(&["check", &case("39-probes/a.csv"), "--mapping", "nothing"], 2, "zigbee2mqtt");
}

#[test]
fn objects_come_in_arrays_envelopes_and_joined_files() {
    let (a, b) = (r#"{"type":"A","time":"2025-01-06T10:00:01Z"}"#, r#"{"type":"B","time":"2025-01-06T10:00:02Z"}"#);
    for text in [
        format!("{a},\n{b},\n"),
        format!("{a}{b}\n"),
        format!("{a} {b}"),
        format!("\u{1e}{a}\n\u{1e}{b}\n"),
        format!("\u{feff}{a}\n\u{feff}{b}\n"),
        format!("[\n\n{a}\n,\n{b}\n]"),
        format!("{{\"count\":2,\"events\":[{a},\n{b}],\"next\":{{\"x\":1}}}}"),
        format!("{{\"events\":[{a},{b}]}}\n"),
        format!("{a}\n[{b}]\n"),
    ] {
        let checked = fed(&["check", "-", "--json"], &text);
        let report: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
        assert_eq!((&report["events"], &report["rejected"]), (&2.into(), &0.into()), "{text}");
    }
    for to_bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("utf16.jsonl");
        let text: Vec<u8> = format!("\u{feff}{a}\n{b}\n").encode_utf16().flat_map(to_bytes).collect();
        fs_err::write(&path, text).unwrap();
        assert_eq!(json(&["check", path.to_str().unwrap()])["events"], 2);
    }
}

#[test]
fn messages_name_what_helps() {
    told("07-cloudevents/ce.jsonl", &[], &["`data_base64` holds no JSON", "line 6: `time` is missing"]);
    told("07-cloudevents/ce03.json", &[], &["wanted 1.0, got `0.3`"]);
    told("18-gzip/events.zip", &[], &["is a zip archive"]);
    told("21-unicode/u.jsonl", &[], &["Cafe\\u{301}", "\"kitchen \"", "kit\\u{200b}chen", "DoorOpe\\u{301}"]);
    let escaped = done(&["check", &case("39-probes/esc.jsonl")]);
    assert!(!escaped.contains('\u{1b}') && !escaped.contains('\u{7}') && escaped.contains("\\u{1b}[31mRED"));
    assert_eq!(json(&["check", &case("31-folders/mixed")])["events"], 6);
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("new/folder/x.jsonl");
    done(&["convert", &case("31-folders/one.jsonl"), "--to", "jsonl", "--out", out.to_str().unwrap()]);
    let written = fs_err::read_to_string(out).unwrap();
    assert_eq!(done(&["convert", &case("31-folders/one.jsonl"), "--to", "jsonl", "--out", "-"]), written);
}

#[test]
fn a_search_says_what_is_wrong_with_its_words() {
    let world = &*WORLD;
    let (run, store) = (world.run(), world.path("case-store"));
    let folder = TempDir::new().unwrap();
    let lines = done(&["convert", &world.data(), "--to", "jsonl", "--out", "-"]);
    let first: Vec<&str> = lines.lines().take(200).collect();
    let data = written(folder.path(), "a.jsonl", &first.join("\n"));
    done(&["index", "build", "--store", &store, "--run", &run, "--data", &data]);
    let search = ["search", "--run", &run, "--store", &store];
    let ends = ["--from", "2025-01-08T00:00:00Z", "--to", "2025-01-07T00:00:00Z", "--id", "x"];
    fails(&[&search[..], &ends].concat(), 2, "lies after `--to`");
    fails(&[&search[..], &["--event", "not json"]].concat(), 1, "`--event` wants a JSON object");
    // The same ids in other zones: nothing is added, and the user learns what is not stored.
    let other = written(folder.path(), "c.jsonl", &first.join("\n").replace("\"zone\":\"", "\"zone\":\"other_"));
    let added = json(&["index", "add", "--store", &store, "--run", &run, "--data", &other]);
    assert_eq!((&added["new"], &added["known"], &added["different"]), (&0.into(), &200.into(), &200.into()));
    let added = json(&["index", "add", "--store", &store, "--run", &run, "--data", &data]);
    assert_eq!((&added["known"], &added["different"]), (&200.into(), &0.into()));
    let added = json(&["index", "add", "--store", &store, "--run", &run, "--data", &other, "--replace"]);
    assert_eq!((&added["replaced"], &added["stats"]["n_vectors"]), (&200.into(), &200.into()));
}

#[test]
fn what_was_read_before_is_read_still() {
    for (name, n_events, n_rejected) in [
        ("18-gzip/multi.jsonl.gz", 4, 0),
        ("18-gzip/gz_named_plain.jsonl", 2, 0),
        ("18-gzip/plain_named.jsonl.gz", 2, 0),
        ("18-gzip/garbage.jsonl.gz", 2, 1),
        ("18-gzip/zeros.jsonl.gz", 2, 1),
        ("27-nul-nesting-long/nul.jsonl", 3, 3),
        ("27-nul-nesting-long/deep.jsonl", 3, 2),
        ("21-unicode/u.jsonl", 13, 1),
        ("06-casas-marks-order/marks.txt", 8, 0),
    ] {
        counts(name, &[], n_events, n_rejected);
    }
    assert_eq!(checked("18-gzip/truncated.jsonl.gz", &[]).0["events"], 9_967);
    assert_eq!(checked("06-casas-marks-order/marks.txt", &[]).0["unpaired_marks"].as_array().unwrap().len(), 3);
    let folder = TempDir::new().unwrap();
    let kept = folder.path().join("late.jsonl");
    let words = ["--allowed-lateness", "60", "--quarantine", kept.to_str().unwrap()];
    assert_eq!(converted("06-casas-marks-order/marks.txt", &words).1, 3);
    assert_eq!(fs_err::read_to_string(kept).unwrap().lines().count(), 1);
    fails(&["check", &case("31-folders/empty.jsonl")], 1, "holds no event");
    fails(&["check", &case("31-folders/blank.jsonl")], 1, "holds no event");
    fails(&["check", &case("18-gzip/empty.jsonl.gz")], 1, "holds no event");
    let registry = case("39-probes/reg.toml");
    assert_eq!(checked("39-probes/hum.jsonl", &["--registry", &registry]).0["events"], 1);
    told("39-probes/hum.jsonl", &[], &["`humidity_pct` or `humidity_fraction`"]);
}
