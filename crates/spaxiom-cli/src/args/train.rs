//! The words of `pretrain` and `finetune`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use spaxiom_embedding::{EncoderKind, LayoutName, Preset, PretextName};

use super::{BackendArgs, DataArgs};

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum PresetArg {
    /// 2 layers of width 64, minutes on two cores
    Tiny,
    /// 4 layers of width 256
    Small,
    /// 12 layers of width 768, for a GPU
    Base,
}

impl From<PresetArg> for Preset {
    fn from(preset: PresetArg) -> Self {
        match preset {
            PresetArg::Tiny => Self::Tiny,
            PresetArg::Small => Self::Small,
            PresetArg::Base => Self::Base,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum EncoderArg {
    /// Attention over the events of a window
    Transformer,
    /// Event after event, with a memory beside the state
    Lstm,
    /// Event after event, with fewer weights
    Gru,
    /// Messages along edges of place, time and cause
    Gnn,
    /// Places, times, types and numbers each by themselves, then together
    Fusion,
}

impl From<EncoderArg> for EncoderKind {
    fn from(encoder: EncoderArg) -> Self {
        match encoder {
            EncoderArg::Transformer => Self::Transformer,
            EncoderArg::Lstm => Self::Lstm,
            EncoderArg::Gru => Self::Gru,
            EncoderArg::Gnn => Self::Gnn,
            EncoderArg::Fusion => Self::Fusion,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ObjectiveArg {
    /// Masked event prediction: every field of 15 % of the events, from the events around them
    Mep,
    /// Next-event prediction: what comes next and when, from the past alone
    Nep,
    /// Events in other places than their own, told back into them without times
    Jigsaw,
    /// Which events are joined by place, time or cause (for gnn and fusion)
    Link,
    /// What an event is, from its place, its time and its edges (for gnn and fusion)
    #[value(alias = "attribute")]
    Node,
    /// Two views of a window find each other among those of others
    #[value(alias = "infonce")]
    InfoNce,
    /// A view is nearer than a hard negative: close by, but of another type
    Triplet,
}

impl From<ObjectiveArg> for PretextName {
    fn from(objective: ObjectiveArg) -> Self {
        match objective {
            ObjectiveArg::Mep => Self::Mep,
            ObjectiveArg::Nep => Self::Nep,
            ObjectiveArg::Jigsaw => Self::Jigsaw,
            ObjectiveArg::Link => Self::Link,
            ObjectiveArg::Node => Self::Node,
            ObjectiveArg::InfoNce => Self::InfoNce,
            ObjectiveArg::Triplet => Self::Triplet,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum TokensArg {
    /// An event, with type, zone, cells, attributes and times side by side
    Composite,
    /// A token: type, zone, attributes and times one after the other, with separators
    Flat,
    /// Five minutes, with the number of events of each type
    Bins,
}

impl From<TokensArg> for LayoutName {
    fn from(tokens: TokensArg) -> Self {
        match tokens {
            TokensArg::Composite => Self::Composite,
            TokensArg::Flat => Self::Flat,
            TokensArg::Bins => Self::Bins,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum TaskArg {
    /// Tell the labels of the data: hidden causes or activities
    Classify,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArgs {
    /// Folder of the new run
    #[arg(long, required_unless_present = "resume")]
    pub(crate) out: Option<PathBuf>,
    /// Go on with the run in this folder from its last checkpoint
    #[arg(long, value_name = "RUN", conflicts_with = "out")]
    pub(crate) resume: Option<PathBuf>,
    /// Steps at most [default: that of the preset]
    #[arg(long)]
    pub(crate) max_steps: Option<u64>,
    /// Numbers of a vector, by principal components of the training part [default: all that the encoder gives]
    #[arg(long, value_name = "N")]
    pub(crate) reduce_to: Option<usize>,
    /// Decides first weights, order and masks [default: 0]
    #[arg(long, conflicts_with = "resume")]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask pretrain --data data/warehouse --preset tiny --out runs/warehouse\n  \
    cargo xtask pretrain --data data/warehouse --preset small --encoder gru --out runs/gru\n  \
    cargo xtask pretrain --data data/warehouse --objective mep,info-nce --out runs/mixed\n  \
    cargo xtask pretrain --data data/warehouse --resume runs/warehouse\n  \
    cargo xtask pretrain --data data/years --stream --out runs/years\n\n\
    Ctrl-C writes a checkpoint and ends with exit code 130."
)]
pub(crate) struct PretrainArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// For data larger than memory: read the files of the folder --data one after the other in every epoch
    #[arg(long)]
    pub(crate) stream: bool,
    /// Sizes that are known to work
    #[arg(long, value_enum, conflicts_with_all = ["config", "resume"])]
    pub(crate) preset: Option<PresetArg>,
    /// An experiment file (TOML): any settings over those of the preset it names
    #[arg(long, conflicts_with = "resume")]
    pub(crate) config: Option<PathBuf>,
    /// Which encoder [default: transformer, or what the experiment file says]
    #[arg(long, value_enum, conflicts_with = "resume")]
    pub(crate) encoder: Option<EncoderArg>,
    /// What a position is [default: composite, or what the experiment file says]
    #[arg(long, value_enum, conflicts_with = "resume")]
    pub(crate) tokens: Option<TokensArg>,
    /// What it learns; several, with commas between them, count the same [default: mep, or what the experiment file says]
    #[arg(long, value_enum, value_delimiter = ',', conflicts_with = "resume")]
    pub(crate) objective: Vec<ObjectiveArg>,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  cargo xtask finetune --task classify --from runs/warehouse --data data/warehouse --out runs/causes\n\n\
    Ctrl-C writes a checkpoint and ends with exit code 130."
)]
pub(crate) struct FinetuneArgs {
    /// What is learnt
    #[arg(long, value_enum)]
    pub(crate) task: TaskArg,
    /// The pretrained run to start from
    #[arg(long, value_name = "RUN", required_unless_present = "resume")]
    pub(crate) from: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) data: DataArgs,
    #[command(flatten)]
    pub(crate) train: TrainArgs,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask ablate --data data/warehouse --out runs/ablation\n  \
    cargo xtask ablate --data home.txt --format casas --encoder gru --sets nep info-nce nep+info-nce --seeds 5 --out runs/home\n\n\
    Runs that are there already are used, so that an ablation that was stopped goes on where it was.")]
pub(crate) struct AblateArgs {
    #[command(flatten)]
    pub(crate) data: DataArgs,
    /// Sizes that are known to work
    #[arg(long, value_enum, conflicts_with = "config")]
    pub(crate) preset: Option<PresetArg>,
    /// An experiment file (TOML): any settings over those of the preset it names; its weights of objectives count
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
    /// Which encoder [default: transformer, or what the experiment file says]
    #[arg(long, value_enum)]
    pub(crate) encoder: Option<EncoderArg>,
    /// Objectives that are trained together, with + between them; each set by itself
    #[arg(long, num_args = 1.., value_name = "SET", value_parser = set,
        default_values = ["mep", "nep", "jigsaw", "info-nce", "triplet", "nep+info-nce"])]
    pub(crate) sets: Vec<ObjectiveSet>,
    /// Seeds of each set
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,
    /// Steps of each run at most [default: that of the preset]
    #[arg(long)]
    pub(crate) max_steps: Option<u64>,
    /// Folder for the runs and ablation.json
    #[arg(long)]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

/// Objectives that are trained together.
#[derive(Debug, Clone)]
pub(crate) struct ObjectiveSet(pub(crate) Vec<PretextName>);

fn set(text: &str) -> Result<ObjectiveSet, String> {
    let name = |name: &str| {
        ObjectiveArg::from_str(name, false).map(PretextName::from).map_err(|_| {
            let known: Vec<String> = ObjectiveArg::value_variants()
                .iter()
                .filter_map(|known| Some(known.to_possible_value()?.get_name().to_owned()))
                .collect();
            format!("no objective is called `{name}`; there are {}", known.join(", "))
        })
    };
    text.split('+').map(name).collect::<Result<_, _>>().map(ObjectiveSet)
}
