//! `eval`: a run beside its controls.

use std::path::PathBuf;

use clap::Args;
use spaxiom_embedding::{
    EvaluateOptions, FallRiskClassifier, Report, RiskEvaluateOptions, Run, TextEvaluateOptions, TextVectors, evaluate,
    evaluate_risk, evaluate_text,
};

use crate::args::{BackendArgs, DataArgs};
use crate::exit::{Exit, WrongUse};
use crate::{clock, output, unknown};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask eval --run runs/causes --from runs/warehouse --data data/warehouse --out runs/causes\n  \
    cargo xtask eval --run runs/falls --data data/hospital --skeptic\n  \
    cargo xtask eval --run runs/texts --data data/warehouse"
)]
pub(crate) struct EvalArgs {
    /// The run
    #[arg(long)]
    pub(crate) run: PathBuf,
    /// The pretrained run that a fine-tuned one started from, for a row of its own
    #[arg(long, value_name = "RUN")]
    pub(crate) from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Events without a label are those of a class of their own, `Other`, in place of being left out
    #[arg(long)]
    pub(crate) other: bool,
    /// Fit probes on the training and validation part together once they are chosen
    #[arg(long)]
    pub(crate) refit: bool,
    /// Add what a skeptic asks for: events without order or times, and what vectors give away of site, day and hour; for fall risk what each kind of number adds, fewer labels, silent sensors, a random split
    #[arg(long, alias = "controls")]
    pub(crate) skeptic: bool,
    /// Labeled training events for the probes at most, and a quarter of it for their choice [default: 10000]
    #[arg(long, value_name = "N")]
    pub(crate) probe_events: Option<usize>,
    /// Labeled test events at most [default: 8000]
    #[arg(long, value_name = "N")]
    pub(crate) test_events: Option<usize>,
    /// Folder for report.json and report.html [default: that of the run]
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

pub(crate) fn run(args: &EvalArgs, json: bool) -> anyhow::Result<Exit> {
    if FallRiskClassifier::is_in(&args.run) {
        return risk(args, json);
    }
    if TextVectors::is_in(&args.run) {
        return text(args, json);
    }
    let (report, n_rejected) = report(args)?;
    if json {
        output::json(&report)?;
    } else {
        output::text(&report.to_table());
    }
    Ok(Exit::of_rejected(n_rejected as u64, false))
}

/// Evaluates a fall-risk run.
fn risk(args: &EvalArgs, json: bool) -> anyhow::Result<Exit> {
    let given = [
        ("--from", args.from.is_some()),
        ("--other", args.other),
        ("--refit", args.refit),
        ("--probe-events", args.probe_events.is_some()),
        ("--test-events", args.test_events.is_some()),
        ("--backend", args.backend.backend.is_some()),
    ];
    if let Some((flag, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
        return Err(WrongUse(format!("`{flag}` does nothing for a fall-risk run: leave it out")).into());
    }
    let run = Run::open(&args.run)?;
    let data = args.data.load()?;
    let start = clock::now();
    let now_secs = || start.elapsed().as_secs_f64();
    let mut progress = |what: &str| tracing::info!("evaluate: {what}");
    let options = RiskEvaluateOptions { is_skeptical: args.skeptic, ..RiskEvaluateOptions::default() };
    let report = evaluate_risk(&run, &data, &options, &now_secs, &mut progress)?;
    report.save(args.out.as_deref().unwrap_or(run.path()), &run)?;
    if json {
        output::json(&report)?;
    } else {
        output::text(&report.to_table());
    }
    Ok(Exit::of_rejected(data.n_rejected() as u64, false))
}

/// Evaluates the text encoder of a run.
fn text(args: &EvalArgs, json: bool) -> anyhow::Result<Exit> {
    let given = [
        ("--from", args.from.is_some()),
        ("--other", args.other),
        ("--refit", args.refit),
        ("--skeptic", args.skeptic),
        ("--probe-events", args.probe_events.is_some()),
        ("--test-events", args.test_events.is_some()),
    ];
    if let Some((flag, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
        return Err(WrongUse(format!("`{flag}` does nothing for a run with a text encoder: leave it out")).into());
    }
    let run = Run::open(&args.run)?;
    let data = args.data.load()?;
    let report = evaluate_text(&run, &data, &TextEvaluateOptions::default(), args.backend.engine_for(&run)?.as_ref())?;
    report.save(args.out.as_deref().unwrap_or(run.path()))?;
    if json {
        output::json(&report)?;
    } else {
        output::text(&report.to_table());
    }
    Ok(Exit::of_rejected(data.n_rejected() as u64, false))
}

/// Evaluates, and writes `report.json` and `report.html`; gives the number of rejected lines too.
pub(crate) fn report(args: &EvalArgs) -> anyhow::Result<(Report, usize)> {
    let run = Run::open(&args.run)?;
    let from = args.from.as_deref().map(Run::open).transpose()?;
    let engine = args.backend.engine_for(&run)?;
    let data = args.data.load()?;
    let start = clock::now();
    let now_secs = || start.elapsed().as_secs_f64();
    let mut progress = |what: &str| tracing::info!("evaluate: {what}");
    let default = EvaluateOptions::default();
    let options = EvaluateOptions {
        n_probe: args.probe_events.unwrap_or(default.n_probe),
        n_test: args.test_events.unwrap_or(default.n_test),
        with_other: args.other,
        refit: args.refit,
        with_controls: args.skeptic,
        ..default
    };
    let report = evaluate(&run, from.as_ref(), &data, &options, engine.as_ref(), &now_secs, &mut progress)?;
    unknown::warn_of_shares(&run, report.unknown.iter().map(|(field, share)| (field.as_str(), *share)));
    report.save(args.out.as_deref().unwrap_or(run.path()), &run)?;
    Ok((report, data.n_rejected()))
}
