//! `AdamW` with clipping by the global norm.
//!
//! burn's own optimizer clips every parameter by itself, decays norms and biases too, and keeps its state under ids
//! that are drawn anew in every process. Here the state stands under the parameter's path and goes into the checkpoint.

use std::collections::BTreeMap;

use burn::module::{AutodiffModule, Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{NamedTensor, ParameterPath};

use crate::rates::Rates;

/// Options of AdamW (Loshchilov and Hutter 2019).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AdamWOptions {
    /// Decay of the first moment; 0.9.
    pub beta_1: f64,
    /// Decay of the second moment; 0.98.
    pub beta_2: f64,
    /// Added to the denominator; 1e-8.
    pub epsilon: f64,
    /// Weight decay of matrices, times the learning rate; norms and biases do not decay; 0.01.
    pub weight_decay: f64,
}

impl Default for AdamWOptions {
    fn default() -> Self {
        Self { beta_1: 0.9, beta_2: 0.98, epsilon: 1e-8, weight_decay: 0.01 }
    }
}

/// The optimizer with its state.
#[derive(Debug, Clone)]
pub struct AdamW<B: Backend> {
    options: AdamWOptions,
    rates: Rates,
    n_steps: i32,
    moments: BTreeMap<String, Moments<B>>,
}

/// Running means of one parameter's gradient and its square, flat.
#[derive(Debug, Clone)]
struct Moments<B: Backend> {
    first: Tensor<B, 1>,
    second: Tensor<B, 1>,
}

impl<B: Backend> AdamW<B> {
    /// An optimizer that has done no step.
    #[must_use]
    pub fn new(options: AdamWOptions) -> Self {
        Self { options, rates: Rates::default(), n_steps: 0, moments: BTreeMap::new() }
    }

    /// The same with rates of its own for some parameters.
    #[must_use]
    pub fn with_rates(self, rates: Rates) -> Self {
        Self { rates, ..self }
    }

    /// Changes the parameters of `module` against its gradients, which are multiplied by `scale` first.
    pub fn step<A, M>(&mut self, module: M, grads: &mut GradientsParams, learning_rate: f64, scale: f64) -> M
    where
        A: AutodiffBackend<InnerBackend = B>,
        M: AutodiffModule<A>,
    {
        self.n_steps += 1;
        let mut update = Update { optimizer: self, grads, learning_rate, scale, path: ParameterPath::default() };
        module.map::<Update<'_, B>>(&mut update)
    }

    /// The state as tensors: `first.` and `second.` before the parameter's path.
    #[must_use]
    pub fn state(&self) -> BTreeMap<String, NamedTensor> {
        let host = |tensor: &Tensor<B, 1>| {
            let values: Vec<f32> = tensor.to_data().convert::<f32>().to_vec().expect("converted to f32");
            NamedTensor { shape: vec![values.len()], values }
        };
        let both = |(name, moments): (&String, &Moments<B>)| {
            [(format!("first.{name}"), host(&moments.first)), (format!("second.{name}"), host(&moments.second))]
        };
        self.moments.iter().flat_map(both).collect()
    }

    /// An optimizer that goes on after `n_steps` steps from the state that [`AdamW::state`] gave.
    #[must_use]
    pub fn resumed(
        options: AdamWOptions,
        n_steps: i32,
        state: &BTreeMap<String, NamedTensor>,
        device: &B::Device,
    ) -> Self {
        let tensor = |named: &NamedTensor| {
            Tensor::from_data(TensorData::new(named.values.clone(), [named.values.len()]), device)
        };
        let moments = state.iter().filter_map(|(name, first)| {
            let name = name.strip_prefix("first.")?;
            let second = state.get(&format!("second.{name}"))?;
            Some((name.to_owned(), Moments { first: tensor(first), second: tensor(second) }))
        });
        Self { options, rates: Rates::default(), n_steps, moments: moments.collect() }
    }

    /// The change of a parameter, without the learning rate.
    fn direction(&mut self, name: &str, grad: Tensor<B, 1>) -> Tensor<B, 1> {
        let AdamWOptions { beta_1, beta_2, epsilon, weight_decay: _ } = self.options;
        let square = grad.clone() * grad.clone();
        let moments = match self.moments.remove(name) {
            Some(Moments { first, second }) => Moments {
                first: first.mul_scalar(beta_1) + grad.mul_scalar(1.0 - beta_1),
                second: second.mul_scalar(beta_2) + square.mul_scalar(1.0 - beta_2),
            },
            None => Moments { first: grad.mul_scalar(1.0 - beta_1), second: square.mul_scalar(1.0 - beta_2) },
        };
        let first = moments.first.clone().div_scalar(1.0 - beta_1.powi(self.n_steps));
        let second = moments.second.clone().div_scalar(1.0 - beta_2.powi(self.n_steps));
        self.moments.insert(name.to_owned(), moments);
        first / second.sqrt().add_scalar(epsilon)
    }
}

struct Update<'a, B: Backend> {
    optimizer: &'a mut AdamW<B>,
    grads: &'a mut GradientsParams,
    learning_rate: f64,
    scale: f64,
    path: ParameterPath,
}

impl<B: Backend, A: AutodiffBackend<InnerBackend = B>> ModuleMapper<A> for Update<'_, B> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<A, D>>) -> Param<Tensor<A, D>> {
        let Some(grad) = self.grads.remove::<B, D>(param.id) else { return param };
        let shape = grad.dims();
        let flat = grad.reshape([shape.iter().product::<usize>()]).mul_scalar(self.scale);
        let name = self.path.name();
        let direction = self.optimizer.direction(&name, flat).reshape(shape);
        let learning_rate = self.learning_rate * self.optimizer.rates.factor(&name);
        // Only matrices decay: norms and offsets are vectors.
        let decay = if D > 1 { learning_rate * self.optimizer.options.weight_decay } else { 0.0 };
        param.map(|tensor| {
            let kept = tensor.inner().mul_scalar(1.0 - decay);
            Tensor::from_inner(kept - direction.mul_scalar(learning_rate)).require_grad()
        })
    }
}

/// The factor that clips the global gradient norm to `max_norm`, and the norm before clipping.
///
/// The length is over all parameters (Pascanu et al. 2013), so their directions to each other stay.
pub fn clip_global_norm<A: AutodiffBackend>(
    module: &impl Module<A>,
    grads: &GradientsParams,
    max_norm: f64,
) -> (f64, f64) {
    let mut squares = Squares::<A> { grads, sum: None };
    module.visit(&mut squares);
    let sum = squares.sum.map_or(0.0, |sum| sum.into_data().convert::<f64>().to_vec::<f64>().expect("converted")[0]);
    let norm = sum.sqrt();
    let scale = if norm > max_norm { max_norm / norm } else { 1.0 };
    (scale, norm)
}

struct Squares<'a, A: AutodiffBackend> {
    grads: &'a GradientsParams,
    sum: Option<Tensor<A::InnerBackend, 1>>,
}

impl<A: AutodiffBackend> ModuleVisitor<A> for Squares<'_, A> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<A, D>>) {
        let Some(grad) = self.grads.get::<A::InnerBackend, D>(param.id) else { return };
        let square = (grad.clone() * grad).sum();
        self.sum = Some(match self.sum.take() {
            Some(sum) => sum + square,
            None => square,
        });
    }
}
