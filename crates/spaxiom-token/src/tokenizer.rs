//! The tokenizer: an ordered list of fields, and its artefact `tokenizer.json`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use spaxiom_event::{Event, EventSequence};
use xxhash_rust::xxh64::xxh64;

use crate::error::TokenError;
use crate::field::{Coding, Field};
use crate::sequence::TokenSequence;
use crate::special::UNK;

/// The format of `tokenizer.json` that this build writes and reads.
pub const FORMAT: u32 = 1;

/// How many known words an error message lists.
const N_LISTED: usize = 12;

/// Turns events into rows of token ids, one id per field.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokenizer {
    format: u32,
    fields: Vec<Field>,
}

impl Tokenizer {
    pub(crate) fn from_fields(fields: Vec<Field>) -> Self {
        Self { format: FORMAT, fields }
    }

    /// The fields, in the order of a row.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// How many ids each field uses, in the order of a row.
    #[must_use]
    pub fn field_sizes(&self) -> Vec<usize> {
        self.fields.iter().map(|field| field.n_tokens() as usize).collect()
    }

    /// One row of ids per event.
    #[must_use]
    pub fn tokenize(&self, sequence: &EventSequence) -> TokenSequence {
        let mut tokens = TokenSequence::new(self.fields.len());
        let mut previous = None;
        for event in sequence.events() {
            tokens.push(self.encode(event, previous));
            previous = Some(event.time);
        }
        tokens
    }

    /// The row of one event; `previous` is the time of the event before it, as in a stream.
    pub fn encode(&self, event: &Event, previous: Option<DateTime<Utc>>) -> impl Iterator<Item = u32> {
        self.fields.iter().map(move |field| field.encode(event, previous))
    }

    /// Fails when the event's type or zone was never seen in training, and lists what was.
    pub fn require_known(&self, event: &Event) -> Result<(), TokenError> {
        for field in &self.fields {
            let (Coding::Type { words } | Coding::Zone { words }) = &field.coding else { continue };
            if field.encode(event, None) == UNK {
                let got = match field.coding {
                    Coding::Type { .. } => event.kind.to_string(),
                    _ => event.zone.as_ref().map(ToString::to_string).unwrap_or_default(),
                };
                return Err(TokenError::Unknown { field: field.name.clone(), got, known: listed(words) });
            }
        }
        Ok(())
    }

    /// The artefact: readable, ordered, the same bytes for the same tokenizer.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a tokenizer has string keys and finite numbers only")
    }

    /// Reads the artefact.
    ///
    /// # Errors
    /// [`TokenError::Format`] for another format number, [`TokenError::Json`] for anything that is no tokenizer.
    pub fn from_json(text: &str) -> Result<Self, TokenError> {
        #[derive(Deserialize)]
        struct Header {
            format: u32,
        }
        let Header { format } = serde_json::from_str(text)?;
        if format != FORMAT {
            return Err(TokenError::Format { found: format, want: FORMAT });
        }
        Ok(serde_json::from_str(text)?)
    }

    /// A short hash of the artefact; two tokenizers with one fingerprint give the same ids.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", xxh64(self.to_json().as_bytes(), 0))
    }
}

fn listed(words: &[String]) -> String {
    let more = if words.len() > N_LISTED { ", ..." } else { "" };
    format!("{}{more}", words[..words.len().min(N_LISTED)].join(", "))
}
