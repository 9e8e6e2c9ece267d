//! `finetune --task fall-risk`.

use anyhow::Context;
use serde::Deserialize;
use spaxiom_embedding::{
    AlertTarget, EntityMemoryOptions, HeadName, RiskJob, RiskOptions, RiskRule, RiskSummary, Run, fit_risk,
};

use super::args::{FallRiskArgs, FinetuneArgs};
use crate::exit::Exit;
use crate::output;

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
