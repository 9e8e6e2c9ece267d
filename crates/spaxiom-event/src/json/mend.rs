//! JSON that is nearly right: numbers that JSON or doubles cannot hold, put into words that they can.

use std::fmt::Write;

use crate::notes::{Note, NoteKind};

/// Digits from which on a whole number is outside of 64 bits.
const N_LONG_DIGITS: usize = 20;

/// A text whose bare `NaN`, `Infinity` and numbers such as `1e400` became `null`, and whose whole numbers of 20 digits or
/// more became text; none where nothing had to be done.
///
/// Nothing inside quotes is touched.
pub(crate) fn mended(text: &str) -> Option<(String, Vec<Note>)> {
    let mut out = String::with_capacity(text.len() + 16);
    let mut notes = Vec::new();
    let (mut last_text, mut key) = ("", "");
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let end = end_of_text(rest)?;
            last_text = &rest[1..end - 1];
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if is_word(first) {
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let word = &rest[..end];
            match replacement(word) {
                Some((kind, new)) => {
                    notes.push(Note::new(kind, key, word));
                    out.push_str(&new);
                }
                None => out.push_str(word),
            }
            rest = &rest[end..];
        } else {
            if first == ':' {
                key = last_text;
            }
            let _ = out.write_char(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    (!notes.is_empty()).then_some((out, notes))
}

/// Whether a text may hold a number that would be rounded: twenty digits after one another.
pub(crate) fn has_long_number(text: &str) -> bool {
    let mut n_digits = 0;
    text.bytes().any(|byte| {
        n_digits = if byte.is_ascii_digit() { n_digits + 1 } else { 0 };
        n_digits >= N_LONG_DIGITS
    })
}

fn replacement(word: &str) -> Option<(NoteKind, String)> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    if matches!(digits, "NaN" | "nan" | "Infinity" | "inf" | "Inf") {
        return Some((NoteKind::NotFinite, "null".into()));
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        let is_long = digits.len() >= N_LONG_DIGITS && word.parse::<u64>().is_err() && word.parse::<i64>().is_err();
        return is_long.then(|| (NoteKind::LongInteger, format!("\"{word}\"")));
    }
    let is_infinite = word.parse::<f64>().is_ok_and(f64::is_infinite);
    is_infinite.then(|| (NoteKind::NotFinite, "null".into()))
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.')
}

/// Behind the closing quote of the text that begins here; none where none begins or ends.
pub(crate) fn end_of_text(rest: &str) -> Option<usize> {
    let mut is_escaped = false;
    rest.strip_prefix('"')?;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::mended;

    #[test]
    fn only_bare_numbers_that_json_cannot_hold_are_replaced() {
        let check = |text: &str, want: Option<&str>| assert_eq!(mended(text).map(|(text, _)| text).as_deref(), want);
        check(r#"{"n":NaN,"s":"NaN"}"#, Some(r#"{"n":null,"s":"NaN"}"#));
        check(r#"{"n":-Infinity,"m":[1e400,2]}"#, Some(r#"{"n":null,"m":[null,2]}"#));
        check(r#"{"n":18446744073709551616}"#, Some(r#"{"n":"18446744073709551616"}"#));
        check(r#"{"n":18446744073709551615,"e":1e300,"d":0.12345678901234567890123}"#, None);
        check(r#"{"n":"open"#, None);
        assert_eq!(mended(r#"{"a":{"n":NaN}}"#).unwrap().1[0].member, "n");
    }
}
