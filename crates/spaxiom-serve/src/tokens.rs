//! Who may ask: tokens by the names of those who have them, kept as hashes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::error::ServeError;

/// Bytes of a hash.
const N_BYTES: usize = 32;

/// Who may ask. A file has a section for each, `[NAME]`, with the SHA-256 of the token in hexadecimal digits.
///
/// ```
/// use spaxiom_serve::Tokens;
///
/// let tokens: Tokens = Tokens::entry("dashboard", "a long random text").parse()?;
/// assert_eq!(tokens.name_of("a long random text"), Some("dashboard"));
/// assert_eq!(tokens.name_of("another"), None);
/// # Ok::<(), spaxiom_serve::ServeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tokens(Vec<(String, [u8; N_BYTES])>);

/// One who may ask.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    sha256: String,
}

impl Tokens {
    /// Reads a file.
    ///
    /// # Errors
    /// [`ServeError::Tokens`] for a file without a token, or that is none.
    pub fn load(path: &Path) -> Result<Self, ServeError> {
        fs_err::read_to_string(path)?.parse()
    }

    /// The lines of a file for one who may ask; the token itself is in no file.
    #[must_use]
    pub fn entry(name: &str, token: &str) -> String {
        let digits = hash(token).iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        });
        format!("[{name}]\nsha256 = \"{digits}\"\n")
    }

    /// Whose token it is. Every hash is compared to its end, so that the time tells nothing.
    #[must_use]
    pub fn name_of(&self, token: &str) -> Option<&str> {
        let asked = hash(token);
        let mut found = None;
        for (name, known) in &self.0 {
            let difference = known.iter().zip(&asked).fold(0, |sum, (a, b)| sum | (a ^ b));
            if std::hint::black_box(difference) == 0 {
                found = Some(name.as_str());
            }
        }
        found
    }
}

impl std::str::FromStr for Tokens {
    type Err = ServeError;

    fn from_str(text: &str) -> Result<Self, ServeError> {
        let wrong = |what: String| ServeError::Tokens { what };
        let entries: BTreeMap<String, Entry> =
            toml::from_str(text).map_err(|error| wrong(error.message().to_owned()))?;
        if entries.is_empty() {
            return Err(wrong("it has none".into()));
        }
        let of = |(name, entry): (String, Entry)| {
            let bytes = bytes(&entry.sha256).ok_or_else(|| wrong(format!("`{name}` has no SHA-256 of 64 digits")))?;
            Ok((name, bytes))
        };
        Ok(Self(entries.into_iter().map(of).collect::<Result<_, ServeError>>()?))
    }
}

fn hash(token: &str) -> [u8; N_BYTES] {
    Sha256::digest(token.as_bytes()).into()
}

fn bytes(digits: &str) -> Option<[u8; N_BYTES]> {
    if digits.len() != 2 * N_BYTES || !digits.is_ascii() {
        return None;
    }
    let mut bytes = [0; N_BYTES];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::Tokens;

    #[test]
    fn a_file_without_a_token_is_refused() {
        for wrong in ["", "[a]\n", "[a]\nsha256 = \"12\"\n", "[a]\nsha256 = \"xx\"\nrights = 1\n", "a"] {
            assert!(wrong.parse::<Tokens>().is_err(), "{wrong}");
        }
        let both = Tokens::entry("one", "1") + &Tokens::entry("two", "2");
        let tokens: Tokens = both.parse().unwrap();
        assert_eq!((tokens.name_of("1"), tokens.name_of("2"), tokens.name_of("")), (Some("one"), Some("two"), None));
        assert!(!both.contains("\"1\""));
    }
}
