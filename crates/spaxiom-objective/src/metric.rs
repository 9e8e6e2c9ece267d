//! Named numbers beside a loss.

/// A named metric, a mean over the predictions of a batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// For example `type_accuracy`.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
}
