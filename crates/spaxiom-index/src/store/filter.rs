//! Which records a search may find.

/// Conditions on records; all that are set have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Type of the event.
    pub kind: Option<String>,
    /// Zone of the event.
    pub zone: Option<String>,
    /// Site of the event.
    pub site: Option<String>,
    /// Earliest time, inclusive, in nanoseconds since 1970, UTC.
    pub from_ns: Option<i64>,
    /// Latest time, exclusive, in nanoseconds since 1970, UTC.
    pub to_ns: Option<i64>,
}

impl Filter {
    /// Whether every record passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
