//! An encoder of your own: implement the trait, and the trainer takes it with every objective.
//!
//! `cargo run --package spaxiom-embedding --example own_encoder`
#![expect(clippy::print_stdout, reason = "an example prints")]

mod common;

use std::error::Error;

use burn::backend::{Autodiff, Flex};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::backend::Backend;
use spaxiom_embedding::{
    BatchLayout, EvalReport, Example, Flow, InOrder, ObjectiveContext, ObjectiveName, ObjectiveSet, Objectives,
    Observer, StepReport, Tokenizer, TokenizerOptions, TrainOptions, Trainer, TrainingSet,
};
use spaxiom_encoder::{Encoded, Encoder, EventBatch, EventEmbedding, WeightRng, dense, gelu, masked_mean};
use spaxiom_objective::Model;

/// Each event by itself, one layer, and the mean over the window.
#[derive(Module, Debug)]
struct BagOfEvents<B: Backend> {
    embedding: EventEmbedding<B>,
    layer: Linear<B>,
    d_model: usize,
    max_len: usize,
}

impl<B: Backend> BagOfEvents<B> {
    fn new(layout: &BatchLayout, d_model: usize, max_len: usize, device: &B::Device) -> Self {
        let mut rng = WeightRng::new(1);
        let embedding = EventEmbedding::without_positions(layout, d_model, &mut rng, device);
        Self { embedding, layer: rng.linear(d_model, d_model, device), d_model, max_len }
    }
}

impl<B: Backend> Encoder<B> for BagOfEvents<B> {
    fn d_model(&self) -> usize {
        self.d_model
    }

    fn max_len(&self) -> usize {
        self.max_len
    }

    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
        let states = gelu(dense(&self.layer, self.embedding.forward(batch)));
        Encoded { pooled: masked_mean(states.clone(), batch.keep.clone()), states }
    }
}

/// Prints every evaluation.
struct Progress;

impl Observer for Progress {
    fn step(&mut self, _: &StepReport<'_>) -> Flow {
        Flow::Continue
    }

    fn evaluated(&mut self, report: &EvalReport<'_>) {
        println!("step {}: loss {:.3}", report.step, report.loss);
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let data = common::simulate(&folder.path().join("data"))?;
    let sequences: Vec<_> = data.sequences().collect();
    let tokenizer = Tokenizer::fit(&TokenizerOptions::default(), &sequences)?;
    let tokens = data.tokenize(&tokenizer);
    let windows =
        tokens.iter().flat_map(|tokens| (0..tokens.len() / 16).map(|at| tokens.window(at * 16, at * 16 + 16)));
    let examples: Vec<Example<'_>> = windows.take(600).map(Example::new).collect();
    let (validation, training) = examples.split_at(100);

    let (layout, device) = (BatchLayout::of(&tokenizer), Default::default());
    let encoder = BagOfEvents::<Autodiff<Flex>>::new(&layout, 32, 16, &device);
    let masked_events = ObjectiveSet::default().pick(&[ObjectiveName::Mep]);
    let heads = Objectives::new(masked_events, ObjectiveContext::of(&tokenizer))?.init(32, &layout, 2, &device);

    let options = TrainOptions { max_steps: 60, evaluate_every: 30, ..TrainOptions::default() };
    let train = InOrder::new(training);
    let trained = Trainer::new(options)?.run(
        Model::new(encoder, heads),
        TrainingSet::new(&train, validation),
        None,
        &folder.path().join("checkpoint"),
        &mut Progress,
        &[device],
    )?;
    println!("{:?}", trained.outcome);
    Ok(())
}
