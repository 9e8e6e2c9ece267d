//! The kind of an index from flags.

use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::Value;
use spaxiom_embedding::{IndexKind, KindName, KindRecord, choose};

use crate::exit::WrongUse;

/// A kind by name, or the one that suits the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KindChoice {
    Auto,
    Named(KindName),
}

impl ValueEnum for KindChoice {
    fn value_variants<'a>() -> &'a [Self] {
        const {
            &[
                Self::Auto,
                Self::Named(KindName::Exact),
                Self::Named(KindName::Hnsw),
                Self::Named(KindName::IvfPq),
                Self::Named(KindName::RaBitQ),
            ]
        }
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        match self {
            Self::Auto => {
                Some(clap::builder::PossibleValue::new("auto").help("Choose by count, width and memory, and say why"))
            }
            Self::Named(name) => name.to_possible_value(),
        }
    }
}

/// Options of the index; an existing store keeps those that are not given.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct IndexFlags {
    /// Index kind [default: as before, or auto]
    #[arg(long, value_enum, help_heading = "Index")]
    pub(crate) kind: Option<KindChoice>,
    /// For `--kind auto`: memory that searches may take, in MB
    #[arg(long, value_name = "MB", default_value_t = 4096, help_heading = "Index")]
    pub(crate) memory: u64,
    /// HNSW: neighbors per vector [default: as before, or 32]
    #[arg(long, help_heading = "Index")]
    pub(crate) m: Option<u32>,
    /// HNSW: candidates kept while building [default: as before, or 80]
    #[arg(long, help_heading = "Index")]
    pub(crate) ef_construction: Option<u32>,
    /// HNSW: candidates kept while searching [default: as before, or 64]
    #[arg(long, help_heading = "Index")]
    pub(crate) ef_search: Option<u32>,
    /// HNSW and IVF-PQ: threads while building; with more than one a graph is not reproducible [default: as before, or 1]
    #[arg(long, help_heading = "Index")]
    pub(crate) threads: Option<u32>,
    /// Any setting of the kind by its name, such as `storage=sq8`, `n-probe=64` or `bits=2`; a wrong name lists them
    #[arg(long = "set", value_name = "NAME=VALUE", help_heading = "Index")]
    pub(crate) settings: Vec<String>,
}

impl IndexFlags {
    /// The kind with the settings of the flags, and why it was chosen where it was: the flags, over what the store has.
    pub(crate) fn kind(
        &self,
        stored: Option<KindRecord>,
        n_vectors: usize,
        dim: usize,
    ) -> anyhow::Result<(Arc<dyn IndexKind>, Option<String>)> {
        let (record, why) = match (self.kind, stored) {
            (Some(KindChoice::Named(name)), Some(stored)) if stored.name() == name.as_str() => (stored, None),
            (None, Some(stored)) => (stored, None),
            (Some(KindChoice::Named(name)), _) => (KindRecord::from(name), None),
            (Some(KindChoice::Auto) | None, _) => {
                let choice = choose(n_vectors, dim, self.memory << 20);
                (choice.kind, Some(choice.why))
            }
        };
        let mut settings = record.open()?.settings();
        let mut unknown = None;
        for (name, value) in self.given()? {
            if !settings.replace(&name, value) {
                unknown = Some(name);
            }
        }
        if let Some(name) = unknown {
            let known = settings.names().collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "none".into() } else { known };
            return Err(WrongUse(format!(
                "an index of kind `{}` has no setting `{name}`; it has {known}. Name another kind by `--kind`",
                record.name()
            ))
            .into());
        }
        Ok((KindRecord::new(record.name(), settings).open()?, why))
    }

    /// Settings by name.
    fn given(&self) -> anyhow::Result<Vec<(String, Value)>> {
        let Self { kind: _, memory: _, m, ef_construction, ef_search, threads, settings } = self;
        let flags = [("m", m), ("ef-construction", ef_construction), ("ef-search", ef_search), ("n-threads", threads)];
        let mut given: Vec<(String, Value)> =
            flags.into_iter().filter_map(|(name, value)| Some((name.into(), (*value)?.into()))).collect();
        for setting in settings {
            let Some((name, value)) = setting.split_once('=') else {
                return Err(WrongUse(format!("`--set {setting}` wants NAME=VALUE, such as `--set n-probe=64`")).into());
            };
            given.push((name.into(), serde_json::from_str(value).unwrap_or_else(|_| value.into())));
        }
        Ok(given)
    }
}
