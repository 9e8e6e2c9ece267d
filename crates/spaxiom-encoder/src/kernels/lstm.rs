//! LSTM (Hochreiter and Schmidhuber 1997): single steps, and whole windows with gradients.
#![expect(clippy::inline_always, reason = "what is not inlined is not compiled for vector instructions")]

use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use super::functions::{sigmoid, tanh};
use super::gradients::Gradients;
use super::product::{multiply, multiply_rows};
use super::recurrent::of_parameters;
use super::simd::vectorized;

/// Input, forget, candidate, output.
const GATES: usize = 4;

/// One unit after an event.
struct Unit {
    input: f32,
    forget: f32,
    candidate: f32,
    output: f32,
    memory: f32,
    /// The hyperbolic tangent of the memory.
    tip: f32,
}

/// From the gates before their activations, and the memory.
#[inline(always)]
fn unit([input, forget, candidate, output]: [f32; GATES], memory: f32) -> Unit {
    let (input, forget, output) = (sigmoid(input), sigmoid(forget), sigmoid(output));
    let candidate = tanh(candidate);
    let memory = forget.mul_add(memory, input * candidate);
    Unit { input, forget, candidate, output, memory, tip: tanh(memory) }
}

/// One step of some units: `hidden` and `memory` become those after the event.
///
/// `gates` has those of input, forget, candidate and output one after the other, each as long as `hidden`.
pub(crate) fn step(gates: &[f32], hidden: &mut [f32], memory: &mut [f32]) {
    let n = hidden.len();
    let [input, forget, candidate, output] = [0, 1, 2, 3].map(|gate| &gates[gate * n..(gate + 1) * n]);
    let memory = &mut memory[..n];
    vectorized(
        #[inline(always)]
        || {
            for at in 0..n {
                let after = unit([input[at], forget[at], candidate[at], output[at]], memory[at]);
                (hidden[at], memory[at]) = (after.output * after.tip, after.memory);
            }
        },
    );
}

/// Kept of every unit: the gates, the memory before, and the hyperbolic tangent of the one after.
const KEPT: usize = GATES + 2;

/// What the gradients of a run are computed from.
#[derive(Debug)]
pub(crate) struct Run {
    seq: usize,
    d: usize,
    /// `[d, GATES * d]`.
    weight: Vec<f32>,
    /// `[n, seq]`.
    keep: Vec<f32>,
    /// `[n, seq, d]`.
    states: Vec<f32>,
    /// `[n, seq, KEPT * d]`.
    kept: Vec<f32>,
}

/// The states `[n, seq, d]` from the gates of the input `[n, seq, GATES * d]`, beginning with zeros.
pub(crate) fn forward(inputs: &[f32], weight: Vec<f32>, bias: &[f32], keep: Vec<f32>, seq: usize) -> (Vec<f32>, Run) {
    let d = bias.len() / GATES;
    let n = keep.len() / seq;
    let mut run = Run { seq, d, states: vec![0.0; n * seq * d], kept: vec![0.0; n * seq * KEPT * d], weight, keep };
    // Windows know nothing of each other: every thread reads its own from beginning to end.
    let share = n.div_ceil(rayon::current_num_threads()).max(1) * seq;
    let (weight, parts) =
        (&run.weight, run.states.par_chunks_mut(share * d).zip(run.kept.par_chunks_mut(share * KEPT * d)));
    let parts = parts.zip(inputs.par_chunks(share * GATES * d)).zip(run.keep.par_chunks(share));
    parts.for_each(|(((states, kept), inputs), keep)| {
        let n = keep.len() / seq;
        let (mut hidden, mut memory, mut gates) = (vec![0.0; n * d], vec![0.0; n * d], vec![0.0; n * GATES * d]);
        for at in 0..seq {
            let weight = MatRef::from_row_major_slice(weight, d, GATES * d);
            multiply_rows(&mut gates, Accum::Replace, &hidden, weight, Par::Seq);
            for window in 0..n {
                let row = window * seq + at;
                let units = window * d..(window + 1) * d;
                let cell = Units { hidden: &mut hidden[units.clone()], memory: &mut memory[units.clone()] };
                let gates = [&inputs[row * GATES * d..], &gates[window * GATES * d..], bias];
                cell.read(gates, keep[row], &mut kept[row * KEPT * d..][..KEPT * d]);
                states[row * d..][..d].copy_from_slice(&hidden[units]);
            }
        }
    });
    (run.states.clone(), run)
}

/// State and memory of a window, `[d]` each.
struct Units<'a> {
    hidden: &'a mut [f32],
    memory: &'a mut [f32],
}

impl Units<'_> {
    /// One position: the cell becomes that after it. The gates are sums of three.
    fn read(self, gates: [&[f32]; 3], keep: f32, kept: &mut [f32]) {
        let Self { hidden, memory } = self;
        let d = hidden.len();
        let [input, state, bias] = gates.map(|of| [0, 1, 2, 3].map(|gate| &of[gate * d..(gate + 1) * d]));
        let mut parts = kept.chunks_exact_mut(d);
        let [inputs, forgets, candidates, outputs, before, reached] =
            std::array::from_fn(|_| parts.next().expect("six parts are kept"));
        vectorized(
            #[inline(always)]
            || {
                for at in 0..d {
                    let gate = |gate: usize| input[gate][at] + state[gate][at] + bias[gate][at];
                    let after = unit([gate(0), gate(1), gate(2), gate(3)], memory[at]);
                    (inputs[at], forgets[at], candidates[at], outputs[at]) =
                        (after.input, after.forget, after.candidate, after.output);
                    (before[at], reached[at]) = (memory[at], after.tip);
                    hidden[at] = keep.mul_add(after.output * after.tip - hidden[at], hidden[at]);
                    memory[at] = keep.mul_add(after.memory - memory[at], memory[at]);
                }
            },
        );
    }
}

/// Gradients of one position of one window.
struct Unread<'a> {
    /// Of the gates, `[GATES * d]`.
    gates: &'a mut [f32],
    /// Of state and memory after the position, which become the parts of those before it that go past the gates, `[d]` each.
    hidden: &'a mut [f32],
    memory: &'a mut [f32],
}

impl Unread<'_> {
    fn fill(self, of_state: &[f32], kept: &[f32], keep: f32) {
        let Self { gates, hidden, memory } = self;
        let d = hidden.len();
        let [inputs, forgets, candidates, outputs, before, reached] =
            [0, 1, 2, 3, 4, 5].map(|part| &kept[part * d..(part + 1) * d]);
        let mut parts = gates.chunks_exact_mut(d);
        let [of_input, of_forget, of_candidate, of_output] =
            std::array::from_fn(|_| parts.next().expect("there are four gates"));
        vectorized(
            #[inline(always)]
            || {
                for unit in 0..d {
                    let (enter, forget, output) = (inputs[unit], forgets[unit], outputs[unit]);
                    let (candidate, tip) = (candidates[unit], reached[unit]);
                    let whole = of_state[unit] + hidden[unit];
                    let after = keep * whole;
                    let of_memory = keep.mul_add(memory[unit], after * output * (1.0 - tip * tip));
                    of_input[unit] = of_memory * candidate * enter * (1.0 - enter);
                    of_forget[unit] = of_memory * before[unit] * forget * (1.0 - forget);
                    of_candidate[unit] = of_memory * enter * (1.0 - candidate * candidate);
                    of_output[unit] = after * tip * output * (1.0 - output);
                    hidden[unit] = (1.0 - keep) * whole;
                    memory[unit] = (1.0 - keep).mul_add(memory[unit], of_memory * forget);
                }
            },
        );
    }
}

impl Gradients<3> for Run {
    fn gradients(&self, of_states: &[f32], _: [bool; 3]) -> [Vec<f32>; 3] {
        let Self { seq, d, weight, keep, states, kept } = self;
        let (seq, d, n) = (*seq, *d, keep.len() / seq);
        let mut of_gates = vec![0.0; n * seq * GATES * d];
        let share = n.div_ceil(rayon::current_num_threads()).max(1) * seq;
        let parts = of_gates.par_chunks_mut(share * GATES * d).zip(of_states.par_chunks(share * d));
        let parts = parts.zip(kept.par_chunks(share * KEPT * d)).zip(keep.par_chunks(share));
        parts.for_each(|(((of_gates, of_states), kept), keep)| {
            let n = keep.len() / seq;
            let (mut hidden, mut memory, mut of_step) = (vec![0.0; n * d], vec![0.0; n * d], vec![0.0; n * GATES * d]);
            for at in (0..seq).rev() {
                for (window, gates) in of_step.chunks_exact_mut(GATES * d).enumerate() {
                    let (row, units) = (window * seq + at, window * d..(window + 1) * d);
                    let unread = Unread { gates, hidden: &mut hidden[units.clone()], memory: &mut memory[units] };
                    unread.fill(&of_states[row * d..][..d], &kept[row * KEPT * d..][..KEPT * d], keep[row]);
                    of_gates[row * GATES * d..][..GATES * d].copy_from_slice(gates);
                }
                let out = MatMut::from_row_major_slice_mut(&mut hidden, n, d);
                let gates = MatRef::from_row_major_slice(&of_step, n, GATES * d);
                let weight = MatRef::from_row_major_slice(weight, d, GATES * d);
                multiply(out, Accum::Add, gates, weight.transpose(), Par::Seq);
            }
        });
        let [of_weight, of_bias] = of_parameters(states, &of_gates, seq, d);
        [of_gates, of_weight, of_bias]
    }
}
