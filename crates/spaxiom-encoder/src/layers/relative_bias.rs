//! What the time between two events, and the places that they share, add to their attention.

use burn::module::{Module, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use spaxiom_token::{Modality, special};

use crate::batch::{BatchLayout, EventBatch};
use crate::init::WeightRng;

/// Buckets of the time between two events: below one second, below three, below seven, and so on to six days and more.
const N_TIMES: usize = 20;

/// So that a time at the edge of a bucket falls into the same one on every backend.
const ROUNDING: f64 = 1e-4;

/// Learned biases for each head: by the time between two events (buckets as in T5, Raffel et al. 2020, by powers of two),
/// and by the fields of place in which they agree, from the zone to cells of all scales.
#[derive(Module, Debug)]
pub(crate) struct RelativeBias<B: Backend> {
    /// `[N_TIMES, n_heads]`.
    times: Param<Tensor<B, 2>>,
    /// `[n_places, n_heads]`; none where the layout knows no place.
    places: Option<Param<Tensor<B, 2>>>,
    #[module(skip)]
    fields: Places,
}

/// The fields of place.
#[derive(Debug, Clone)]
struct Places {
    fields: Vec<i32>,
    /// The first row of each that stands for a place, and not for the lack of one.
    firsts: Vec<i32>,
}

impl<B: Backend> RelativeBias<B> {
    pub(crate) fn new(layout: &BatchLayout, n_heads: usize, rng: &mut WeightRng, device: &B::Device) -> Self {
        let int = |n: usize| i32::try_from(n).expect("a table of embeddings has fewer than 2^31 rows");
        let fields = layout.modalities().iter().zip(layout.offsets()).enumerate();
        let spatial = fields.filter(|(_, (modality, _))| **modality == Modality::Spatial);
        let (fields, firsts): (Vec<i32>, Vec<i32>) =
            spatial.map(|(field, (_, offset))| (int(field), int(offset + special::FIRST as usize))).unzip();
        Self {
            times: rng.matrix([N_TIMES, n_heads], device),
            places: (!fields.is_empty()).then(|| rng.matrix([fields.len(), n_heads], device)),
            fields: Places { fields, firsts },
        }
    }

    /// # Shapes
    /// - batch: `[batch, seq]` events
    /// - output: `[batch, n_heads, seq, seq]`
    pub(crate) fn forward(&self, batch: &EventBatch<B>) -> Tensor<B, 4> {
        let [n_windows, seq] = batch.keep.dims();
        let [_, n_heads] = self.times.dims();
        let ages = batch.ages.clone();
        let between = (ages.clone().reshape([n_windows, seq, 1]) - ages.reshape([n_windows, 1, seq])).abs();
        let bucket = between.log1p().div_scalar(std::f64::consts::LN_2).add_scalar(ROUNDING).int();
        let bucket = bucket.clamp_max(i64::try_from(N_TIMES).expect("a small number") - 1);
        let mut bias = self.times.val().select(0, bucket.reshape([n_windows * seq * seq]));
        if let Some(places) = &self.places {
            bias = bias + self.shared_places(batch).matmul(places.val());
        }
        bias.reshape([n_windows, seq, seq, n_heads]).permute([0, 3, 1, 2])
    }

    /// 1 for each field of place in which two events agree, `[batch * seq * seq, n_places]`.
    fn shared_places(&self, batch: &EventBatch<B>) -> Tensor<B, 2> {
        let [n_windows, seq] = batch.keep.dims();
        let Places { fields, firsts } = &self.fields;
        let (n, device) = (fields.len(), batch.rows.device());
        let rows = batch.rows.clone().select(2, Tensor::<B, 1, Int>::from_ints(fields.as_slice(), &device));
        let firsts = Tensor::<B, 1, Int>::from_ints(firsts.as_slice(), &device).reshape([1, 1, n]);
        let is_place = rows.clone().greater_equal(firsts.expand([n_windows, seq, n])).float();
        let of_one = rows.clone().reshape([n_windows, seq, 1, n]).expand([n_windows, seq, seq, n]);
        let of_other = rows.reshape([n_windows, 1, seq, n]).expand([n_windows, seq, seq, n]);
        let agree = of_one.equal(of_other).float() * is_place.reshape([n_windows, seq, 1, n]);
        agree.reshape([n_windows * seq * seq, n])
    }
}
