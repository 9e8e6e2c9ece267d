//! One module per command.

pub(crate) mod ablate;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod convert;
pub(crate) mod demo;
pub(crate) mod eval;
pub(crate) mod index;
pub(crate) mod search;
pub(crate) mod simulate;
pub(crate) mod train;

use std::path::Path;

use spaxiom_embedding::{
    Dataset, Engine, LabelSpan, Provenance, RunFolder, Tokenizer, TokenizerOptions, replace_file, write_labels,
};

use crate::args::{BackendArgs, DataArgs};

/// Reads the data and says what was in them.
pub(crate) fn load(args: &DataArgs) -> anyhow::Result<Dataset> {
    let data = Dataset::load(&args.data, &args.read.options()?)?;
    tracing::info!("{}: {} events of {} sites", args.data.display(), data.n_events(), data.sequences().len());
    if data.n_rejected() > 0 {
        tracing::warn!("{} lines were rejected; `check` says why", data.n_rejected());
    }
    if data.n_duplicates() > 0 {
        tracing::warn!("{} events were left out: one of their site and id was there", data.n_duplicates());
    }
    if data.n_unpaired() > 0 {
        tracing::warn!("{} activity marks have no partner and give no label", data.n_unpaired());
    }
    Ok(data)
}

/// Writes a label file whole, or leaves the one that was there.
pub(crate) fn save_labels(path: &Path, spans: &[LabelSpan]) -> anyhow::Result<()> {
    let mut lines = Vec::new();
    write_labels(&mut lines, spans)?;
    Ok(replace_file(path, &lines)?)
}

/// Warns of fields with too many values that the run never saw.
pub(crate) fn warn_of_unknown(run: &RunFolder, tokenizer: &Tokenizer, data: &Dataset) -> anyhow::Result<()> {
    let tokens: Vec<_> = data.sequences().iter().map(|sequence| tokenizer.tokenize(sequence)).collect();
    warn_of(&run.config()?.tokenizer, tokenizer.unknown_shares(&tokens).into_iter());
    Ok(())
}

pub(crate) fn warn_of<'f>(options: &TokenizerOptions, shares: impl Iterator<Item = (&'f str, f64)>) {
    for (field, share) in shares.filter(|(_, share)| *share > options.unknown_alarm) {
        let percent = share * 100.0;
        tracing::warn!(
            "{percent:.0} % of the values of `{field}` are unknown to the run: vectors of these events say less"
        );
    }
}

/// The engine that was asked for, or else the one that made the run.
pub(crate) fn engine_for(args: &BackendArgs, run: &RunFolder) -> anyhow::Result<Box<dyn Engine>> {
    let name = match &args.backend {
        Some(name) => name.clone(),
        None => run.config()?.backend,
    };
    Ok(spaxiom_embedding::engine(&name)?)
}

/// This program; `SPAXIOM_COMMIT` is set by `cargo xtask`.
pub(crate) fn provenance() -> Provenance {
    Provenance { version: env!("CARGO_PKG_VERSION").into(), commit: std::env::var("SPAXIOM_COMMIT").ok() }
}
