//! A column map that may fit a table nobody described: a start for a person who knows better.

use super::mapping::{Delimiter, TimeFormat};
use crate::normalizer::Normalizer;
use crate::time::{parse_rfc3339, parse_wall};

/// Rows that are shown.
const N_ROWS: usize = 3;

/// Rows that are looked at.
const N_SAMPLED: usize = 50;

/// How tables write times, the first of those that can be told apart by no value: the month before the day.
const PATTERNS: [&str; 23] = [
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S%.f UTC",
    "%Y-%m-%d %H:%M:%S,%f",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S%.f",
    "%Y%m%dT%H%M%SZ",
    "%Y%m%d %H%M%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S%.f",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y:%H.%M",
    "%d-%b-%Y %H:%M:%S",
    "%b %d %Y",
    "%a, %d %b %Y %H:%M:%S %z",
];

/// Names of columns that are often a member of events, the best first.
const KNOWN: [(&str, &[&str]); 5] = [
    ("type", &["type", "event_type", "event", "activity", "concept:name", "action", "step", "code", "message"]),
    (
        "zone",
        &[
            "zone",
            "room",
            "location",
            "area",
            "place",
            "sensor",
            "device",
            "entity_id",
            "device_id",
            "name",
            "friendlyName",
            "friendly_name",
            "topic",
        ],
    ),
    ("entity", &["entity", "person", "subject", "subject_id", "badge", "case", "case_id", "visit", "resident", "user"]),
    ("value", &["value", "state", "reading", "numeric_value", "measurement"]),
    ("label", &["label", "annotation"]),
];

/// The header, three rows and a `--columns` line, where the text looks like a table.
pub(super) fn suggestion(text: &str) -> Option<String> {
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let (header, rows) = lines.split_first()?;
    let delimiter = Delimiter::of(header);
    let names = delimiter.split(header);
    let cells: Vec<Vec<String>> = rows.iter().take(N_SAMPLED).map(|row| delimiter.split(row)).collect();
    if names.len() < 2 || cells.is_empty() || !delimiter.is_visible() {
        return None;
    }
    let map = suggested(&names, &cells)?;
    let shown: Vec<String> = rows.iter().take(N_ROWS).map(|row| shortened(row)).collect();
    Some(format!(
        "it looks like a table:\n  {}\n  {}\nsay what its columns mean, for example\n  --columns \"{map}\"",
        shortened(header),
        shown.join("\n  ")
    ))
}

/// A map of columns with these names, whose first cells these are.
pub(crate) fn suggested(names: &[String], rows: &[Vec<String>]) -> Option<String> {
    let time = time_of(names, rows)?;
    let mut used: Vec<&str> = time.used;
    let mut map = vec![format!("time={}", time.map)];
    for (member, known) in KNOWN {
        let found = known.iter().find_map(|known| {
            let is_called_so = |name: &&String| {
                let last = name.rsplit('.').next().unwrap_or(name);
                name.eq_ignore_ascii_case(known) || last.eq_ignore_ascii_case(known)
            };
            names.iter().find(|name| is_called_so(name) && !used.contains(&name.as_str()))
        });
        match found {
            Some(name) => {
                used.push(name);
                map.push(format!("{member}={}", quoted(name)));
            }
            None if member == "type" => map.push("type='StateChanged'".into()),
            None => {}
        }
    }
    if names.iter().any(|name| !used.contains(&name.as_str())) {
        map.push("*".into());
    }
    Some(map.join(","))
}

struct TimeColumn<'a> {
    map: String,
    used: Vec<&'a str>,
}

/// The column of times: one whose cells are times or counts, or one that is called so.
fn time_of<'a>(names: &'a [String], rows: &[Vec<String>]) -> Option<TimeColumn<'a>> {
    let cell = |column: usize| rows.iter().filter_map(move |row| row.get(column)).find(|cell| !cell.is_empty());
    let unit = |column: usize| -> Option<String> {
        let text = cell(column)?;
        if parse_rfc3339(text).is_some() || parse_wall(text).is_some() {
            return Some(String::new());
        }
        if let Ok(count) = text.parse::<f64>() {
            let secs = (1e8..4e9).contains(&count) && !is_date(text);
            let unit = crate::time::likely_unit(count).or(secs.then_some("s"));
            return unit.map(|unit| format!("[{unit}]")).or_else(|| is_date(text).then(|| "[%Y%m%d]".into()));
        }
        let all = || rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty());
        let reads = |pattern: &str| {
            let format: Option<TimeFormat> = pattern.parse().ok();
            let normalizer = Normalizer::built_in();
            format.is_some_and(|format| all().all(|text| format.read("time", text, "", normalizer).is_ok()))
        };
        PATTERNS.iter().find(|pattern| reads(pattern)).map(|pattern| format!("[{pattern}]"))
    };
    let is_called_so = |name: &str| {
        let name = name.to_lowercase();
        ["time", "date", "stamp", "start", "last_changed", "ts", "when"].iter().any(|word| name.contains(word))
    };
    let date = names.iter().position(|name| name.eq_ignore_ascii_case("date"));
    let clock = names.iter().position(|name| name.eq_ignore_ascii_case("time"));
    if let (Some(date), Some(clock)) = (date, clock) {
        return Some(TimeColumn {
            map: format!("{}+{}", quoted(&names[date]), quoted(&names[clock])),
            used: vec![&names[date], &names[clock]],
        });
    }
    let of = |column: usize, unit: String| TimeColumn {
        map: format!("{}{unit}", quoted(&names[column])),
        used: vec![&names[column]],
    };
    let told = |is_named: bool| {
        (0..names.len())
            .filter(|column| is_called_so(&names[*column]) == is_named)
            .find_map(|column| Some(of(column, unit(column)?)))
    };
    told(true).or_else(|| told(false)).or_else(|| {
        let column = names.iter().position(|name| is_called_so(name))?;
        Some(of(column, "[%d.%m.%Y %H:%M:%S]".into()))
    })
}

/// Eight digits that are a day of our time, and no count of seconds.
fn is_date(text: &str) -> bool {
    text.len() == 8
        && (text.starts_with("19") || text.starts_with("20"))
        && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name that holds what separates entries of a map stands in double quotes.
fn quoted(name: &str) -> String {
    if name.contains([',', '=', '+', '[', ']', '\'']) { format!("\"{name}\"") } else { name.to_owned() }
}

/// A line as it stands in a message.
pub(super) fn shortened(line: &str) -> String {
    const MAX_CHARS: usize = 120;
    match line.char_indices().nth(MAX_CHARS) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}
