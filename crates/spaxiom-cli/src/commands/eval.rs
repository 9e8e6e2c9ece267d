//! `eval`: a run beside its controls.

use std::time::Instant;

use spaxiom_embedding::{EvaluateOptions, Report, RunFolder, evaluate};

use super::{engine_for, load};
use crate::args::EvalArgs;
use crate::exit::Exit;
use crate::output;

pub(crate) fn run(args: &EvalArgs, json: bool) -> anyhow::Result<Exit> {
    let (report, n_rejected) = report(args)?;
    if json {
        output::json(&report)?;
    } else {
        output::text(&report.to_table());
    }
    Ok(Exit::of_rejected(n_rejected as u64, false))
}

/// Evaluates, and writes `report.json` and `report.html`; gives the number of rejected lines too.
pub(crate) fn report(args: &EvalArgs) -> anyhow::Result<(Report, usize)> {
    let run = RunFolder::new(&args.run);
    let from = args.from.as_deref().map(RunFolder::new);
    let engine = engine_for(&args.backend, &run)?;
    let data = load(&args.data)?;
    let start = Instant::now();
    let now_secs = || start.elapsed().as_secs_f64();
    let mut progress = |what: &str| tracing::info!("evaluate: {what}");
    let options = EvaluateOptions::default();
    let report = evaluate(&run, from.as_ref(), &data, &options, engine.as_ref(), &now_secs, &mut progress)?;
    super::warn_of(&run.config()?.tokenizer, report.unknown.iter().map(|(field, share)| (field.as_str(), *share)));
    run.save_report(args.out.as_deref().unwrap_or(run.path()), &report)?;
    Ok((report, data.n_rejected()))
}
