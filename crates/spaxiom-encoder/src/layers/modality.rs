//! One encoder per modality: where, when, what and how much.

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use spaxiom_token::Modality;

use super::dense::{dense, gelu, normed};
use super::embedding::sum_of_fields;
use crate::batch::{BatchLayout, EventBatch};
use crate::init::{WeightRng, layer_norm};

/// Encodes what events say in one modality, each event by itself: the seed's `spatial_encoder`, `temporal_encoder`,
/// `type_encoder` and `numeric_encoder`.
///
/// Embeddings of the modality's fields and a linear map of its numbers are summed and normalized; two layers follow.
/// A modality of which the layout has nothing is one learned vector.
#[derive(Module, Debug)]
pub struct ModalityEncoder<B: Backend> {
    /// One row per id of every field of the modality, `[n_rows, d_modality]`.
    table: Param<Tensor<B, 2>>,
    /// From the features of its numbers, `[n_features, d_modality]`.
    numbers: Option<Linear<B>>,
    norm: LayerNorm<B>,
    hidden: Linear<B>,
    output: Linear<B>,
    #[module(skip)]
    inputs: Inputs,
}

/// Which part of a batch is about the modality.
#[derive(Debug, Clone)]
struct Inputs {
    fields: Vec<i32>,
    /// From a row of the table of all fields to one of the table of the modality, for each of its fields.
    shifts: Vec<i32>,
    features: Vec<i32>,
}

impl Inputs {
    /// With the number of rows of the modality's table.
    fn new(layout: &BatchLayout, modality: Modality) -> (Self, usize) {
        let ends = layout.offsets().iter().skip(1).copied().chain([layout.n_rows()]);
        let places = |modalities: &[Modality]| -> Vec<i32> {
            let own = modalities.iter().enumerate().filter(|(_, of)| **of == modality);
            own.map(|(place, _)| int(place)).collect()
        };
        let (mut shifts, mut n_rows) = (Vec::new(), 0);
        for ((start, end), of) in layout.offsets().iter().zip(ends).zip(layout.modalities()) {
            if *of == modality {
                shifts.push(int(n_rows) - int(*start));
                n_rows += end - start;
            }
        }
        let (fields, features) = (places(layout.modalities()), places(&layout.feature_modalities()));
        (Self { fields, shifts, features }, n_rows)
    }
}

impl<B: Backend> ModalityEncoder<B> {
    /// An encoder of what `layout` has of `modality`.
    pub fn new(
        modality: Modality,
        layout: &BatchLayout,
        d_modality: usize,
        rng: &mut WeightRng,
        device: &B::Device,
    ) -> Self {
        let (inputs, n_rows) = Inputs::new(layout, modality);
        let n_features = inputs.features.len();
        Self {
            table: rng.matrix([n_rows.max(1), d_modality], device),
            numbers: (n_features > 0).then(|| rng.linear(n_features, d_modality, device)),
            norm: layer_norm(d_modality, device),
            hidden: rng.linear(d_modality, d_modality, device),
            output: rng.linear(d_modality, d_modality, device),
            inputs,
        }
    }

    /// # Shapes
    /// - batch: `[batch, seq]` events
    /// - output: `[batch, seq, d_modality]`
    pub fn forward(&self, batch: &EventBatch<B>) -> Tensor<B, 3> {
        let Inputs { fields, shifts, features } = &self.inputs;
        let [n_windows, seq, _] = batch.rows.dims();
        let device = batch.rows.device();
        let indices = |of: &[i32]| Tensor::<B, 1, Int>::from_ints(of, &device);
        let rows = if fields.is_empty() {
            Tensor::zeros([n_windows, seq, 1], &device)
        } else {
            batch.rows.clone().select(2, indices(fields)) + indices(shifts).reshape([1, 1, shifts.len()])
        };
        let mut summed = sum_of_fields(&self.table, rows);
        if let (Some(numbers), Some(all)) = (&self.numbers, &batch.features) {
            summed = summed + dense(numbers, all.clone().select(2, indices(features)));
        }
        dense(&self.output, gelu(dense(&self.hidden, normed(&self.norm, summed))))
    }
}

fn int(place: usize) -> i32 {
    i32::try_from(place).expect("a table of embeddings has fewer than 2^31 rows")
}
