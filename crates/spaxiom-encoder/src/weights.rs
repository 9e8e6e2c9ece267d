//! Weights as safetensors: names are the paths of the parameters, so that numpy and PyTorch can open them.

use std::collections::BTreeMap;
use std::path::Path;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::error::EncoderError;

/// The one key of the metadata: several would stand in random order.
const METADATA: &str = "spaxiom";

/// A tensor of 32-bit floats on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values, row-major.
    pub values: Vec<f32>,
}

/// Tensors by name, and a line of text about them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WeightFile {
    /// In order of name.
    pub tensors: BTreeMap<String, NamedTensor>,
    /// What the writer wants to say about them, for example JSON.
    pub metadata: String,
}

impl WeightFile {
    /// The bytes of the file; the same for the same tensors.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes: Vec<(&str, &[usize], Vec<u8>)> = self
            .tensors
            .iter()
            .map(|(name, tensor)| {
                let bytes = tensor.values.iter().flat_map(|value| value.to_le_bytes()).collect();
                (name.as_str(), tensor.shape.as_slice(), bytes)
            })
            .collect();
        let views = bytes.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes);
            (*name, view.expect("every tensor has as many values as its shape says"))
        });
        let metadata = [(METADATA.to_owned(), self.metadata.clone())].into();
        safetensors::serialize(views, Some(metadata)).expect("names and shapes are valid")
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`EncoderError::Damaged`] for a file that is cut off or no safetensors file of 32-bit floats.
    pub fn read(path: &Path) -> Result<Self, EncoderError> {
        let bytes = fs_err::read(path)?;
        Self::from_bytes(&bytes).map_err(|source| EncoderError::Damaged { path: path.to_owned(), source })
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, safetensors::SafeTensorError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let metadata = header.metadata().as_ref().and_then(|m| m.get(METADATA)).cloned().unwrap_or_default();
        let file = SafeTensors::deserialize(bytes)?;
        let mut tensors = BTreeMap::new();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(safetensors::SafeTensorError::InvalidHeaderDeserialization(serde::de::Error::custom(
                    "a tensor of another type than F32",
                )));
            }
            let values = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            tensors.insert(name, NamedTensor { shape: view.shape().to_vec(), values });
        }
        Ok(Self { tensors, metadata })
    }
}

/// A tensor of this name and shape.
pub(crate) fn take(
    tensors: &BTreeMap<String, NamedTensor>,
    name: &str,
    want: &[usize],
) -> Result<Vec<f32>, EncoderError> {
    match tensors.get(name) {
        None => Err(EncoderError::MissingTensor { name: name.into() }),
        Some(tensor) if tensor.shape != want => {
            Err(EncoderError::Shape { name: name.into(), want: want.to_vec(), got: tensor.shape.clone() })
        }
        Some(tensor) => Ok(tensor.values.clone()),
    }
}

/// The weights of a module, each name preceded by `prefix`.
pub fn collect_weights<B: Backend>(module: &impl Module<B>, prefix: &str) -> BTreeMap<String, NamedTensor> {
    let mut collector = Collector { path: ParameterPath::under(prefix), tensors: BTreeMap::new() };
    module.visit(&mut collector);
    collector.tensors
}

/// The module with the weights of these names; others in `tensors` are left alone.
///
/// # Errors
/// The first name that is missing or has another shape, in the order of the module.
pub fn apply_weights<B: Backend, M: Module<B>>(
    module: M,
    prefix: &str,
    tensors: &BTreeMap<String, NamedTensor>,
) -> Result<M, EncoderError> {
    let mut applier = Applier { path: ParameterPath::under(prefix), tensors, error: None };
    let module = module.map(&mut applier);
    applier.error.map_or(Ok(module), Err)
}

/// Where a visitor of a module is: the names of its parts, from the outermost to the parameter.
///
/// The variant of an enum has no name of its own, so that an encoder chosen by [`crate::EventEncoder`] has the same names.
#[derive(Debug, Clone, Default)]
pub struct ParameterPath(Vec<String>);

impl ParameterPath {
    /// Starts under `prefix`, which may be empty.
    #[must_use]
    pub fn under(prefix: &str) -> Self {
        let prefix = prefix.trim_end_matches('.');
        Self(if prefix.is_empty() { Vec::new() } else { vec![prefix.to_owned()] })
    }

    /// For [`ModuleVisitor::enter_module`].
    pub fn enter(&mut self, name: &str, container: &str) {
        if !is_enum(container) {
            self.0.push(name.into());
        }
    }

    /// For [`ModuleVisitor::exit_module`].
    pub fn exit(&mut self, container: &str) {
        if !is_enum(container) {
            self.0.pop();
        }
    }

    /// The names, with dots between them.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.join(".")
    }
}

/// As burn's derived modules call the container of a variant.
fn is_enum(container: &str) -> bool {
    container.starts_with("Enum:")
}

struct Collector {
    path: ParameterPath,
    tensors: BTreeMap<String, NamedTensor>,
}

impl<B: Backend> ModuleVisitor<B> for Collector {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        let data = param.val().into_data().convert::<f32>();
        let values = data.to_vec().expect("converted to f32 above");
        let shape = param.val().dims().to_vec();
        self.tensors.insert(self.path.name(), NamedTensor { shape, values });
    }
}

struct Applier<'a> {
    path: ParameterPath,
    tensors: &'a BTreeMap<String, NamedTensor>,
    error: Option<EncoderError>,
}

impl Applier<'_> {
    fn find(&self, want: Vec<usize>) -> Result<TensorData, EncoderError> {
        let name = self.path.name();
        match self.tensors.get(&name) {
            None => Err(EncoderError::MissingTensor { name }),
            Some(tensor) if tensor.shape != want => Err(EncoderError::Shape { name, want, got: tensor.shape.clone() }),
            Some(tensor) => Ok(TensorData::new(tensor.values.clone(), want)),
        }
    }
}

impl<B: Backend> ModuleMapper<B> for Applier<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        match self.find(param.dims().to_vec()) {
            Ok(data) => param.map(|old| {
                let new = Tensor::from_data(data, &old.device());
                if old.is_require_grad() { new.require_grad() } else { new }
            }),
            Err(error) => {
                self.error.get_or_insert(error);
                param
            }
        }
    }
}
