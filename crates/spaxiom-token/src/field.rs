//! Fields: what of an event, or of a time bin, becomes a token, and how.

use compact_str::{CompactString, format_compact};
use serde::{Deserialize, Serialize};
use spaxiom_event::AttrValue;

use crate::spatial::CellOptions;
use crate::special::{FIRST, NAMES};
use crate::vocabulary::WordList;

/// One field of an event with its own small vocabulary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// `type`, `zone`, `what`, `kind`, `near`, `cell_0.5m`, `hour`, `day`, `gap`, `attr:` and an attribute's name,
    /// or `count:` and a type's name.
    pub name: String,
    /// How its values become ids.
    pub coding: Coding,
}

/// How the values of a field become token ids.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Coding {
    /// The event's type.
    Type(WordList),
    /// The event's zone.
    Zone(WordList),
    /// The event's type and zone together, a word each: `DoorOpened@hall`.
    What(WordList),
    /// What the event's zone is for, as the site map says.
    Kind(WordList),
    /// What the neighbors of the event's zone are for.
    Near(WordList),
    /// The cell of the event's position, hashed.
    Cell(CellOptions),
    /// Hour of the site's local day, or of its week from Monday 00:00 on.
    Hour {
        /// 24 or 168.
        n_hours: u32,
    },
    /// Day of the site's local week, from Monday on.
    Day,
    /// Time since the previous event of the sequence, or since the previous bin.
    Gap {
        /// Bucket `i` holds gaps from `edges_secs[i - 1]` to below `edges_secs[i]`.
        edges_secs: Vec<f64>,
    },
    /// A numeric attribute.
    Number {
        /// The attribute.
        attribute: String,
        /// Bin `i` holds values from `edges[i - 1]` to below `edges[i]`.
        edges: Vec<f64>,
    },
    /// An attribute of words or flags.
    Word(WordAttribute),
    /// How many events of a type a time bin has.
    Count {
        /// The type; none for all types without a field of their own.
        #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        /// Bucket `i` holds numbers from `edges[i - 1]` to below `edges[i]`.
        edges: Vec<f64>,
    },
}

/// The words of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WordAttributeFile", into = "WordAttributeFile")]
pub struct WordAttribute {
    /// The attribute.
    pub attribute: String,
    /// Its words.
    pub list: WordList,
}

/// As it is written: the list stands beside the name, as of every other field.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct WordAttributeFile {
    attribute: String,
    words: Vec<String>,
    #[serde(default)]
    unknown_slots: u32,
}

impl From<WordAttributeFile> for WordAttribute {
    fn from(file: WordAttributeFile) -> Self {
        Self { attribute: file.attribute, list: WordList::new(file.words, file.unknown_slots) }
    }
}

impl From<WordAttribute> for WordAttributeFile {
    fn from(WordAttribute { attribute, list }: WordAttribute) -> Self {
        Self { attribute, words: list.words().to_vec(), unknown_slots: list.n_slots() }
    }
}

impl Field {
    /// How many ids the field uses, special ones included.
    #[must_use]
    pub fn n_tokens(&self) -> u32 {
        let n_own = match &self.coding {
            Coding::Cell(cells) => cells.n_buckets,
            Coding::Hour { n_hours } => *n_hours,
            Coding::Day => 7,
            Coding::Gap { edges_secs: edges } | Coding::Number { edges, .. } | Coding::Count { edges, .. } => {
                n(edges) + 1
            }
            _ => self.words().map_or(0, WordList::n_own),
        };
        FIRST + n_own
    }

    /// The words of a field of words.
    #[must_use]
    pub fn words(&self) -> Option<&WordList> {
        match &self.coding {
            Coding::Type(list) | Coding::Zone(list) | Coding::What(list) | Coding::Kind(list) | Coding::Near(list) => {
                Some(list)
            }
            Coding::Word(word) => Some(&word.list),
            _ => None,
        }
    }

    /// Whether the id stands for a value that training never showed.
    #[must_use]
    pub fn is_unknown(&self, id: u32) -> bool {
        match self.words() {
            Some(list) => list.is_unknown(id),
            None => id == crate::special::UNK,
        }
    }

    /// The token as a person reads it: `type:QueueFormed`, `length:bin_2`, `hour:10`.
    ///
    /// # Panics
    /// Where the field has no such id.
    #[must_use]
    pub fn describe(&self, id: u32) -> String {
        let name = self.name.trim_start_matches("attr:");
        let Some(own) = id.checked_sub(FIRST) else { return format!("{name}:{}", NAMES[id as usize]) };
        assert!(id < self.n_tokens(), "the field `{name}` has {} ids, not {id}", self.n_tokens());
        match (&self.coding, self.words()) {
            (_, Some(list)) => format!("{name}:{}", list.describe(own)),
            (Coding::Cell(_), _) => format!("{name}:bucket_{own}"),
            (Coding::Hour { .. } | Coding::Day, _) => format!("{name}:{own}"),
            _ => format!("{name}:bin_{own}"),
        }
    }
}

/// The word of a type and a zone together; a type alone where an event has no zone.
pub(crate) fn what(kind: &str, zone: Option<&str>) -> CompactString {
    zone.map_or_else(|| kind.into(), |zone| format_compact!("{kind}@{zone}"))
}

/// The word that an attribute value is, or none for numbers.
pub(crate) fn word_of(value: &AttrValue) -> Option<&str> {
    match value {
        AttrValue::Number(_) => None,
        AttrValue::Flag(true) => Some("true"),
        AttrValue::Flag(false) => Some("false"),
        AttrValue::Text(text) => Some(text),
    }
}

fn n<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).expect("a vocabulary has fewer than 2^32 entries")
}
