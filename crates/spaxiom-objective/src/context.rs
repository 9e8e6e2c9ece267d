//! What objectives know of the data besides the windows.

use std::sync::Arc;

use spaxiom_token::{Augmenter, Tokenizer};

/// What objectives know of the data besides the windows.
#[derive(Debug, Clone, Default)]
pub struct ObjectiveContext {
    /// Names of the fields of a row, in order.
    pub fields: Vec<String>,
    /// The field of type and zone together, if rows have one ([`Tokenizer::what_field`]).
    pub what: Option<usize>,
    /// Makes views of events, for contrastive objectives.
    pub augmenter: Option<Arc<Augmenter>>,
    /// Training examples per class; empty if there are no classes.
    pub class_counts: Vec<usize>,
    /// Events per second of every token of the memory; empty where no moment is known.
    pub token_rates: Vec<f64>,
}

impl ObjectiveContext {
    /// The fields of a tokenizer; no views and no classes.
    #[must_use]
    pub fn of(tokenizer: &Tokenizer) -> Self {
        let fields = tokenizer.fields().iter().map(|field| field.name.clone()).collect();
        Self { fields, what: tokenizer.what_field(), ..Self::default() }
    }

    /// The same context with views.
    #[must_use]
    pub fn with_views(self, augmenter: Augmenter) -> Self {
        Self { augmenter: Some(Arc::new(augmenter)), ..self }
    }

    /// The same context with moments, whose tokens come so often per second.
    #[must_use]
    pub fn with_token_rates(self, token_rates: Vec<f64>) -> Self {
        Self { token_rates, ..self }
    }

    /// The same context with classes, of which training has so many examples each.
    #[must_use]
    pub fn with_classes(self, class_counts: Vec<usize>) -> Self {
        Self { class_counts, ..self }
    }
}
