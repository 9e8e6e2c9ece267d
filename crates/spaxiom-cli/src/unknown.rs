//! Warnings about values that a run never saw.

use spaxiom_embedding::{Dataset, Run, Tokenizer};

/// Warns of fields in which too many values of the data are unknown to the run.
pub(crate) fn warn_of_data(run: &Run, tokenizer: &Tokenizer, data: &Dataset) {
    warn_of_shares(run, tokenizer.unknown_shares(&data.tokenize(tokenizer)).into_iter());
}

/// The same for shares of unknown values by field, from 0 to 1.
pub(crate) fn warn_of_shares<'f>(run: &Run, shares: impl Iterator<Item = (&'f str, f64)>) {
    for (field, share) in shares.filter(|(_, share)| *share > run.config().tokenizer.unknown_alarm) {
        let percent = share * 100.0;
        tracing::warn!(
            "{percent:.0} % of the values of `{field}` are unknown to the run: vectors of these events are less specific"
        );
    }
}
