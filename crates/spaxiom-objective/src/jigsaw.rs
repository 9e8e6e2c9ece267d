//! Spatial-temporal jigsaw: events in any order, told back into the one they had (seed, "Spatial-temporal jigsaw").

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WeightRng, WindowRows};
use spaxiom_token::{Modality, special};

use crate::example::Example;
use crate::field_heads::at;
use crate::losses::{NEVER, accuracy, cross_entropy, indices};
use crate::objective::{Loss, Metric, Prepare, Pretext, Purpose};

/// Predicts the place of every event of a shuffled window: a row of the permutation matrix per event.
///
/// Times, gaps, ages and edges would tell the order, so they are hidden. Places count from the end, as positions do.
/// Events that are alike without their times cannot be told apart; what is lost by that no encoder gains.
#[derive(Module, Debug)]
pub struct Jigsaw<B: Backend> {
    /// The logits of all places, `[d_model, max_len]`.
    places: Linear<B>,
    #[module(skip)]
    shuffler: Shuffler,
}

impl<B: Backend> Jigsaw<B> {
    /// A permutation head for windows of up to `max_len` events.
    pub fn new(d_model: usize, max_len: usize, layout: BatchLayout, seed: u64, device: &B::Device) -> Self {
        Self { places: WeightRng::new(seed).linear(d_model, max_len, device), shuffler: Shuffler { layout } }
    }
}

/// Puts events into any order.
#[derive(Debug, Clone)]
pub struct Shuffler {
    layout: BatchLayout,
}

/// Shuffled windows, and the places that their events came from.
#[derive(Debug)]
pub struct Shuffled {
    windows: Vec<WindowRows>,
    places: Vec<Vec<usize>>,
}

impl Shuffler {
    /// The window in another order and without times; gives the places that the events came from.
    fn shuffled(&self, window: &WindowRows, rng: &mut ChaCha8Rng) -> (WindowRows, Vec<usize>) {
        let n_fields = self.layout.n_fields();
        let n_events = window.ids.len() / n_fields;
        let n_values = window.values.len() / n_events.max(1);
        let mut order: Vec<usize> = (0..n_events).collect();
        order.shuffle(rng);
        let rows = |at: &usize| window.ids[at * n_fields..(at + 1) * n_fields].iter().enumerate();
        let hidden = |(field, id): (usize, &u32)| {
            if self.layout.modalities()[field] == Modality::Temporal { special::MASK } else { *id }
        };
        let ids = order.iter().flat_map(rows).map(hidden).collect();
        let columns = |at: &usize| window.values[at * n_values..(at + 1) * n_values].iter().zip(self.layout.numbers());
        let values = order.iter().flat_map(columns);
        let values = values.map(|(value, of)| if of.modality() == Modality::Temporal { f32::NAN } else { *value });
        let shuffled = WindowRows { ids, values: values.collect(), ages: vec![0.0; n_events], edges: Vec::new() };
        (shuffled, order.into_iter().map(|at| n_events - 1 - at).collect())
    }
}

impl Prepare for Shuffler {
    type Batch = Shuffled;

    fn prepare(&self, examples: &[Example<'_>], _: Purpose, rng: &mut ChaCha8Rng) -> Shuffled {
        let (windows, places) = examples.iter().map(|example| self.shuffled(&example.window.into(), rng)).unzip();
        Shuffled { windows, places }
    }
}

impl<B: Backend> Pretext<B> for Jigsaw<B> {
    type Task = Shuffler;

    fn task(&self) -> Shuffler {
        self.shuffler.clone()
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, Shuffled { windows, places }: &Shuffled, device: &B::Device) -> Loss<B> {
        let seq = 1 + places.iter().map(Vec::len).max().unwrap_or(0);
        let max_len = self.places.weight.dims()[1];
        let positions: Vec<usize> = (0..places.len())
            .flat_map(|window_idx| (1..=places[window_idx].len()).map(move |at| window_idx * seq + at))
            .collect();
        // A window of five events has five places.
        let allowed = |n: usize| (0..max_len).map(move |place| if place < n { 0.0 } else { NEVER });
        let bias: Vec<f32> = places.iter().flat_map(|of| of.iter().flat_map(|_| allowed(of.len()))).collect();
        let bias = Tensor::<B, 2>::from_data(TensorData::new(bias, [positions.len(), max_len]), device);
        let states = encoder.encode(&EventBatch::with_rows(&self.shuffler.layout, windows, device)).states;
        let logits = self.places.forward(at(states, &positions)) + bias;
        let targets = indices(&places.concat(), device);
        let metrics = vec![Metric { name: "place_accuracy", value: accuracy(logits.clone(), targets.clone()) }];
        Loss { value: cross_entropy(logits, targets), n_predictions: positions.len(), metrics }
    }
}
