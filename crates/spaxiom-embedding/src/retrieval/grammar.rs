//! Texts that ask for events like one: what is said of it, in which words, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Weekday;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use spaxiom_index::{Comparison, Filter};
use spaxiom_token::spoken;

use super::facts::Facts;
use super::slot::Slot;

/// Words and orders that training texts have, or that none of them has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phrasing {
    Learned,
    HeldOut,
}

/// A text, and what it asks for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) text: String,
    pub(super) slots: Vec<Slot>,
}

impl Asked {
    pub(super) fn asks_for(&self, facts: &Facts) -> bool {
        self.slots.iter().all(|slot| slot.holds(facts))
    }

    /// What a filter can say of it.
    pub(super) fn filter(&self) -> Filter {
        self.slots.iter().map(Slot::filter).fold(Filter::All, Filter::and)
    }

    pub(super) fn has_cause(&self) -> bool {
        self.slots.iter().any(|slot| matches!(slot, Slot::Cause(_)))
    }
}

/// Phrases with `{}` for what is named: those of training, and those that are held out.
struct Phrases {
    learned: &'static [&'static str],
    held_out: &'static [&'static str],
}

impl Phrases {
    fn fill(&self, phrasing: Phrasing, name: &str, rng: &mut ChaCha8Rng) -> String {
        let phrases = match phrasing {
            Phrasing::Learned => self.learned,
            Phrasing::HeldOut => self.held_out,
        };
        phrases[rng.random_range(0..phrases.len())].replace("{}", name)
    }
}

const TYPES: Phrases = Phrases { learned: &["{}", "{} events", "any {}"], held_out: &["{} incidents", "cases of {}"] };
const FAMILIES: Phrases = Phrases { learned: &["{}s", "{} events", "anything about {}s"], held_out: &["{} activity"] };
const PLACES: Phrases =
    Phrases { learned: &["in the {}", "at the {}", "near the {}"], held_out: &["inside the {}", "within the {}"] };
const ZONES: Phrases = Phrases { learned: &["in {}", "at {}"], held_out: &["near {}"] };
const CAUSES: Phrases = Phrases {
    learned: &["because of {}", "caused by {}", "while there was {}"],
    held_out: &["due to {}", "because there was {}"],
};
const PARTS: [(Phrases, [u32; 2]); 4] = [
    (Phrases { learned: &["at night"], held_out: &["during the night"] }, [22, 6]),
    (Phrases { learned: &["in the morning"], held_out: &["during the morning"] }, [6, 12]),
    (Phrases { learned: &["in the afternoon"], held_out: &["during the afternoon"] }, [12, 18]),
    (Phrases { learned: &["in the evening"], held_out: &["during the evening"] }, [18, 22]),
];
const SPANS: Phrases = Phrases { learned: &["between {}"], held_out: &["from {}"] };
const DAYS: Phrases = Phrases { learned: &["on {}s"], held_out: &["on a {}"] };
const ABOVE: Phrases = Phrases { learned: &["with {} over", "{} above"], held_out: &["{} greater than"] };
const AT_LEAST: Phrases = Phrases { learned: &["with a {} of at least"], held_out: &["with {} of no less than"] };

/// Orders of what is said, by letters: t for type, p for place, w for when, n for number; the cause, c, last, since a reason
/// reaches to the end.
const LEARNED_FRAMES: [&str; 5] =
    ["t p w n c", "find t n p w c", "show me t w p n c", "when was there t p n w c", "t n w p c"];
const HELD_OUT_FRAMES: [&str; 3] = ["find similar t p w n c", "did we ever have t w n p c", "w t n p c"];

/// Quantiles of an attribute that texts compare with.
const QUANTILES: [f64; 3] = [0.5, 0.75, 0.9];

/// Chances that a part is said.
const SAYS_TYPE: f64 = 0.85;
const SAYS_PLACE: f64 = 0.5;
const SAYS_WHEN: f64 = 0.35;
const SAYS_NUMBER: f64 = 0.25;
const SAYS_CAUSE: f64 = 0.5;

/// Chances that a type is said by its family, and a zone by what it is for.
const SAYS_FAMILY: f64 = 0.4;
const SAYS_KIND: f64 = 0.7;

/// Endings of names of attributes that are units.
const UNITS: [&str; 4] = ["_s", "_mps", "_m", "_c"];

/// What texts may name: of the events that were learned from.
#[derive(Debug, Default)]
pub(super) struct Grammar {
    /// Types by their first word, where several have it.
    families: BTreeMap<String, Vec<String>>,
    /// Zones by what they are for.
    zone_kinds: BTreeMap<String, Vec<String>>,
    /// Quantiles of every attribute.
    quantiles: BTreeMap<String, Vec<f64>>,
}

impl Grammar {
    pub(super) fn of(facts: &[Facts]) -> Self {
        let types: BTreeSet<&String> = facts.iter().map(|facts| &facts.kind).collect();
        let mut families: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for kind in types {
            let first = spoken(kind).split(' ').next().unwrap_or_default().to_owned();
            families.entry(first).or_default().push(kind.clone());
        }
        families.retain(|_, types| types.len() > 1);
        let mut zone_kinds: BTreeMap<String, BTreeSet<&String>> = BTreeMap::new();
        let mut values: BTreeMap<&String, Vec<f64>> = BTreeMap::new();
        for facts in facts {
            if let (Some(kind), Some(zone)) = (&facts.zone_kind, &facts.zone) {
                zone_kinds.entry(kind.clone()).or_default().insert(zone);
            }
            facts.numbers.iter().for_each(|(name, value)| values.entry(name).or_default().push(*value));
        }
        let quantiles = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place among the values")]
            let at = |share: f64| ((values.len() - 1) as f64 * share) as usize;
            let mut bounds = QUANTILES.map(|share| rounded(values[at(share)])).to_vec();
            bounds.dedup();
            bounds
        };
        Self {
            families,
            zone_kinds: zone_kinds
                .into_iter()
                .map(|(kind, zones)| (kind, zones.into_iter().cloned().collect()))
                .collect(),
            quantiles: values.into_iter().map(|(name, values)| (name.clone(), quantiles(values))).collect(),
        }
    }

    /// A text that asks for an event with some of these facts, and for all others like it.
    pub(super) fn ask(&self, facts: &Facts, phrasing: Phrasing, rng: &mut ChaCha8Rng) -> Asked {
        loop {
            let mut said = Said::default();
            if rng.random_bool(SAYS_TYPE) {
                self.say_type(facts, phrasing, rng, &mut said);
            }
            if rng.random_bool(SAYS_PLACE) {
                self.say_place(facts, phrasing, rng, &mut said);
            }
            if rng.random_bool(SAYS_WHEN) {
                say_when(facts, phrasing, rng, &mut said);
            }
            if rng.random_bool(SAYS_NUMBER) {
                self.say_number(facts, phrasing, rng, &mut said);
            }
            if let Some(cause) = facts.cause.as_ref().filter(|_| rng.random_bool(SAYS_CAUSE)) {
                said.words.insert('c', CAUSES.fill(phrasing, &with_spaces(cause), rng));
                said.slots.push(Slot::Cause(cause.clone()));
            }
            if !said.slots.is_empty() {
                return said.asked(phrasing, rng);
            }
        }
    }

    fn say_type(&self, facts: &Facts, phrasing: Phrasing, rng: &mut ChaCha8Rng, said: &mut Said) {
        let words = spoken(&facts.kind);
        let first = words.split(' ').next().unwrap_or_default();
        if let Some(types) = self.families.get(first).filter(|_| rng.random_bool(SAYS_FAMILY)) {
            said.words.insert('t', FAMILIES.fill(phrasing, first, rng));
            said.slots.push(Slot::Types(types.clone()));
        } else {
            said.words.insert('t', TYPES.fill(phrasing, &words, rng));
            said.slots.push(Slot::Types(vec![facts.kind.clone()]));
        }
    }

    fn say_place(&self, facts: &Facts, phrasing: Phrasing, rng: &mut ChaCha8Rng, said: &mut Said) {
        let Some(zone) = &facts.zone else { return };
        let zones = facts.zone_kind.as_ref().and_then(|kind| Some((kind, self.zone_kinds.get(kind)?)));
        if let Some((kind, zones)) = zones.filter(|_| rng.random_bool(SAYS_KIND)) {
            said.words.insert('p', PLACES.fill(phrasing, &with_spaces(kind), rng));
            said.slots.push(Slot::Zones(zones.clone()));
        } else {
            said.words.insert('p', ZONES.fill(phrasing, zone, rng));
            said.slots.push(Slot::Zones(vec![zone.clone()]));
        }
    }

    fn say_number(&self, facts: &Facts, phrasing: Phrasing, rng: &mut ChaCha8Rng, said: &mut Said) {
        if facts.numbers.is_empty() {
            return;
        }
        let (name, value) = facts.numbers.iter().nth(rng.random_range(0..facts.numbers.len())).expect("one of them");
        let Some(bounds) = self.quantiles.get(name) else { return };
        let below: Vec<f64> = bounds.iter().copied().filter(|bound| bound < value).collect();
        if below.is_empty() {
            return;
        }
        let bound = below[rng.random_range(0..below.len())];
        let is_above = rng.random_bool(0.7);
        let (phrases, comparison) =
            if is_above { (ABOVE, Comparison::Greater) } else { (AT_LEAST, Comparison::AtLeast) };
        let unit = UNITS.iter().find_map(|unit| name.strip_suffix(unit));
        let seconds = if name.ends_with("_s") { " seconds" } else { "" };
        let words = phrases.fill(phrasing, &with_spaces(unit.unwrap_or(name)), rng);
        said.words.insert('n', format!("{words} {bound}{seconds}"));
        said.slots.push(Slot::Number { name: name.clone(), comparison, bound });
    }
}

fn say_when(facts: &Facts, phrasing: Phrasing, rng: &mut ChaCha8Rng, said: &mut Said) {
    let holds = |slot: &Slot| slot.holds(facts);
    match rng.random_range(0..3) {
        0 => {
            let slot = |hours: [u32; 2]| Slot::TimeOfDay(hours.map(|hour| 60 * hour));
            let (phrases, hours) = PARTS.iter().find(|(_, hours)| holds(&slot(*hours))).expect("a part of every day");
            said.words.insert('w', phrases.fill(phrasing, "", rng));
            said.slots.push(slot(*hours));
        }
        1 => {
            let hour = facts.minute / 60;
            let from = hour.saturating_sub(rng.random_range(0..2));
            let before = (hour + rng.random_range(1..3)).min(24);
            let joint = if phrasing == Phrasing::Learned { "and" } else { "to" };
            said.words.insert('w', SPANS.fill(phrasing, &format!("{from}:00 {joint} {before}:00"), rng));
            said.slots.push(Slot::TimeOfDay([60 * from, 60 * before]));
        }
        _ => {
            let weekend = [Weekday::Sat, Weekday::Sun];
            let (words, days) = match (rng.random_bool(0.5), weekend.contains(&facts.weekday)) {
                (true, true) => ("weekend", weekend.to_vec()),
                (true, false) => ("weekday", (0..5).map(|day| Weekday::try_from(day).expect("a day")).collect()),
                (false, _) => (name_of(facts.weekday), vec![facts.weekday]),
            };
            said.words.insert('w', DAYS.fill(phrasing, words, rng));
            said.slots.push(Slot::Days(days));
        }
    }
}

/// What is said, by part.
#[derive(Default)]
struct Said {
    words: BTreeMap<char, String>,
    slots: Vec<Slot>,
}

impl Said {
    fn asked(self, phrasing: Phrasing, rng: &mut ChaCha8Rng) -> Asked {
        let Self { mut words, slots } = self;
        words.entry('t').or_insert_with(|| "anything".to_owned());
        let frames: &[&str] = match phrasing {
            Phrasing::Learned => &LEARNED_FRAMES,
            Phrasing::HeldOut => &HELD_OUT_FRAMES,
        };
        let frame = frames[rng.random_range(0..frames.len())];
        let part = |part: &str| match part {
            "t" | "p" | "w" | "n" | "c" => words.get(&part.chars().next()?).cloned(),
            word => Some(word.to_owned()),
        };
        Asked { text: frame.split(' ').filter_map(part).collect::<Vec<_>>().join(" "), slots }
    }
}

fn with_spaces(name: &str) -> String {
    name.replace(['_', '-'], " ").to_lowercase()
}

fn name_of(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "monday",
        Weekday::Tue => "tuesday",
        Weekday::Wed => "wednesday",
        Weekday::Thu => "thursday",
        Weekday::Fri => "friday",
        Weekday::Sat => "saturday",
        Weekday::Sun => "sunday",
    }
}

/// Two digits that a person would say.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let unit = 10f64.powf(value.abs().log10().floor() - 1.0);
    // Through text, so that 0.1 + 0.2 is 0.3.
    format!("{:.6}", (value / unit).round() * unit).parse().expect("a number as it was just written")
}

#[cfg(test)]
mod tests {
    use chrono::Weekday;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::{Facts, Grammar, Phrasing, rounded};

    fn facts(kind: &str, length: f64) -> Facts {
        Facts {
            site: "s".into(),
            kind: kind.into(),
            zone: Some("dock_1".into()),
            zone_kind: Some("dock".into()),
            minute: 8 * 60,
            weekday: Weekday::Mon,
            numbers: [("length".to_owned(), length)].into(),
            cause: Some("late_batch".into()),
        }
    }

    /// Whatever a text says of an event holds for it; no text of one phrasing is one of the other.
    #[test]
    fn a_text_asks_for_the_event_that_it_was_made_of() {
        let all: Vec<Facts> =
            (0..20).map(|at| facts(["QueueFormed", "QueueCleared", "DoorOpened"][at % 3], at as f64)).collect();
        let grammar = Grammar::of(&all);
        assert_eq!(grammar.families.keys().collect::<Vec<_>>(), ["queue"]);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut texts = [Vec::new(), Vec::new()];
        for n in 0..600 {
            let phrasing = if n % 2 == 0 { Phrasing::Learned } else { Phrasing::HeldOut };
            let own = &all[n % all.len()];
            let asked = grammar.ask(own, phrasing, &mut rng);
            assert!(asked.asks_for(own), "{asked:?}");
            texts[n % 2].push(asked.text);
        }
        let [learned, held_out] = texts;
        let is_bare = |text: &String| text.split(' ').count() < 4;
        let both: Vec<&String> = held_out.iter().filter(|text| learned.contains(text) && !is_bare(text)).collect();
        assert!(both.is_empty(), "{both:?}");
        assert!(learned.iter().any(|text| text.contains("late batch")));
    }

    #[test]
    fn numbers_are_those_that_a_person_would_say() {
        let of = [0.0, 7.0, 123.0, 0.3456, -47.2, 86_400.0];
        let said = of.map(|value| rounded(value).to_string());
        assert_eq!(said, ["0", "7", "120", "0.35", "-47", "86000"]);
    }
}
