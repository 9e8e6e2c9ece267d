//! A text as a filter that a person can see.

use std::collections::BTreeSet;

use chrono::NaiveDateTime;
use serde::Serialize;
use spaxiom_index::{Field, Filter};

use super::lexer::{PREPOSITIONS, REASONS, Word, stems, words};
use super::names::Names;
use super::reading::{Reading, Unread, as_text};
use super::{numbers, times};

/// Words behind a kind of zone.
const PLACES: [&str; 10] = ["zone", "zones", "area", "areas", "room", "rooms", "side", "aisle", "space", "spaces"];

/// Words that say nothing about which events are meant.
const EMPTY: [&str; 53] = [
    "a",
    "all",
    "an",
    "and",
    "any",
    "anybody",
    "anyone",
    "are",
    "did",
    "do",
    "ever",
    "event",
    "events",
    "every",
    "find",
    "for",
    "get",
    "give",
    "happen",
    "happened",
    "has",
    "have",
    "is",
    "it",
    "like",
    "me",
    "moment",
    "moments",
    "or",
    "please",
    "search",
    "sensor",
    "sensors",
    "show",
    "similar",
    "some",
    "somebody",
    "someone",
    "something",
    "that",
    "the",
    "there",
    "these",
    "this",
    "those",
    "times",
    "to",
    "was",
    "were",
    "what",
    "when",
    "where",
    "with",
];

/// Names that look like a word so much are suggested.
const ALIKE: f64 = 0.8;

/// Suggestions for a word at most.
const N_SUGGESTIONS: usize = 3;

/// What a text asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextQuery {
    /// What every hit has to pass: types, zones, times and numbers that are named.
    #[serde(serialize_with = "as_text")]
    pub filter: Filter,
    /// What hits are preferred for: hours that nobody agrees on.
    #[serde(serialize_with = "as_text")]
    pub preferred: Filter,
    /// Words and their meanings, in order.
    pub readings: Vec<Reading>,
    /// Words that were not understood.
    pub unread: Vec<Unread>,
}

impl TextQuery {
    /// Reads a text by rules alone: the same text, names and time give the same filter.
    ///
    /// `now` is the time on the clock of the sites, for `yesterday` and the like.
    ///
    /// ```
    /// use spaxiom_embedding::{Names, TextQuery};
    ///
    /// let names = Names { types: vec!["QueueFormed".into(), "DoorOpened".into()], ..Names::default() };
    /// let now = "2025-02-01T12:00:00".parse()?;
    /// let query = TextQuery::read("queues that formed between 7 and 9 am during peak hours", &names, now);
    /// assert_eq!(query.filter.to_string(), "hour in 7..9 and type = QueueFormed");
    /// assert_eq!(query.preferred.to_string(), "(hour in 7..10 or hour in 16..19)");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn read(text: &str, names: &Names, now: NaiveDateTime) -> Self {
        let mut words = words(text);
        // Numbers first: `slower than 0.2 today` is no time of day; nor is `aisle 1 this morning`.
        let mut readings = numbers::read(text, &mut words, names);
        let named = Named { text, names };
        readings.extend(named.read(&mut words, |words, at| named.numbered(words, at)));
        readings.extend(named.read(&mut words, |words, at| named.room(words, at)));
        readings.extend(times::read(text, &mut words, now));
        readings.extend(named.read(&mut words, |words, at| named.whole(words, at)));
        readings.extend(named.read(&mut words, |words, at| named.part(words, at)));
        let all = |is_hard: bool| {
            let parts =
                readings.iter().filter(|reading| reading.is_hard == is_hard).map(|reading| reading.means.clone());
            merged(parts.collect())
        };
        let (filter, preferred) = (all(true), all(false));
        let unread = words.iter().filter(|word| !word.is_read && !word.text.is_empty() && !is_empty(&word.text));
        let unread =
            unread.map(|word| Unread { word: text[word.at.clone()].to_owned(), like: names.like(word) }).collect();
        Self { filter, preferred, readings, unread }
    }
}

fn is_empty(word: &str) -> bool {
    [&EMPTY[..], &PREPOSITIONS, &PLACES, &REASONS, &["during", "by"]].iter().any(|words| words.contains(&word))
}

/// Names of one field are one condition: one of them, or what words have in common; everything else has to hold together.
fn merged(parts: Vec<Filter>) -> Filter {
    let mut filter = Filter::All;
    for field in [Field::Type, Field::Zone, Field::Site] {
        let mut groups: Vec<Vec<String>> = Vec::new();
        for part in &parts {
            let Filter::Is { field: of, values } = part else { continue };
            if *of != field {
                continue;
            }
            // `overflow of the queue` is what both words mean; `doors and trucks` are both.
            let is_shared = |group: &Vec<String>| group.iter().any(|name| values.contains(name));
            match groups.iter_mut().find(|group| is_shared(group)) {
                Some(group) => group.retain(|name| values.contains(name)),
                None => groups.push(values.clone()),
            }
        }
        if !groups.is_empty() {
            filter = filter.and(Filter::Is { field, values: groups.concat() });
        }
    }
    let others = parts.into_iter().filter(|part| !matches!(part, Filter::Is { .. }));
    others.fold(Filter::All, Filter::and).and(filter)
}

/// Names in a text.
struct Named<'a> {
    text: &'a str,
    names: &'a Names,
}

/// A name or several that some words mean.
struct Match {
    field: Field,
    values: Vec<String>,
    n_words: usize,
}

impl Named<'_> {
    /// Every name that `find` finds from a word on; words that are read are marked.
    fn read(&self, words: &mut [Word], find: impl Fn(&[Word], usize) -> Option<Match>) -> Vec<Reading> {
        let mut readings = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let Some(Match { field, values, n_words }) = find(words, at) else {
                at += 1;
                continue;
            };
            readings.push(Reading::taken(self.text, words, at..at + n_words, Filter::Is { field, values }));
            at += n_words;
        }
        readings
    }

    /// A whole name with a number in it, as words of their own: `dock 2`.
    fn numbered(&self, words: &[Word], at: usize) -> Option<Match> {
        let found = self.whole(words, at)?;
        let is_number = |word: &Word| word.text.chars().all(|c| c.is_ascii_digit());
        words[at..at + found.n_words].iter().any(is_number).then_some(found)
    }

    /// The zones of a room by its number, `room 2`: those with `r02` or `room-2` in their names.
    fn room(&self, words: &[Word], at: usize) -> Option<Match> {
        let number =
            words.get(at + 1).filter(|word| words[at].stem == "room" && !words[at].is_read && !word.is_read)?;
        let is_of_room = |zone: &&String| {
            stems(zone).windows(2).any(|pair| ["r", "room", "rm"].contains(&pair[0].as_str()) && pair[1] == number.stem)
        };
        let values: Vec<String> = self.names.zones.iter().filter(is_of_room).cloned().collect();
        (!values.is_empty()).then_some(Match { field: Field::Zone, values, n_words: 2 })
    }

    /// A name all of whose words stand here, in any order; the longest one, and of equally long ones a zone behind `in`.
    fn whole(&self, words: &[Word], at: usize) -> Option<Match> {
        let is_place = is_behind_preposition(words, at);
        let mut best: Option<(bool, Match)> = None;
        for (field, name) in self.names.all() {
            let Some(n_words) = reach(words, at, &stems(name)) else { continue };
            let is_fitting = (field != Field::Type) == is_place;
            let is_better = |(fits, best): &(bool, Match)| (n_words, is_fitting) > (best.n_words, *fits);
            if best.as_ref().is_none_or(is_better) {
                let zones = self.names.zone_kinds.get(name).filter(|_| field == Field::Zone);
                let values = zones.map_or_else(|| vec![name.to_owned()], |zones| zones.iter().cloned().collect());
                best = Some((is_fitting, Match { field, values, n_words }));
            }
        }
        best.map(|(_, found)| found)
    }

    /// A word that is part of names: of types, or of kinds of zones where the words around it speak of a place.
    fn part(&self, words: &[Word], at: usize) -> Option<Match> {
        let is_open = |word: &&Word| !word.is_read && !word.is_reason && !is_empty(&word.text) && word.text.len() > 2;
        let word = words.get(at).filter(is_open)?;
        let is_meant = |name: &str| stems(name).iter().any(|stem| word.means(stem));
        let is_place_next = words.get(at + 1).is_some_and(|next| PLACES.contains(&next.text.as_str()));
        let n_words = 1 + usize::from(is_place_next);
        let kinds = || {
            let fitting = self.names.zone_kinds.iter().filter(|(kind, _)| is_meant(kind));
            let values: BTreeSet<String> = fitting.flat_map(|(_, zones)| zones.iter().cloned()).collect();
            let values: Vec<String> = if values.is_empty() {
                self.names.zones.iter().filter(|zone| is_meant(zone)).cloned().collect()
            } else {
                values.into_iter().collect()
            };
            (!values.is_empty()).then_some(Match { field: Field::Zone, values, n_words })
        };
        let types = || {
            let values: Vec<String> = self.names.types.iter().filter(|name| is_meant(name)).cloned().collect();
            (!values.is_empty()).then_some(Match { field: Field::Type, values, n_words: 1 })
        };
        if is_place_next || is_behind_preposition(words, at) { kinds().or_else(types) } else { types().or_else(kinds) }
    }
}

/// How many words from here on have all the stems, in any order and with nothing but empty words between.
fn reach(words: &[Word], at: usize, stems: &[String]) -> Option<usize> {
    let mut missing: Vec<&String> = stems.iter().collect();
    for (n, word) in words[at..].iter().enumerate() {
        if word.is_read || word.is_reason {
            return None;
        }
        let before = missing.len();
        // A name may stand as one word: `dock_2`.
        for part in word.parts.iter().chain([&word.stem]).chain(&word.also) {
            if let Some(place) = missing.iter().position(|stem| *stem == part) {
                missing.swap_remove(place);
            }
        }
        if missing.is_empty() {
            return Some(n + 1);
        }
        let is_filler = n > 0 && ["", "the", "a", "that", "has", "was", "were", "is"].contains(&word.text.as_str());
        if missing.len() == before && !is_filler {
            return None;
        }
    }
    None
}

fn is_behind_preposition(words: &[Word], at: usize) -> bool {
    let before = words[..at].iter().rev().find(|word| !["the", "a", "any", "all"].contains(&word.text.as_str()));
    before.is_some_and(|word| PREPOSITIONS.contains(&word.text.as_str()))
}

impl Names {
    /// Every name that a condition may have; kinds of zones stand for their zones.
    fn all(&self) -> impl Iterator<Item = (Field, &str)> {
        let Self { types, zones, zone_kinds, sites, attributes: _ } = self;
        let types = types.iter().map(|name| (Field::Type, name.as_str()));
        let zones = zones.iter().chain(zone_kinds.keys()).map(|name| (Field::Zone, name.as_str()));
        types.chain(zones).chain(sites.iter().map(|name| (Field::Site, name.as_str())))
    }

    /// Names that look like a word, the most alike first.
    fn like(&self, word: &Word) -> Vec<String> {
        let Self { types, zones, zone_kinds, sites, attributes } = self;
        let all = types.iter().chain(zone_kinds.keys()).chain(zones).chain(sites).chain(attributes);
        let mut alike: Vec<(f64, &String)> = all
            .map(|name| {
                let lower = name.to_lowercase();
                let parts = stems(name).into_iter().map(|part| strsim::jaro_winkler(&part, &word.stem));
                (parts.fold(strsim::jaro_winkler(&lower, &word.text), f64::max), name)
            })
            .filter(|(likeness, _)| *likeness >= ALIKE)
            .collect();
        alike.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        alike.dedup_by(|a, b| a.1 == b.1);
        alike.into_iter().take(N_SUGGESTIONS).map(|(_, name)| name.clone()).collect()
    }
}
