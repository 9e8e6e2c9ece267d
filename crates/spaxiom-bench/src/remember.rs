//! The clocked memory: events taken in, and rows of numbers read out.

use std::path::Path;

use spaxiom_embedding::{
    ClockedMemory, EventReader, EventTable, MemoryOptions, MemoryReader, ReadOptions, SequenceKey, TokenizerFit,
};

use crate::options::BenchOptions;
use crate::row::BenchRow;
use crate::timing::median_rate;

/// Every so many events a row is read out.
const STRIDE: usize = 10;

/// Updates and read-outs per second, on one thread.
pub(crate) fn remember(options: &BenchOptions, file: &Path) -> anyhow::Result<Vec<BenchRow>> {
    let reading = ReadOptions { threads: Some(options.threads as usize), ..ReadOptions::default() };
    let (table, _) = EventTable::read(SequenceKey::Site, EventReader::open(file, &reading)?);
    let memory = ClockedMemory::fit(&MemoryOptions::default(), &TokenizerFit::default(), &table)?;
    tracing::info!("{} numbers in a row, {} of them over zones", memory.n_features(), memory.n_zone_features());
    let sites = table.by_sequence();
    let readers = || sites.iter().map(|site| (memory.reader(&table, site), site.rows.len())).collect::<Vec<_>>();
    // Tokens are made before the clock starts; each figure has a warm-up run.
    let mut ready: Vec<Vec<(MemoryReader<'_>, usize)>> = (0..2 * (options.runs + 1)).map(|_| readers()).collect();
    let updates = median_rate(options.runs, table.len(), || {
        ready.pop().unwrap_or_default().iter_mut().for_each(|(reader, n_rows)| reader.skip_to(*n_rows));
        Ok(())
    })?;
    let n_reads: usize = sites.iter().map(|site| site.rows.len() / STRIDE).sum();
    let mut row = vec![0.0; memory.n_features()];
    let both = median_rate(options.runs, n_reads, || {
        for (reader, n_rows) in &mut ready.pop().unwrap_or_default() {
            for place in (STRIDE - 1..*n_rows).step_by(STRIDE) {
                reader.read(place, &mut row);
            }
        }
        Ok(())
    })?;
    // What is left of the time between two read-outs, without the updates.
    let reads = 1.0 / (1.0 / both - STRIDE as f64 / updates);
    let figure = |workload: &str, unit, ours| BenchRow {
        workload: workload.into(),
        unit,
        ours,
        peer: None,
        ratio: None,
        runs: options.runs,
        threads: 1,
        peer_name: None,
    };
    Ok(vec![figure("remember", "events/s", updates), figure("read a memory out", "rows/s", reads)])
}
