//! Names that a person takes for one: other case, blanks, accents written otherwise, characters without width.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The names of each group that look alike, with how often they came.
pub(super) fn groups(names: &BTreeMap<String, u64>) -> Vec<Vec<(&str, u64)>> {
    let mut groups: BTreeMap<String, Vec<(&str, u64)>> = BTreeMap::new();
    for (name, n) in names {
        groups.entry(skeleton(name)).or_default().push((name, *n));
    }
    groups.into_values().filter(|names| names.len() > 1).collect()
}

/// What is left of a name when nothing is looked at that a person overlooks.
fn skeleton(name: &str) -> String {
    let seen = name.nfc().filter(|c| !c.is_whitespace() && !c.is_control() && !has_no_width(*c));
    seen.flat_map(char::to_lowercase).collect()
}

/// Zero-width characters, marks of direction, soft hyphens.
fn has_no_width(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Text with everything escaped that cannot be seen.
pub(super) trait Escaped {
    fn escape_unicode_marks(&self) -> String;
}

impl Escaped for str {
    fn escape_unicode_marks(&self) -> String {
        let mut text = String::new();
        for c in self.chars() {
            if has_no_width(c) || is_combining_mark(c) || c.is_control() {
                text.extend(c.escape_unicode());
            } else {
                text.push(c);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::groups;

    #[test]
    fn names_of_one_look_are_a_group() {
        let names = [
            "\u{e9}t\u{e9}",
            "e\u{301}te\u{301}",
            "kitchen",
            "kitchen ",
            "kit\u{200b}chen",
            "Kitchen",
            "bath",
            "bath_2",
        ];
        let counts: BTreeMap<String, u64> = names.iter().map(|name| ((*name).to_owned(), 1)).collect();
        let mut sizes: Vec<usize> = groups(&counts).iter().map(Vec::len).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [2, 4]);
    }
}
