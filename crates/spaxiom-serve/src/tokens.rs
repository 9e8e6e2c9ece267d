//! Who may ask, and what: tokens by the names of those who have them, kept as hashes.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::ServeError;

/// Bytes of a hash.
const N_BYTES: usize = 32;

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// Questions.
    Read,
    /// Events that are stored.
    Ingest,
    /// Acknowledged alerts, and labels of hits.
    Acknowledge,
}

impl Right {
    /// Every right.
    pub const ALL: [Self; 3] = [Self::Read, Self::Ingest, Self::Acknowledge];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Ingest => "ingest",
            Self::Acknowledge => "acknowledge",
        }
    }
}

/// Somebody who may ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    name: String,
    rights: Vec<Right>,
    /// None of them stands for all.
    sites: Arc<[String]>,
}

impl Asker {
    /// Somebody with these rights at these sites; without a site, at all of them.
    #[must_use]
    pub fn new(name: &str, rights: &[Right], sites: &[String]) -> Self {
        Self { name: name.to_owned(), rights: rights.to_vec(), sites: sites.into() }
    }

    /// Whoever is on this machine, where nobody needs a token.
    pub(crate) fn local() -> Self {
        Self::new("local", &Right::ALL, &[])
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a right is among those given.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }

    /// Whether a site is among those given.
    #[must_use]
    pub fn may_see(&self, site: &str) -> bool {
        self.sites.is_empty() || self.sites.iter().any(|own| own == site)
    }

    pub(crate) fn sites(&self) -> &Arc<[String]> {
        &self.sites
    }
}

/// Who may ask. A file has a section for each, `[NAME]`, with the SHA-256 of the token in hexadecimal digits,
/// its `rights` (`read` alone by default) and its `sites` (all by default).
///
/// ```
/// use spaxiom_serve::{Asker, Right, Tokens};
///
/// let ward = Asker::new("ward-3", &[Right::Read, Right::Acknowledge], &["st-mary".into()]);
/// let tokens: Tokens = Tokens::entry(&ward, "a long random text").parse()?;
/// let asker = tokens.asker("a long random text").expect("it was just made");
/// assert!(asker.may(Right::Acknowledge) && !asker.may(Right::Ingest) && !asker.may_see("st-john"));
/// assert_eq!(tokens.asker("another"), None);
/// # Ok::<(), spaxiom_serve::ServeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Tokens(Vec<([u8; N_BYTES], Asker)>);

/// One who may ask.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    sha256: String,
    /// `read` by default.
    #[serde(default = "read")]
    rights: Vec<Right>,
    /// All by default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sites: Vec<String>,
}

fn read() -> Vec<Right> {
    vec![Right::Read]
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
    pub fn entry(asker: &Asker, token: &str) -> String {
        let sha256 = hash(token).iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        });
        let entry = Entry { sha256, rights: asker.rights.clone(), sites: asker.sites.to_vec() };
        let file = BTreeMap::from([(asker.name.as_str(), entry)]);
        toml::to_string(&file).expect("a section of texts is TOML")
    }

    /// Whose token it is. Every hash is compared to its end, so that the time tells nothing.
    #[must_use]
    pub fn asker(&self, token: &str) -> Option<&Asker> {
        let asked = hash(token);
        let mut found = None;
        for (known, asker) in &self.0 {
            let difference = known.iter().zip(&asked).fold(0, |sum, (a, b)| sum | (a ^ b));
            if std::hint::black_box(difference) == 0 {
                found = Some(asker);
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
        let of = |(name, Entry { sha256, rights, sites }): (String, Entry)| {
            let bytes = bytes(&sha256).ok_or_else(|| wrong(format!("`{name}` has no SHA-256 of 64 digits")))?;
            Ok((bytes, Asker::new(&name, &rights, &sites)))
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
    use super::{Asker, Right, Tokens};

    #[test]
    fn a_file_without_a_token_is_refused() {
        for wrong in ["", "[a]\n", "[a]\nsha256 = \"12\"\n", "[a]\nsha256 = \"xx\"\nrights = [\"own\"]\n", "a"] {
            assert!(wrong.parse::<Tokens>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn everybody_has_what_the_file_says_and_reads_where_it_says_nothing() {
        let of = |name, rights: &[Right], sites: &[&str]| {
            Asker::new(name, rights, &sites.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let askers = [of("one", &[Right::Ingest], &["site-1"]), of("two", &[Right::Read, Right::Acknowledge], &[])];
        let file = Tokens::entry(&askers[0], "1") + &Tokens::entry(&askers[1], "2");
        let tokens: Tokens = file.parse().unwrap();
        assert_eq!(
            (tokens.asker("1"), tokens.asker("2"), tokens.asker("")),
            (Some(&askers[0]), Some(&askers[1]), None)
        );
        assert!(!file.contains("\"1\""));
        let bare = file.lines().take(2).collect::<Vec<_>>().join("\n");
        let tokens: Tokens = bare.parse().unwrap();
        assert_eq!(tokens.asker("1"), Some(&of("one", &[Right::Read], &[])));
    }
}
