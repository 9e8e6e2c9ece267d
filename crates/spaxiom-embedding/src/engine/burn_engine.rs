//! The generic engine; instantiated in `backend.rs` alone.

use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend, Device, DeviceId};
use burn::tensor::linalg::vector_normalize;
use rayon::prelude::*;
use spaxiom_encoder::{
    BatchLayout, Encoder, EventBatch, EventEncoder, EventEncoderConfig, TextBatch, TextQueryEncoder, apply_weights,
    collect_weights,
};
use spaxiom_objective::{
    Classification, ClassificationOptions, Example, Judged, Mix, Model, ObjectiveContext, ObjectiveOptions, Objectives,
    Trained, judge, train_texts,
};
use spaxiom_token::TokenWindow;

use super::cpu_encoder::CpuEncoder;
use super::interface::{
    CLASSIFIER, Engine, ModelShape, TextEncoder, TextShape, TextTraining, TrainingInput, TrainingOutput, Weights,
    WindowEncoder, greatest,
};
use super::name::BackendName;
use crate::error::EmbeddingError;

/// Windows that are encoded together.
const BATCH: usize = 64;

/// Keeps a vector of nothing but zeros finite.
const LEAST_NORM: f64 = 1e-12;

/// Seeds of heads differ from those of encoders.
const HEAD_SEED: u64 = 0x5eed;

/// An engine on the default device of a backend.
#[derive(Debug)]
pub(crate) struct BurnEngine<B: AutodiffBackend> {
    name: BackendName,
    device: B::Device,
}

impl<B: AutodiffBackend> BurnEngine<B> {
    /// `None` without a device: backends of GPUs look for theirs when the first tensor is made, and panic without.
    pub(crate) fn open(name: BackendName) -> Option<Self> {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let opened = std::panic::catch_unwind(|| {
            let device = B::Device::default();
            let ones = Tensor::<B, 1>::ones([1], &device).add_scalar(1.0).into_data();
            (device, ones)
        });
        std::panic::set_hook(hook);
        opened.ok().map(|(device, _)| Self { name, device })
    }

    /// A device for each copy of an encoder that learns; the first is the one of this engine.
    fn devices(&self, n_replicas: usize, encoder: &EventEncoderConfig) -> Vec<B::Device> {
        let id = self.device.to_id();
        // What other backends count are all adapters of a machine, software among them.
        let n_devices = if self.name == BackendName::Cuda { B::device_count(id.type_id).max(1) } else { 1 };
        let n = match n_replicas {
            0 if self.name.is_cpu() => encoder.n_copies_on_cpu(),
            0 => 1,
            n => n,
        };
        let others = (0u16..).take(n_devices).map(|index_id| DeviceId { index_id, ..id }).filter(|other| *other != id);
        let mut devices = vec![self.device.clone()];
        devices.extend(others.map(B::Device::from_id));
        devices.into_iter().cycle().take(n).collect()
    }
}

impl<B: AutodiffBackend> Engine for BurnEngine<B> {
    fn name(&self) -> BackendName {
        self.name
    }

    fn train(
        &self,
        shape: &ModelShape,
        objectives: &Objectives,
        start: Option<&Weights>,
        input: TrainingInput<'_>,
    ) -> Result<TrainingOutput, EmbeddingError> {
        let TrainingInput { trainer, data, resume, checkpoint_path, observer, seed } = input;
        let mut encoder = shape.encoder.init::<B>(&shape.layout, seed, &self.device);
        if let Some(start) = start {
            encoder = apply_weights(encoder, "encoder", start)?;
        }
        let model = with_heads(encoder, shape, objectives, seed, &self.device);
        let devices = self.devices(trainer.options().replicas, &shape.encoder);
        let Trained { model, outcome, state } =
            trainer.run(model, data, resume, checkpoint_path, observer, &devices)?;
        Ok(TrainingOutput { weights: collect_weights(&model, ""), outcome, state })
    }

    fn judge(
        &self,
        shape: &ModelShape,
        objectives: &Objectives,
        weights: &Weights,
        batches: &[&[Example<'_>]],
        seed: u64,
    ) -> Result<Vec<Judged>, EmbeddingError> {
        let encoder = shape.encoder.init::<B::InnerBackend>(&shape.layout, seed, &self.device);
        let model = with_heads(encoder, shape, objectives, seed, &self.device);
        Ok(judge(&apply_weights(model, "", weights)?, batches.iter().copied(), seed, &self.device))
    }

    fn encoder(
        &self,
        shape: &ModelShape,
        weights: &Weights,
        n_classes: Option<usize>,
    ) -> Result<Box<dyn WindowEncoder>, EmbeddingError> {
        // What goes on event by event has one row at a time, which no other device is faster for.
        if (self.name.encodes_on_the_cpu() || shape.goes_on)
            && let Some(encoder) = CpuEncoder::new(shape, weights, n_classes)?
        {
            return Ok(Box::new(encoder));
        }
        let layout = shape.layout.clone();
        let encoder = shape.encoder.init::<B::InnerBackend>(&layout, 0, &self.device);
        let encoder = apply_weights(encoder, "encoder", weights)?;
        let classifier = match n_classes {
            Some(n_classes) => {
                let context = ObjectiveContext::default().with_classes(vec![1; n_classes]);
                let heads = ClassificationOptions::default();
                let heads = heads.init(encoder.d_model(), &layout, &context, 0, &self.device);
                Some(apply_weights(heads, CLASSIFIER, weights)?)
            }
            None => None,
        };
        Ok(Box::new(BurnEncoder { encoder, classifier, layout, device: self.device.clone() }))
    }

    fn train_texts(&self, shape: &TextShape, training: TextTraining<'_>) -> Result<Weights, EmbeddingError> {
        let TextShape { encoder, n_pieces, dim } = shape;
        let TextTraining { options, seed, batch, told } = training;
        let encoder = encoder.init::<B>(*n_pieces, *dim, seed, &self.device);
        Ok(collect_weights(&train_texts(encoder, options, batch, told, &self.device)?, ""))
    }

    fn text_encoder(&self, shape: &TextShape, weights: &Weights) -> Result<Box<dyn TextEncoder>, EmbeddingError> {
        let TextShape { encoder, n_pieces, dim } = shape;
        let encoder = encoder.init::<B::InnerBackend>(*n_pieces, *dim, 0, &self.device);
        Ok(Box::new(BurnTextEncoder { encoder: apply_weights(encoder, "", weights)?, device: self.device.clone() }))
    }

    fn untrained(&self, shape: &ModelShape, seed: u64) -> Box<dyn WindowEncoder> {
        let layout = shape.layout.clone();
        let encoder = shape.encoder.init::<B::InnerBackend>(&layout, seed, &self.device);
        if self.name.encodes_on_the_cpu() || shape.goes_on {
            let weights = collect_weights(&encoder, "encoder");
            let encoder = CpuEncoder::new(shape, &weights, None).expect("the weights are those of this shape");
            if let Some(encoder) = encoder {
                return Box::new(encoder);
            }
        }
        Box::new(BurnEncoder { encoder, classifier: None, layout, device: self.device.clone() })
    }
}

/// An encoder with the heads of its objectives, initialized from `seed`.
fn with_heads<B: Backend>(
    encoder: EventEncoder<B>,
    shape: &ModelShape,
    objectives: &Objectives,
    seed: u64,
    device: &B::Device,
) -> Model<B, EventEncoder<B>, Mix<B>> {
    let heads = objectives.init(encoder.d_model(), &shape.layout, seed ^ HEAD_SEED, device);
    Model::new(encoder, heads)
}

struct BurnEncoder<B: Backend> {
    encoder: EventEncoder<B>,
    classifier: Option<Classification<B>>,
    layout: BatchLayout,
    device: B::Device,
}

impl<B: Backend> BurnEncoder<B> {
    /// The rows that `forward` gives for every batch of windows, in the order of the windows.
    ///
    /// Batches run side by side: on the CPU most of a forward pass is element-wise work on one core.
    fn rows(&self, windows: &[TokenWindow<'_>], forward: impl Fn(&EventBatch<B>) -> Tensor<B, 2> + Sync) -> Vec<f32> {
        let batches = windows.par_chunks(BATCH).flat_map_iter(|windows| {
            let data = forward(&EventBatch::new(&self.layout, windows, &self.device)).into_data();
            data.convert::<f32>().to_vec::<f32>().expect("converted to f32")
        });
        batches.collect()
    }
}

impl<B: Backend> WindowEncoder for BurnEncoder<B> {
    fn dim(&self) -> usize {
        self.encoder.d_model()
    }

    fn max_len(&self) -> usize {
        self.encoder.max_len()
    }

    fn encode(&self, windows: &[TokenWindow<'_>]) -> Vec<f32> {
        self.rows(windows, |batch| self.encoder.encode(batch).pooled)
    }

    fn classify(&self, windows: &[TokenWindow<'_>]) -> Option<Vec<usize>> {
        let classifier = self.classifier.as_ref()?;
        let logits = self.rows(windows, |batch| classifier.forward(self.encoder.encode(batch).pooled));
        let n_classes = logits.len() / windows.len().max(1);
        Some(logits.chunks_exact(n_classes.max(1)).map(greatest).collect())
    }
}

struct BurnTextEncoder<B: Backend> {
    encoder: TextQueryEncoder<B>,
    device: B::Device,
}

impl<B: Backend> TextEncoder for BurnTextEncoder<B> {
    fn encode(&self, texts: &[Vec<u32>]) -> Vec<f32> {
        let rows = texts.chunks(BATCH).flat_map(|texts| {
            let vectors = self.encoder.encode(&TextBatch::new(texts, &self.device));
            let unit = vector_normalize(vectors, 2.0, 1, LEAST_NORM);
            unit.into_data().convert::<f32>().to_vec::<f32>().expect("converted to f32")
        });
        rows.collect()
    }
}
