//! Runs workloads one after another.

use anyhow::Context;

use crate::folder::Folder;
use crate::options::{BenchOptions, Workload};
use crate::row::BenchRow;
use crate::{encode, index, ingest, intake, read, remember, serve, train, views};

/// Measures the workloads.
///
/// # Errors
/// Files that cannot be written, peers that fail, and threads that cannot be started.
pub fn bench(workloads: &[Workload], options: &BenchOptions) -> anyhow::Result<Vec<BenchRow>> {
    let folder = Folder::new(options.keep.as_deref())?;
    let n_threads = options.threads as usize;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build_global();
    pool.context("the threads of the benchmark")?;
    let mut rows = Vec::new();
    for workload in workloads {
        match workload {
            Workload::Ingest => rows.extend(ingest::ingest(options, &folder.events(options.events)?)?),
            Workload::Validate => rows.push(ingest::validate(options, &folder.events(options.events)?)?),
            Workload::Tokenize => rows.push(ingest::tokenize(options, &folder.events(options.events)?)?),
            Workload::Read => rows.extend(read::read(options, &folder)?),
            Workload::Encode => rows.extend(encode::encode(options, &folder)?),
            Workload::Train => rows.extend(train::train(options, &folder)?),
            Workload::Views => rows.extend(views::views()?),
            Workload::Remember => rows.extend(remember::remember(options, &folder.events(options.events)?)?),
            Workload::Intake => rows.extend(intake::intake(options, &folder)?),
            Workload::Index => rows.extend(index::index(options, &folder)?),
            Workload::Memory => rows.extend(ingest::memory(options, &folder)?),
            Workload::Serve => rows.extend(serve::serve(options, &folder)?),
        }
    }
    Ok(rows)
}
