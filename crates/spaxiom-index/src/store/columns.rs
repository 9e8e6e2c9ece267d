//! What filters look at, as far as it was read.

use std::sync::Arc;

use crate::filter::{Columns, Filter};
use crate::id_set::IdSet;
use crate::store::rows::Extent;

/// Columns of records and the last answers.
#[derive(Debug, Default)]
pub(super) struct ColumnCache {
    pub(super) generation: u64,
    pub(super) columns: Columns,
    /// The last that was asked for at the end.
    pub(super) answers: Vec<(Filter, Extent, Arc<IdSet>)>,
}
