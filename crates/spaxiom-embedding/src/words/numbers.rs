//! Numbers in a sentence: `length over 5`, `waited more than 10 minutes`, `at least 3 people`.

use spaxiom_index::{Comparison, Filter, Value};

use super::lexer::{Word, stem, stems};
use super::names::Names;
use super::reading::Reading;

/// Words that compare, and how.
const COMPARISONS: [(&[&str], Comparison); 14] = [
    (&["more", "than"], Comparison::Greater),
    (&["longer", "than"], Comparison::Greater),
    (&["greater", "than"], Comparison::Greater),
    (&["higher", "than"], Comparison::Greater),
    (&["faster", "than"], Comparison::Greater),
    (&["slower", "than"], Comparison::Less),
    (&["over"], Comparison::Greater),
    (&["above"], Comparison::Greater),
    (&["exceeding"], Comparison::Greater),
    (&["at", "least"], Comparison::AtLeast),
    (&["at", "most"], Comparison::AtMost),
    (&["less", "than"], Comparison::Less),
    (&["below"], Comparison::Less),
    (&["under"], Comparison::Less),
];

/// Units of time, in seconds.
const UNITS: [(&[&str], f64); 4] = [
    (&["s", "sec", "secs", "second", "seconds"], 1.0),
    (&["min", "mins", "minute", "minutes"], 60.0),
    (&["h", "hour", "hours"], 3_600.0),
    (&["day", "days"], 86_400.0),
];

/// Endings of attributes that hold seconds.
const OF_SECONDS: [&str; 4] = ["_s", "_sec", "_secs", "_seconds"];

/// Words that mean an attribute by a part of its name, where an attribute has it.
const MEANT: [(&str, &str); 6] = [
    ("longer", "length"),
    ("wait", "wait"),
    ("waited", "wait"),
    ("people", "count"),
    ("faster", "speed"),
    ("slower", "speed"),
];

/// Words this far before a comparison may name its attribute.
const REACH: usize = 5;

/// Reads every comparison with an attribute; words that are read are marked.
pub(super) fn read(text: &str, words: &mut [Word], names: &Names) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let Some(found) = comparison(words, at) else {
            at += 1;
            continue;
        };
        let Compared { comparison, number, unit_secs, end } = found;
        let before = at.saturating_sub(REACH);
        let attribute = attribute(words, before..at, at..(end + 2).min(words.len()), names, unit_secs.is_some());
        let Some((name, from, to)) = attribute else {
            at += 1;
            continue;
        };
        let is_of_secs = OF_SECONDS.iter().any(|ending| name.ends_with(ending));
        let value = number * unit_secs.filter(|_| is_of_secs).unwrap_or(1.0);
        let value = Value::Number { value, text: value.to_string() };
        let means = Filter::Attribute { name, comparison, value };
        // Words between an attribute and its comparison mean something else: `occupancy of the office below 10`.
        for word in &mut words[from.min(to)..to] {
            word.is_read = true;
        }
        for word in &mut words[at..end] {
            word.is_read = true;
        }
        let compared = &text[words[at].at.start..words[end - 1].at.end];
        let is_apart = from < at;
        let words_read =
            if is_apart { format!("{} {compared}", &text[words[from].at.clone()]) } else { compared.to_owned() };
        readings.push(Reading::hard(words_read, means));
        let to = to.max(end);
        at = to;
    }
    readings
}

/// A comparison with a number, and the place behind it.
struct Compared {
    comparison: Comparison,
    number: f64,
    unit_secs: Option<f64>,
    end: usize,
}

fn comparison(words: &[Word], at: usize) -> Option<Compared> {
    let starts = |(sign, _): &&(&[&str], Comparison)| {
        sign.iter()
            .enumerate()
            .all(|(n, want)| words.get(at + n).is_some_and(|word| word.text == **want && !word.is_read))
    };
    let (sign, comparison) = COMPARISONS.iter().find(starts)?;
    let place = at + sign.len();
    let word = words.get(place).filter(|word| !word.is_read)?;
    let (digits, glued) = word.text.split_at(word.text.find(|c: char| c.is_alphabetic()).unwrap_or(word.text.len()));
    let number: f64 = digits.parse().ok()?;
    let unit = |text: &str| UNITS.iter().find(|(names, _)| names.contains(&text)).map(|(_, secs)| *secs);
    let next = words.get(place + 1).and_then(|word| unit(&word.text));
    let (unit_secs, end) = match (glued.is_empty(), next) {
        (false, _) => (Some(unit(glued)?), place + 1),
        (true, Some(secs)) => (Some(secs), place + 2),
        (true, None) => (None, place + 1),
    };
    Some(Compared { comparison: *comparison, number, unit_secs, end })
}

/// The attribute that is compared: one that words before or behind name, with the places of these.
fn attribute(
    words: &[Word],
    before: std::ops::Range<usize>,
    behind: std::ops::Range<usize>,
    names: &Names,
    has_unit: bool,
) -> Option<(String, usize, usize)> {
    let places = before.rev().chain(behind);
    for place in places {
        let word = &words[place];
        if word.is_read {
            continue;
        }
        let meant = MEANT.iter().find(|(other, _)| *other == word.text).map(|(_, part)| stem(part));
        let wanted = meant.unwrap_or_else(|| word.stem.clone());
        let mut fitting: Vec<&String> = names.attributes.iter().filter(|name| stems(name).contains(&wanted)).collect();
        // With a unit of time one that holds seconds is meant.
        fitting.sort_by_key(|name| (has_unit && !OF_SECONDS.iter().any(|ending| name.ends_with(ending)), name.len()));
        if let Some(name) = fitting.first() {
            return Some(((*name).clone(), place, place + 1));
        }
    }
    // `for more than 20 seconds` names none: how long it took is meant, where an attribute says it.
    let of_duration = || names.attributes.iter().find(|name| stems(name).contains(&stem("duration")));
    let name = if has_unit { of_duration() } else { None };
    name.map(|name| (name.clone(), usize::MAX, 0))
}
