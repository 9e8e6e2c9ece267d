//! A memory of one entity: what a patient, an asset or a person did earlier, in which order, at which pace and at what hour.
//!
//! Counts over a site say how busy it is. What a single entity is about to do shows in its own history: which of two events came
//! last, how many seconds lay between two that belong together, at what hour something was given. On simulated hospitals
//! what it reads of order and pace is worth more than everything that is counted (`docs/case-study.md`).
//! As [`ClockedMemory`](crate::ClockedMemory) it is a closed form: names are all that is learned, and zones count by what they
//! are for, so that it works at sites that training never saw.

mod options;
mod state;
mod vocabulary;

use std::borrow::Borrow;

use chrono::{Offset, TimeZone};
use serde::{Deserialize, Serialize};
use spaxiom_event::Event;
use xxhash_rust::xxh64::xxh64;

pub use self::options::EntityMemoryOptions;
pub use self::state::EntityState;
use self::state::{Place, hour_of};
use self::vocabulary::{Census, NO_KIND, Vocabulary, VocabularyFile};
use crate::clock::NANOS_PER_SEC;
use crate::error::TokenError;
use crate::field::word_of;
use crate::format;
use crate::sites::Sites;

/// The newest format of an entity memory; this build reads this one and all before it.
const FORMAT: u32 = 1;

/// Turns what one entity did before an event, and the event itself, into a row of numbers.
///
/// A number that is not known (a gap of two events that never followed each other, an attribute that the event does not have)
/// is NaN, so that trees can tell it from every value.
///
/// ```
/// use spaxiom_event::Event;
/// use spaxiom_token::{EntityMemory, EntityMemoryOptions, Sites};
///
/// let event = |kind: &str, secs: i64| {
///     Event::from_json(&format!(r#"{{"type": "{kind}", "entity_id": "p1", "time": {secs}}}"#))
/// };
/// let stay = [event("BedExit", 0)?, event("BedEntered", 6)?, event("BedExit", 90)?, event("SlowWalking", 100)?];
/// let memory = EntityMemory::fit(&EntityMemoryOptions::default(), &Sites::default(), &stay)?;
/// let mut state = memory.begin();
/// for event in &stay[..3] {
///     memory.push(&mut state, event);
/// }
/// let row = memory.read(&state, &stay[3]);
/// let at = memory.feature_names().iter().position(|name| name == "gap BedExit > BedEntered").expect("a pair");
/// assert!((row[at] - 6f32.ln_1p()).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EntityMemory {
    options: EntityMemoryOptions,
    vocabulary: Vocabulary,
    sites: Sites,
}

/// The artifact, as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct EntityMemoryFile {
    format: u32,
    options: EntityMemoryOptions,
    vocabulary: VocabularyFile,
}

impl EntityMemory {
    /// Learns names from the events of the training part; those of one entity in order of time. `sites` says what zones are for.
    ///
    /// # Errors
    /// [`TokenError::Setting`] for options out of range, [`TokenError::NoEvents`] where no event has an entity.
    pub fn fit<E: Borrow<Event>>(
        options: &EntityMemoryOptions,
        sites: &Sites,
        events: impl IntoIterator<Item = E>,
    ) -> Result<Self, TokenError> {
        options.check()?;
        let mut census = Census::default();
        for event in events {
            census.push(event.borrow(), zone_kind(sites, event.borrow()));
        }
        let vocabulary = Vocabulary::new(census.vocabulary(options));
        if vocabulary.file.tokens.is_empty() {
            return Err(TokenError::NoEvents);
        }
        Ok(Self { options: options.clone(), vocabulary, sites: sites.clone() })
    }

    /// The options.
    #[must_use]
    pub fn options(&self) -> &EntityMemoryOptions {
        &self.options
    }

    /// The same memory for sites that training did not have: their clocks, and what their zones are for.
    #[must_use]
    pub fn with_sites(mut self, sites: &Sites) -> Self {
        self.sites = self.sites.and(sites);
        self
    }

    /// The state of an entity of which nothing is known.
    #[must_use]
    pub fn begin(&self) -> EntityState {
        EntityState::new(self.vocabulary.file.tokens.len(), self.vocabulary.file.pairs.len())
    }

    /// A state that was saved.
    ///
    /// # Errors
    /// [`TokenError::MemoryState`] for the state of another memory.
    pub fn resumed(&self, state: EntityState) -> Result<EntityState, TokenError> {
        let VocabularyFile { tokens, pairs, .. } = &self.vocabulary.file;
        let fits = state.has_shape(tokens.len(), pairs.len(), self.options.half_lives_secs.len());
        if fits { Ok(state) } else { Err(TokenError::MemoryState) }
    }

    /// Takes the next event of the entity in.
    pub fn push(&self, state: &mut EntityState, event: &Event) {
        let place = self.place(state, event);
        state.push(&self.options, place);
    }

    /// The row of an event that is yet to be taken in: what was before it, and what it says itself.
    #[must_use]
    pub fn read(&self, state: &EntityState, event: &Event) -> Vec<f32> {
        let mut row = Vec::with_capacity(self.n_features());
        #[expect(clippy::cast_possible_truncation, reason = "features are 32-bit floats")]
        let mut add = |value: f64| row.push(value as f32);
        let place = self.place(state, event);
        let offset_ns = self.offset_ns(event);
        let VocabularyFile { types, kinds, tokens: _, pairs: _, lagged, numbers, words } = &self.vocabulary.file;
        state.read(&self.options, lagged, place, offset_ns, &mut add);
        let flag = |is: bool| f64::from(u8::from(is));
        for kind in types {
            add(flag(kind == event.kind.as_str()));
        }
        let own_kind = zone_kind(&self.sites, event);
        for kind in kinds {
            add(flag(kind == own_kind));
        }
        for name in numbers {
            add(event.attrs.number(name).unwrap_or(f64::NAN));
        }
        for [name, word] in words {
            add(flag(event.attrs.get(name).and_then(word_of) == Some(word.as_str())));
        }
        let hour = hour_of(place.time_ns + offset_ns);
        let (sin, cos) = (hour / 24.0 * std::f64::consts::TAU).sin_cos();
        for value in [hour, sin, cos] {
            add(value);
        }
        row
    }

    /// Numbers in a row.
    #[must_use]
    pub fn n_features(&self) -> usize {
        let VocabularyFile { types, kinds, tokens, pairs, lagged, numbers, words } = &self.vocabulary.file;
        let n_of_token = 2 + self.options.half_lives_secs.len();
        let n_lags = lagged.len() * lagged.len().saturating_sub(1) / 2;
        let n_own = types.len() + kinds.len() + numbers.len() + words.len() + 3;
        tokens.len() * n_of_token + pairs.len() * 3 + n_lags + self.options.n_recent + n_own
    }

    /// What each number of a row is, for people.
    #[must_use]
    pub fn feature_names(&self) -> Vec<String> {
        let VocabularyFile { types, kinds, tokens, pairs, lagged, numbers, words } = &self.vocabulary.file;
        let mut names = Vec::with_capacity(self.n_features());
        for token in tokens {
            let token = self.vocabulary.token_name(*token);
            names.push(format!("since {token}"));
            names.push(format!("hour of {token}"));
            names.extend(self.options.half_lives_secs.iter().map(|secs| format!("count {token} ({secs} s)")));
        }
        for [first, second] in pairs {
            let pair = format!("{} > {}", types[*first as usize], types[*second as usize]);
            names.extend(["gap", "since", "shortest gap"].map(|what| format!("{what} {pair}")));
        }
        let token = |at: &u32| self.vocabulary.token_name(tokens[*at as usize]);
        for (at, first) in lagged.iter().enumerate() {
            names.extend(lagged[..at].iter().map(|second| format!("lag {} after {}", token(first), token(second))));
        }
        names.extend((1..=self.options.n_recent).map(|at| format!("since event -{at}")));
        names.extend(types.iter().map(|kind| format!("type = {kind}")));
        names.extend(kinds.iter().map(|kind| format!("zone kind = {kind}")));
        names.extend(numbers.iter().cloned());
        names.extend(words.iter().map(|[name, word]| format!("{name} = {word}")));
        names.extend(["hour", "sine of hour", "cosine of hour"].map(String::from));
        names
    }

    /// A short hash of the artifact; two memories with one fingerprint give the same numbers.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("{:016x}", xxh64(self.to_json().as_bytes(), 0))
    }

    /// The artifact: readable, ordered, the same bytes for the same memory. Sites are not in it ([`EntityMemory::with_sites`]).
    #[must_use]
    pub fn to_json(&self) -> String {
        let (options, vocabulary) = (self.options.clone(), self.vocabulary.file.clone());
        let file = EntityMemoryFile { format: FORMAT, options, vocabulary };
        serde_json::to_string_pretty(&file).expect("a memory has string keys and finite numbers only")
    }

    /// Reads the artifact.
    ///
    /// # Errors
    /// [`TokenError::Format`] for the format of a newer build, [`TokenError::Json`] for anything that is no entity memory.
    pub fn from_json(text: &str) -> Result<Self, TokenError> {
        format::require(text, FORMAT)?;
        let EntityMemoryFile { format: _, options, vocabulary } = serde_json::from_str(text)?;
        options.check()?;
        let vocabulary = Vocabulary::new(vocabulary);
        if !vocabulary.is_consistent() {
            return Err(TokenError::MemoryState);
        }
        Ok(Self { options, vocabulary, sites: Sites::default() })
    }

    fn place(&self, state: &EntityState, event: &Event) -> Place {
        let kind = self.vocabulary.kind_of_event(event.kind.as_str());
        let zone_kind = self.vocabulary.kind_of_zone(zone_kind(&self.sites, event));
        Place {
            time_ns: event.time.timestamp_nanos_opt().expect("events have times between 1677 and 2262"),
            kind,
            token: self.vocabulary.token(kind, zone_kind),
            pair: self.vocabulary.pair(state.last_kind(), kind),
        }
    }

    /// Nanoseconds that the clock of the event's site is ahead of UTC.
    fn offset_ns(&self, event: &Event) -> i64 {
        let Some(zone) = self.sites.time_zone(event.site_id.as_str()) else { return 0 };
        let secs = zone.offset_from_utc_datetime(&event.time.naive_utc()).fix().local_minus_utc();
        i64::from(secs) * NANOS_PER_SEC
    }
}

/// What the zone of an event is for; [`NO_KIND`] where nobody knows.
fn zone_kind<'s>(sites: &'s Sites, event: &Event) -> &'s str {
    let of_zone = |zone: &spaxiom_event::ZoneId| sites.get(event.site_id.as_str())?.zone(zone.as_str());
    event.zone.as_ref().and_then(of_zone).map_or(NO_KIND, |zone| zone.kind.as_str())
}
