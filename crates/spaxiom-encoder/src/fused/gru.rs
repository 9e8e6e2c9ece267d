//! A GRU over whole windows.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::Gradients;
use crate::inference::elementwise::{sigmoid, tanh, vectorised};

/// Kept of every unit: reset, update, candidate, and what the candidate gets from the state before the reset gate.
const KEPT: usize = 4;

/// What the gradients of a run are computed from.
#[derive(Debug)]
pub(super) struct Run {
    seq: usize,
    d: usize,
    /// `[d, 3 * d]`.
    weight: Vec<f32>,
    /// `[n, seq]`.
    keep: Vec<f32>,
    /// `[n, seq, d]`.
    states: Vec<f32>,
    /// `[n, seq, KEPT * d]`.
    kept: Vec<f32>,
}

/// The states `[n, seq, d]` from the gates of the input `[n, seq, 3 * d]`, beginning with zeros.
pub(super) fn forward(inputs: &[f32], weight: Vec<f32>, bias: &[f32], keep: Vec<f32>, seq: usize) -> (Vec<f32>, Run) {
    let d = bias.len() / 3;
    let n = keep.len() / seq;
    let mut run = Run { seq, d, states: vec![0.0; n * seq * d], kept: vec![0.0; n * seq * KEPT * d], weight, keep };
    // Windows know nothing of each other: every thread reads its own from beginning to end.
    let share = n.div_ceil(rayon::current_num_threads()).max(1) * seq;
    let (weight, parts) =
        (&run.weight, run.states.par_chunks_mut(share * d).zip(run.kept.par_chunks_mut(share * KEPT * d)));
    let parts = parts.zip(inputs.par_chunks(share * 3 * d)).zip(run.keep.par_chunks(share));
    parts.for_each(|(((states, kept), inputs), keep)| {
        let n = keep.len() / seq;
        let (mut hidden, mut gates) = (vec![0.0; n * d], vec![0.0; n * 3 * d]);
        for at in 0..seq {
            let hidden_before = MatRef::from_row_major_slice(&hidden, n, d);
            let weight = MatRef::from_row_major_slice(weight, d, 3 * d);
            matmul(
                MatMut::from_row_major_slice_mut(&mut gates, n, 3 * d),
                Accum::Replace,
                hidden_before,
                weight,
                1.0,
                Par::Seq,
            );
            for (window, (hidden, gates)) in hidden.chunks_exact_mut(d).zip(gates.chunks_exact(3 * d)).enumerate() {
                let row = window * seq + at;
                let kept = &mut kept[row * KEPT * d..][..KEPT * d];
                read(&inputs[row * 3 * d..][..3 * d], gates, bias, keep[row], hidden, kept);
                states[row * d..][..d].copy_from_slice(hidden);
            }
        }
    });
    (run.states.clone(), run)
}

/// One position of one window: `hidden` becomes the state after it.
fn read(input: &[f32], gates: &[f32], bias: &[f32], keep: f32, hidden: &mut [f32], kept: &mut [f32]) {
    let d = hidden.len();
    let [input, gates, bias] = [input, gates, bias].map(|of| [0, 1, 2].map(|gate| &of[gate * d..(gate + 1) * d]));
    let (resets, rest) = kept.split_at_mut(d);
    let (updates, rest) = rest.split_at_mut(d);
    let (candidates, from_state) = rest.split_at_mut(d);
    vectorised(
        #[inline(always)]
        || {
            for unit in 0..d {
                let reset = sigmoid(input[0][unit] + gates[0][unit] + bias[0][unit]);
                let update = sigmoid(input[1][unit] + gates[1][unit] + bias[1][unit]);
                let heard = gates[2][unit] + bias[2][unit];
                let candidate = tanh(reset.mul_add(heard, input[2][unit]));
                let after = update.mul_add(hidden[unit] - candidate, candidate);
                (resets[unit], updates[unit], candidates[unit], from_state[unit]) = (reset, update, candidate, heard);
                hidden[unit] = keep.mul_add(after - hidden[unit], hidden[unit]);
            }
        },
    );
}

/// Gradients of one position of one window.
struct Unread<'a> {
    /// Of the gates from the input, and of those from the state, `[3 * d]` each.
    inputs: &'a mut [f32],
    gates: &'a mut [f32],
    /// Of the state after the position, which becomes the part of the state before it that goes past the gates, `[d]`.
    carried: &'a mut [f32],
}

impl Unread<'_> {
    fn fill(self, of_state: &[f32], before: &[f32], kept: &[f32], keep: f32) {
        let Self { inputs, gates, carried } = self;
        let d = carried.len();
        let [resets, updates, candidates, from_state] = [0, 1, 2, 3].map(|part| &kept[part * d..(part + 1) * d]);
        let (of_reset, rest) = inputs.split_at_mut(d);
        let (of_update, of_candidate) = rest.split_at_mut(d);
        vectorised(
            #[inline(always)]
            || {
                for unit in 0..d {
                    let (reset, update, candidate) = (resets[unit], updates[unit], candidates[unit]);
                    let whole = of_state[unit] + carried[unit];
                    let after = keep * whole;
                    let into_candidate = after * (1.0 - update) * (1.0 - candidate * candidate);
                    of_candidate[unit] = into_candidate;
                    of_update[unit] = after * (before[unit] - candidate) * update * (1.0 - update);
                    of_reset[unit] = into_candidate * from_state[unit] * reset * (1.0 - reset);
                    carried[unit] = (1.0 - keep).mul_add(whole, after * update);
                }
            },
        );
        gates.copy_from_slice(inputs);
        for (gate, reset) in gates[2 * d..].iter_mut().zip(resets) {
            *gate *= reset;
        }
    }
}

impl Gradients<3> for Run {
    fn gradients(&self, of_states: &[f32], _: [bool; 3]) -> [Vec<f32>; 3] {
        let Self { seq, d, weight, keep, states, kept } = self;
        let (seq, d, n) = (*seq, *d, keep.len() / seq);
        let (mut of_inputs, mut of_gates) = (vec![0.0; n * seq * 3 * d], vec![0.0; n * seq * 3 * d]);
        let share = n.div_ceil(rayon::current_num_threads()).max(1) * seq;
        let parts = of_inputs.par_chunks_mut(share * 3 * d).zip(of_gates.par_chunks_mut(share * 3 * d));
        let parts = parts.zip(of_states.par_chunks(share * d)).zip(states.par_chunks(share * d));
        let parts = parts.zip(kept.par_chunks(share * KEPT * d)).zip(keep.par_chunks(share));
        parts.for_each(|(((((of_inputs, of_gates), of_states), states), kept), keep)| {
            let n = keep.len() / seq;
            let (zeros, mut carried, mut of_step) = (vec![0.0; d], vec![0.0; n * d], vec![0.0; n * 3 * d]);
            for at in (0..seq).rev() {
                for (window, (carried, gates)) in
                    carried.chunks_exact_mut(d).zip(of_step.chunks_exact_mut(3 * d)).enumerate()
                {
                    let row = window * seq + at;
                    let before = if at > 0 { &states[(row - 1) * d..row * d] } else { &zeros };
                    let unread = Unread { inputs: &mut of_inputs[row * 3 * d..][..3 * d], gates, carried };
                    unread.fill(&of_states[row * d..][..d], before, &kept[row * KEPT * d..][..KEPT * d], keep[row]);
                    of_gates[row * 3 * d..][..3 * d].copy_from_slice(gates);
                }
                let gates = MatRef::from_row_major_slice(&of_step, n, 3 * d);
                let weight = MatRef::from_row_major_slice(weight, d, 3 * d);
                matmul(
                    MatMut::from_row_major_slice_mut(&mut carried, n, d),
                    Accum::Add,
                    gates,
                    weight.transpose(),
                    1.0,
                    Par::Seq,
                );
            }
        });
        let [of_weight, of_bias] = super::recurrent::of_parameters(states, &of_gates, seq, d);
        [of_inputs, of_weight, of_bias]
    }
}
