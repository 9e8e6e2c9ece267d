//! What filters look at, as far as it was read.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;

use crate::filter::{Columns, Filter};
use crate::id_set::IdSet;
use crate::store::rows::Extent;

/// The rows of a view that pass a filter.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) filter: Filter,
    pub(super) extent: Extent,
    pub(super) clocks: Arc<BTreeMap<String, Tz>>,
    pub(super) passing: Arc<IdSet>,
}

/// Columns of records and the last answers.
#[derive(Debug, Default)]
pub(super) struct ColumnCache {
    pub(super) generation: u64,
    pub(super) columns: Columns,
    /// The last that was asked for at the end.
    pub(super) answers: Vec<Answer>,
}
