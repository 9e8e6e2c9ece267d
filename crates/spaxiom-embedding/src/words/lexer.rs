//! Words of a text and of names, as they are compared.

use std::ops::Range;

/// Endings that make no other word of a stem, the longest first, and the letters that a stem keeps at least: `arrival` and
/// `departure` are forms of verbs, `measure` and `station` are not.
const ENDINGS: [(&str, usize); 11] = [
    ("ings", 3),
    ("ures", 5),
    ("ions", 5),
    ("ing", 3),
    ("als", 5),
    ("ure", 5),
    ("ion", 5),
    ("ed", 3),
    ("al", 5),
    ("es", 3),
    ("s", 3),
];

/// Letters that a stem keeps at least where an `e` is taken off.
const LEAST_STEM: usize = 3;

/// Words that mean a word of a name.
const SYNONYMS: [(&str, &str); 17] = [
    ("toilet", "bathroom"),
    ("restroom", "bathroom"),
    ("washroom", "bathroom"),
    ("wc", "bathroom"),
    ("corridor", "hall"),
    ("hallway", "hall"),
    ("fell", "fall"),
    ("fallen", "fall"),
    ("shut", "closed"),
    ("line", "queue"),
    ("walked", "walking"),
    ("unsteady", "instability"),
    ("unstable", "instability"),
    ("crowded", "crowding"),
    ("nurse", "staff"),
    ("left", "exited"),
    ("leaving", "exited"),
];

/// Words before a place.
pub(super) const PREPOSITIONS: [&str; 9] = ["in", "at", "inside", "from", "near", "within", "of", "on", "to"];

/// Words that leave out what comes behind them.
const NEGATIONS: [&str; 6] = ["not", "except", "excluding", "without", "outside", "but"];

/// A word of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    /// In lower case.
    pub(super) text: String,
    pub(super) stem: String,
    /// Stems of its parts, where it is a name: `QueueFormed`, `dock_2`.
    pub(super) parts: Vec<String>,
    /// Bytes of the text.
    pub(super) at: Range<usize>,
    /// Whether it was understood.
    pub(super) is_read: bool,
}

/// The words of a text: letters and digits, with `:`, `.`, `-` and `_` between them.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let is_inside = c.is_alphanumeric() || (start.is_some() && ":.-_".contains(c));
        match (start, is_inside) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                let end = from + text[from..at].trim_end_matches([':', '.', '-', '_']).len();
                let lower = text[from..end].to_lowercase();
                let parts = stems(&text[from..end]);
                words.push(Word { stem: stem(&lower), text: lower, parts, at: from..end, is_read: false });
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// The word that leaves out what begins here, with nothing but a preposition or an article between.
pub(super) fn negation(words: &[Word], at: usize) -> Option<usize> {
    let is_between =
        |word: &Word| PREPOSITIONS.contains(&word.text.as_str()) || ["the", "a", "any"].contains(&&*word.text);
    let place = (0..at).rev().find(|place| !is_between(&words[*place]))?;
    (NEGATIONS.contains(&words[place].text.as_str()) && !words[place].is_read).then_some(place)
}

/// The part of a word that its forms have in common: `closed`, `closes` and `close` have one.
pub(super) fn stem(word: &str) -> String {
    let word = SYNONYMS.iter().find(|(other, _)| *other == word).map_or(word, |(_, word)| word);
    let fits = |(ending, least): &&(&str, usize)| word.strip_suffix(ending).is_some_and(|rest| rest.len() >= *least);
    let ending = ENDINGS.iter().find(fits).map(|(ending, _)| ending);
    let rest = ending.map_or(word, |ending| &word[..word.len() - ending.len()]);
    let rest = rest.strip_suffix('e').filter(|rest| rest.len() >= LEAST_STEM).unwrap_or(rest);
    let mut letters = rest.chars().rev();
    // `stopped` is a form of `stop`.
    let is_doubled = ending.is_some()
        && matches!((letters.next(), letters.next()), (Some(a), Some(b)) if a == b && !"ls".contains(a));
    if is_doubled { rest[..rest.len() - 1].to_owned() } else { rest.to_owned() }
}

/// The stems of a name: `QueueFormed` and `queue_formed` have two.
pub(super) fn stems(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut is_new, mut was_lower, mut was_digit) = (true, false, false);
    for c in name.chars() {
        if !c.is_alphanumeric() {
            is_new = true;
            continue;
        }
        let is_digit = c.is_ascii_digit();
        if is_new || (c.is_uppercase() && was_lower) || (is_digit != was_digit) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        (is_new, was_lower, was_digit) = (false, c.is_lowercase(), is_digit);
    }
    words.iter().map(|word| stem(word)).collect()
}

#[cfg(test)]
mod tests {
    use super::{stem, stems, words};

    #[test]
    fn forms_of_a_word_have_one_stem() {
        let same = [
            ["closed", "closes", "close", "closing"],
            ["queue", "queues", "queued", "queue"],
            ["stopped", "stops", "stop", "stopping"],
            ["entered", "enters", "enter", "entering"],
            ["arrived", "arrivals", "arriving", "arrival"],
            ["departed", "departure", "departures", "departs"],
            ["measure", "measured", "measures", "measuring"],
            ["toilet", "bathroom", "bathrooms", "wc"],
        ];
        for forms in same {
            assert!(forms.iter().all(|form| stem(form) == stem(forms[0])), "{forms:?}");
        }
        assert_ne!(stem("hall"), stem("hal"));
    }

    #[test]
    fn names_are_cut_at_signs_capitals_and_digits() {
        assert_eq!(stems("DoorOpened"), ["door", "open"]);
        assert_eq!(stems("loading_dock-2"), ["load", "dock", "2"]);
        assert_eq!(stems("zone-03"), ["zon", "03"]);
    }

    #[test]
    fn words_keep_their_place() {
        let text = "After 7:30, in dock_2!";
        let found: Vec<&str> = words(text).into_iter().map(|word| &text[word.at]).collect();
        assert_eq!(found, ["After", "7:30", "in", "dock_2"]);
    }
}
