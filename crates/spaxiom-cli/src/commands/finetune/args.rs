//! The words of `finetune`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use spaxiom_embedding::HeadName;

use crate::args::{BackendArgs, DataArgs, TrainArgs};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FinetuneTask {
    /// Classify the labels of the data: hidden causes or activities
    Classify,
    /// Judge how likely a fall is at the first report of an unsteady walk
    FallRisk,
    /// Train a text encoder, so that searches by words rank by similarity
    Retrieval,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask finetune --task classify --from runs/warehouse --data data/warehouse --out runs/causes\n  \
    cargo xtask finetune --task fall-risk --from runs/hospital --data data/hospital --out runs/falls\n  \
    cargo xtask finetune --task fall-risk --alerts-per-ward-shift 0.5 --from runs/hospital --data data/hospital --out runs/falls\n  \
    cargo xtask finetune --task retrieval --from runs/warehouse --data data/warehouse --out runs/texts\n\n\
    Ctrl-C writes a checkpoint of a classifier and exits with code 130."
)]
pub(crate) struct FinetuneArgs {
    /// Task
    #[arg(long, value_enum)]
    pub(crate) task: FinetuneTask,
    /// The pretrained run to start from
    #[arg(long, value_name = "RUN", required_unless_present = "resume")]
    pub(crate) from: Option<PathBuf>,
    /// Experiment file (TOML): any settings over those of the run to start from; for `fall-risk` the sections `rule` and `memory`, for `retrieval` the settings of its loop
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
    #[command(flatten)]
    pub(crate) fall_risk: FallRiskArgs,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

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
    pub(crate) fn given(&self) -> impl Iterator<Item = &'static str> {
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
