//! Numbers of 16 bits where they do no harm.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{DType, Tensor};
use serde::{Deserialize, Serialize};
use spaxiom_encoder::ParameterPath;

use crate::error::ObjectiveError;

/// In which numbers an encoder computes while it learns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 32 bits everywhere.
    #[default]
    Full,
    /// The products of linear layers in bfloat16, everything else in 32 bits: sums over the width of a product are long and even,
    /// while embeddings, what goes from state to state, norms, softmaxes and losses are where few bits do harm ("Mixed Precision Training", Micikevicius et al. 2018).
    ///
    /// The optimizer and the checkpoint keep weights of 32 bits. bfloat16 reaches as far as they do, so that losses need no scale.
    Mixed,
}

impl Precision {
    /// Fails where the device does not compute so.
    pub(crate) fn check<B: AutodiffBackend>(self, device: &B::Device) -> Result<(), ObjectiveError> {
        if self == Self::Full || B::supports_dtype(device, HALF) {
            return Ok(());
        }
        let want = "`full` on a device that does not compute in bfloat16";
        Err(ObjectiveError::Setting { name: "train.precision", want, got: "mixed".into() })
    }
}

/// The numbers of products in [`Precision::Mixed`].
const HALF: DType = DType::BF16;

/// Linear layers that stay in 32 bits: from numbers to an embedding, and from state to state, whose gradient is a sum over all positions.
const WHOLE: [&str; 2] = [".numbers.weight", ".hidden.weight"];

/// The module with weights of linear layers in 16 bits.
pub(crate) fn halved<B: AutodiffBackend, M: Module<B>>(module: M) -> M {
    module.map(&mut Halved::default())
}

/// Turns gradients of the parameters of `module` into numbers of 32 bits.
pub(crate) fn widen<B: AutodiffBackend>(gradients: &mut GradientsParams, module: &impl Module<B>) {
    module.visit(&mut Widened(gradients));
}

#[derive(Default)]
struct Halved {
    path: ParameterPath,
}

impl<B: AutodiffBackend> ModuleMapper<B> for Halved {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        let name = self.path.name();
        let is_whole = WHOLE.iter().any(|ending| name.ends_with(ending));
        if D == 2 && name.ends_with(".weight") && !is_whole {
            param.map(|tensor| Tensor::from_inner(tensor.inner().cast(HALF)).require_grad())
        } else {
            param
        }
    }
}

struct Widened<'a>(&'a mut GradientsParams);

impl<B: AutodiffBackend> ModuleVisitor<B> for Widened<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        if let Some(gradient) = self.0.remove::<B::InnerBackend, D>(param.id) {
            self.0.register(param.id, gradient.cast(DType::F32));
        }
    }
}
