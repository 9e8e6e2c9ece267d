//! Spatial-temporal jigsaw: shuffle some events and predict their original positions, with times hidden (seed, "Spatial-temporal jigsaw").

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::seq::SliceRandom;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WeightRng, WindowRows};
use spaxiom_token::{LayoutName, Modality, special};

use crate::context::ObjectiveContext;
use crate::error::ObjectiveError;
use crate::example::Example;
use crate::field_heads::at;
use crate::losses::{NEVER, accuracy, cross_entropy, indices};
use crate::metric::Metric;
use crate::objective::{Loss, ModelSetting, Objective, ObjectiveOptions, Preparer, Purpose};

/// Seconds between positions: an encoder that knows order only through times has to see the order that is shown.
///
/// Not a multiple of a wavelength of the rotary embedding.
const STEP_SECS: f32 = 3.0;

/// Options of the jigsaw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct JigsawOptions {
    /// Weight in the sum of objectives; 1.
    pub weight: f64,
    /// Share of the events that are shuffled among each other, at least two; 0.2. The others stay in place.
    /// With 1 all events are shuffled, as in the seed.
    pub share: f64,
}

impl Default for JigsawOptions {
    fn default() -> Self {
        Self { weight: 1.0, share: 0.2 }
    }
}

impl ObjectiveOptions for JigsawOptions {
    type Task = JigsawTask;
    type Heads<B: Backend> = Jigsaw<B>;

    fn check(&self, _: &ObjectiveContext) -> Result<(), ObjectiveError> {
        let Self { weight: _, share } = self;
        let is_share = *share > 0.0 && *share <= 1.0;
        ObjectiveError::first_broken([(
            "objectives.jigsaw.share",
            "above 0 and at most 1",
            is_share,
            share.to_string(),
        )])
    }

    fn require(&self, ModelSetting { encoder, tokenizer }: ModelSetting<'_>) -> Result<(), ObjectiveError> {
        let unfit = |want| Err(ObjectiveError::Unfit { objective: "jigsaw", want });
        if tokenizer.layout == LayoutName::Flat {
            return unfit("tokens that keep times apart: `composite` or `bins`");
        }
        if encoder.knows_order_from_edges() {
            return unfit("an encoder that hears other events without edges, which tell the order: any but `gnn`");
        }
        Ok(())
    }

    fn init<B: Backend>(
        &self,
        d_model: usize,
        layout: &BatchLayout,
        _: &ObjectiveContext,
        seed: u64,
        device: &B::Device,
    ) -> Jigsaw<B> {
        let mut rng = WeightRng::new(seed);
        let (events, places) = (rng.linear(d_model, d_model, device), rng.linear(d_model, d_model, device));
        Jigsaw { events, places, task: JigsawTask { layout: layout.clone(), options: self.clone() } }
    }
}

/// Predicts the original position of every shuffled event: one row of the permutation matrix each, over the positions that were shuffled.
///
/// Times, gaps and edges would reveal the order, so they are hidden; ages are those of a window with an event every three seconds.
/// A position is represented by the state of the event that stands there now, which has attended to its surroundings:
/// the score of an event and a position is a product of the two states, as in a pointer network (Vinyals et al. 2015).
/// Events that are equal without their times cannot be distinguished by any encoder.
#[derive(Module, Debug)]
pub struct Jigsaw<B: Backend> {
    events: Linear<B>,
    places: Linear<B>,
    #[module(skip)]
    task: JigsawTask,
}

/// Shuffles some events of each window.
#[derive(Debug, Clone)]
pub struct JigsawTask {
    layout: BatchLayout,
    options: JigsawOptions,
}

/// Shuffled windows, and which events were moved.
#[derive(Debug)]
pub struct JigsawBatch {
    windows: Vec<WindowRows>,
    moved: Vec<Vec<Moved>>,
}

/// An event that was moved.
#[derive(Debug, Clone, Copy)]
struct Moved {
    /// Where it stands now, from the beginning.
    at: usize,
    /// Which of the moved events stands where it was.
    place: usize,
}

impl JigsawTask {
    /// The window in another order and without times.
    fn shuffled(&self, window: &WindowRows, rng: &mut ChaCha8Rng) -> (WindowRows, Vec<Moved>) {
        let n_fields = self.layout.n_fields();
        let n_events = window.ids.len() / n_fields;
        let n_values = window.values.len() / n_events.max(1);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a number of events")]
        let n_moved = ((n_events as f64 * self.options.share).round() as usize).max(2).min(n_events);
        // One event alone has one place.
        let n_moved = if n_events < 2 { 0 } else { n_moved };
        let from = sample(rng, n_events, n_moved).into_vec();
        let mut to = from.clone();
        to.shuffle(rng);
        let mut order: Vec<usize> = (0..n_events).collect();
        for (&from, &to) in from.iter().zip(&to) {
            order[to] = from;
        }
        let rows = |at: &usize| window.ids[at * n_fields..(at + 1) * n_fields].iter().enumerate();
        let hidden = |(field, id): (usize, &u32)| {
            if self.layout.modalities()[field] == Modality::Temporal { special::MASK } else { *id }
        };
        let ids = order.iter().flat_map(rows).map(hidden).collect();
        let columns = |at: &usize| window.values[at * n_values..(at + 1) * n_values].iter().zip(self.layout.numbers());
        let values = order.iter().flat_map(columns);
        let values = values.map(|(value, of)| if of.modality() == Modality::Temporal { f32::NAN } else { *value });
        let ages = (0..n_events).rev().map(|after| after as f32 * STEP_SECS).collect();
        let shuffled = WindowRows { ids, values: values.collect(), ages, edges: Vec::new() };
        let place = |from: &usize| to.iter().position(|to| to == from).expect("places are those of the moved events");
        let moved = from.iter().zip(&to).map(|(from, &at)| Moved { at, place: place(from) });
        (shuffled, moved.collect())
    }
}

impl Preparer for JigsawTask {
    type Batch = JigsawBatch;

    fn prepare(&self, examples: &[Example<'_>], _: Purpose, rng: &mut ChaCha8Rng) -> JigsawBatch {
        let (windows, moved) = examples.iter().map(|example| self.shuffled(&example.window.into(), rng)).unzip();
        JigsawBatch { windows, moved }
    }
}

impl<B: Backend> Objective<B> for Jigsaw<B> {
    type Task = JigsawTask;

    fn task(&self) -> JigsawTask {
        self.task.clone()
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, batch: &JigsawBatch, device: &B::Device) -> Loss<B> {
        let JigsawBatch { windows, moved } = batch;
        let states = encoder.encode(&EventBatch::with_rows(&self.task.layout, windows, device)).states;
        let [n_windows, seq, d_model] = states.dims();
        let most = moved.iter().map(Vec::len).max().unwrap_or(0);
        if most == 0 {
            return Loss { value: states.sum().mul_scalar(0.0), n_predictions: 0, metrics: Vec::new() };
        }
        // `[CLS]` stands before the events, and for those that a window has less than others.
        let positions = |(window_idx, moved): (usize, &Vec<Moved>)| {
            let padding = std::iter::repeat_n(0, most - moved.len());
            let all = moved.iter().map(|moved| 1 + moved.at).chain(padding);
            all.map(|at| window_idx * seq + at).collect::<Vec<_>>()
        };
        let positions: Vec<usize> = moved.iter().enumerate().flat_map(positions).collect();
        let states = at(states, &positions);
        let side_by_side = |of: Tensor<B, 2>| of.reshape([n_windows, most, d_model]);
        let (events, places) = (self.events.forward(states.clone()), self.places.forward(states));
        let scores = side_by_side(events).matmul(side_by_side(places).swap_dims(1, 2));
        let bias = moved.iter().flat_map(|moved| (0..most).map(|place| if place < moved.len() { 0.0 } else { NEVER }));
        let bias = TensorData::new(bias.collect::<Vec<f32>>(), [n_windows, 1, most]);
        let scores = scores.div_scalar((d_model as f64).sqrt()) + Tensor::<B, 3>::from_data(bias, device);
        let rows = moved.iter().enumerate().flat_map(|(of, moved)| (0..moved.len()).map(move |row| of * most + row));
        let rows: Vec<usize> = rows.collect();
        let logits = scores.reshape([n_windows * most, most]).select(0, indices(&rows, device));
        let places: Vec<usize> = moved.iter().flatten().map(|moved| moved.place).collect();
        let targets = indices(&places, device);
        let metrics = vec![Metric { name: "place_accuracy", value: accuracy(logits.clone(), targets.clone()) }];
        Loss { value: cross_entropy(logits, targets), n_predictions: places.len(), metrics }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use spaxiom_encoder::{BatchLayout, WindowRows};

    use super::{JigsawOptions, JigsawTask, Moved};

    proptest! {
        #[test]
        fn moved_events_know_where_they_were_and_all_others_stay(len in 1u32..40, share in 0.01f64..=1.0, seed: u64) {
            let options = JigsawOptions { share, ..JigsawOptions::default() };
            let task = JigsawTask { layout: BatchLayout::new(&[64]), options };
            let ids: Vec<u32> = (7..7 + len).collect();
            let ages = vec![0.0; ids.len()];
            let window = WindowRows { ids: ids.clone(), values: Vec::new(), ages, edges: Vec::new() };
            let (shuffled, moved) = task.shuffled(&window, &mut ChaCha8Rng::seed_from_u64(seed));
            let n = ids.len();
            // Two at least, and else as many as the share says.
            let least = if n < 2 { 0 } else { 2 };
            let is_wanted = n >= 2 && (moved.len() as f64 - n as f64 * share).abs() <= 0.5 || moved.len() == least;
            prop_assert!(is_wanted, "{} of {n}", moved.len());
            let mut restored = shuffled.ids.clone();
            for Moved { at, place } in &moved {
                restored[moved[*place].at] = shuffled.ids[*at];
            }
            prop_assert_eq!(restored, ids);
        }
    }
}
