//! The tokenizer: a layout and an ordered list of fields, and its artifact `tokenizer.json`.

use compact_str::CompactString;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use spaxiom_event::Event;
use xxhash_rust::xxh64::xxh64;

use crate::error::TokenError;
use crate::field::{Coding, Field};
use crate::format;
use crate::links::LinkOptions;
use crate::number::{NumberColumn, NumberSource};
use crate::sequence::TokenSequence;
use crate::sites::Sites;
use crate::spatial::Pool;
use crate::special::{FIRST, NAMES};

/// The newest format of `tokenizer.json` that this build writes; it reads this one and all before it.
pub const FORMAT: u32 = 4;

/// The format of all tokenizers without a field of type and zone together: their artifact stays the same.
const FORMAT_WITHOUT_WHAT: u32 = 3;

fn format_of(fields: &[Field]) -> u32 {
    if fields.iter().any(|field| matches!(field.coding, Coding::What(_))) { FORMAT } else { FORMAT_WITHOUT_WHAT }
}

/// How many known words an error message lists.
const N_LISTED: usize = 12;

/// What a position is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", deny_unknown_fields)]
pub enum Layout {
    /// An event, with one id per field.
    #[default]
    Composite,
    /// A token, with a separator behind each event.
    Flat,
    /// A stretch of time, with the number of events of each type.
    Bins {
        /// Its length; a part of 24 hours.
        #[serde(rename = "window-secs")]
        window_secs: u32,
    },
}

/// Turns events into rows of token ids and values.
///
/// The seed's listing of type-based tokens:
///
/// ```
/// use spaxiom_event::{Event, group_by_site};
/// use spaxiom_token::{LayoutName, Tokenizer, TokenizerOptions, discretize, time_bucket};
///
/// let event = Event::from_json(
///     r#"{"type": "QueueFormed", "zone": "loading_dock", "length": 8, "timestamp": "2025-01-06T10:23:45Z"}"#,
/// )?;
/// let options = TokenizerOptions {
///     layout: LayoutName::Flat,
///     bins: [("length".to_owned(), vec![0.0, 5.0, 10.0, 20.0])].into(),
///     ..TokenizerOptions::default()
/// };
/// let tokenizer = Tokenizer::fit(&options, &group_by_site([event.clone()]))?;
/// let vocabulary = tokenizer.vocabulary();
/// let ids = tokenizer.tokenize_event(&event).context(0, 512).ids();
/// let tokens: Vec<&str> = ids.iter().map(|&id| vocabulary[id as usize].as_str()).collect();
/// assert_eq!(tokens, ["type:QueueFormed", "zone:loading_dock", "hour:10", "length:bin_2", "SEP"]);
/// assert_eq!(discretize(8.0, &[0.0, 5.0, 10.0, 20.0]), "bin_2");
/// assert_eq!(time_bucket("10:23").as_deref(), Some("hour_10"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "TokenizerFile", into = "TokenizerFile")]
pub struct Tokenizer {
    file: TokenizerFile,
    /// The sites of the artifact, and those that were added to it.
    sites: Sites,
    index: Index,
}

/// The artifact, as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct TokenizerFile {
    format: u32,
    #[serde(default)]
    layout: Layout,
    /// Fingerprint of the registry by which attributes got their units.
    #[serde(default)]
    registry: Option<String>,
    /// Fingerprint of `sites`.
    #[serde(default)]
    site_map: Option<String>,
    #[serde(default)]
    sites: Sites,
    fields: Vec<Field>,
    #[serde(default)]
    numbers: Vec<NumberColumn>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    links: Option<LinkOptions>,
}

/// Where everything stands in a row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// Fields that every event has by itself.
    pub(crate) plain: Vec<usize>,
    /// Fields of words.
    pub(crate) words: Vec<usize>,
    /// Fields and numbers of attributes.
    pub(crate) attributes: FxHashMap<CompactString, AttributeSlot>,
    pub(crate) gap_number: Option<usize>,
    pub(crate) day_number: Option<usize>,
    /// Whether cells of sites or floors are kept apart.
    pub(crate) has_frames: bool,
    /// The first id of each field in the one vocabulary of the flat layout.
    bases: Vec<u32>,
    counts: FxHashMap<CompactString, usize>,
    other_count: Option<usize>,
}

/// Field and number of an attribute.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AttributeSlot {
    pub(crate) field: Option<usize>,
    pub(crate) number: Option<usize>,
}

impl Index {
    fn new(fields: &[Field], numbers: &[NumberColumn]) -> Self {
        let mut index = Self::default();
        let mut base = FIRST;
        for (at, field) in fields.iter().enumerate() {
            index.bases.push(base);
            base += field.n_tokens() - FIRST;
            if field.words().is_some() {
                index.words.push(at);
            }
            match &field.coding {
                Coding::Number { attribute, .. } => index.slot(attribute).field = Some(at),
                Coding::Word(word) => index.slot(&word.attribute).field = Some(at),
                Coding::Count { kind: Some(kind), .. } => drop(index.counts.insert(kind.into(), at)),
                Coding::Count { kind: None, .. } => index.other_count = Some(at),
                Coding::Cell(cells) => {
                    index.has_frames |= cells.sites == Pool::Apart || cells.floors == Pool::Apart;
                    index.plain.push(at);
                }
                _ => index.plain.push(at),
            }
        }
        for (at, number) in numbers.iter().enumerate() {
            match number.source() {
                NumberSource::Attribute { attribute } => index.slot(attribute).number = Some(at),
                NumberSource::Gap => index.gap_number = Some(at),
                NumberSource::DayFraction => index.day_number = Some(at),
            }
        }
        index
    }

    fn slot(&mut self, attribute: &str) -> &mut AttributeSlot {
        self.attributes.entry(attribute.into()).or_default()
    }

    /// The field that counts events of a type.
    pub(crate) fn count_of(&self, kind: &str) -> Option<usize> {
        self.counts.get(kind).copied().or(self.other_count)
    }
}

/// What the ids of an event say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DecodedEvent {
    /// Its type, where training knew it.
    pub kind: Option<String>,
    /// Its zone, where it has one and training knew it.
    pub zone: Option<String>,
    /// Numbers of bins, hours and days by field.
    pub buckets: Vec<(String, u32)>,
    /// Buckets of cells by field.
    pub cells: Vec<(String, u32)>,
    /// Words by attribute, and kinds of zones.
    pub words: Vec<(String, String)>,
}

impl From<TokenizerFile> for Tokenizer {
    fn from(file: TokenizerFile) -> Self {
        Self { sites: file.sites.clone(), index: Index::new(&file.fields, &file.numbers), file }
    }
}

impl From<Tokenizer> for TokenizerFile {
    fn from(tokenizer: Tokenizer) -> Self {
        tokenizer.file
    }
}

impl PartialEq for Tokenizer {
    fn eq(&self, other: &Self) -> bool {
        self.file == other.file && self.sites == other.sites
    }
}

impl Tokenizer {
    pub(crate) fn new(
        layout: Layout,
        fields: Vec<Field>,
        numbers: Vec<NumberColumn>,
        sites: &Sites,
        registry: Option<String>,
        links: Option<LinkOptions>,
    ) -> Self {
        let site_map = (*sites != Sites::default()).then(|| sites.fingerprint());
        let format = format_of(&fields);
        TokenizerFile { format, layout, registry, site_map, sites: sites.clone(), fields, numbers, links }.into()
    }

    /// What a position is.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.file.layout
    }

    /// The fields, in the order of a row.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.file.fields
    }

    /// The columns of values, in the order of a row; none but in the composite layout.
    #[must_use]
    pub fn numbers(&self) -> &[NumberColumn] {
        &self.file.numbers
    }

    /// The place of the field of type and zone together, where a row has one.
    #[must_use]
    pub fn what_field(&self) -> Option<usize> {
        let is_row = self.layout() == Layout::Composite;
        self.fields().iter().position(|field| is_row && matches!(field.coding, Coding::What(_)))
    }

    /// Which events are joined, where any are.
    #[must_use]
    pub fn links(&self) -> Option<&LinkOptions> {
        self.file.links.as_ref()
    }

    /// The sites that training had, and those that [`Tokenizer::with_sites`] added.
    #[must_use]
    pub fn known_sites(&self) -> &Sites {
        &self.sites
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// The same tokenizer for sites that training did not have: their clocks, and what their zones are for.
    #[must_use]
    pub fn with_sites(mut self, sites: &Sites) -> Self {
        self.sites = self.file.sites.and(sites);
        self
    }

    /// How many ids each place of a row uses: of the fields, or of the one vocabulary of the flat layout.
    #[must_use]
    pub fn field_sizes(&self) -> Vec<usize> {
        let sizes = self.fields().iter().map(Field::n_tokens);
        match self.layout() {
            Layout::Flat => vec![(FIRST + sizes.map(|size| size - FIRST).sum::<u32>()) as usize],
            Layout::Composite | Layout::Bins { .. } => sizes.map(|size| size as usize).collect(),
        }
    }

    pub(crate) fn empty_sequence(&self) -> TokenSequence {
        let n_places = if self.layout() == Layout::Flat { 1 } else { self.fields().len() };
        let n_links = self.links().map_or(0, LinkOptions::width);
        TokenSequence::with_values(n_places, self.numbers().len(), self.fields().len())
            .with_gap(self.index.gap_number)
            .with_links(n_links)
    }

    /// The id of a field's id in the one vocabulary of the flat layout.
    pub(crate) fn flat_id(&self, field: usize, id: u32) -> u32 {
        if id < FIRST { id } else { self.index.bases[field] + id - FIRST }
    }

    /// All tokens of all fields as a person reads them; in the flat layout the place of a token is its id.
    #[must_use]
    pub fn vocabulary(&self) -> Vec<String> {
        let special = NAMES.map(String::from).into_iter();
        let own = self.fields().iter().flat_map(|field| (FIRST..field.n_tokens()).map(|id| field.describe(id)));
        special.chain(own).collect()
    }

    /// What the ids of [`Tokenizer::encode`] say of an event.
    #[must_use]
    pub fn decode(&self, row: &[u32]) -> DecodedEvent {
        let mut event = DecodedEvent::default();
        for (field, &id) in self.fields().iter().zip(row) {
            let Some(own) = id.checked_sub(FIRST).filter(|_| !field.is_unknown(id)) else { continue };
            let word = field.words().map(|list| list.describe(own));
            match (&field.coding, word) {
                (Coding::Type(_), word) => event.kind = word,
                (Coding::Zone(_), word) => event.zone = word,
                (_, Some(word)) => event.words.push((field.name.clone(), word)),
                (Coding::Cell(_), None) => event.cells.push((field.name.clone(), own)),
                (_, None) => event.buckets.push((field.name.clone(), own)),
            }
        }
        event
    }

    /// Fails when the event's type or zone was never seen in training, and lists what was.
    pub fn require_known(&self, event: &Event) -> Result<(), TokenError> {
        for field in self.fields() {
            let (list, got) = match &field.coding {
                Coding::Type(list) => (list, Some(event.kind.as_str())),
                Coding::Zone(list) => (list, event.zone.as_ref().map(spaxiom_event::ZoneId::as_str)),
                _ => continue,
            };
            if let Some(got) = got.filter(|got| list.is_unknown(list.id(got))) {
                let (field, known) = (field.name.clone(), listed(list.words()));
                return Err(TokenError::Unknown { field, got: got.into(), known });
            }
        }
        Ok(())
    }

    /// The share of values of each field of words that training never showed, over all of these sequences.
    #[must_use]
    pub fn unknown_shares<'s>(&self, sequences: impl IntoIterator<Item = &'s TokenSequence>) -> Vec<(&str, f64)> {
        let mut n_unknown = vec![0u64; self.fields().len()];
        let mut n_events = 0;
        for sequence in sequences {
            n_events += sequence.len();
            for (sum, n) in n_unknown.iter_mut().zip(sequence.n_unknown()) {
                *sum += u64::from(*n);
            }
        }
        let share =
            |&field: &usize| (self.fields()[field].name.as_str(), n_unknown[field] as f64 / n_events.max(1) as f64);
        self.index.words.iter().map(share).collect()
    }

    /// The artifact: readable, ordered, the same bytes for the same tokenizer.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.file).expect("a tokenizer has string keys and finite numbers only")
    }

    /// Reads the artifact.
    ///
    /// # Errors
    /// [`TokenError::Format`] for the format of a newer build, [`TokenError::Json`] for anything that is no tokenizer.
    pub fn from_json(text: &str) -> Result<Self, TokenError> {
        format::require(text, FORMAT)?;
        let mut file: TokenizerFile = serde_json::from_str(text)?;
        // What an older format leaves out has its defaults; written again, it is in a format of this build.
        file.format = format_of(&file.fields);
        Ok(file.into())
    }

    /// A short hash of the artifact; two tokenizers with one fingerprint give the same ids.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", xxh64(self.to_json().as_bytes(), 0))
    }
}

fn listed(words: &[String]) -> String {
    let more = if words.len() > N_LISTED { ", ..." } else { "" };
    format!("{}{more}", words[..words.len().min(N_LISTED)].join(", "))
}
