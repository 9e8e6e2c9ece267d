//! The generic engine; instantiated in `backend.rs` alone.

use std::collections::BTreeMap;

use burn::module::AutodiffModule;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend, Device, DeviceId};
use rayon::prelude::*;
use spaxiom_encoder::{
    BatchLayout, Cell, Encoder, EncoderKind, EventBatch, EventEncoder, EventEncoderConfig, NamedTensor,
    RecurrentEventEncoderConfig, RecurrentStack, WeightRng, apply_weights, collect_weights,
};
use spaxiom_objective::{
    AdamW, AdamWOptions, ClassCosts, ClassifierModel, Example, Flow, Judged, Mix, Objective, PretextModel, Pretexts,
    Trained, judge,
};
use spaxiom_token::TokenWindow;

use crate::backend::BackendName;
use crate::cpu_encoder::CpuEncoder;
use crate::engine::{Engine, ModelShape, TrainingInput, TrainingOutput, WindowEncoder, greatest};
use crate::error::EmbeddingError;

/// Windows that are encoded together.
const BATCH: usize = 64;

/// Seeds of heads differ from those of encoders.
const HEAD_SEED: u64 = 0x5eed;

/// An engine on the default device of a backend.
#[derive(Debug)]
pub(crate) struct BurnEngine<B: AutodiffBackend> {
    name: BackendName,
    device: B::Device,
}

impl<B: AutodiffBackend> BurnEngine<B> {
    /// None where there is no device: backends of GPUs look for theirs when the first tensor is made, and panic without.
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
            0 if self.name.is_cpu() => copies_on_a_cpu(encoder.kind()),
            0 => 1,
            n => n,
        };
        let others = (0u16..).take(n_devices).map(|index_id| DeviceId { index_id, ..id }).filter(|other| *other != id);
        let mut devices = vec![self.device.clone()];
        devices.extend(others.map(B::Device::from_id));
        devices.into_iter().cycle().take(n).collect()
    }

    fn train<M>(
        &self,
        model: M,
        encoder: &EventEncoderConfig,
        input: TrainingInput<'_>,
    ) -> Result<TrainingOutput, EmbeddingError>
    where
        M: AutodiffModule<B> + Objective<B>,
        M::Encoder: AutodiffModule<B>,
        <M::Encoder as AutodiffModule<B>>::InnerModule: Encoder<B::InnerBackend>,
        M::InnerModule: Objective<B::InnerBackend>,
    {
        let TrainingInput { trainer, data, resume, checkpoint_path, observer, seed: _ } = input;
        let devices = self.devices(trainer.options().replicas, encoder);
        let Trained { model, outcome, state } =
            trainer.run::<B, M>(model, data, resume, checkpoint_path, observer, &devices)?;
        Ok(TrainingOutput { weights: collect_weights(&model, ""), outcome, state })
    }
}

impl<B: AutodiffBackend> Engine for BurnEngine<B> {
    fn name(&self) -> BackendName {
        self.name
    }

    fn pretrain(
        &self,
        shape: &ModelShape,
        pretexts: &Pretexts,
        input: TrainingInput<'_>,
    ) -> Result<TrainingOutput, EmbeddingError> {
        self.train(pretext_model::<B>(shape, pretexts, input.seed, &self.device), &shape.encoder, input)
    }

    fn judge(
        &self,
        shape: &ModelShape,
        pretexts: &Pretexts,
        weights: &BTreeMap<String, NamedTensor>,
        batches: &[&[Example<'_>]],
        seed: u64,
    ) -> Result<Vec<Judged>, EmbeddingError> {
        let model = pretext_model::<B::InnerBackend>(shape, pretexts, seed, &self.device);
        Ok(judge(&apply_weights(model, "", weights)?, batches.iter().copied(), seed, &self.device))
    }

    fn train_classifier(
        &self,
        shape: &ModelShape,
        costs: ClassCosts,
        start: Option<&BTreeMap<String, NamedTensor>>,
        input: TrainingInput<'_>,
    ) -> Result<TrainingOutput, EmbeddingError> {
        let layout = shape.layout.clone();
        let mut encoder = shape.encoder.init::<B>(&layout, input.seed, &self.device);
        if let Some(start) = start {
            encoder = apply_weights(encoder, "encoder", start)?;
        }
        let model = ClassifierModel::new(encoder, layout, costs, input.seed ^ HEAD_SEED, &self.device);
        self.train(model, &shape.encoder, input)
    }

    fn recurrent_steps(
        &self,
        cell: Cell,
        config: &RecurrentEventEncoderConfig,
        n_windows: usize,
        done: &mut dyn FnMut() -> Flow,
    ) {
        let RecurrentEventEncoderConfig { d_embed, max_len, .. } = *config;
        let mut stack = RecurrentStack::new(cell, config, d_embed, &mut WeightRng::new(0), &self.device);
        let rows = WeightRng::new(1).matrix::<B>([n_windows * max_len, d_embed], &self.device).val().detach();
        let rows = rows.reshape([n_windows, max_len, d_embed]);
        let keep = Tensor::ones([n_windows, max_len], &self.device);
        let (rate, mut optimiser) = (1e-4, AdamW::new(AdamWOptions::default()));
        loop {
            let (states, _) = stack.forward(rows.clone(), &keep);
            let grads = states.powi_scalar(2).mean().backward();
            let mut grads = GradientsParams::from_grads(grads, &stack);
            stack = optimiser.step::<B, _>(stack, &mut grads, rate, 1.0);
            if done() == Flow::Stop {
                return;
            }
        }
    }

    fn encoder(
        &self,
        shape: &ModelShape,
        weights: &BTreeMap<String, NamedTensor>,
        n_classes: Option<usize>,
    ) -> Result<Box<dyn WindowEncoder>, EmbeddingError> {
        if self.name.encodes_on_the_cpu()
            && let Some(encoder) = CpuEncoder::new(shape, weights, n_classes)?
        {
            return Ok(Box::new(encoder));
        }
        let layout = shape.layout.clone();
        let encoder = shape.encoder.init::<B::InnerBackend>(&layout, 0, &self.device);
        let model = match n_classes {
            Some(n_classes) => {
                let costs = ClassCosts::equal(n_classes);
                let model = ClassifierModel::new(encoder, layout.clone(), costs, 0, &self.device);
                Model::Classifier(Box::new(apply_weights(model, "", weights)?))
            }
            None => Model::Encoder(Box::new(apply_weights(encoder, "encoder", weights)?)),
        };
        Ok(Box::new(BurnEncoder { model, layout, device: self.device.clone() }))
    }

    fn untrained(&self, shape: &ModelShape, seed: u64) -> Box<dyn WindowEncoder> {
        let layout = shape.layout.clone();
        let encoder = shape.encoder.init::<B::InnerBackend>(&layout, seed, &self.device);
        if self.name.encodes_on_the_cpu() {
            let weights = collect_weights(&encoder, "encoder");
            let encoder = CpuEncoder::new(shape, &weights, None).expect("the weights are those of this shape");
            if let Some(encoder) = encoder {
                return Box::new(encoder);
            }
        }
        let model = Model::Encoder(Box::new(encoder));
        Box::new(BurnEncoder { model, layout, device: self.device.clone() })
    }
}

/// Copies of an encoder that train faster on a CPU than one does (docs/performance.md).
///
/// Not as many as there are threads: gradients are summed up in the order of the copies, so that a run is the same with any number of threads.
fn copies_on_a_cpu(kind: EncoderKind) -> usize {
    match kind {
        EncoderKind::Transformer | EncoderKind::Fusion | EncoderKind::Gnn => 4,
        // The threads share the windows already.
        EncoderKind::Lstm | EncoderKind::Gru => 1,
    }
}

/// An encoder with the heads of its objectives, and the weights that `seed` gives.
fn pretext_model<B: Backend>(
    shape: &ModelShape,
    pretexts: &Pretexts,
    seed: u64,
    device: &B::Device,
) -> PretextModel<B, EventEncoder<B>, Mix<B>> {
    let encoder = shape.encoder.init::<B>(&shape.layout, seed, device);
    let heads = pretexts.init(encoder.d_model(), &shape.layout, seed ^ HEAD_SEED, device);
    PretextModel::new(encoder, heads)
}

enum Model<B: Backend> {
    Encoder(Box<EventEncoder<B>>),
    Classifier(Box<ClassifierModel<B, EventEncoder<B>>>),
}

struct BurnEncoder<B: Backend> {
    model: Model<B>,
    layout: BatchLayout,
    device: B::Device,
}

impl<B: Backend> BurnEncoder<B> {
    fn inner(&self) -> &EventEncoder<B> {
        match &self.model {
            Model::Encoder(encoder) => encoder,
            Model::Classifier(model) => model.encoder(),
        }
    }

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
        self.inner().d_model()
    }

    fn max_len(&self) -> usize {
        self.inner().max_len()
    }

    fn encode(&self, windows: &[TokenWindow<'_>]) -> Vec<f32> {
        self.rows(windows, |batch| self.inner().encode(batch).pooled)
    }

    fn classify(&self, windows: &[TokenWindow<'_>]) -> Option<Vec<usize>> {
        let Model::Classifier(model) = &self.model else { return None };
        let logits = self.rows(windows, |batch| model.forward(batch));
        let n_classes = logits.len() / windows.len().max(1);
        Some(logits.chunks_exact(n_classes.max(1)).map(greatest).collect())
    }
}
