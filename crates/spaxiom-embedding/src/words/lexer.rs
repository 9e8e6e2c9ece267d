//! Words of a text and of names, as they are compared.

use std::ops::Range;

/// Endings that make no other word of a stem, the longest first, and the letters that a stem keeps at least: `arrival` and
/// `departure` are forms of verbs, `measure` and `station` are not.
const ENDINGS: [(&str, usize); 12] = [
    ("ness", 5),
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
const SYNONYMS: [(&str, &str); 26] = [
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
    ("crammed", "crowding"),
    ("packed", "crowding"),
    ("nurse", "staff"),
    ("lorry", "truck"),
    ("lorries", "truck"),
    ("tumbled", "fall"),
    ("collapsed", "fall"),
    ("stood", "standing"),
    ("wobbly", "instability"),
    ("staggering", "instability"),
    ("shuffling", "slow"),
    ("cleaned", "cleared"),
];

/// Words and phrases that mean one of several words of names, whichever a store has.
const PHRASES: [(&[&str], &[&str]); 28] = [
    (&["left", "open"], &["opened"]),
    (&["kept", "open"], &["opened"]),
    (&["left"], &["exit", "departed"]),
    (&["leave"], &["exit", "departed"]),
    (&["leaves"], &["exit", "departed"]),
    (&["leaving"], &["exit", "departed"]),
    (&["got", "out", "of"], &["exit"]),
    (&["get", "out", "of"], &["exit"]),
    (&["gets", "out", "of"], &["exit"]),
    (&["getting", "out", "of"], &["exit"]),
    (&["went", "out"], &["exit"]),
    (&["got", "up"], &["exit"]),
    (&["gets", "up"], &["exit"]),
    (&["came", "in"], &["arrived", "entered"]),
    (&["come", "in"], &["arrived", "entered"]),
    (&["comes", "in"], &["arrived", "entered"]),
    (&["coming", "in"], &["arrived", "entered"]),
    (&["went", "in"], &["entered"]),
    (&["got", "into"], &["entered"]),
    (&["get", "into"], &["entered"]),
    (&["gets", "into"], &["entered"]),
    (&["getting", "into"], &["entered"]),
    (&["got", "back", "into"], &["entered"]),
    (&["gets", "back", "into"], &["entered"]),
    (&["getting", "back", "into"], &["entered"]),
    (&["back", "into"], &["entered"]),
    (&["went", "to"], &["entered"]),
    (&["going", "to"], &["entered"]),
];

/// Words that begin the reason of something, up to a comma: what they name is no condition of what is looked for.
pub(super) const REASONS: [&str; 5] = ["because", "while", "caused", "due", "whilst"];

/// Words before a place.
pub(super) const PREPOSITIONS: [&str; 9] = ["in", "at", "inside", "from", "near", "within", "of", "on", "to"];

/// Words that leave out what comes behind them.
const NEGATIONS: [&str; 10] =
    ["not", "except", "excluding", "without", "outside", "but", "other", "isn", "aren", "wasn"];

/// Words that may stand between such a word and what is left out.
const BEHIND_NEGATIONS: [&str; 7] = ["the", "a", "an", "any", "counting", "than", "t"];

/// Words behind which `but` leaves out; elsewhere it joins: `after monday but before friday`.
const ALL: [&str; 7] = ["everything", "everywhere", "anything", "anywhere", "all", "any", "nothing"];

/// A word of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    /// In lower case.
    pub(super) text: String,
    pub(super) stem: String,
    /// Stems that it means too, alone or with the words behind it, which have no text then.
    pub(super) also: Vec<String>,
    /// Stems of its parts, where it is a name: `QueueFormed`, `dock_2`.
    pub(super) parts: Vec<String>,
    /// Bytes of the text.
    pub(super) at: Range<usize>,
    /// Whether it was understood.
    pub(super) is_read: bool,
    /// Whether it tells a reason, and names nothing that is looked for.
    pub(super) is_reason: bool,
}

impl Word {
    /// Whether it means a word of a name, given by its stem.
    pub(super) fn means(&self, stem: &str) -> bool {
        self.stem == stem || self.also.iter().any(|own| own == stem)
    }
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
                let stem = stems(&lower).pop().filter(|stem| is_number(stem)).unwrap_or_else(|| stem(&lower));
                let at = from..end;
                words.push(Word { stem, also: Vec::new(), text: lower, parts, at, is_read: false, is_reason: false });
                start = None;
            }
            _ => {}
        }
    }
    join_phrases(&mut words);
    mark_reasons(text, &mut words);
    words
}

/// A whole number in digits or as a word.
pub(super) fn count(word: &str) -> Option<u32> {
    word.parse().ok().or_else(|| number_word(word))
}

/// A whole number as a word.
pub(super) fn number_word(word: &str) -> Option<u32> {
    const WORDS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    WORDS.iter().position(|own| *own == word).and_then(|at| u32::try_from(at + 1).ok())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The first word of a phrase gets its meanings, the others no text.
fn join_phrases(words: &mut [Word]) {
    for at in 0..words.len() {
        let stands = |phrase: &[&str]| {
            phrase.iter().enumerate().all(|(n, want)| words.get(at + n).is_some_and(|word| word.text == *want))
        };
        let longest = PHRASES.iter().filter(|(phrase, _)| stands(phrase)).max_by_key(|(phrase, _)| phrase.len());
        let Some((phrase, meanings)) = longest else { continue };
        words[at].also = meanings.iter().map(|meaning| stem(meaning)).collect();
        for word in &mut words[at + 1..at + phrase.len()] {
            (word.text, word.stem, word.parts) = (String::new(), String::new(), Vec::new());
        }
    }
}

fn mark_reasons(text: &str, words: &mut [Word]) {
    let mut is_reason = false;
    for at in 0..words.len() {
        let is_apart = at > 0 && text[words[at - 1].at.end..words[at].at.start].contains([',', ';', '.', '?']);
        is_reason = (is_reason && !is_apart) || REASONS.contains(&words[at].text.as_str());
        words[at].is_reason = is_reason;
    }
}

/// The word that leaves out what begins here, with nothing but a preposition or an article between.
pub(super) fn negation(words: &[Word], at: usize) -> Option<usize> {
    let text = |place: usize| words.get(place).map_or("", |word| word.text.as_str());
    let is_between = |place: &usize| PREPOSITIONS.contains(&text(*place)) || BEHIND_NEGATIONS.contains(&text(*place));
    let place = (0..at).rev().find(|place| !is_between(place))?;
    let is_one = match text(place) {
        "but" => place > 0 && ALL.contains(&text(place - 1)),
        "other" => text(place + 1) == "than",
        word => NEGATIONS.contains(&word),
    };
    (is_one && !words[place].is_read).then_some(place)
}

/// The part of a word that its forms have in common: `closed`, `closes` and `close` have one.
pub(super) fn stem(word: &str) -> String {
    let word = SYNONYMS.iter().find(|(other, _)| *other == word).map_or(word, |(_, word)| word);
    // `entries` are forms of `entry`.
    if let Some(rest) = word.strip_suffix("ies").or_else(|| word.strip_suffix("ied")).filter(|rest| rest.len() >= 3) {
        return format!("{rest}y");
    }
    // The last letters of `restless` are no ending.
    let is_whole = |ending: &str| ["s", "es"].contains(&ending) && word.ends_with("ss");
    let fits = |(ending, least): &&(&str, usize)| {
        word.strip_suffix(ending).is_some_and(|rest| rest.len() >= *least && !is_whole(ending))
    };
    let ending = ENDINGS.iter().find(fits).map(|(ending, _)| ending);
    let rest = ending.map_or(word, |ending| &word[..word.len() - ending.len()]);
    let rest = rest.strip_suffix('e').filter(|rest| rest.len() >= LEAST_STEM).unwrap_or(rest);
    let mut letters = rest.chars().rev();
    // `stopped` is a form of `stop`.
    let is_doubled = ending.is_some()
        && matches!((letters.next(), letters.next()), (Some(a), Some(b)) if a == b && !"ls".contains(a));
    match rest.chars().next_back().filter(|_| is_doubled) {
        Some(last) => rest[..rest.len() - last.len_utf8()].to_owned(),
        None => rest.to_owned(),
    }
}

/// The stems of a name: `QueueFormed` and `queue_formed` have two; numbers have no zeros in front.
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
    let number = |word: &str| {
        let digits = word.trim_start_matches('0');
        if digits.is_empty() { "0".to_owned() } else { digits.to_owned() }
    };
    words.iter().map(|word| if is_number(word) { number(word) } else { stem(word) }).collect()
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
            ["entry", "entries", "entry", "entries"],
            ["restless", "restlessness", "restless", "restless"],
        ];
        for forms in same {
            assert!(forms.iter().all(|form| stem(form) == stem(forms[0])), "{forms:?}");
        }
        assert_ne!(stem("hall"), stem("hal"));
        assert_eq!(stem("\u{2c65}\u{2c65}\u{2c65}es"), "\u{2c65}\u{2c65}");
    }

    #[test]
    fn names_are_cut_at_signs_capitals_and_digits() {
        assert_eq!(stems("DoorOpened"), ["door", "open"]);
        assert_eq!(stems("loading_dock-2"), ["load", "dock", "2"]);
        assert_eq!(stems("zone-03"), ["zon", "3"]);
        assert_eq!(stems("warehouse-00"), ["warehous", "0"]);
    }

    #[test]
    fn a_phrase_means_what_a_store_calls_it() {
        let found = words("who got out of bed");
        assert!(found[1].means(&stem("exit")) && found[2].text.is_empty() && found[4].text == "bed");
        assert!(words("trucks leaving")[1].means(&stem("departed")));
    }

    #[test]
    fn a_reason_reaches_to_the_comma() {
        let reasons: Vec<bool> = words("queues because of doors, at night").iter().map(|word| word.is_reason).collect();
        assert_eq!(reasons, [false, true, true, true, false, false]);
    }

    #[test]
    fn words_keep_their_place() {
        let text = "After 7:30, in dock_2!";
        let found: Vec<&str> = words(text).into_iter().map(|word| &text[word.at]).collect();
        assert_eq!(found, ["After", "7:30", "in", "dock_2"]);
    }
}
