//! Spatial-temporal jigsaw: events in any order, told back into the one they had (seed, "Spatial-temporal jigsaw").

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use rand::seq::SliceRandom;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use spaxiom_encoder::{BatchLayout, Encoder, EventBatch, WeightRng, WindowRows};
use spaxiom_token::{Modality, special};

use crate::error::ObjectiveError;
use crate::example::Example;
use crate::field_heads::at;
use crate::losses::{NEVER, accuracy, cross_entropy, indices};
use crate::objective::{Loss, Metric, Preparer, Pretext, Purpose};

/// Seconds from a place to the next: an encoder that knows of order by times alone has to see the one that is shown.
///
/// No multiple of a wave that times are turned by.
const STEP_SECS: f32 = 3.0;

/// What may be set about the jigsaw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct JigsawOptions {
    /// Share of the events that change places among each other, in any order, two at least; 0.2. The others stay where they were.
    /// With 1 all are shuffled, as in the seed.
    pub share: f64,
}

impl Default for JigsawOptions {
    fn default() -> Self {
        Self { share: 0.2 }
    }
}

impl JigsawOptions {
    pub(crate) fn check(&self) -> Result<(), ObjectiveError> {
        let Self { share } = self;
        let is_share = *share > 0.0 && *share <= 1.0;
        ObjectiveError::first_broken([("jigsaw.share", "above 0 and at most 1", is_share, share.to_string())])
    }
}

/// Predicts the place of every event that was moved: a row of the permutation matrix each, over the places that events were moved from.
///
/// Times, gaps and edges would tell the order, so they are hidden; ages are those of a window with an event every three seconds.
/// A place is known by the state of whatever stands there now, which has heard what stands around it:
/// the score of an event and a place is a product of the two states, as of a pointer (Vinyals et al. 2015).
/// Events that are alike without their times cannot be told apart; what is lost by that no encoder gains.
#[derive(Module, Debug)]
pub struct Jigsaw<B: Backend> {
    events: Linear<B>,
    places: Linear<B>,
    #[module(skip)]
    shuffler: Shuffler,
}

impl<B: Backend> Jigsaw<B> {
    /// A permutation head over states of width `d_model`.
    pub fn new(d_model: usize, layout: BatchLayout, options: JigsawOptions, seed: u64, device: &B::Device) -> Self {
        let mut rng = WeightRng::new(seed);
        let (events, places) = (rng.linear(d_model, d_model, device), rng.linear(d_model, d_model, device));
        Self { events, places, shuffler: Shuffler { layout, options } }
    }
}

/// Changes the order of events.
#[derive(Debug, Clone)]
pub struct Shuffler {
    layout: BatchLayout,
    options: JigsawOptions,
}

/// Shuffled windows, and what was moved in them.
#[derive(Debug)]
pub struct Shuffled {
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

impl Shuffler {
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

impl Preparer for Shuffler {
    type Batch = Shuffled;

    fn prepare(&self, examples: &[Example<'_>], _: Purpose, rng: &mut ChaCha8Rng) -> Shuffled {
        let (windows, moved) = examples.iter().map(|example| self.shuffled(&example.window.into(), rng)).unzip();
        Shuffled { windows, moved }
    }
}

impl<B: Backend> Pretext<B> for Jigsaw<B> {
    type Task = Shuffler;

    fn task(&self) -> Shuffler {
        self.shuffler.clone()
    }

    fn loss<E: Encoder<B>>(&self, encoder: &E, Shuffled { windows, moved }: &Shuffled, device: &B::Device) -> Loss<B> {
        let states = encoder.encode(&EventBatch::with_rows(&self.shuffler.layout, windows, device)).states;
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

    use super::{JigsawOptions, Moved, Shuffler};

    proptest! {
        #[test]
        fn moved_events_know_where_they_were_and_all_others_stay(len in 1u32..40, share in 0.01f64..=1.0, seed: u64) {
            let shuffler = Shuffler { layout: BatchLayout::new(&[64]), options: JigsawOptions { share } };
            let ids: Vec<u32> = (7..7 + len).collect();
            let ages = vec![0.0; ids.len()];
            let window = WindowRows { ids: ids.clone(), values: Vec::new(), ages, edges: Vec::new() };
            let (shuffled, moved) = shuffler.shuffled(&window, &mut ChaCha8Rng::seed_from_u64(seed));
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
