//! Delimited text and Parquet of others.

use tempfile::TempDir;

use super::{case, checked, converted, counts, finds, gives, told};
use crate::{fails, fed, json, output, written};

const VALUES: &str = "time=time,type='MeasurementChanged',zone=zone,value=value";
const ROWS: &str = "time=time,type=type,zone=zone,value=value";

#[test]
fn equal_rows_are_as_many_events_as_there_are() {
    let map = ["--columns", "time=time,type='BadgeSeen',zone=zone,entity=badge"];
    let (events, code) = converted("34-true-duplicates/d.csv", &map);
    let ids = |events: &[serde_json::Value]| -> Vec<String> {
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    let mut unique = ids(&events);
    unique.sort_unstable();
    unique.dedup();
    assert_eq!((events.len(), unique.len(), code), (24, 24, 0));
    assert_eq!(ids(&events), ids(&converted("34-true-duplicates/d.csv", &map).0), "the same in a second run");
    let by_line = ["--columns", "id=@line,time=time,type='BadgeSeen',zone=zone,entity=badge"];
    assert_eq!(ids(&converted("34-true-duplicates/d.csv", &by_line).0)[..2], ["2", "3"]);
}

#[test]
fn a_row_of_another_width_is_rejected_and_a_decimal_comma_is_told() {
    gives("14-decimal-comma/comma.csv", &["--columns", VALUES], 3, &["MeasurementChanged a 10:02:00 value=23"]);
    told("14-decimal-comma/comma.csv", &["--columns", VALUES], &["wanted 3 columns, got 4"]);
    let map = format!("{VALUES},decimal=comma");
    let want = ["MeasurementChanged a 10:00:00 value=21.5", "MeasurementChanged a 10:01:00 value=22.25"];
    gives("14-decimal-comma/semi2.csv", &["--columns", &map], 0, &want);
    finds("14-decimal-comma/semi2.csv", &["--columns", VALUES], "decimal-comma", &["`value`", "21,5", "decimal=comma"]);
    told("14-decimal-comma/semi.csv", &["--columns", &format!("{VALUES},x=x,y=y")], &["`x`", "1,5"]);
    let want = ["A lobby 10:00:00 value=1", "A lobby 10:04:00", "A lobby, north 10:05:00 value=5"];
    gives("25-ragged-csv/wide.csv", &["--columns", ROWS], 3, &want);
    told(
        "25-ragged-csv/wide.csv",
        &["--columns", ROWS],
        &["line 3: wanted 4 columns, got 5", "line 4: wanted 4 columns, got 3"],
    );
    counts("25-ragged-csv/repeated.csv", &["--columns", ROWS], 2, 1);
}

#[test]
fn a_field_in_quotes_may_hold_ends_of_lines() {
    let map = ["--columns", "time=time,type=type,zone=zone,note=note"];
    let (events, code) = converted("25-ragged-csv/quoted.csv", &map);
    assert_eq!((events.len(), code), (3, 0));
    assert_eq!(events[0]["attrs"]["note"], "two\nlines");
}

#[test]
fn headers_are_found_and_their_names_are_unique() {
    told("25-ragged-csv/dupcol.csv", &["--columns", ROWS], &["`value` twice"]);
    told("11-parquet-types/dup_col.parquet", &[], &["`zone` twice"]);
    gives("25-ragged-csv/preamble.csv", &["--columns", ROWS], 0, &["A a 10:00:00 value=1"]);
    told("31-folders/one.csv", &[], &["time,type", "2025-01-06T10:00:01Z,A", "--columns \"time=time,type=type\""]);
    assert_eq!(checked("31-folders/mixed", &["--columns", "time=time,type=type"]).0["events"], 6);
    let text = "x\ny\ntime,type\n2025-01-06T10:00:00Z,A\n";
    let skipped = fed(&["check", "-", "--columns", "skip=2,time=time,type=type"], text);
    assert!(String::from_utf8_lossy(&skipped.stdout).starts_with("1 events, 0 lines rejected"));
    let lost = fed(&["check", "-", "--columns", "time=time,type=type"], text);
    assert!(String::from_utf8_lossy(&lost.stderr).contains("skip=N"));
}

/// A table that nobody described is read by the line that `check` prints.
#[test]
fn the_suggested_map_reads_the_file() {
    let folder = TempDir::new().unwrap();
    let temperatures = written(folder.path(), "t.csv", "date,temp\n2010/01/01 00:00,39.4\n2010/01/01 01:00,39.2\n");
    let riots = written(folder.path(), "r.csv", "name,death_date,type\nAlvarez,1992-05-01,Homicide\n");
    let prices = written(folder.path(), "p.tsv", "symbol\tdate\tprice\nA\tJan 1 2000\t39.81\nA\tFeb 1 2000\t36.35\n");
    let counts = written(folder.path(), "c.csv", "ts,sensor\n1736159025123,a\n");
    for (path, n_events) in [
        (case("13-xes-csv/pm.csv"), 2),
        (case("13-xes-csv/slash.csv"), 2),
        (case("31-folders/one.csv"), 1),
        (temperatures, 2),
        (riots, 1),
        (prices, 2),
        (counts, 1),
    ] {
        let told = output(&["check", &path]);
        let text = String::from_utf8(told.stderr).unwrap();
        let map = text.split("--columns \"").nth(1).unwrap_or_else(|| panic!("{text}")).split("\"\n").next().unwrap();
        let report = json(&["check", &path, "--columns", map]);
        assert_eq!((&report["events"], &report["rejected"]), (&n_events.into(), &0.into()), "{path}: {map}");
    }
}

#[test]
fn codes_stay_text_and_members_have_the_type_that_the_map_says() {
    let text = "time,type,code,v,open\n2025-01-06T10:00:00Z,A,12,NA,yes\n2025-01-06T10:00:01Z,A,0012,2,no\n";
    let convert = ["convert", "-", "--to", "jsonl", "--out", "-", "--columns"];
    let events = |map: &str| -> Vec<serde_json::Value> {
        let output = fed(&[&convert[..], &[map]].concat(), text);
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = events("time=time,type=type,*");
    assert_eq!((&all[0]["attrs"]["code"], &all[1]["attrs"]["code"]), (&"12".into(), &"0012".into()));
    assert_eq!((&all[0]["attrs"]["v"], &all[1]["attrs"]["v"]), (&serde_json::Value::Null, &2.into()));
    let typed = events("time=time,type=type,n:number=code,is_open:flag=open,w:text=v");
    assert_eq!((&typed[1]["attrs"]["n"], &typed[1]["attrs"]["is_open"]), (&12.into(), &false.into()));
    assert_eq!(typed[1]["attrs"]["w"], "2");
}

#[test]
fn a_wide_table_gives_an_event_for_every_cell_and_edges_make_intervals() {
    let convert = ["convert", "-", "--to", "jsonl", "--out", "-", "--columns"];
    let lines = |map: &str, text: &str| String::from_utf8(fed(&[&convert[..], &[map]].concat(), text).stdout).unwrap();
    let wide = lines(
        "time=time,type='MeasurementChanged',zone=@column,value=@value",
        "time,hall,bath\n2025-01-06T10:00:00Z,21.5,\n2025-01-06T10:01:00Z,21.6,19\n",
    );
    assert_eq!(wide.lines().count(), 3);
    assert!(wide.contains("\"zone\":\"bath\"") && wide.contains("\"value\":19"), "{wide}");
    let pairs = lines(
        "time=at,type=step,entity=case,edge=life[start/complete]",
        "at,step,case,life\n2025-01-06T10:00:00Z,wash,1,start\n2025-01-06T10:01:00Z,wash,2,start\n2025-01-06T10:05:00Z,wash,1,complete\n",
    );
    assert_eq!(pairs.lines().count(), 2, "{pairs}");
    assert!(pairs.contains("\"end_time\":\"2025-01-06T10:05:00Z\""), "{pairs}");
    let ruled = lines("time=time,type=type", " time | type \n------+------\n 2025-01-06T10:00:00Z | A \n(1 row)\n");
    assert_eq!(ruled.lines().count(), 1, "{ruled}");
}

#[test]
fn text_in_other_encodings_is_read_or_named() {
    let map = ["--columns", "time=time,type=activity,zone=zone"];
    let (report, _) = checked("13-xes-csv/latin1.csv", &[&map[..], &["--encoding", "latin1"]].concat());
    assert_eq!((&report["zones"]["Küche"], &report["zones"]["Bad"]), (&2.into(), &1.into()));
    told("13-xes-csv/latin1.csv", &map, &["--encoding latin1"]);
    fails(&["check", &case("13-xes-csv/latin1.csv"), "--encoding", "klingon"], 2, "latin1");
    counts("13-xes-csv/bom.csv", &["--columns", "time=done at,type=step,entity=visit"], 2, 0);
    counts("13-xes-csv/crlf.csv", &["--columns", "time=date+time,type=activity,zone=zone"], 2, 0);
}

/// What the three rows of most Parquet files say.
const THREE: [&str; 3] =
    ["DoorOpened a 10:00:00.123456", "DoorClosed a 10:00:01.123456", "DoorOpened b 10:00:02.123456"];

/// The three rows with an attribute each.
fn three(attrs: [&str; 3]) -> Vec<String> {
    THREE.iter().zip(attrs).map(|(row, attrs)| format!("{row} {attrs}").trim_end().to_owned()).collect()
}

#[test]
fn parquet_of_others_is_read_whatever_wrote_it() {
    for name in [
        "09-parquet-int96/int96",
        "10-parquet-times/text",
        "10-parquet-times/naive_us",
        "10-parquet-times/naive_ns",
        "10-parquet-times/tz_us",
        "10-parquet-times/tz_ns",
        "10-parquet-times/tz_berlin",
        "11-parquet-types/dict",
        "11-parquet-types/large_string",
        "11-parquet-types/string_view",
        "11-parquet-types/null_col",
        "11-parquet-types/binary",
        "11-parquet-types/list",
    ] {
        gives(&format!("{name}.parquet"), &[], 0, &THREE);
    }
    for (name, attrs) in [
        ("10-parquet-times/polars", ["value=1", "value=2", "value=3"]),
        ("10-parquet-times/polars_utc", ["value=1", "value=2", "value=3"]),
        ("10-parquet-times/pandas", ["value=1", "value=2", "value=3"]),
        ("11-parquet-types/int32", ["n=1", "n=2", "n=3"]),
        ("11-parquet-types/uint8", ["n=1", "n=2", "n=3"]),
        ("11-parquet-types/float32", ["v=1.5", "v=2.5", "v=3.5"]),
        ("11-parquet-types/decimal", ["v=1.5", "v=1.5", "v=1.5"]),
        ("11-parquet-types/nan", ["v=1.5", "", ""]),
        ("11-parquet-types/bool_null", ["open=true", "", "open=false"]),
    ] {
        let want = three(attrs);
        gives(&format!("{name}.parquet"), &[], 0, &want.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let battery = "attributes.battery=90 attributes.device_class=\"door\"";
    let want = three([battery; 3]);
    gives("11-parquet-types/struct.parquet", &[], 0, &want.iter().map(String::as_str).collect::<Vec<_>>());
    for name in ["duckdb_ts", "duckdb_tstz"] {
        let want = ["DoorOpened a 10:00:00.123456 level=1.5 n=3", "DoorClosed a 10:00:01 level=2.5 n=4"];
        gives(&format!("10-parquet-times/{name}.parquet"), &[], 0, &want);
    }
    finds("11-parquet-types/binary.parquet", &[], "left-out", &["`b`", "Binary"]);
    finds("11-parquet-types/list.parquet", &[], "left-out", &["3 values of `v`"]);
    finds("11-parquet-types/nan.parquet", &[], "left-out", &["2 values of `v`", "NaN"]);
    finds("10-parquet-times/naive_us.parquet", &[], "local-time", &["`time`", "--time-zone"]);
    finds("10-parquet-times/date32.parquet", &[], "local-time", &["2025-01-06 00:00:00"]);
    counts("11-parquet-types/empty.parquet", &[], 0, 0);
    counts("10-parquet-times/null_time.parquet", &[], 2, 1);
}

#[test]
fn times_of_parquet_have_units_zones_and_limits() {
    for name in ["naive_us", "naive_ns"] {
        let zone = ["--time-zone", "Europe/Berlin"];
        let (report, _) = checked(&format!("10-parquet-times/{name}.parquet"), &zone);
        assert_eq!(report["first"], "2025-01-06T09:00:00.123456Z");
    }
    told("10-parquet-times/epoch_s.parquet", &[], &["`time`", "Int64", "time=time[s]"]);
    for (name, map, first) in [
        ("epoch_s", "time=time[s],type=type,zone=zone", "2025-01-06T10:00:00Z"),
        ("epoch_ms", "time=time[ms],type=type,zone=zone", "2025-01-06T10:00:00.123Z"),
        ("tz_us", "time=time,type=type", "2025-01-06T10:00:00.123456Z"),
    ] {
        let (report, _) = checked(&format!("10-parquet-times/{name}.parquet"), &["--columns", map]);
        assert_eq!((&report["first"], &report["events"]), (&first.into(), &3.into()), "{name}");
    }
    for name in ["int96_9999", "us_9999"] {
        let folder = TempDir::new().unwrap();
        let kept = folder.path().join("kept.jsonl");
        let words = ["--quarantine", kept.to_str().unwrap()];
        assert_eq!(converted(&format!("09-parquet-int96/{name}.parquet"), &words).0.len(), 2);
        let kept = fs_err::read_to_string(&kept).unwrap();
        assert!(kept.contains("9999") && kept.contains("type: DoorClosed") && kept.contains("zone: a"), "{kept}");
    }
}
