//! The table of index kinds: one row names a kind, and everything else about it is in its own file.

mod exact;
#[cfg(feature = "faiss")]
mod hnsw;
#[cfg(feature = "faiss")]
mod ivf_pq;
mod rabitq;

use std::sync::Arc;

use crate::error::IndexError;
use crate::index_kind::IndexKind;
use crate::settings::{KindRecord, KindSettings};

pub use self::exact::Exact;
#[cfg(feature = "faiss")]
pub use self::hnsw::{Hnsw, HnswOptions, HnswStorage};
#[cfg(feature = "faiss")]
pub use self::ivf_pq::{IvfPq, IvfPqOptions};
pub use self::rabitq::{RaBitQ, RaBitQOptions};

/// Turns rows of `/// help`, `Variant "name" ["cargo feature"] => function that opens it;` into [`KindName`].
macro_rules! kinds {
    ($($(#[$help:meta])* $variant:ident $name:tt $([$feature:tt])? => $open:path;)+) => {
        /// The index kinds that a store can be reopened with by name.
        ///
        /// It names those of every build; [`KindName::open`] fails for one that this build was compiled without.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
        #[non_exhaustive]
        pub enum KindName {
            $($(#[$help])* #[cfg_attr(feature = "clap", value(name = $name))] $variant,)+
        }

        impl KindName {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name that a store records.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// Checks `settings` and gives the kind; a setting that is left out has its default.
            ///
            /// # Errors
            /// [`IndexError::KindNotCompiledIn`], [`IndexError::Settings`], or [`IndexError::Setting`].
            pub fn open(self, settings: &KindSettings) -> Result<Arc<dyn IndexKind>, IndexError> {
                match self {
                    $(
                        $(#[cfg(feature = $feature)])?
                        Self::$variant => $open(settings),
                        $(
                            #[cfg(not(feature = $feature))]
                            Self::$variant => Err(IndexError::KindNotCompiledIn { kind: $name, feature: $feature }),
                        )?
                    )+
                }
            }
        }
    };
}

kinds! {
    /// Compare every vector
    Exact "exact" => exact::open;
    /// Search a FAISS HNSW graph
    Hnsw "hnsw" ["faiss"] => hnsw::open;
    /// Search product codes of FAISS and rank the best again exactly
    IvfPq "ivf-pq" ["faiss"] => ivf_pq::open;
    /// Search codes of 1, 2 or 4 bits per value and rank the best again exactly
    RaBitQ "rabitq" => rabitq::open;
}

impl Default for KindName {
    /// HNSW, or exact search in a build without the feature `faiss`.
    fn default() -> Self {
        if cfg!(feature = "faiss") { Self::Hnsw } else { Self::Exact }
    }
}

impl From<KindName> for KindRecord {
    /// A record without settings: all of them have their defaults.
    fn from(name: KindName) -> Self {
        Self::new(name.as_str(), KindSettings::default())
    }
}

impl KindRecord {
    /// The record of `kind`.
    #[must_use]
    pub fn of(kind: &dyn IndexKind) -> Self {
        Self::new(kind.name(), kind.settings())
    }

    /// Checks the recorded settings and gives the kind.
    ///
    /// # Errors
    /// [`IndexError::UnknownKind`] for a kind that is not in the table, and as of [`KindName::open`].
    pub fn open(&self) -> Result<Arc<dyn IndexKind>, IndexError> {
        let Some(name) = KindName::ALL.iter().find(|name| name.as_str() == self.name()) else {
            let known = KindName::ALL.iter().copied().map(KindName::as_str).collect::<Vec<_>>().join(", ");
            return Err(IndexError::UnknownKind { kind: self.name().into(), known });
        };
        name.open(self.settings())
    }
}
