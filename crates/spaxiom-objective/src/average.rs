//! The running mean of weights.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorPrimitive};

/// `mean` a step further toward `module`, of which it is a copy: `decay` of what it was (Polyak and Juditsky 1992).
pub(crate) fn averaged<B: Backend, M: Module<B>>(mean: M, module: &M, decay: f64) -> M {
    let mut weights = Weights::<B>(HashMap::new());
    module.visit(&mut weights);
    mean.map(&mut Toward { weights, decay })
}

struct Weights<B: Backend>(HashMap<ParamId, TensorPrimitive<B>>);

impl<B: Backend> ModuleVisitor<B> for Weights<B> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0.insert(param.id, param.val().into_primitive());
    }
}

struct Toward<B: Backend> {
    weights: Weights<B>,
    decay: f64,
}

impl<B: Backend> ModuleMapper<B> for Toward<B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let weight = self.weights.0.remove(&param.id).expect("a copy has the same parameters");
        let weight = Tensor::<B, D>::from_primitive(weight);
        param.map(|mean| mean.mul_scalar(self.decay) + weight.mul_scalar(1.0 - self.decay))
    }
}
