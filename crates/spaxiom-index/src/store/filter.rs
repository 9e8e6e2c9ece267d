//! Which records a search may find.

/// Every member that is set has to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The event's type.
    pub kind: Option<String>,
    /// The event's zone.
    pub zone: Option<String>,
    /// The event's site.
    pub site: Option<String>,
    /// From this time on, in nanoseconds since 1970, UTC.
    pub from_ns: Option<i64>,
    /// Before this time.
    pub to_ns: Option<i64>,
}

impl Filter {
    /// Whether everything passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
