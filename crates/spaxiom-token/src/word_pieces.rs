//! Texts that ask for events, and their word pieces.

use std::collections::BTreeSet;
use std::str::FromStr;

use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainerBuilder};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{AddedToken, ModelWrapper, NormalizedString, Normalizer};

use crate::error::TokenError;
use crate::field::{Coding, Field};
use crate::tokenizer::Tokenizer;
use crate::vocabulary::WordList;

/// Pieces with a meaning of their own, in the order of their ids.
const SPECIAL: [&str; 3] = ["[PAD]", "[UNK]", "[CLS]"];

/// When, as a person says it.
const PARTS_OF_DAY: [&str; 4] = ["at night", "in the morning", "in the afternoon", "in the evening"];

/// `WordPiece` tokens of texts (Schuster and Nakajima 2012): a word that training never had is read piece by piece.
///
/// ```
/// use spaxiom_token::WordPieces;
///
/// let pieces = WordPieces::train(["queue formed at the dock", "queues at the docks in the morning"], 64)?;
/// let ids = pieces.encode("Queues forming", 16)?;
/// assert_eq!(ids[0], WordPieces::CLS);
/// assert_eq!(pieces.encode("queues FORMING", 16)?, ids);
/// # Ok::<(), spaxiom_token::TokenError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WordPieces(tokenizers::Tokenizer);

impl WordPieces {
    /// Stands where a text has ended.
    pub const PAD: u32 = 0;
    /// Stands before every text.
    pub const CLS: u32 = 2;

    /// Learns about `n_pieces` pieces, the same ones for the same texts; letters become small ones without accents.
    ///
    /// # Errors
    /// [`TokenError::Pieces`] where the texts have no letter.
    pub fn train<'a>(texts: impl IntoIterator<Item = &'a str>, n_pieces: usize) -> Result<Self, TokenError> {
        let texts: Vec<&str> = texts.into_iter().collect();
        let special = SPECIAL.map(String::from).into_iter().chain(continuing_letters(&texts)?);
        let mut trainer = WordPieceTrainerBuilder::new()
            .vocab_size(n_pieces)
            .min_frequency(1)
            .show_progress(false)
            .special_tokens(special.map(|piece| AddedToken::from(piece, true)).collect())
            .build();
        let mut untrained = tokenizers::TokenizerImpl::<
            WordPiece,
            BertNormalizer,
            BertPreTokenizer,
            tokenizers::processors::bert::BertProcessing,
            tokenizers::decoders::wordpiece::WordPiece,
        >::new(WordPiece::default());
        untrained.with_normalizer(Some(BertNormalizer::default())).with_pre_tokenizer(Some(BertPreTokenizer));
        untrained.train(&mut trainer, texts.into_iter()).map_err(TokenError::Pieces)?;
        let model: ModelWrapper = untrained.get_model().clone().into();
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        tokenizer.with_normalizer(Some(BertNormalizer::default())).with_pre_tokenizer(Some(BertPreTokenizer));
        Ok(Self(tokenizer))
    }

    /// Number of pieces, special ones included: ids are below it.
    #[must_use]
    pub fn n_pieces(&self) -> usize {
        self.0.get_vocab_size(true)
    }

    /// The pieces of a text, `[CLS]` first; at most `max_len` of them.
    ///
    /// # Errors
    /// [`TokenError::Pieces`] for an artifact whose vocabulary lacks `[UNK]`.
    pub fn encode(&self, text: &str, max_len: usize) -> Result<Vec<u32>, TokenError> {
        let encoding = self.0.encode_fast(text, false).map_err(TokenError::Pieces)?;
        let mut ids = vec![Self::CLS];
        ids.extend_from_slice(encoding.get_ids());
        ids.truncate(max_len);
        Ok(ids)
    }

    /// The artifact, which every program of the `tokenizers` family reads.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.0.to_string(true).expect("a vocabulary is plain data")
    }

    /// Reads the artifact.
    ///
    /// # Errors
    /// [`TokenError::Pieces`] for anything else.
    pub fn from_json(text: &str) -> Result<Self, TokenError> {
        tokenizers::Tokenizer::from_str(text).map(Self).map_err(TokenError::Pieces)
    }
}

/// Letters as they stand inside of words, in order. The trainer would give them ids in the order of a hash map with random keys,
/// and ties between pieces are broken by ids.
fn continuing_letters(texts: &[&str]) -> Result<impl Iterator<Item = String> + use<>, TokenError> {
    let mut letters = BTreeSet::new();
    for text in texts {
        let mut text = NormalizedString::from(*text);
        BertNormalizer::default().normalize(&mut text).map_err(TokenError::Pieces)?;
        letters.extend(text.get().chars().filter(|letter| !letter.is_whitespace()));
    }
    Ok(letters.into_iter().map(|letter| format!("##{letter}")))
}

impl Tokenizer {
    /// Texts that a person might ask with, from the words that training had: types, zones and what they are for,
    /// attributes, and parts of the day. A vocabulary of word pieces is learned from them.
    #[must_use]
    pub fn query_texts(&self) -> Vec<String> {
        let words = |is_wanted: fn(&Coding) -> bool| -> Vec<String> {
            let fields = self.fields().iter().filter(|field| is_wanted(&field.coding));
            let lists = fields.filter_map(Field::words);
            lists.flat_map(WordList::words).map(|word| spoken(word)).collect()
        };
        let types = words(|coding| matches!(coding, Coding::Type(_)));
        let places = words(|coding| matches!(coding, Coding::Zone(_) | Coding::Kind(_)));
        let attributes = self.fields().iter().filter_map(|field| field.name.strip_prefix("attr:")).map(spoken);
        let values = words(|coding| matches!(coding, Coding::Word(_)));
        let mut texts: Vec<String> = places.iter().map(|place| format!("what happened in the {place}")).collect();
        texts.extend(attributes.map(|attribute| format!("events with a high or low {attribute}")));
        texts.extend(values.iter().map(|value| format!("events that are {value}")));
        for kind in &types {
            texts.extend(PARTS_OF_DAY.map(|part| format!("{kind} {part}")));
            texts.extend(places.iter().map(|place| format!("{kind} in {place}")));
        }
        texts
    }
}

/// A name as words.
///
/// ```
/// assert_eq!(spaxiom_token::spoken("QueueFormed"), "queue formed");
/// assert_eq!(spaxiom_token::spoken("loading_dock"), "loading dock");
/// ```
#[must_use]
pub fn spoken(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    let mut was_small = false;
    for letter in name.chars() {
        if letter.is_uppercase() && was_small {
            text.push(' ');
        }
        was_small = letter.is_lowercase() || letter.is_numeric();
        if letter.is_alphanumeric() { text.extend(letter.to_lowercase()) } else { text.push(' ') }
    }
    text
}
