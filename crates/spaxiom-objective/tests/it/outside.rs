//! An objective that this crate does not know, in one file: copy it to start your own.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WeightRng, WindowRows};
use spaxiom_objective::{
    EvalReport, Example, Flow, InOrder, Loss, Metric, Model, Objective, Observer, Outcome, Preparer, Purpose,
    StepReport, TrainOptions, Trainer, TrainingSet,
};
use spaxiom_token::TokenSequence;
use tempfile::TempDir;

use crate::{encoder, layout};

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

#[test]
fn an_objective_from_outside_is_trained() {
    let sequence = |len: u32| {
        let mut tokens = TokenSequence::new(2);
        (0..len).for_each(|at| tokens.push([6 + at % 6, 6 + at % 10]));
        tokens
    };
    let sequences: Vec<TokenSequence> = (1..=8).map(sequence).collect();
    let examples: Vec<Example<'_>> =
        sequences.iter().map(|tokens| Example::new(tokens.window(0, tokens.n_positions()))).collect();
    let device = Default::default();
    let heads = WindowLength { output: WeightRng::new(2).linear(32, 1, &device), layout: layout() };
    let mut losses = Losses(Vec::new());
    let options =
        TrainOptions { max_steps: 300, batch_size: 8, learning_rate: 0.01, patience: 300, ..TrainOptions::default() };
    let folder = TempDir::new().unwrap();
    let train = InOrder::new(&examples);
    let trained = Trainer::new(options)
        .unwrap()
        .run(
            Model::new(encoder(1), heads),
            TrainingSet::new(&train, &examples),
            None,
            &folder.path().join("checkpoint"),
            &mut losses,
            &[device],
        )
        .unwrap();
    assert_eq!(trained.outcome, Outcome::Finished);
    // Lengths from 1 to 8 have a mean of 4.5 and a variance of 5.25; 0.02 at the end when this was written.
    assert!(losses.0.last().unwrap() < &0.5, "{:?}", losses.0);
}
