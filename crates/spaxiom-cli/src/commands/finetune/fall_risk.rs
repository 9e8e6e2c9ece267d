//! `finetune --task fall-risk`.

use anyhow::Context;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Deserialize;
use spaxiom_embedding::{
    AlertTarget, EntityMemoryOptions, HeadName, RiskJob, RiskOptions, RiskRule, RiskSummary, Run, fit_risk,
};

use super::FinetuneArgs;
use crate::exit::Exit;
use crate::output;

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct FallRiskArgs {
    /// What makes a score of the memory of an entity [default: boosting]
    #[arg(long, value_parser = head_parser(), help_heading = "Fall risk")]
    pub(crate) head: Option<HeadName>,
    /// Choose the threshold so that alerts precede this share of the outcomes [default: 0.74]
    #[arg(long, value_name = "SHARE", value_parser = share, conflicts_with = "alerts_per_ward_shift", help_heading = "Fall risk")]
    pub(crate) recall: Option<f64>,
    /// Choose the threshold so that a ward has this many alerts in a shift of 8 hours, on the mean
    #[arg(long, value_name = "N", value_parser = budget, help_heading = "Fall risk")]
    pub(crate) alerts_per_ward_shift: Option<f64>,
    /// Learn from this many labeled decision points at most [default: all]
    #[arg(long, value_name = "N", help_heading = "Fall risk")]
    pub(crate) labels: Option<usize>,
}

impl FallRiskArgs {
    /// The flags that were given.
    pub(super) fn given(&self) -> impl Iterator<Item = &'static str> {
        let Self { head, recall, alerts_per_ward_shift, labels } = self;
        let flags = [
            ("--head", head.is_some()),
            ("--recall", recall.is_some()),
            ("--alerts-per-ward-shift", alerts_per_ward_shift.is_some()),
            ("--labels", labels.is_some()),
        ];
        flags.into_iter().filter(|(_, is_given)| *is_given).map(|(flag, _)| flag)
    }
}

fn head_parser() -> impl TypedValueParser<Value = HeadName> {
    let names = HeadName::ALL.map(HeadName::as_str);
    PossibleValuesParser::new(names).map(|name| HeadName::from_name(&name).expect("one of the possible values"))
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| format!("a share of the outcomes, above 0 and at most 1, is wanted, got `{text}`"))
}

fn budget(text: &str) -> Result<f64, String> {
    let budget = text.parse::<f64>().ok().filter(|budget| budget.is_finite() && *budget >= 0.0);
    budget.ok_or_else(|| format!("a number of alerts, 0 or more, is wanted, got `{text}`"))
}

/// The experiment file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
struct RiskFile {
    rule: RiskRule,
    memory: EntityMemoryOptions,
}

pub(super) fn run(args: &FinetuneArgs, json: bool) -> anyhow::Result<Exit> {
    let FinetuneArgs { task: _, from, config, data, train, fall_risk, backend: _ } = args;
    let from = Run::open(from.as_deref().context("`--from` names the run to start from")?)?;
    let RiskFile { rule, memory } = match config {
        Some(path) => toml::from_str(&fs_err::read_to_string(path)?)
            .with_context(|| format!("`{}` has the sections [rule] and [memory]", path.display()))?,
        None => RiskFile::default(),
    };
    let FallRiskArgs { head, recall, alerts_per_ward_shift, labels } = fall_risk;
    let options = RiskOptions {
        rule,
        memory,
        head: head.unwrap_or(HeadName::Boosting),
        target: match (alerts_per_ward_shift, recall) {
            (Some(budget), _) => AlertTarget::AlertsPerUnitShift(*budget),
            (None, Some(recall)) => AlertTarget::Recall(*recall),
            (None, None) => AlertTarget::default(),
        },
        max_labels: *labels,
        seed: train.seed.unwrap_or(0),
    };
    let data = data.load()?;
    let folder = train.folder();
    let job = RiskJob { options, data: &data, from: &from, run: &folder };
    let summary = fit_risk(job, &mut |what| tracing::info!("fall risk: {what}"))?;
    if json {
        output::json(&summary)?;
    } else {
        output::text(&text(&folder.path().display().to_string(), &summary));
    }
    Ok(Exit::of_rejected(data.n_rejected() as u64, false))
}

fn text(path: &str, summary: &RiskSummary) -> String {
    let RiskSummary {
        n_decisions,
        n_outcomes,
        n_sites,
        auroc,
        average_precision,
        threshold,
        precision,
        recall,
        alerts_per_unit_shift,
    } = summary;
    format!(
        "{path}: learned from {n_decisions} decision points with {n_outcomes} outcomes at {n_sites} sites\n\
        judged on sites that each head did not learn from: AUROC {auroc:.3}, average precision {average_precision:.3}\n\
        alerts from a probability of {threshold:.3} on: precision {precision:.3}, recall {recall:.3}, {alerts_per_unit_shift:.3} per ward and shift\n"
    )
}
