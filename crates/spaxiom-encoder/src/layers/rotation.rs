//! Rotary position embedding by continuous time.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::kernels::rotary::turns_per_sec;

/// Rotary position embedding (Su et al. 2021) by continuous time: queries and keys turn with the age of their event,
/// so that their products depend on the time between two events and not on when they were.
#[derive(Debug, Clone)]
pub(crate) struct Rotation<B: Backend> {
    /// `[batch, 1, seq, d_head]` each.
    cos: Tensor<B, 4>,
    sin: Tensor<B, 4>,
}

impl<B: Backend> Rotation<B> {
    /// From ages in seconds, `[batch, seq]`, for heads of `d_head` columns: an even number.
    pub(crate) fn new(ages: &Tensor<B, 2>, d_head: usize) -> Self {
        let [batch, seq] = ages.dims();
        let turns = turns_per_sec(d_head);
        let turns = Tensor::<B, 1>::from_floats([turns.clone(), turns].concat().as_slice(), &ages.device());
        let angles = ages.clone().reshape([batch, 1, seq, 1]) * turns.reshape([1, 1, 1, d_head]);
        Self { cos: angles.clone().cos(), sin: angles.sin() }
    }

    /// Turns column `i` with column `i + d_head / 2`, in `[batch, heads, seq, d_head]`.
    pub(crate) fn apply(&self, states: Tensor<B, 4>) -> Tensor<B, 4> {
        let half = states.dims()[3] / 2;
        let (first, second) = (states.clone().narrow(3, 0, half), states.clone().narrow(3, half, half));
        states * self.cos.clone() + Tensor::cat(vec![second.neg(), first], 3) * self.sin.clone()
    }
}
