//! Numbers in a sentence: `length over 5`, `waited more than 10 minutes`, `at least 3 people`.

use spaxiom_index::{Comparison, Filter, Value};

use super::lexer::{Word, number_word, stem, stems};
use super::names::Names;
use super::reading::Reading;

/// Words that compare, and how.
const COMPARISONS: [(&[&str], Comparison); 24] = [
    (&["no", "more", "than"], Comparison::AtMost),
    (&["no", "less", "than"], Comparison::AtLeast),
    (&["fewer", "than"], Comparison::Less),
    (&["shorter", "than"], Comparison::Less),
    (&["smaller", "than"], Comparison::Less),
    (&["lower", "than"], Comparison::Less),
    (&["larger", "than"], Comparison::Greater),
    (&["bigger", "than"], Comparison::Greater),
    (&["equal", "to"], Comparison::Equal),
    (&["exactly"], Comparison::Equal),
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

/// Words behind a number that compare: `5 or more`.
const BEHIND: [(&str, Comparison); 8] = [
    ("more", Comparison::AtLeast),
    ("longer", Comparison::AtLeast),
    ("above", Comparison::AtLeast),
    ("over", Comparison::AtLeast),
    ("fewer", Comparison::AtMost),
    ("less", Comparison::AtMost),
    ("below", Comparison::AtMost),
    ("shorter", Comparison::AtMost),
];

/// Words that mean an attribute by a part of its name, where an attribute has it.
const MEANT: [(&str, &str); 6] = [
    ("longer", "length"),
    ("wait", "wait"),
    ("waited", "wait"),
    ("people", "count"),
    ("faster", "speed"),
    ("slower", "speed"),
];

/// Things of which a number alone says how much there is, and the attribute that has it.
const COUNTED: [(&str, &str); 1] = [("queue", "length")];

/// Words this far before a comparison may name its attribute.
const REACH: usize = 5;

/// Reads every comparison with an attribute; words that are read are marked.
pub(super) fn read(text: &str, words: &mut [Word], names: &Names) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let Some((means, words_read, to)) = compared(text, words, at, names) else {
            at += 1;
            continue;
        };
        readings.push(Reading::hard(words_read, means));
        at = to;
    }
    readings
}

/// A comparison with an attribute at a word: what it means, its words, and the place behind it; the words are marked.
fn compared(text: &str, words: &mut [Word], at: usize, names: &Names) -> Option<(Filter, String, usize)> {
    let Compared { bounds, unit, end } = bounds(text, words, at)?;
    let before = at.saturating_sub(REACH);
    let (name, from, to) = attribute(words, before..at, at..(end + 2).min(words.len()), names, unit)?;
    // Hours, rather: `queues between 7 and 9`.
    if from == usize::MAX && unit == Unit::None && words[at].text == "between" {
        return None;
    }
    let is_of_secs = OF_SECONDS.iter().any(|ending| name.ends_with(ending));
    let scale = if let (Unit::Time(secs), true) = (unit, is_of_secs) { secs } else { 1.0 };
    let bound = |(comparison, number): (Comparison, f64)| {
        let value = number * scale;
        Filter::Attribute { name: name.clone(), comparison, value: Value::Number { value, text: value.to_string() } }
    };
    let means = bounds.into_iter().map(bound).fold(Filter::All, Filter::and);
    // Words between an attribute and its comparison mean something else: `occupancy of the office below 10`.
    for word in &mut words[from.min(to)..to] {
        word.is_read = true;
    }
    for word in &mut words[at..end] {
        word.is_read = true;
    }
    let compared = &text[words[at].at.start..words[end - 1].at.end];
    let words_read =
        if from < at { format!("{} {compared}", &text[words[from].at.clone()]) } else { compared.to_owned() };
    Some((means, words_read, to.max(end)))
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Unit {
    /// Nothing says it.
    None,
    /// So many seconds.
    Time(f64),
    /// Hundredths.
    Percent,
    /// Meters per second.
    Speed,
}

/// A comparison with one number or two, and the place behind it.
struct Compared {
    bounds: Vec<(Comparison, f64)>,
    unit: Unit,
    end: usize,
}

fn bounds(text: &str, words: &[Word], at: usize) -> Option<Compared> {
    let is = |place: usize, want: &str| words.get(place).is_some_and(|word| word.text == want && !word.is_read);
    let starts = |(sign, _): &&(&[&str], Comparison)| sign.iter().enumerate().all(|(n, want)| is(at + n, want));
    if let Some((sign, comparison)) = COMPARISONS.iter().find(starts) {
        let (number, unit, end) = number(text, words, at + sign.len())?;
        return Some(Compared { bounds: vec![(*comparison, number)], unit, end });
    }
    let both = |first: f64, second: f64| vec![(Comparison::AtLeast, first), (Comparison::AtMost, second)];
    let is_between = is(at, "between");
    let first_at = at + usize::from(is_between);
    let (first, unit, end) = number(text, words, first_at)?;
    if is(end, if is_between { "and" } else { "to" }) {
        let (second, of_second, end) = number(text, words, end + 1)?;
        // `between 7 and 9` alone is no comparison, nor is `7 to 9 am`.
        let unit = if of_second == Unit::None { unit } else { of_second };
        let is_hour = ["am", "pm", "o", "oclock"].iter().any(|half| is(end, half)) || first >= second;
        return (!is_hour).then(|| Compared { bounds: both(first, second), unit, end });
    }
    if is_between {
        return None;
    }
    if is(end, "or") {
        let (_, comparison) = BEHIND.iter().find(|(word, _)| is(end + 1, word))?;
        return Some(Compared { bounds: vec![(*comparison, first)], unit, end: end + 2 });
    }
    // `with threshold 80`
    let is_given = at >= 2 && words[at - 2].text == "with" && !words[at - 1].is_read && unit == Unit::None;
    is_given.then(|| Compared { bounds: vec![(Comparison::Equal, first)], unit, end })
}

/// A number at a word, what it counts, and the place behind both.
fn number(text: &str, words: &[Word], at: usize) -> Option<(f64, Unit, usize)> {
    let word = words.get(at).filter(|word| !word.is_read)?;
    let time = |text: &str| UNITS.iter().find(|(names, _)| names.contains(&text)).map(|(_, secs)| Unit::Time(*secs));
    let next = |n: usize| words.get(at + n).map_or("", |word| word.text.as_str());
    let written_out = match word.text.as_str() {
        "half" => Some(0.5),
        "a" | "an" => Some(1.0),
        text => number_word(text).map(f64::from),
    };
    if let Some(number) = written_out {
        // `half an hour`; what is no count of time is hardly ever written out.
        let n = if word.text == "half" && ["a", "an"].contains(&next(1)) { 2 } else { 1 };
        return Some((number, time(next(n))?, at + n + 1));
    }
    let (digits, glued) = word.text.split_at(word.text.find(|c: char| c.is_alphabetic()).unwrap_or(word.text.len()));
    let number: f64 = digits.parse().ok()?;
    if !glued.is_empty() {
        return Some((number, time(glued)?, at + 1));
    }
    let rest = &text[word.at.end..];
    if rest.trim_start().starts_with("m/s") {
        return Some((number, Unit::Speed, at + 3));
    }
    if rest.starts_with('%') || ["percent", "pct"].contains(&next(1)) {
        return Some((number, Unit::Percent, at + if rest.starts_with('%') { 1 } else { 2 }));
    }
    Some(time(next(1)).map_or((number, Unit::None, at + 1), |unit| (number, unit, at + 2)))
}

/// The attribute that is compared: one that words before or behind name, with the places of these.
fn attribute(
    words: &[Word],
    before: std::ops::Range<usize>,
    behind: std::ops::Range<usize>,
    names: &Names,
    unit: Unit,
) -> Option<(String, usize, usize)> {
    let of_secs = |name: &str| OF_SECONDS.iter().any(|ending| name.ends_with(ending));
    let (next_to, first) = (before.end, before.start);
    for place in before.rev().chain(behind) {
        let word = &words[place];
        if word.is_read || word.is_reason || word.text.len() < 2 {
            continue;
        }
        let meant = MEANT.iter().find(|(other, _)| *other == word.text).map(|(_, part)| stem(part));
        let wanted = meant.unwrap_or_else(|| word.stem.clone());
        // With a unit one that has it is meant; without one what holds seconds has to stand beside the number.
        let fits = |name: &&String| match unit {
            Unit::Time(_) => of_secs(name),
            Unit::None => !of_secs(name) || place + 1 == next_to,
            Unit::Percent | Unit::Speed => true,
        };
        let named = names.attributes.iter().filter(|name| stems(name).contains(&wanted)).filter(fits);
        if let Some(name) = named.min_by_key(|name| name.len()) {
            return Some((name.clone(), place, place + 1));
        }
    }
    // `for more than 20 seconds` names none: how long it took is meant, where an attribute says it.
    let wanted = match unit {
        Unit::None => {
            // A queue of ten is as long; the word names its type besides, and stays to be read.
            let is_counted =
                |(kind, _): &&(&str, &str)| words[first..next_to].iter().any(|word| word.stem == stem(kind));
            stem(COUNTED.iter().find(is_counted)?.1)
        }
        Unit::Time(_) => stem("duration"),
        Unit::Percent => stem("percent"),
        Unit::Speed => stem("speed"),
    };
    let named = names.attributes.iter().filter(|name| stems(name).contains(&wanted));
    named.min_by_key(|name| name.len()).map(|name| (name.clone(), usize::MAX, 0))
}
