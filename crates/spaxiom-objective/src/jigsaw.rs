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
use crate::objective::{Loss, Metric, Prepare, Pretext, Purpose};

/// What may be set about the jigsaw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct JigsawOptions {
    /// Share of the events that are moved, two at least; 0.5. The others stay where they were; with 1, as in the seed, none does.
    pub share: f64,
}

impl Default for JigsawOptions {
    fn default() -> Self {
        Self { share: 0.5 }
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
    pub fn new(
        d_model: usize,
        max_len: usize,
        layout: BatchLayout,
        options: JigsawOptions,
        seed: u64,
        device: &B::Device,
    ) -> Self {
        let places = WeightRng::new(seed).linear(d_model, max_len, device);
        Self { places, shuffler: Shuffler { layout, options } }
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
    /// Where it was, from the end.
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
        let shuffled = WindowRows { ids, values: values.collect(), ages: vec![0.0; n_events], edges: Vec::new() };
        let moved = from.into_iter().zip(to).map(|(from, at)| Moved { at, place: n_events - 1 - from });
        (shuffled, moved.collect())
    }
}

impl Prepare for Shuffler {
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
        let ([_, seq, _], [_, max_len]) = (states.dims(), self.places.weight.dims());
        // `[CLS]` stands before the events.
        let positions = |(window_idx, moved): (usize, &Vec<Moved>)| {
            moved.iter().map(move |moved| window_idx * seq + 1 + moved.at).collect::<Vec<_>>()
        };
        let positions: Vec<usize> = moved.iter().enumerate().flat_map(positions).collect();
        let mut bias = vec![NEVER; positions.len() * max_len];
        let mut rows = bias.chunks_exact_mut(max_len);
        for moved in moved {
            for row in rows.by_ref().take(moved.len()) {
                // Where an event was moved from, and nowhere else.
                for other in moved {
                    row[other.place] = 0.0;
                }
            }
        }
        let bias = Tensor::<B, 2>::from_data(TensorData::new(bias, [positions.len(), max_len]), device);
        let logits = self.places.forward(at(states, &positions)) + bias;
        let places: Vec<usize> = moved.iter().flatten().map(|moved| moved.place).collect();
        let targets = indices(&places, device);
        let metrics = vec![Metric { name: "place_accuracy", value: accuracy(logits.clone(), targets.clone()) }];
        Loss { value: cross_entropy(logits, targets), n_predictions: positions.len(), metrics }
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
            let is_wanted = (moved.len() as f64 - n as f64 * share).abs() <= 0.5 || moved.len() == n.min(2);
            prop_assert!(is_wanted, "{} of {n}", moved.len());
            let mut restored = shuffled.ids.clone();
            for Moved { at, place } in moved {
                restored[n - 1 - place] = shuffled.ids[at];
            }
            prop_assert_eq!(restored, ids);
        }
    }
}
