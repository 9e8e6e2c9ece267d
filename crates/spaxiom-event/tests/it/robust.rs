//! Bad input: never a panic, never a silent clamp.

use std::io::Write;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spaxiom_event::{EventError, EventReader, Format, ReadOptions, Rejected};

use crate::written;

fn rejected(name: &str, bytes: &[u8]) -> (usize, Vec<Rejected>) {
    rejected_with(name, bytes, &ReadOptions::default())
}

fn rejected_with(name: &str, bytes: &[u8], options: &ReadOptions) -> (usize, Vec<Rejected>) {
    let mut n_events = 0;
    let mut all = Vec::new();
    for record in EventReader::open(&written(name, bytes), options).unwrap() {
        match record {
            Ok(_) => n_events += 1,
            Err(rejected) => all.push(rejected),
        }
    }
    (n_events, all)
}

const GOOD: &str = "{\"type\":\"A\",\"time\":1}\n";

#[test]
fn what_is_no_number_and_no_time_is_refused() {
    for line in [
        r#"{"type":"A","time":"9999-01-01T00:00:00Z"}"#,
        r#"{"type":"A","time":"0001-01-01T00:00:00Z"}"#,
        r#"{"type":"A","time":"2025-01-06T10:23:45"}"#,
        r#"{"type":"A","time":1736159025250}"#,
        r#"{"type":"A","time":5,"end_time":4}"#,
        r#"{"type":"A","time":5,"duration_s":-1}"#,
        r#"{"type":"A","time":5,"duration_s":1e300}"#,
        r#"{"type":"A","time":5,"confidence":1.5}"#,
        r#"{"type":"A","time":5,"severity":"meh"}"#,
        r#"{"type":"A","time":5,"time":6}"#,
        r#"{"type":"A","time":5,"timestamp":6}"#,
        r#"{"type":"A","time":5,"z":6}"#,
    ] {
        let (n_events, rejected) = rejected("number", format!("{GOOD}{line}\n{GOOD}").as_bytes());
        assert_eq!((n_events, rejected.len()), (2, 1), "{line}");
        assert_eq!((rejected[0].line, rejected[0].offset), (2, GOOD.len() as u64), "{line}");
        assert_eq!(rejected[0].raw, line);
    }
}

#[test]
fn a_member_that_is_no_value_costs_itself_and_not_the_event() {
    for (line, want) in [
        (r#"{"type":"A","time":1,"length":NaN,"n":1}"#, "`length`"),
        (r#"{"type":"A","time":1,"length":1e999,"n":1}"#, "1e999"),
        (r#"{"type":"A","time":1,"x":Infinity,"y":1,"n":1}"#, "`x`"),
        (r#"{"type":"A","time":1,"length":[1,2],"n":1}"#, "[1,2]"),
        (r#"{"type":"A","time":1,"zone":["a","b"],"n":1}"#, "a list"),
    ] {
        let mut reader = EventReader::open(&written("left-out", line.as_bytes()), &ReadOptions::default()).unwrap();
        let event = reader.next().unwrap().unwrap().event;
        assert_eq!((event.attrs.number("n"), event.attrs.len(), event.position), (Some(1.0), 1, None), "{line}");
        assert!(reader.next().is_none());
        let findings = reader.findings();
        assert!(findings[0].detail.contains(want), "{findings:?}");
        assert_eq!(reader.n_left_out(), 1, "{line}");
    }
}

#[test]
fn a_line_of_ten_megabytes_is_skipped_without_being_kept() {
    let long = format!("{{\"type\":\"{}\",\"time\":1}}\n", "A".repeat(10_000_000));
    for threads in [1, 2] {
        let options = ReadOptions { threads: Some(threads), ..ReadOptions::default() };
        let (n_events, all) = rejected_with("long", format!("{GOOD}{long}{GOOD}nonsense").as_bytes(), &options);
        assert_eq!((n_events, all.len()), (2, 2));
        let want = format!("line 2: wanted 1048576 bytes at most, got {}", long.len());
        assert_eq!(all[0].to_string(), want);
        assert!(all[0].raw.len() < 2_000);
        assert_eq!((all[1].line, all[1].offset), (4, (2 * GOOD.len() + long.len()) as u64));
    }
}

#[test]
fn deep_nesting_and_other_bytes_are_refused() {
    let deep = format!("{{\"type\":\"A\",\"time\":1,\"a\":{}1{}}}\n", "[".repeat(100_000), "]".repeat(100_000));
    let (n_events, all) = rejected("deep", format!("{GOOD}{deep}{GOOD}").as_bytes());
    assert_eq!((n_events, all.len()), (2, 1));
    let objects =
        format!("{{\"type\":\"A\",\"time\":1,\"a\":{}1{}}}\n", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert_eq!(rejected("objects", format!("{GOOD}{objects}").as_bytes()).1.len(), 1);
    let (n_events, all) = rejected("bytes", &[GOOD.as_bytes(), b"\xff\xfe\x00\n", GOOD.as_bytes()].concat());
    assert_eq!((n_events, all.len()), (2, 1));
    assert!(all[0].to_string().contains("UTF-8"));
}

#[test]
fn a_byte_order_mark_and_windows_lines_are_read() {
    let (n_events, all) = rejected("bom", format!("\u{feff}{}\r\n", GOOD.trim()).as_bytes());
    assert_eq!((n_events, all.len()), (1, 0));
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn of_a_truncated_gzip_everything_before_the_end_is_read() {
    let lines: Vec<String> =
        (0..50_000).map(|i| format!("{{\"type\":\"A\",\"time\":{i},\"v\":{}}}", i * 7919 % 1000)).collect();
    let text = lines.join("\n");
    let bytes = gzipped(&text);
    let (n_events, all) = rejected("cut.gz", &bytes[..bytes.len() / 2]);
    assert!(n_events > 10_000, "{n_events}");
    let last = all.last().unwrap();
    assert!(last.to_string().contains("the input breaks off here"), "{last}");
    let (n_events, all) = rejected("whole.gz", &bytes);
    assert_eq!((n_events, all.len()), (50_000, 0));
    let error = EventReader::open(&written("head.gz", &bytes[..12]), &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, EventError::Broken { .. } | EventError::Empty { .. }), "{error}");
}

#[test]
fn a_parquet_file_of_something_else_names_what_is_missing_and_what_is_there() {
    use std::sync::Arc;
    let column: arrow_array::ArrayRef = Arc::new(arrow_array::Int64Array::from(vec![1, 2]));
    let batch = arrow_array::RecordBatch::try_from_iter([("price", column)]).unwrap();
    let mut bytes = Vec::new();
    let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let open =
        |name: &str, bytes: &[u8]| EventReader::open(&written(name, bytes), &ReadOptions::default()).unwrap_err();
    let error = open("other.parquet", &bytes).to_string();
    assert!(error.contains("no column `type`") && error.contains("`price` (Int64)"), "{error}");
    let stream = EventReader::from_stream(Box::new(std::io::Cursor::new(bytes.clone())), "-", &ReadOptions::default());
    assert!(matches!(stream.unwrap_err(), EventError::TableStream));
    let error = open("cut.parquet", &bytes[..bytes.len() / 2]);
    assert!(matches!(error, EventError::Parquet { .. }), "{error}");
}

#[test]
fn parquet_is_read_whatever_compresses_it() {
    use std::sync::Arc;

    use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4_RAW,
        Compression::LZ4,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let types: arrow_array::ArrayRef = Arc::new(arrow_array::StringArray::from(vec!["A", "B", "A"]));
        let times = arrow_array::TimestampSecondArray::from(vec![1, 2, 3]).with_timezone("UTC");
        let batch = arrow_array::RecordBatch::try_from_iter([("type", types), ("time", Arc::new(times) as _)]).unwrap();
        let properties = parquet::file::properties::WriterProperties::builder().set_compression(compression).build();
        let mut bytes = Vec::new();
        let mut writer = parquet::arrow::ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let (n_events, rejected) = rejected("events.parquet", &bytes);
        assert_eq!((n_events, rejected.len()), (3, 0), "{compression}");
    }
}

/// One line of every shape that is read.
const SHAPES: [(&str, &str); 13] = [
    (
        "jsonl",
        r#"{"id":"e1","type":"QueueFormed","timestamp":"2026-01-05T06:00:00.123Z","site_id":"s","zone":"z-01","x":12.5,"y":-8.25,"entity_id":"p","confidence":0.5,"severity":"warn","caused_by":["e0"],"attrs":{"length":8,"wait_time":{"value":2,"unit":"min"},"ok":true,"word":"é\n"}}"#,
    ),
    (
        "cloudevents",
        r#"{"specversion":"1.0","id":"1","source":"/sites/a","type":"a.b.FallEvent.v2","time":"2026-01-05T06:00:00Z","data":{"x":1,"y":2},"data_base64":null}"#,
    ),
    (
        "spaxiom",
        r#"{"event_type":"OccupancyChanged","timestamp":1736159025.25,"pattern_name":"p","zone":"z","percent":87.5,"hotspots":[{"x":1,"y":2,"weight":0.5}]}"#,
    ),
    (
        "spaxiom",
        r#"data: {"type":"pattern_event","agent_id":"a","event":{"event_type":"ServiceNeeded","timestamp":1,"facility":"f","details":{"value":3}},"timestamp":"2025-01-06T10:00:00Z"}"#,
    ),
    (
        "home-assistant",
        r#"{"event_type":"state_changed","time_fired":"2025-01-06T10:00:01+00:00","context":{"id":"c"},"data":{"entity_id":"sensor.t","old_state":{"state":"21"},"new_state":{"state":"21.5","last_changed":"2025-01-06T10:00:00+00:00","attributes":{"unit_of_measurement":"°C"}}}}"#,
    ),
    ("casas", "2010-11-04\t00:03:50.209589\tM003\tON\tSleeping begin"),
    ("casas", "2/1/2009,8:00:38 AM,M048,OFF,,,"),
    ("columns", "633790226051280329,A01,4.06,-1.8,0.5,walking"),
    ("columns", "633790226051280329,\"A, 01\",4.06,-1.8,\"x\"\"y\",walking"),
    (
        "home-assistant",
        r#"{"id":12,"type":"result","success":true,"result":{"binary_sensor.h":[{"s":"off","a":{"device_class":"motion"},"lu":1756677600.0},{"s":"on","lu":1756677850.123}]}}"#,
    ),
    (
        "home-assistant",
        r#"{"entity_id":"sensor.t","state":"21.4","attributes":{"unit_of_measurement":"°C"},"last_changed":null,"last_updated":"2025-08-31T22:06:00.5+00:00"}"#,
    ),
    (
        "json",
        r#"{"seen":"06.01.2025 10:23:45","device":{"name":"hall","zones":["a","b"]},"n":12345678901234567890123,"open":true}"#,
    ),
    ("json", r#"home/hall {"seen":["06.01.2025 10:23:45","06.01.2025 10:23:46"],"device":{"name":"hall"},"n":[1,2]}"#),
];

/// Mutated lines per shape: one million in all.
const N_MUTATIONS: usize = 77_000;

/// Lines that an earlier run of mutations found to be read as what they are not.
#[test]
fn lines_that_were_once_read_wrongly_are_refused() {
    for (format, line, want) in [
        // A year before 1677 has no nanoseconds in 64 bits.
        ("casas", "0010-11-04 00:03:50.209589 M003 ON", "between 1677 and 2262"),
        ("jsonl", r#"{"type":"A","time":"2261-12-31T00:00:00Z","duration_s":8999999999}"#, "between 1677 and 2262"),
    ] {
        let error = crate::read(line, format).remove(0).expect_err(line);
        assert!(error.contains(want), "{line}: {error}");
    }
}

#[test]
fn a_million_mutated_lines_do_not_panic() {
    let mut rng = ChaCha8Rng::seed_from_u64(20_260_105);
    for (format, line) in SHAPES {
        let columns = match format {
            "columns" => Some("time=1[ticks],type='T',entity=2,x=3,y=4,label=6".parse().unwrap()),
            "json" => {
                Some("time=seen[%d.%m.%Y %H:%M:%S],type='T',sensor=device.name,zone=device.zones.0,*".parse().unwrap())
            }
            _ => None,
        };
        let options = ReadOptions { format: Format::from_name(format), columns, ..ReadOptions::default() };
        let mut bytes = format!("{line}\n").into_bytes();
        for _ in 0..N_MUTATIONS {
            let start = bytes.len();
            bytes.extend_from_slice(line.as_bytes());
            mutate(&mut bytes, start, &mut rng);
            bytes.push(b'\n');
        }
        let input = std::io::Cursor::new(bytes);
        let reader = EventReader::from_stream(Box::new(input), "mutated", &options).unwrap();
        let n_read = reader.filter(|record| record.as_ref().is_ok_and(is_sound)).count();
        assert!(n_read > 0, "{format}");
    }
}

/// Files whose directory and pages are damaged anywhere.
#[test]
fn mutated_tables_do_not_panic() {
    let lines = SHAPES[0].1.to_owned() + "\n" + &SHAPES[0].1.replace("e1", "e2");
    let events = written("events.jsonl", lines.as_bytes());
    let parquet = written("events.parquet", b"");
    let mut writer = spaxiom_event::EventWriter::create(&parquet, spaxiom_event::Target::Parquet).unwrap();
    for record in EventReader::open(&events, &ReadOptions::default()).unwrap() {
        writer.write(&record.unwrap().event).unwrap();
    }
    writer.finish().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let recorder = folder.path().join("home.db");
    crate::recorder::closed_database(&recorder);
    let mut rng = ChaCha8Rng::seed_from_u64(20_261_127);
    for file in [&*parquet, &recorder] {
        let whole = fs_err::read(file).unwrap();
        for _ in 0..1_500 {
            let mut bytes = whole.clone();
            for _ in 0..rng.random_range(1..4) {
                // Behind the first bytes, which tell what the file is.
                let at = rng.random_range(16..bytes.len());
                bytes[at] = rng.random();
            }
            if rng.random_range(0..10) == 0 {
                bytes.truncate(rng.random_range(17..whole.len()));
            }
            fs_err::write(file, &bytes).unwrap();
            if let Ok(reader) = EventReader::open(file, &ReadOptions::default()) {
                assert!(reader.flatten().all(|record| is_sound(&record)));
            }
        }
    }
}

/// What is read holds to what [`spaxiom_event::Event`] promises.
fn is_sound(record: &spaxiom_event::Record) -> bool {
    let event = &record.event;
    assert!(event.end() >= event.time && event.time.timestamp_nanos_opt().is_some(), "{event:?}");
    assert!(event.position.is_none_or(|at| at.x.is_finite() && at.y.is_finite()), "{event:?}");
    let is_finite = |(_, value): (&str, &spaxiom_event::AttrValue)| !matches!(value, spaxiom_event::AttrValue::Number(n) if !n.is_finite());
    assert!(event.attrs.iter().all(is_finite), "{event:?}");
    true
}

/// Changes, drops, repeats or puts in a few bytes of what stands from `start` on.
fn mutate(bytes: &mut Vec<u8>, start: usize, rng: &mut ChaCha8Rng) {
    const TOKENS: [&[u8]; 14] = [
        b"\"",
        b"{",
        b"}",
        b"[",
        b",",
        b":",
        b"-",
        b"1e999",
        b"null",
        b"\\u0000",
        b"\xff",
        b"NaN",
        b" ",
        b"99999999999999999999",
    ];
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(start..bytes.len());
        match rng.random_range(0..5) {
            0 => bytes[at] = rng.random(),
            1 => drop(bytes.remove(at)),
            2 => drop(bytes.splice(at..at, TOKENS[rng.random_range(0..TOKENS.len())].iter().copied())),
            3 => bytes.truncate(at.max(start + 1)),
            _ => {
                let piece = bytes[at..(at + 12).min(bytes.len())].to_vec();
                drop(bytes.splice(at..at, piece));
            }
        }
        if bytes.len() == start {
            return;
        }
    }
}
