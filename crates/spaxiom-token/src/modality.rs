//! The modalities of an event: where, when, what and how much.

use serde::{Deserialize, Serialize};

use crate::field::{Coding, Field};
use crate::number::{NumberColumn, NumberSource};
use crate::tokenizer::{Layout, Tokenizer};

/// What a field or a number of an event is about (seed, "Multi-modal fusion in embedding space").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Modality {
    /// Zone, its kind, what lies near it, and cells of the position.
    Spatial,
    /// Hour, day, and time since the event before.
    Temporal,
    /// The event's type, and attributes of words; type and zone as one word too, so that a place may be read off it.
    Type,
    /// Attributes of numbers, and numbers of events.
    Numeric,
}

impl Modality {
    /// All modalities, in the order in which fusion puts them side by side.
    pub const ALL: [Self; 4] = [Self::Spatial, Self::Temporal, Self::Type, Self::Numeric];
}

impl Field {
    /// What the field is about.
    #[must_use]
    pub fn modality(&self) -> Modality {
        match self.coding {
            Coding::Zone(_) | Coding::Kind(_) | Coding::Near(_) | Coding::Cell(_) => Modality::Spatial,
            Coding::Hour { .. } | Coding::Day | Coding::Gap { .. } => Modality::Temporal,
            Coding::Type(_) | Coding::What(_) | Coding::Word(_) => Modality::Type,
            Coding::Number { .. } | Coding::Count { .. } => Modality::Numeric,
        }
    }
}

impl NumberColumn {
    /// What the number is about.
    #[must_use]
    pub fn modality(&self) -> Modality {
        match self.source() {
            NumberSource::Attribute { .. } => Modality::Numeric,
            NumberSource::Gap | NumberSource::DayFraction => Modality::Temporal,
        }
    }
}

impl Tokenizer {
    /// The modality of each place of a row; a token of the flat layout may be about anything, and counts as a type.
    #[must_use]
    pub fn modalities(&self) -> Vec<Modality> {
        match self.layout() {
            Layout::Flat => vec![Modality::Type],
            Layout::Composite | Layout::Bins { .. } => self.fields().iter().map(Field::modality).collect(),
        }
    }
}
