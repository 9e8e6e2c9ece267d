//! Which parameters learn, and how fast: frozen ones, and slower ones the deeper they lie.

use burn::module::{AutodiffModule, ModuleMapper, Param};
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{ParameterPath, collect_weights};

use crate::error::ObjectiveError;

/// Options of single parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RateOptions {
    /// Parameters whose names begin so do not change, for example `encoder.embedding` or `encoder`; none.
    pub frozen: Vec<String>,
    /// The rate of a layer over that of the layer above it (Howard and Ruder 2018); 1.
    ///
    /// Heads have the full rate, the encoder's last layer once this factor, and so on down to its embedding.
    pub layer_decay: f64,
}

impl Default for RateOptions {
    fn default() -> Self {
        Self { frozen: Vec::new(), layer_decay: 1.0 }
    }
}

/// Checked [`RateOptions`] for the parameters of a module.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    options: RateOptions,
    n_layers: i32,
    /// Whether nothing of the encoder changes, by whatever names that was said.
    is_encoder_frozen: bool,
}

impl Rates {
    /// Looks the names up in `module`.
    ///
    /// # Errors
    /// [`ObjectiveError::Setting`] for the beginning of no name, for one of all names, and for a decay outside 0 to 1.
    pub fn new<B: AutodiffBackend>(
        options: RateOptions,
        module: &impl AutodiffModule<B>,
    ) -> Result<Self, ObjectiveError> {
        let names: Vec<String> = collect_weights(module, "").into_keys().collect();
        let wrong = |name, want, got: &str| Err(ObjectiveError::Setting { name, want, got: got.to_owned() });
        if !(options.layer_decay > 0.0 && options.layer_decay <= 1.0) {
            return wrong("rates.layer-decay", "above 0 and at most 1", &options.layer_decay.to_string());
        }
        let unknown = options.frozen.iter().find(|frozen| !names.iter().any(|name| is_under(name, frozen)));
        if let Some(unknown) = unknown {
            return wrong("rates.frozen", "the beginning of names in model.safetensors", unknown);
        }
        let n_layers = names.iter().filter_map(|name| layer(name)).max().map_or(0, |last| last + 1);
        let mut rates = Self { options, n_layers, is_encoder_frozen: false };
        rates.is_encoder_frozen =
            names.iter().filter(|name| is_under(name, "encoder")).all(|name| rates.is_frozen(name));
        if names.iter().all(|name| rates.is_frozen(name)) {
            return wrong("rates.frozen", "some of the parameters", "all of them");
        }
        Ok(rates)
    }

    /// What the learning rate of a parameter is multiplied by.
    #[must_use]
    pub fn factor(&self, name: &str) -> f64 {
        if !is_under(name, "encoder") {
            return 1.0;
        }
        let depth = match layer(name) {
            Some(layer) => self.n_layers - layer,
            None if name.starts_with("encoder.stack") => 1,
            None => self.n_layers + 1,
        };
        self.options.layer_decay.powi(depth)
    }

    fn is_frozen(&self, name: &str) -> bool {
        self.options.frozen.iter().any(|frozen| is_under(name, frozen))
    }

    /// Whether nothing of the encoder changes, so that nothing has to be learned from it.
    pub(crate) fn is_encoder_frozen(&self) -> bool {
        self.is_encoder_frozen
    }

    /// The same module, of which what is frozen is no part of any graph.
    pub(crate) fn freeze<B: AutodiffBackend, M: AutodiffModule<B>>(&self, module: M) -> M {
        if self.options.frozen.is_empty() {
            return module;
        }
        module.map(&mut Freezer { rates: self, path: ParameterPath::default() })
    }
}

/// Whether a name is `prefix`, or lies under it.
fn is_under(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || prefix.ends_with('.'))
}

/// The number of the layer of the encoder's stack that a parameter lies in.
fn layer(name: &str) -> Option<i32> {
    let (_, rest) = name.strip_prefix("encoder.")?.split_once("layers.")?;
    rest.split('.').next()?.parse().ok()
}

struct Freezer<'a> {
    rates: &'a Rates,
    path: ParameterPath,
}

impl<A: AutodiffBackend> ModuleMapper<A> for Freezer<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<A, D>>) -> Param<Tensor<A, D>> {
        if self.rates.is_frozen(&self.path.name()) { param.set_require_grad(false) } else { param }
    }
}

#[cfg(test)]
mod tests {
    use super::{RateOptions, Rates};

    #[test]
    fn the_rate_falls_from_the_heads_down_to_the_embedding() {
        let options = RateOptions { layer_decay: 0.5, ..RateOptions::default() };
        let rates = Rates { options, n_layers: 2, ..Rates::default() };
        for (name, want) in [
            ("heads.masked.fields.output.weight", 1.0),
            ("encoder.stack.norm.gamma", 0.5),
            ("encoder.stack.layers.1.expand.weight", 0.5),
            ("encoder.stack.layers.0.expand.weight", 0.25),
            ("encoder.embedding.table", 0.125),
        ] {
            assert!((rates.factor(name) - want).abs() < 1e-12, "{name}");
        }
    }

    #[test]
    fn a_frozen_name_is_a_whole_one() {
        let options = RateOptions { frozen: vec!["encoder.stack.layers.1".into()], ..RateOptions::default() };
        let rates = Rates { options, n_layers: 12, ..Rates::default() };
        assert!(rates.is_frozen("encoder.stack.layers.1.expand.weight"));
        assert!(!rates.is_frozen("encoder.stack.layers.11.expand.weight"));
    }
}
