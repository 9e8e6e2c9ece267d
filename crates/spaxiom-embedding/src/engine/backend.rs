//! The one place where burn's generics meet the backends.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;

use super::burn_engine::BurnEngine;
use super::interface::Engine;
use super::name::{BackendName, listed};
use crate::error::EmbeddingError;

/// The engine of this name.
///
/// # Errors
/// [`EmbeddingError::UnknownBackend`], [`EmbeddingError::NotCompiledIn`] and [`EmbeddingError::NoDevice`],
/// which name the backends that are there.
pub fn engine(name: &str) -> Result<Box<dyn Engine>, EmbeddingError> {
    let backend = BackendName::ALL.into_iter().find(|backend| backend.as_str() == name);
    let name = backend.ok_or_else(|| EmbeddingError::UnknownBackend { got: name.into() })?;
    if !name.is_compiled_in() {
        return Err(EmbeddingError::NotCompiledIn { name: name.as_str() });
    }
    open(name).ok_or_else(|| {
        let usable = listed(|other| other != name && other.is_compiled_in() && open(other).is_some());
        EmbeddingError::NoDevice { name: name.as_str(), usable }
    })
}

fn open(name: BackendName) -> Option<Box<dyn Engine>> {
    match name {
        #[cfg(feature = "flex")]
        BackendName::Flex => opened::<burn::backend::Flex>(name),
        #[cfg(feature = "ndarray")]
        BackendName::Ndarray => opened::<burn::backend::NdArray>(name),
        #[cfg(feature = "wgpu")]
        BackendName::Wgpu => opened::<burn::backend::Wgpu>(name),
        #[cfg(feature = "cuda")]
        BackendName::Cuda => opened::<burn::backend::Cuda>(name),
        #[allow(unreachable_patterns, reason = "reached unless every backend is compiled in")]
        _ => None,
    }
}

fn opened<B: Backend>(name: BackendName) -> Option<Box<dyn Engine>>
where
    B::Device: Sync,
{
    let engine = BurnEngine::<Autodiff<B>>::open(name)?;
    Some(Box::new(engine))
}
