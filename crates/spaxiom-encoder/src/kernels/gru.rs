//! GRU (Cho et al. 2014), with the reset after the product as in PyTorch: single steps, and whole windows with gradients.
#![expect(clippy::inline_always, reason = "what is not inlined is not compiled for vector instructions")]

use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::functions::{sigmoid, tanh};
use super::gradients::Gradients;
use super::product::{multiply, multiply_rows};
use super::recurrent::of_parameters;
use super::simd::vectorized;

/// One unit after an event.
struct Unit {
    reset: f32,
    update: f32,
    candidate: f32,
    hidden: f32,
}

/// From the gates before their activations, the parts of the candidate from the input and from the state, and the state.
#[inline(always)]
fn unit([reset, update]: [f32; 2], from_input: f32, from_state: f32, hidden: f32) -> Unit {
    let (reset, update) = (sigmoid(reset), sigmoid(update));
    let candidate = tanh(reset.mul_add(from_state, from_input));
    Unit { reset, update, candidate, hidden: update.mul_add(hidden - candidate, candidate) }
}

/// One step of some units: `hidden` becomes the state after the event.
///
/// `input` and `gates`, from the state, have those of reset, update and candidate one after the other, each as long as `hidden`;
/// `candidate_bias` is added to what comes from the state before the reset gate takes some of it away.
pub(crate) fn step(input: &[f32], gates: &[f32], candidate_bias: &[f32], hidden: &mut [f32]) {
    let n = hidden.len();
    let [[reset, update, candidate], [of_reset, of_update, of_candidate]] =
        [input, gates].map(|of| [0, 1, 2].map(|gate| &of[gate * n..(gate + 1) * n]));
    let bias = &candidate_bias[..n];
    vectorized(
        #[inline(always)]
        || {
            for at in 0..n {
                let gates = [reset[at] + of_reset[at], update[at] + of_update[at]];
                hidden[at] = unit(gates, candidate[at], of_candidate[at] + bias[at], hidden[at]).hidden;
            }
        },
    );
}

/// Kept of every unit: reset, update, candidate, and what the candidate gets from the state before the reset gate.
const KEPT: usize = 4;

/// What the gradients of a run are computed from.
#[derive(Debug)]
pub(crate) struct Run {
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
pub(crate) fn forward(inputs: &[f32], weight: Vec<f32>, bias: &[f32], keep: Vec<f32>, seq: usize) -> (Vec<f32>, Run) {
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
            let weight = MatRef::from_row_major_slice(weight, d, 3 * d);
            multiply_rows(&mut gates, Accum::Replace, &hidden, weight, Par::Seq);
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
    vectorized(
        #[inline(always)]
        || {
            for at in 0..d {
                let gate = |gate: usize| input[gate][at] + gates[gate][at] + bias[gate][at];
                let heard = gates[2][at] + bias[2][at];
                let Unit { reset, update, candidate, hidden: after } =
                    unit([gate(0), gate(1)], input[2][at], heard, hidden[at]);
                (resets[at], updates[at], candidates[at], from_state[at]) = (reset, update, candidate, heard);
                hidden[at] = keep.mul_add(after - hidden[at], hidden[at]);
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
        vectorized(
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
                let out = MatMut::from_row_major_slice_mut(&mut carried, n, d);
                let gates = MatRef::from_row_major_slice(&of_step, n, 3 * d);
                let weight = MatRef::from_row_major_slice(weight, d, 3 * d);
                multiply(out, Accum::Add, gates, weight.transpose(), Par::Seq);
            }
        });
        let [of_weight, of_bias] = of_parameters(states, &of_gates, seq, d);
        [of_inputs, of_weight, of_bias]
    }
}
