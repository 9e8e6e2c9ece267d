//! An objective and an encoder that these crates do not know, in one file: copy them to start your own.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::{BatchLayout, Encoded, Encoder, EventBatch, EventEmbedding, WeightRng, WindowRows};
use spaxiom_objective::{
    EvalReport, Example, Flow, InOrder, Loss, Metric, Model, Objective, Observer, Outcome, Preparer, Purpose,
    StepReport, TrainOptions, TrainableEncoder, Trainer, TrainingSet,
};
use spaxiom_token::TokenSequence;
use tempfile::TempDir;

use crate::{B, encoder, layout};

/// Predicts how many events a window has.
#[derive(Module, Debug)]
struct WindowLength<B: Backend> {
    output: Linear<B>,
    #[module(skip)]
    layout: BatchLayout,
}

struct WindowLengthTask;

struct WindowLengthBatch {
    windows: Vec<WindowRows>,
    lengths: Vec<f32>,
}

impl Preparer for WindowLengthTask {
    type Batch = WindowLengthBatch;

    fn prepare(&self, examples: &[Example<'_>], _: Purpose, _: &mut ChaCha8Rng) -> WindowLengthBatch {
        let windows = examples.iter().map(|example| example.window.into()).collect();
        let lengths = examples.iter().map(|example| example.window.len() as f32).collect();
        WindowLengthBatch { windows, lengths }
    }
}

impl<B: Backend> Objective<B> for WindowLength<B> {
    type Task = WindowLengthTask;

    fn task(&self) -> WindowLengthTask {
        WindowLengthTask
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &WindowLengthBatch, device: &B::Device) -> Loss<B> {
        let WindowLengthBatch { windows, lengths } = batch;
        let pooled = encoder.encode(&EventBatch::with_rows(&self.layout, windows, device)).pooled;
        let lengths: Tensor<B, 1> = Tensor::from_data(lengths.as_slice(), device);
        let error = self.output.forward(pooled).squeeze_dim::<1>(1) - lengths;
        let value = error.powi_scalar(2).mean();
        let metrics = vec![Metric { name: "squared_error", value: value.clone().into_scalar_f64() }];
        Loss { value, n_predictions: windows.len(), metrics }
    }
}

/// One number of a tensor on the host.
trait IntoScalar {
    fn into_scalar_f64(self) -> f64;
}

impl<B: Backend> IntoScalar for Tensor<B, 1> {
    fn into_scalar_f64(self) -> f64 {
        self.into_data().convert::<f64>().to_vec::<f64>().unwrap()[0]
    }
}

/// The losses of all evaluations.
struct Losses(Vec<f64>);

impl Observer for Losses {
    fn step(&mut self, _: &StepReport<'_>) -> Flow {
        Flow::Continue
    }

    fn evaluated(&mut self, report: &EvalReport<'_>) {
        assert_eq!(report.metrics[0].name, "squared_error");
        self.0.push(report.loss);
    }
}

/// Adds up the embeddings of all events, whatever their order.
#[derive(Module, Debug)]
struct BagOfEvents<B: Backend> {
    embedding: EventEmbedding<B>,
    d_model: usize,
    max_len: usize,
}

impl<B: Backend> Encoder<B> for BagOfEvents<B> {
    fn d_model(&self) -> usize {
        self.d_model
    }

    fn max_len(&self) -> usize {
        self.max_len
    }

    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
        let states = self.embedding.forward(batch);
        let [n_windows, seq, d_model] = states.dims();
        let kept = states.clone() * batch.keep.clone().reshape([n_windows, seq, 1]);
        Encoded { states, pooled: kept.sum_dim(1).reshape([n_windows, d_model]) }
    }
}

/// Trains an encoder to tell windows of 1 to 8 events by their length; gives the losses.
fn losses(encoder: impl TrainableEncoder<B>) -> Vec<f64> {
    let sequence = |len: u32| {
        let mut tokens = TokenSequence::new(2);
        (0..len).for_each(|at| tokens.push([6 + at % 6, 6 + at % 10]));
        tokens
    };
    let sequences: Vec<TokenSequence> = (1..=8).map(sequence).collect();
    let examples: Vec<Example<'_>> =
        sequences.iter().map(|tokens| Example::new(tokens.window(0, tokens.n_positions()))).collect();
    let device = Default::default();
    let output = WeightRng::new(2).linear(encoder.d_model(), 1, &device);
    let heads = WindowLength { output, layout: layout() };
    let mut losses = Losses(Vec::new());
    let options =
        TrainOptions { max_steps: 300, batch_size: 8, learning_rate: 0.01, patience: 300, ..TrainOptions::default() };
    let folder = TempDir::new().unwrap();
    let train = InOrder::new(&examples);
    let trained = Trainer::new(options)
        .unwrap()
        .run(
            Model::new(encoder, heads),
            TrainingSet::new(&train, &examples),
            None,
            &folder.path().join("checkpoint"),
            &mut losses,
            &[device],
        )
        .unwrap();
    assert_eq!(trained.outcome, Outcome::Finished);
    losses.0
}

#[test]
fn an_objective_from_outside_is_trained() {
    let losses = losses(encoder(1));
    // Lengths from 1 to 8 have a mean of 4.5 and a variance of 5.25; 0.02 at the end when this was written.
    assert!(losses.last().unwrap() < &0.5, "{losses:?}");
}

#[test]
fn an_encoder_from_outside_is_trained() {
    let (d_model, device) = (32, Default::default());
    let embedding = EventEmbedding::without_positions(&layout(), d_model, &mut WeightRng::new(1), &device);
    let losses = losses(BagOfEvents { embedding, d_model, max_len: 8 });
    assert!(losses.last().unwrap() < &0.5, "{losses:?}");
}
