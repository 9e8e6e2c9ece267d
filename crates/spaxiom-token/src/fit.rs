//! Learns a tokenizer from the training part, and from nothing else.

use std::collections::{BTreeMap, HashSet};

use chrono::TimeDelta;
use rayon::prelude::*;
use rustc_hash::{FxBuildHasher, FxHashMap};
use serde::{Deserialize, Serialize};
use spaxiom_event::{EventSequence, SequenceKey};

use crate::bins::quantile_edges;
use crate::error::TokenError;
use crate::field::{Coding, Field, WordAttribute};
use crate::links::LinkOptions;
use crate::number::{NumberColumn, NumberSource};
use crate::sites::Sites;
use crate::spatial::{CellOptions, Pool, spatial_hash};
use crate::table::{AttributeColumn, EventTable, Places, Words};
use crate::tokenizer::{Layout, Tokenizer};
use crate::vocabulary::WordList;

/// Below this many days of training data a day of the week names single days, which no other part has.
const MIN_DAYS_FOR_WEEK: i64 = 21;

/// Gaps are bucketed by powers of two from half a second to 1.5 days.
const GAP_EXPONENTS: std::ops::RangeInclusive<i32> = -1..=17;

/// Edges of numbers of events in a bin: none, 1, 2, 3 to 4, 5 to 8 and so on.
const COUNT_EDGES: [f64; 8] = [1.0, 2.0, 3.0, 5.0, 9.0, 17.0, 33.0, 65.0];

/// Which clock the `hour` field reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// Hour of day, and day of week from three weeks of training data on.
    #[default]
    Auto,
    /// Hour of day alone.
    HourOfDay,
    /// One field of 168 hours from Monday 00:00 on.
    HourOfWeek,
}

/// What one position of a window is; see [`Layout`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum LayoutName {
    /// One event, with type, zone, cells, attributes and times as fields
    #[default]
    Composite,
    /// One token: type, zone, attributes and times one after another, with separators
    Flat,
    /// Five minutes, with the number of events of each type
    Bins,
}

/// What a person may set about tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct TokenizerOptions {
    /// What a position is; `composite`.
    pub layout: LayoutName,
    /// Minutes of a time bin, a part of 24 hours; 5.
    pub bin_minutes: u32,
    /// Types with a count of their own in a time bin, the most frequent first; 64.
    pub max_count_types: usize,
    /// Sides of the grid cells in meters; 0.5, 1, 2 and 4 as in the seed.
    pub cell_resolutions_m: Vec<f64>,
    /// Size of the hash table of each scale; 512.
    pub cell_buckets: u32,
    /// Whether the same place of two sites is one cell; `pooled`.
    pub cell_sites: Pool,
    /// Whether the same place of two floors is one cell; `apart` where the site map knows floors.
    pub cell_floors: Pool,
    /// Quantile bins of a numeric attribute, at most; 16.
    pub n_bins: usize,
    /// Explicit bins by attribute, in the attribute's own unit: ascending edges.
    pub bins: BTreeMap<String, Vec<f64>>,
    /// Segments of the piecewise-linear encoding of a number; 0 gives no values beside the buckets; 8.
    pub value_segments: usize,
    /// Attributes that become fields, the most frequent first; 16.
    pub max_attributes: usize,
    /// Words of a field, the most frequent first; 4096.
    pub max_words: usize,
    /// Words that training shows less often are unknown; 1.
    pub min_count: u32,
    /// Whether type and zone together are one more field, in the composite layout, so that predictions say both at once; no.
    pub what: bool,
    /// Slots that unknown words of a field share; 8.
    pub unknown_slots: u32,
    /// A share of unknown values of a field above which there is a warning; 0.2.
    pub unknown_alarm: f64,
    /// Which clock the `hour` field reads; `auto`.
    pub clock: Clock,
    /// Which events are joined for graph encoders, in the composite layout; none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub links: Option<LinkOptions>,
}

impl Default for TokenizerOptions {
    fn default() -> Self {
        Self {
            layout: LayoutName::Composite,
            bin_minutes: 5,
            max_count_types: 64,
            cell_resolutions_m: vec![0.5, 1.0, 2.0, 4.0],
            cell_buckets: 512,
            cell_sites: Pool::Pooled,
            cell_floors: Pool::Apart,
            n_bins: 16,
            bins: BTreeMap::new(),
            value_segments: 8,
            max_attributes: 16,
            max_words: 4096,
            min_count: 1,
            what: false,
            unknown_slots: 8,
            unknown_alarm: 0.2,
            clock: Clock::Auto,
            links: None,
        }
    }
}

/// How full the hash table of a scale is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellReport {
    /// Side of a cell in meters.
    pub resolution_m: f64,
    /// Different cells in the training part.
    pub n_cells: usize,
    /// Size of the hash table.
    pub n_buckets: u32,
    /// Share of the cells that have their bucket together with another, from 0 to 1.
    pub collisions: f64,
}

/// What was learned, in numbers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FitReport {
    /// Events of the training part.
    pub n_events: usize,
    /// Ids of all fields together.
    pub n_tokens: usize,
    /// One for each scale.
    pub cells: Vec<CellReport>,
}

/// What a tokenizer is learned by beside the events.
#[derive(Debug, Clone, Default)]
pub struct TokenizerFit {
    /// The settings.
    pub options: TokenizerOptions,
    /// The sites.
    pub sites: Sites,
    /// Fingerprint of the registry that gave attributes their units; kept in the artifact.
    pub registry: Option<String>,
}

impl Tokenizer {
    /// Learns vocabularies and bins from the training sequences, without knowing their sites.
    ///
    /// # Errors
    /// As of [`TokenizerFit::table`].
    pub fn fit(options: &TokenizerOptions, train: &[EventSequence]) -> Result<Self, TokenError> {
        let fit = TokenizerFit { options: options.clone(), ..TokenizerFit::default() };
        fit.learn(&table_of(train))
    }

    /// The same from a table.
    pub fn fit_table(options: &TokenizerOptions, train: &EventTable) -> Result<Self, TokenError> {
        let fit = TokenizerFit { options: options.clone(), ..TokenizerFit::default() };
        fit.learn(train)
    }
}

impl TokenizerFit {
    /// Learns from a table; fields that no training event has (zones, positions) are left out.
    ///
    /// # Errors
    /// [`TokenError::NoEvents`] without any event, [`TokenError::Setting`] for options out of range.
    pub fn table(&self, train: &EventTable) -> Result<(Tokenizer, FitReport), TokenError> {
        let tokenizer = self.learn(train)?;
        let report = FitReport {
            n_events: train.len(),
            n_tokens: tokenizer.field_sizes().iter().sum(),
            cells: cell_reports(&tokenizer, train),
        };
        Ok((tokenizer, report))
    }

    fn learn(&self, train: &EventTable) -> Result<Tokenizer, TokenError> {
        check(&self.options)?;
        if train.is_empty() {
            return Err(TokenError::NoEvents);
        }
        // Bins of an attribute that nobody has are a typing error.
        if let Some(got) = self.options.bins.keys().find(|name| train.attribute(name).is_none()) {
            let known: Vec<&str> = train.names.iter().collect();
            let (field, known) = ("attribute in `bins`".into(), known.join(", "));
            return Err(TokenError::Unknown { field, got: got.clone(), known });
        }
        let layout = match self.options.layout {
            LayoutName::Composite => Layout::Composite,
            LayoutName::Flat => Layout::Flat,
            LayoutName::Bins => Layout::Bins { window_secs: self.options.bin_minutes * 60 },
        };
        let fields = match layout {
            Layout::Bins { .. } => self.bin_fields(train),
            Layout::Composite | Layout::Flat => self.event_fields(train, layout == Layout::Composite),
        };
        let numbers = if layout == Layout::Composite { self.numbers(train) } else { Vec::new() };
        Ok(Tokenizer::new(layout, fields, numbers, &self.sites, self.registry.clone(), self.options.links.clone()))
    }

    /// Type, zone, attributes and times; the flat layout has no cells, as in the seed's listing.
    fn event_fields(&self, train: &EventTable, has_cells: bool) -> Vec<Field> {
        let options = &self.options;
        let mut fields = vec![field("type", Coding::Type(self.words(&train.types, &train.type_codes)))];
        if train.zones.len() > 0 {
            fields.push(field("zone", Coding::Zone(self.words(&train.zones, &train.zone_codes))));
        }
        if options.what {
            let (found, codes) = train.whats();
            fields.push(field("what", Coding::What(self.words(&found, &codes))));
        }
        let of_zones = |word: fn(&crate::sites::ZoneContext) -> Option<&str>| {
            let mut words: Vec<String> = self.sites.zones().filter_map(word).map(String::from).collect();
            words.sort_unstable();
            words.dedup();
            (!words.is_empty()).then(|| WordList::new(words, options.unknown_slots))
        };
        fields.extend(of_zones(|zone| Some(&zone.kind)).map(|list| field("kind", Coding::Kind(list))));
        fields.extend(of_zones(|zone| zone.near.as_deref()).map(|list| field("near", Coding::Near(list))));
        if has_cells && train.positions.iter().any(|[x, _]| !x.is_nan()) {
            fields.extend(self.cell_fields());
        }
        fields.extend(self.clock_fields(train));
        fields.push(field("gap", Coding::Gap { edges_secs: gap_edges() }));
        fields.extend(self.attribute_fields(train));
        fields
    }

    /// Times, and a number of events for each type.
    fn bin_fields(&self, train: &EventTable) -> Vec<Field> {
        let mut counts: Vec<(u32, &str)> =
            frequencies(&train.types, &train.type_codes).into_iter().zip(train.types.iter()).collect();
        counts.sort_unstable_by_key(|(n, word)| (std::cmp::Reverse(*n), *word));
        let has_others = counts.len() > self.options.max_count_types;
        counts.truncate(self.options.max_count_types);
        let mut kinds: Vec<&str> = counts.into_iter().map(|(_, word)| word).collect();
        kinds.sort_unstable();
        let mut fields = self.clock_fields(train);
        fields.push(field("gap", Coding::Gap { edges_secs: gap_edges() }));
        let count = |kind: Option<&str>| {
            let name = format!("count:{}", kind.unwrap_or("others"));
            field(&name, Coding::Count { kind: kind.map(String::from), edges: COUNT_EDGES.to_vec() })
        };
        fields.extend(kinds.into_iter().map(|kind| count(Some(kind))));
        fields.extend(has_others.then(|| count(None)));
        fields
    }

    /// The words that are frequent enough, in order.
    fn words(&self, found: &Words, codes: &[u32]) -> WordList {
        let TokenizerOptions { max_words, min_count, unknown_slots, .. } = self.options;
        let counts = frequencies(found, codes);
        let mut words: Vec<(u32, &str)> =
            counts.into_iter().zip(found.iter()).filter(|(n, _)| *n >= min_count).collect();
        words.sort_unstable_by_key(|(n, word)| (std::cmp::Reverse(*n), *word));
        words.truncate(max_words);
        let mut words: Vec<String> = words.into_iter().map(|(_, word)| word.into()).collect();
        words.sort_unstable();
        WordList::new(words, unknown_slots)
    }

    fn cell_fields(&self) -> impl Iterator<Item = Field> {
        let TokenizerOptions { cell_buckets: n_buckets, cell_sites: sites, cell_floors, .. } = self.options;
        // Without any floor in the site map there is nothing to keep apart.
        let has_floors = self.sites.zones().any(|zone| zone.floor.is_some());
        let floors = if has_floors { cell_floors } else { Pool::Pooled };
        self.options.cell_resolutions_m.iter().map(move |&resolution_m| Field {
            name: format!("cell_{resolution_m}m"),
            coding: Coding::Cell(CellOptions { resolution_m, n_buckets, sites, floors }),
        })
    }

    fn clock_fields(&self, train: &EventTable) -> Vec<Field> {
        let (first, last) = (train.times.iter().min(), train.times.iter().max());
        let span = first.zip(last).map_or(0, |(first, last)| last.saturating_sub(*first));
        let has_weeks = TimeDelta::nanoseconds(span).num_days() >= MIN_DAYS_FOR_WEEK;
        let hours = |n_hours| field("hour", Coding::Hour { n_hours });
        match self.options.clock {
            Clock::HourOfWeek => vec![hours(168)],
            Clock::Auto if has_weeks => vec![hours(24), field("day", Coding::Day)],
            Clock::Auto | Clock::HourOfDay => vec![hours(24)],
        }
    }

    /// The most frequent attributes, in order of their names.
    fn attributes<'t>(&self, train: &'t EventTable) -> Vec<(&'t str, &'t AttributeColumn)> {
        let mut columns: Vec<(&str, &AttributeColumn)> = train.names.iter().zip(&train.attributes).collect();
        let n_values = |column: &AttributeColumn| column.numbers.len() + column.word_codes.len();
        columns.sort_by_key(|(name, column)| (std::cmp::Reverse(n_values(column)), *name));
        columns.truncate(self.options.max_attributes);
        columns.sort_unstable_by_key(|(name, _)| *name);
        columns
    }

    fn attribute_fields(&self, train: &EventTable) -> Vec<Field> {
        let attributes = self.attributes(train);
        attributes.par_iter().map(|(name, column)| self.attribute_field(name, column)).collect()
    }

    fn attribute_field(&self, name: &str, column: &AttributeColumn) -> Field {
        let attribute = name.to_owned();
        let coding = if let Some(edges) = self.options.bins.get(name) {
            Coding::Number { attribute, edges: edges.clone() }
        } else if column.is_numeric() {
            let edges = quantile_edges(&column.sorted_numbers(), self.options.n_bins);
            Coding::Number { attribute, edges }
        } else {
            let codes: Vec<u32> = column.word_codes.iter().map(|(_, code)| *code).collect();
            Coding::Word(WordAttribute { attribute, list: self.words(&column.words, &codes) })
        };
        field(&format!("attr:{name}"), coding)
    }

    /// Gap, place in the day and numeric attributes as values.
    fn numbers(&self, train: &EventTable) -> Vec<NumberColumn> {
        let n_segments = self.options.value_segments;
        if n_segments == 0 {
            return Vec::new();
        }
        let mut numbers = vec![NumberColumn::day_fraction()];
        let gaps = train.gaps();
        if !gaps.is_empty() {
            let gaps = gaps.into_iter().map(|secs| secs.max(0.0).ln_1p()).collect();
            numbers.push(NumberColumn::fit(NumberSource::Gap, gaps, n_segments));
        }
        let attributes = self.attributes(train);
        let numeric = attributes.par_iter().filter(|(_, column)| column.is_numeric());
        numbers.par_extend(numeric.map(|(name, column)| {
            let source = NumberSource::Attribute { attribute: (*name).to_owned() };
            NumberColumn::fit(source, column.sorted_numbers(), n_segments)
        }));
        numbers
    }
}

fn table_of(sequences: &[EventSequence]) -> EventTable {
    let mut table = EventTable::new(SequenceKey::Site);
    sequences.iter().flat_map(EventSequence::events).for_each(|event| table.push(event));
    table
}

fn check(options: &TokenizerOptions) -> Result<(), TokenError> {
    if let Some(links) = &options.links {
        links.check()?;
        if options.layout != LayoutName::Composite {
            let got = format!("{:?}", options.layout).to_lowercase();
            return Err(TokenError::Setting { name: "layout", want: "composite where events are joined", got });
        }
    }
    if options.what && options.layout != LayoutName::Composite {
        let got = format!("{:?}", options.layout).to_lowercase();
        return Err(TokenError::Setting { name: "layout", want: "composite with `what`", got });
    }
    let TokenizerOptions { cell_resolutions_m, cell_buckets, n_bins, bin_minutes, max_words, unknown_alarm, .. } =
        options;
    if let Some(wrong) = cell_resolutions_m.iter().find(|side| !(side.is_finite() && **side > 0.0)) {
        return Err(TokenError::Setting { name: "cell-resolutions-m", want: "meters above 0", got: wrong.to_string() });
    }
    let is_ascending = |edges: &Vec<f64>| {
        !edges.is_empty() && edges.iter().all(|edge| edge.is_finite()) && edges.windows(2).all(|two| two[0] < two[1])
    };
    if let Some((name, edges)) = options.bins.iter().find(|(_, edges)| !is_ascending(edges)) {
        let got = format!("{name} = {edges:?}");
        return Err(TokenError::Setting { name: "bins", want: "ascending edges", got });
    }
    let rules = [
        ("cell-buckets", "1 or more", *cell_buckets >= 1, cell_buckets.to_string()),
        ("n-bins", "2 or more", *n_bins >= 2, n_bins.to_string()),
        ("max-words", "1 or more", *max_words >= 1, max_words.to_string()),
        ("bin-minutes", "a part of 24 hours", *bin_minutes > 0 && 1440 % bin_minutes == 0, bin_minutes.to_string()),
        ("unknown-alarm", "0 to 1", (0.0..=1.0).contains(unknown_alarm), unknown_alarm.to_string()),
    ];
    match rules.into_iter().find(|(_, _, holds, _)| !holds) {
        Some((name, want, _, got)) => Err(TokenError::Setting { name, want, got }),
        None => Ok(()),
    }
}

fn field(name: &str, coding: Coding) -> Field {
    Field { name: name.into(), coding }
}

fn gap_edges() -> Vec<f64> {
    GAP_EXPONENTS.map(|exponent| 2f64.powi(exponent)).collect()
}

/// How often each word occurs, by its code.
fn frequencies(words: &Words, codes: &[u32]) -> Vec<u32> {
    let mut counts = vec![0; words.len()];
    for &code in codes {
        // What stands for no word has no count.
        if let Some(count) = counts.get_mut(code as usize) {
            *count += 1;
        }
    }
    counts
}

/// Counts cells and those that share a bucket.
fn cell_reports(tokenizer: &Tokenizer, train: &EventTable) -> Vec<CellReport> {
    let places = if tokenizer.index().has_frames { train.places() } else { Places::default() };
    let frames = train.frames(&places, tokenizer.known_sites());
    let frame = |row: usize| places.codes.get(row).map(|place| frames[*place as usize]).unwrap_or_default();
    let of_cells = |cells: &CellOptions| {
        let mut buckets: FxHashMap<u32, HashSet<_, FxBuildHasher>> = FxHashMap::default();
        for (row, &[x, y]) in train.positions.iter().enumerate().filter(|(_, [x, _])| !x.is_nan()) {
            let frame = cells.kept_apart(frame(row));
            let cell = spatial_hash(x, y, cells.resolution_m);
            let held = buckets.entry(cells.bucket(x, y, frame)).or_default();
            held.insert((cell, frame.floor, frame.site));
        }
        let n_cells = buckets.values().map(HashSet::len).sum();
        let n_colliding: usize = buckets.values().map(HashSet::len).filter(|n| *n > 1).sum();
        CellReport {
            resolution_m: cells.resolution_m,
            n_cells,
            n_buckets: cells.n_buckets,
            collisions: n_colliding as f64 / n_cells.max(1) as f64,
        }
    };
    let cells = tokenizer.fields().par_iter().filter_map(|field| match &field.coding {
        Coding::Cell(cells) => Some(of_cells(cells)),
        _ => None,
    });
    cells.collect()
}
