//! Times in a sentence: of the day and of the week, which come again, and dates, which do not.

use chrono::{DateTime, Datelike, Days, FixedOffset, Months, NaiveDateTime, TimeDelta, Weekday};
use duckling::{Context, DimensionKind, DimensionValue, Grain, Lang, Locale, Options, TimePoint, TimeValue};
use spaxiom_index::{Filter, Moment};

use super::lexer::{Word, count};
use super::reading::{Reading, marked};

const MINUTES_PER_DAY: u32 = 24 * 60;

const DAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

/// Parts of the day that people agree on, in hours.
const PARTS: [(&str, [u32; 2]); 7] = [
    ("night", [22, 6]),
    ("nights", [22, 6]),
    ("overnight", [22, 6]),
    ("morning", [6, 12]),
    ("mornings", [6, 12]),
    ("afternoon", [12, 18]),
    ("evening", [18, 22]),
];

/// Hours that nobody agrees on: hits in them are preferred, and others are found too.
const VAGUE: [(&[&str], [[u32; 2]; 2]); 5] = [
    (&["peak"], [[7, 10], [16, 19]]),
    (&["rush"], [[7, 10], [16, 19]]),
    (&["busy"], [[7, 10], [16, 19]]),
    (&["quiet"], [[22, 24], [0, 6]]),
    (&["lunch", "lunchtime"], [[11, 14], [11, 14]]),
];

/// Words without which a date is no date: `may` and `second` are words too.
const RELATIVE: [&str; 12] =
    ["yesterday", "today", "tonight", "last", "past", "previous", "ago", "this", "since", "week", "month", "year"];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Reads every time of the text; words that are read are marked.
pub(super) fn read(text: &str, words: &mut [Word], now: NaiveDateTime) -> Vec<Reading> {
    let mut readings = Vec::new();
    readings.extend(vague_hours(text, words));
    readings.extend(lately(text, words, now));
    readings.extend(dates(text, words, now));
    readings.extend(clock_spans(text, words));
    readings.extend(parts_of_day(text, words));
    readings.extend(weekdays(text, words));
    readings
}

/// What counts from now on back, as people mean it, where Duckling has whole days and weeks before this one, or other hours.
fn lately(text: &str, words: &mut [Word], now: NaiveDateTime) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let Some(([from, before], n_words)) = up_to_now(words, at, now).or_else(|| other_day(words, at, now)) else {
            at += 1;
            continue;
        };
        let means = Filter::Time { from: Some(Moment::Local(from)), before: Some(Moment::Local(before)) };
        readings.push(Reading::taken(text, words, at..at + n_words, means));
        at += n_words;
    }
    readings
}

/// `the last 3 days`, `the past month`: up to now.
fn up_to_now(words: &[Word], at: usize, now: NaiveDateTime) -> Option<([NaiveDateTime; 2], usize)> {
    let text = |place: usize| words.get(place).map_or("", |word| word.text.as_str());
    if !["last", "past", "previous"].contains(&text(at)) {
        return None;
    }
    let n = count(text(at + 1)).filter(|n| (1..=10_000).contains(n));
    // `last month` is that of the calendar.
    let (n, unit) = match n {
        Some(n) => (n, 2),
        None if text(at) == "past" => (1, 1),
        None => return None,
    };
    let secs = match text(at + unit).trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        "week" => 7 * 86_400,
        "month" => 30 * 86_400,
        _ => return None,
    };
    Some(([now - TimeDelta::seconds(i64::from(n) * secs), now], unit + 1))
}

/// `last night`, `last weekend`, `two days ago`, `yesterday evening`: another day, or a part of it.
fn other_day(words: &[Word], at: usize, now: NaiveDateTime) -> Option<([NaiveDateTime; 2], usize)> {
    let text = |place: usize| words.get(place).map_or("", |word| word.text.as_str());
    // `since yesterday` is another span.
    if at > 0 && ["since", "after", "before", "until"].contains(&text(at - 1)) {
        return None;
    }
    let day = |n_back: u32| now.date().checked_sub_days(Days::new(u64::from(n_back)));
    let hours = |n_back: u32, [from, before]: [u32; 2]| {
        let midnight = day(n_back)?.and_hms_opt(0, 0, 0)?;
        let before = if from < before { before } else { before + 24 };
        Some([from, before].map(|hour| midnight + TimeDelta::hours(i64::from(hour))))
    };
    let (n_back, n_words) = match (text(at), text(at + 1), text(at + 2)) {
        ("last", "night", _) => return Some((hours(1, [22, 6])?, 2)),
        ("last", "weekend", _) => {
            let to_monday = now.date().weekday().num_days_from_monday();
            return Some(([hours(to_monday + 2, [0, 24])?[0], hours(to_monday + 1, [0, 24])?[1]], 2));
        }
        ("yesterday", ..) => (1, 1),
        (n, "day" | "days", "ago") => (count(n)?, 3),
        _ => return None,
    };
    let part = PARTS.iter().find(|(name, _)| *name == text(at + n_words)).map(|(_, part)| (*part, 1));
    let (part, n_part) = part.or_else(|| part_behind(words, at + n_words)).unwrap_or(([0, 24], 0));
    Some((hours(n_back, part)?, n_words + n_part))
}

fn hours([from, before]: [u32; 2]) -> Filter {
    Filter::TimeOfDay { from_minute: 60 * from, before_minute: 60 * before }
}

fn vague_hours(text: &str, words: &mut [Word]) -> Vec<Reading> {
    let mut readings = Vec::new();
    for at in 0..words.len() {
        let Some((_, [first, second])) = VAGUE.iter().find(|(names, _)| names.contains(&words[at].text.as_str()))
        else {
            continue;
        };
        let is_named = words[at].text.starts_with("lunch");
        let has_hours = words.get(at + 1).is_some_and(|word| ["hour", "hours", "time", "times"].contains(&&*word.text));
        if !is_named && !has_hours {
            continue;
        }
        let filter = if first == second { hours(*first) } else { Filter::Or(vec![hours(*first), hours(*second)]) };
        let words = marked(text, words, at..at + 1 + usize::from(has_hours));
        readings.push(Reading::soft(words, filter));
    }
    readings
}

/// Minutes of the day of `7`, `7:30`, `7am`, or of a word that names one; and whether it can be nothing but a time.
fn minute(word: &str) -> Option<(u32, bool)> {
    match word {
        "noon" | "midday" => return Some((12 * 60, true)),
        "midnight" => return Some((0, true)),
        _ => {}
    }
    let (digits, half) = match (word.strip_suffix("am"), word.strip_suffix("pm")) {
        (Some(digits), _) => (digits, Some(false)),
        (_, Some(digits)) => (digits, Some(true)),
        _ => (word, None),
    };
    let (hour, rest) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hour, rest) = (hour.parse::<u32>().ok()?, rest.parse::<u32>().ok()?);
    let hour = match half {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(is_after_noon) => hour % 12 + if is_after_noon { 12 } else { 0 },
        None => hour,
    };
    (hour <= 24 && rest < 60).then_some((60 * hour + rest, half.is_some() || digits.contains(':')))
}

/// A time of day at a word, with the `am` or `pm` behind it: minutes, whether it can be nothing else, and the words it takes.
fn clock(words: &[Word], at: usize) -> Option<(u32, bool, usize)> {
    let word = words.get(at).filter(|word| !word.is_read)?;
    let next = words.get(at + 1).map_or("", |word| word.text.as_str());
    if ["am", "pm"].contains(&next)
        && let Some((minute, _)) = minute(&format!("{}{next}", word.text))
    {
        return Some((minute, true, 2));
    }
    let (minute, is_sure) = minute(&word.text)?;
    match next {
        "o" | "oclock" | "h" => Some((minute, true, 2)),
        _ => Some((minute, is_sure, 1)),
    }
}

/// `between 7 and 9 am`, `from 22:00 to 6:00`, `14:00-14:30`, `after 5 pm`, `before noon`, `at 7:30`.
fn clock_spans(text: &str, words: &mut [Word]) -> Vec<Reading> {
    let mut readings = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let found = span(words, at).or_else(|| bare_span(words, at)).or_else(|| half_line(words, at));
        let Some((filter, n_words)) = found else {
            at += 1;
            continue;
        };
        readings.push(Reading::taken(text, words, at..at + n_words, filter));
        at += n_words;
    }
    readings
}

/// A span with both ends; one of them has to be a time that can be nothing else, or the word before says it.
fn span(words: &[Word], at: usize) -> Option<(Filter, usize)> {
    let joint: &[&str] = match words[at].text.as_str() {
        "between" => &["and"],
        "from" => &["to", "until", "till"],
        _ => return None,
    };
    let (from, is_sure, n_from) = clock(words, at + 1)?;
    let middle = at + 1 + n_from;
    words.get(middle).filter(|word| joint.contains(&word.text.as_str()))?;
    let (before, is_also_sure, n_before) = clock(words, middle + 1)?;
    let n_words = n_from + n_before + 2;
    let (part, n_part) = part_behind(words, at + n_words).map_or((None, 0), |(part, n)| (Some(part), n));
    if !(is_sure || is_also_sure || part.is_some()) || from >= MINUTES_PER_DAY {
        return None;
    }
    let half_day = MINUTES_PER_DAY / 2;
    // `between 7 and 9 pm` and `between 7 and 9 in the evening` are after noon.
    let is_bare = !is_sure && from < half_day && !is_also_sure && part.is_some_and(|[first, _]| first >= 12);
    let (from, before) = if is_bare && before <= half_day {
        (from + half_day, before + half_day)
    } else if !is_sure && from < half_day && before > half_day && from + half_day < before {
        (from + half_day, before)
    } else {
        (from, before)
    };
    Some((Filter::TimeOfDay { from_minute: from, before_minute: before }, n_words + n_part))
}

/// A span without a word before it: `7:00 to 9:00`, `14:00-14:30`; both ends can be nothing but times.
fn bare_span(words: &[Word], at: usize) -> Option<(Filter, usize)> {
    let word = words.get(at).filter(|word| !word.is_read)?;
    let (from, before, n_words) = if let Some((from, before)) = word.text.split_once('-') {
        let ((from, true), (before, true)) = (minute(from)?, minute(before)?) else { return None };
        (from, before, 1)
    } else {
        let (from, is_sure, n_from) = clock(words, at)?;
        let joint = words.get(at + n_from).filter(|word| ["to", "until", "till"].contains(&word.text.as_str()));
        let (before, is_also_sure, n_before) = clock(words, at + n_from + 1)?;
        if joint.is_none() || !is_sure || !is_also_sure {
            return None;
        }
        (from, before, n_from + 1 + n_before)
    };
    (from < MINUTES_PER_DAY).then_some((Filter::TimeOfDay { from_minute: from, before_minute: before }, n_words))
}

/// A part of the day behind a span, `in the morning`, with the words that it takes.
fn part_behind(words: &[Word], at: usize) -> Option<([u32; 2], usize)> {
    let text = |place: usize| words.get(place).map_or("", |word| word.text.as_str());
    let n_lead = match (text(at), text(at + 1)) {
        ("in", "the") => 2,
        ("at", _) => 1,
        _ => return None,
    };
    let (_, part) = PARTS.iter().find(|(name, _)| *name == text(at + n_lead))?;
    Some((*part, n_lead + 1))
}

fn half_line(words: &[Word], at: usize) -> Option<(Filter, usize)> {
    let n_side = if words.get(at + 1).is_some_and(|word| word.text == "than") { 2 } else { 1 };
    let (minute, n) = sure_clock(words, at + n_side)?;
    let n = n + n_side - 1;
    let span = match words[at].text.as_str() {
        "after" | "since" | "from" | "later" => (minute, MINUTES_PER_DAY),
        "before" | "until" | "till" | "by" | "earlier" => (0, minute),
        // Around a time: a quarter of an hour before and after.
        "at" | "around" | "about" => (minute.saturating_sub(15), (minute + 15).min(MINUTES_PER_DAY)),
        _ => return None,
    };
    Some((Filter::TimeOfDay { from_minute: span.0, before_minute: span.1 }, n + 1))
}

/// A time of day that can be nothing else, or that a part of the day behind it makes one: `six in the morning`.
fn sure_clock(words: &[Word], at: usize) -> Option<(u32, usize)> {
    let written_out = || {
        let word = words.get(at).filter(|word| !word.is_read)?;
        let hour = count(&word.text).filter(|hour| (1..=12).contains(hour))?;
        Some((60 * hour, false, 1))
    };
    let (minute, is_sure, n) = clock(words, at).or_else(written_out)?;
    if is_sure {
        return Some((minute, n));
    }
    let ([first, _], n_part) = part_behind(words, at + n)?;
    let half_day = MINUTES_PER_DAY / 2;
    let is_after_noon = (12..22).contains(&first) || (first == 22 && minute > half_day / 2);
    Some((minute % half_day + if is_after_noon { half_day } else { 0 }, n + n_part))
}

fn parts_of_day(text: &str, words: &mut [Word]) -> Vec<Reading> {
    let mut readings = Vec::new();
    for at in 0..words.len() {
        let part = PARTS.iter().find(|(name, _)| *name == words[at].text || words[at].text == format!("{name}s"));
        let Some((_, span)) = part.filter(|_| !words[at].is_read) else { continue };
        let is_lead = |word: &Word| ["in", "at", "during", "the", "by"].contains(&word.text.as_str()) && !word.is_read;
        let from = (0..at).rev().take_while(|place| is_lead(&words[*place])).last().unwrap_or(at);
        readings.push(Reading::taken(text, words, from..at + 1, hours(*span)));
    }
    readings
}

fn weekday(word: &str) -> Option<Weekday> {
    let is_it = |(name, _): &&(&str, Weekday)| word == *name || word.strip_suffix('s') == Some(name);
    DAYS.iter().find(is_it).map(|(_, day)| *day)
}

/// `on mondays`, `monday to friday`, `on weekends`.
fn weekdays(text: &str, words: &mut [Word]) -> Vec<Reading> {
    let all = DAYS.map(|(_, day)| day);
    let mut readings = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if words[at].is_read {
            at += 1;
            continue;
        }
        let lead = usize::from(["on", "at", "during"].contains(&words[at].text.as_str()));
        let word = words.get(at + lead).map_or("", |word| word.text.as_str());
        let (days, n) = match word {
            "weekend" | "weekends" => (all[5..].to_vec(), 1),
            "weekday" | "weekdays" | "workdays" => (all[..5].to_vec(), 1),
            word => {
                let Some(first) = weekday(word) else {
                    at += 1;
                    continue;
                };
                listed(words, at + lead, first)
            }
        };
        readings.push(Reading::taken(text, words, at..at + lead + n, Filter::Weekday(days)));
        at += lead + n;
    }
    readings
}

/// One day, `monday to friday`, or `monday and tuesday`, with the words that it takes.
fn listed(words: &[Word], at: usize, first: Weekday) -> (Vec<Weekday>, usize) {
    let next = |at: usize| words.get(at + 1).and_then(|word| weekday(&word.text));
    match words.get(at + 1).map(|word| word.text.as_str()) {
        Some("to" | "until" | "through") if next(at + 1).is_some() => {
            let last = next(at + 1).unwrap_or(first);
            let mut days = vec![first];
            while days.last() != Some(&last) {
                days.push(days[days.len() - 1].succ());
            }
            (days, 3)
        }
        Some("and" | "or") if next(at + 1).is_some() => (vec![first, next(at + 1).unwrap_or(first)], 3),
        _ => (vec![first], 1),
    }
}

/// Dates and spans of dates, by the rules of Duckling; the last one where it could be several, since nothing is known of the future.
fn dates(text: &str, words: &mut [Word], now: NaiveDateTime) -> Vec<Reading> {
    let utc = FixedOffset::east_opt(0).expect("no offset");
    let locale = Locale::new(Lang::EN, None);
    let context = Context::new(DateTime::from_naive_utc_and_offset(now, utc), locale);
    // Of ASCII letters alone: every byte keeps its place.
    let lower = without_names(text.to_ascii_lowercase(), words);
    let found = duckling::parse(&lower, &locale, &[DimensionKind::Time], &context, &Options::default());
    let mut readings = Vec::new();
    for entity in found {
        let DimensionValue::Time(value) = entity.value else { continue };
        let inside: Vec<usize> = (0..words.len())
            .filter(|at| entity.start <= words[*at].at.start && words[*at].at.end <= entity.end)
            .collect();
        let (Some(&first), Some(&last)) = (inside.first(), inside.last()) else { continue };
        if inside.iter().any(|at| words[*at].is_read) || !inside.iter().any(|at| is_of_a_date(&words[*at].text)) {
            continue;
        }
        let has_year = inside.iter().any(|at| words[*at].text.get(..4).is_some_and(is_year));
        let lead = usize::from(
            first > 0 && ["since", "before", "after", "until", "on", "in"].contains(&&*words[first - 1].text),
        );
        let side = if lead == 1 { words[first - 1].text.clone() } else { words[first].text.clone() };
        let is_of_week = inside.iter().any(|at| weekday(&words[*at].text).is_some());
        let Some(filter) = filter_of(&value, &side, now, [has_year, is_of_week]) else { continue };
        readings.push(Reading::taken(text, words, first - lead..last + 1, filter));
    }
    readings
}

/// The text without what is read and without names, in which digits are no dates: `dock_2`, `warehouse-03`.
fn without_names(mut text: String, words: &[Word]) -> String {
    for word in words {
        let is_name = word.text.chars().any(char::is_alphabetic) && word.text.contains(['_', '-']);
        if is_name || word.is_read {
            text.replace_range(word.at.clone(), &"x".repeat(word.at.len()));
        }
    }
    text
}

fn is_year(text: &str) -> bool {
    text.parse::<u32>().is_ok_and(|year| (1970..2262).contains(&year))
}

/// Whether a word makes a date of what Duckling found, and no hour, number or other word.
fn is_of_a_date(word: &str) -> bool {
    let is_long_month = MONTHS.contains(&word) && word != "may";
    RELATIVE.contains(&word) || is_long_month || word.get(..4).is_some_and(is_year)
}

/// From when to before when: an interval, or one point for as long as its grain.
fn filter_of(value: &TimeValue, side: &str, now: NaiveDateTime, [has_year, is_of_week]: [bool; 2]) -> Option<Filter> {
    let (from, before) = match value {
        TimeValue::Single { value, .. } => (Some(local(value)), Some(end(local(value), value.grain()))),
        // Duckling begins `after january 15` on that day.
        TimeValue::Interval { from: Some(from), to: None, .. } if side == "after" => {
            (Some(end(local(from), from.grain())), None)
        }
        TimeValue::Interval { from, to, .. } => (from.as_ref().map(local), to.as_ref().map(local)),
    };
    // A month or day without a year is the last one, as a day of the week is.
    let is_to_come = !has_year && from.or(before).is_some_and(|time| time > now);
    let back = |time: NaiveDateTime| match (is_to_come, is_of_week) {
        (false, _) => time,
        (true, true) => time - TimeDelta::days(7),
        (true, false) => time.checked_sub_months(Months::new(12)).unwrap_or(time),
    };
    let (from, before) = (from.map(back), before.map(back));
    let span = match side {
        _ if from.is_none() || before.is_none() => (from, before),
        "since" => (from, None),
        "after" => (before, None),
        "before" | "until" => (None, from),
        _ => (from, before),
    };
    (span != (None, None)).then(|| Filter::Time { from: span.0.map(Moment::Local), before: span.1.map(Moment::Local) })
}

fn local(point: &TimePoint) -> NaiveDateTime {
    match point {
        TimePoint::Instant { value, .. } => value.naive_local(),
        TimePoint::Naive { value, .. } => *value,
    }
}

fn end(start: NaiveDateTime, grain: Grain) -> NaiveDateTime {
    let months = |n| start.checked_add_months(Months::new(n)).unwrap_or(start);
    match grain {
        Grain::NoGrain | Grain::Second => start + TimeDelta::seconds(1),
        Grain::Minute => start + TimeDelta::minutes(1),
        Grain::Hour => start + TimeDelta::hours(1),
        Grain::Day => start.checked_add_days(Days::new(1)).unwrap_or(start),
        Grain::Week => start.checked_add_days(Days::new(7)).unwrap_or(start),
        Grain::Month => months(1),
        Grain::Quarter => months(3),
        Grain::Year => months(12),
    }
}
