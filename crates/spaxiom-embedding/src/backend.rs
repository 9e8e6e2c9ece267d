//! Backends by name, and the one place where burn's generics meet them.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;

use crate::burn_engine::BurnEngine;
use crate::engine::Engine;
use crate::error::EmbeddingError;

/// A backend that burn has; which of them this program can run is decided when it is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendName {
    /// The default on the CPU.
    Flex,
    /// Burn's older CPU backend.
    Ndarray,
    /// Any GPU with Vulkan, Metal or DirectX 12.
    Wgpu,
    /// NVIDIA GPUs.
    Cuda,
}

impl BackendName {
    const ALL: [Self; 4] = [Self::Flex, Self::Ndarray, Self::Wgpu, Self::Cuda];

    /// The name on the command line, which is that of the cargo feature.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
        }
    }

    /// Whether it computes on the CPU.
    pub(crate) fn is_cpu(self) -> bool {
        matches!(self, Self::Flex | Self::Ndarray)
    }

    /// Whether encoding goes without the tensors of the backend: flex trains, and plain slices encode faster.
    pub(crate) fn encodes_on_the_cpu(self) -> bool {
        self == Self::Flex
    }

    fn is_compiled_in(self) -> bool {
        match self {
            Self::Flex => cfg!(feature = "flex"),
            Self::Ndarray => cfg!(feature = "ndarray"),
            Self::Wgpu => cfg!(feature = "wgpu"),
            Self::Cuda => cfg!(feature = "cuda"),
        }
    }

    /// All names, for a message.
    #[must_use]
    pub fn all() -> String {
        listed(|_| true)
    }

    /// The names that are compiled in, for a message.
    #[must_use]
    pub fn compiled() -> String {
        listed(Self::is_compiled_in)
    }
}

fn listed(wanted: impl Fn(BackendName) -> bool) -> String {
    let names: Vec<&str> = BackendName::ALL.into_iter().filter(|&name| wanted(name)).map(BackendName::as_str).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

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
