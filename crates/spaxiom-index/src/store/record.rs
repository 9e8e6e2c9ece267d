//! What a store holds and finds.

/// A vector and its event.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Id of the event, unique within its site.
    pub id: String,
    /// Site of the event.
    pub site: String,
    /// Type of the event.
    pub kind: String,
    /// Zone of the event.
    pub zone: Option<String>,
    /// Time of the event in nanoseconds since 1970, UTC.
    pub time_ns: i64,
    /// The event as JSON.
    pub metadata: String,
    /// The vector.
    pub vector: Vec<f32>,
}

/// A record near a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Cosine similarity to the query, -1 to 1, to a thousandth: vectors are kept in half precision. Greater is nearer.
    pub similarity: f32,
    /// The record.
    pub record: Record,
}

/// What was added to a store, for whoever follows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// From 1 on, in the order in which records were added.
    pub number: u64,
    /// Site of the event.
    pub site: String,
    /// The event as JSON.
    pub metadata: String,
}

/// Whether a record is in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Its site and id are new.
    Missing,
    /// It is there.
    Same,
    /// Another record has its site and id.
    Different,
}

/// What became of records that were put into a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Put {
    /// Records whose site and id were not there.
    pub n_new: usize,
    /// Records that took the place of one with their site and id.
    pub n_replaced: usize,
}

/// The names that the records of a store have, each in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreNames {
    /// Types of events.
    pub types: Vec<String>,
    /// Zones.
    pub zones: Vec<String>,
    /// Sites.
    pub sites: Vec<String>,
    /// Attributes of the last events.
    pub attributes: Vec<String>,
}

/// Some of the records that pass a filter.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// The records, in the order in which they were added.
    pub records: Vec<Record>,
    /// How many pass.
    pub n_passing: usize,
}
