//! Backends by name.

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
    pub(crate) const ALL: [Self; 4] = [Self::Flex, Self::Ndarray, Self::Wgpu, Self::Cuda];

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

    /// Whether encoding bypasses the tensors of the backend: flex trains, and plain slices encode faster.
    pub(crate) fn encodes_on_the_cpu(self) -> bool {
        self == Self::Flex
    }

    pub(crate) fn is_compiled_in(self) -> bool {
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

pub(crate) fn listed(wanted: impl Fn(BackendName) -> bool) -> String {
    let names: Vec<&str> = BackendName::ALL.into_iter().filter(|&name| wanted(name)).map(BackendName::as_str).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}
