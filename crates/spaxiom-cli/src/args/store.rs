//! Which store a command reads or writes: a folder of this machine, or a schema of a database server.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use spaxiom_embedding::{
    EmbeddingPipeline, Engine, Exact, FallRiskClassifier, IndexKind, Run, Sites, Store, VectorName, VectorStore,
};
use spaxiom_postgres::{AddressError, PostgresAddress, PostgresStore};

use super::unechoed::Unechoed;
use crate::exit::WrongUse;

/// Where the password of a database server is looked for, as PostgreSQL's own programs do; and a file that holds it.
const PASSWORD: &str = "PGPASSWORD";
const PASSWORD_FILE: &str = "SPAXIOM_STORE_PASSWORD_FILE";

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// Folder of the store, or `postgres://USER@HOST/DATABASE?schema=NAME`
    #[arg(long, value_name = "STORE")]
    store: Unechoed<StorePlace>,
}

impl StoreArgs {
    /// A store in a folder.
    pub(crate) fn of_folder(path: PathBuf) -> Self {
        Self { store: StorePlace::Folder(path).into() }
    }

    /// Where the store is.
    pub(crate) fn place(&self) -> Result<&StorePlace, WrongUse> {
        self.store.get("--store")
    }

    /// The folder, for what a database server does by itself.
    pub(crate) fn folder(&self, what: &str) -> Result<&Path, WrongUse> {
        match self.place()? {
            StorePlace::Folder(path) => Ok(path),
            StorePlace::Server(_) => {
                Err(WrongUse(format!("`{what}` is for stores in folders: the tools of PostgreSQL do it for a server")))
            }
        }
    }
}

/// Where a store is.
#[derive(Debug, Clone)]
pub(crate) enum StorePlace {
    Folder(PathBuf),
    Server(Box<PostgresAddress>),
}

impl FromStr for StorePlace {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if PostgresAddress::is_meant(text) {
            return Ok(Self::Server(Box::new(text.parse()?)));
        }
        Ok(Self::Folder(text.into()))
    }
}

impl fmt::Display for StorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Server(address) => address.fmt(f),
        }
    }
}

impl StorePlace {
    /// Opens the store that is there.
    pub(crate) fn open(&self) -> anyhow::Result<Arc<dyn VectorStore>> {
        Ok(match self {
            Self::Folder(path) => Arc::new(Store::open(path)?),
            Self::Server(address) => Arc::new(warned(PostgresStore::open(&with_password(address)?)?)),
        })
    }

    /// The name that a broker knows whoever writes the store by: the same after a restart, which is given what was not acknowledged.
    pub(crate) fn client(&self) -> String {
        let name = match self {
            Self::Folder(path) => fs_err::canonicalize(path).unwrap_or_else(|_| path.clone()).into_os_string(),
            Self::Server(address) => address.to_string().into(),
        };
        format!("store-{:016x}", xxhash_rust::xxh64::xxh64(name.as_encoded_bytes(), 0))
    }

    /// Opens the store that is there without reading its index: for what searches nothing.
    pub(crate) fn inspect(&self) -> anyhow::Result<Arc<dyn VectorStore>> {
        match self {
            Self::Folder(path) => Ok(Arc::new(Store::inspect(path)?)),
            Self::Server(_) => self.open(),
        }
    }

    /// Opens the store that a run filled.
    pub(crate) fn pipeline(&self, run: &Run, engine: &dyn Engine) -> anyhow::Result<EmbeddingPipeline> {
        Ok(EmbeddingPipeline::over(run, self.open()?, engine)?)
    }

    /// Opens a store to go on with, whose index keeps its kind, and makes it where there is none; with the classifier of
    /// the run, if it has one. Both know these sites too.
    pub(crate) fn go_on(
        &self,
        run: &Run,
        engine: &dyn Engine,
        sites: Option<&Sites>,
    ) -> anyhow::Result<(EmbeddingPipeline, Option<FallRiskClassifier>)> {
        let stored = match self {
            Self::Folder(path) => Store::inspect(path).and_then(|store| store.stats()).ok(),
            Self::Server(_) => None,
        };
        let kind: Arc<dyn IndexKind> = match stored {
            Some(stats) => stats.index.open()?,
            None => Arc::new(Exact),
        };
        let pipeline = self.create(run, kind, engine, VectorName::Both)?;
        let risk = FallRiskClassifier::is_in(run.path()).then(|| FallRiskClassifier::open(run.path())).transpose()?;
        Ok(match sites {
            Some(sites) => (pipeline.with_sites(sites), risk.map(|risk| risk.with_sites(sites))),
            None => (pipeline, risk),
        })
    }

    /// Opens a store for a run, and makes it where there is none; the kind is that of an index in a folder.
    pub(crate) fn create(
        &self,
        run: &Run,
        kind: Arc<dyn IndexKind>,
        engine: &dyn Engine,
        parts: VectorName,
    ) -> anyhow::Result<EmbeddingPipeline> {
        match self {
            Self::Folder(path) => Ok(EmbeddingPipeline::create_with(run, path, kind, engine, parts)?),
            Self::Server(address) => {
                let header = EmbeddingPipeline::header(run, engine, parts)?;
                let store = PostgresStore::create(&with_password(address)?, &header)?;
                Ok(EmbeddingPipeline::over(run, Arc::new(warned(store)), engine)?)
            }
        }
    }
}

fn warned(store: PostgresStore) -> PostgresStore {
    if let Some(warning) = store.warning() {
        tracing::warn!("{}: {warning}", store.address());
    }
    store
}

/// The address with the password of the environment, where there is one.
#[expect(clippy::disallowed_methods, reason = "the program is where the environment is read")]
fn with_password(address: &PostgresAddress) -> anyhow::Result<PostgresAddress> {
    if let Some(path) = std::env::var_os(PASSWORD_FILE) {
        let text = fs_err::read_to_string(PathBuf::from(path)).context(PASSWORD_FILE)?;
        return Ok(address.clone().with_password(text.trim_end_matches(['\n', '\r'])));
    }
    Ok(match std::env::var(PASSWORD) {
        Ok(password) => address.clone().with_password(&password),
        Err(_) => address.clone(),
    })
}
