//! What recurrent layers have in common.

use faer::{Accum, MatMut, MatRef, Par};

use super::product::multiply;

/// The gradients of the weights from the state to the gates and of their biases, from all states `[n, seq, d]`
/// and the gradients of all gates `[n, seq, d_gates]`.
pub(super) fn of_parameters(states: &[f32], of_gates: &[f32], seq: usize, d: usize) -> [Vec<f32>; 2] {
    let n_rows = states.len() / d;
    let d_gates = of_gates.len() / n_rows;
    // The state before a position is that after the one before it: all products of all positions in one.
    let mut before = vec![0.0; states.len()];
    for (before, states) in before.chunks_exact_mut(seq * d).zip(states.chunks_exact(seq * d)) {
        before[d..].copy_from_slice(&states[..(seq - 1) * d]);
    }
    let mut of_weight = vec![0.0; d * d_gates];
    let out = MatMut::from_row_major_slice_mut(&mut of_weight, d, d_gates);
    let before = MatRef::from_row_major_slice(&before, n_rows, d);
    let gates = MatRef::from_row_major_slice(of_gates, n_rows, d_gates);
    multiply(out, Accum::Replace, before.transpose(), gates, Par::rayon(0));
    let mut of_bias = vec![0.0; d_gates];
    for gates in of_gates.chunks_exact(d_gates) {
        for (sum, gate) in of_bias.iter_mut().zip(gates) {
            *sum += gate;
        }
    }
    [of_weight, of_bias]
}
