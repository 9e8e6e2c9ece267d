//! Which parts of a vector are used.

/// Which parts of a vector are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum VectorName {
    /// Encoder and memory.
    #[default]
    Both,
    /// What the encoder makes of the last events alone.
    Encoder,
    /// What the memory holds of everything before alone.
    Memory,
}

impl VectorName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Both, Self::Encoder, Self::Memory];

    /// The name in files and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Encoder => "encoder",
            Self::Memory => "memory",
        }
    }

    /// The parts of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|parts| parts.as_str() == name)
    }

    pub(crate) fn has_encoder(self) -> bool {
        self != Self::Memory
    }

    pub(crate) fn has_memory(self) -> bool {
        self != Self::Encoder
    }
}
