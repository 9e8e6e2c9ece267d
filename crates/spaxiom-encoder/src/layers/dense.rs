//! Layers over all events of a batch, each in as few passes over memory as the backend allows.

use burn::module::Param;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, activation};

use crate::autodiff;

/// The layer applied to every position.
///
/// As one product of two matrices: of three dimensions burn makes one per window, and for the gradient a matrix
/// as large as the weights for every window, which it then sums up.
///
/// # Shapes
/// - states: `[batch, seq, d_in]`
/// - output: `[batch, seq, d_out]`
pub fn dense<B: Backend>(layer: &Linear<B>, states: Tensor<B, 3>) -> Tensor<B, 3> {
    let bias = layer.bias.as_ref().map(Param::val);
    if let Some(out) = autodiff::dense(&states, &layer.weight.val(), bias.as_ref()) {
        return out;
    }
    let [batch, seq, d_in] = states.dims();
    let [_, d_out] = layer.weight.dims();
    product(layer, states.reshape([batch * seq, d_in])).reshape([batch, seq, d_out])
}

/// The layer applied to rows `[n, d_in]`, computed in the numbers of its weights and given in those of the rows.
///
/// With weights of 16 bits that is mixed precision: products are what gains by it, and what loses least.
fn product<B: Backend>(layer: &Linear<B>, rows: Tensor<B, 2>) -> Tensor<B, 2> {
    let (weight, dtype) = (layer.weight.val(), rows.dtype());
    if weight.dtype() == dtype {
        return layer.forward(rows);
    }
    let out = rows.cast(weight.dtype()).matmul(weight).cast(dtype);
    match &layer.bias {
        Some(bias) => out + bias.val().unsqueeze(),
        None => out,
    }
}

/// The norm of every position of `[batch, seq, d]`.
pub fn normed<B: Backend>(layer: &LayerNorm<B>, states: Tensor<B, 3>) -> Tensor<B, 3> {
    let by_hand = layer.beta.as_ref().and_then(|beta| autodiff::layer_norm(&states, &layer.gamma.val(), &beta.val()));
    by_hand.unwrap_or_else(|| layer.forward(states))
}

/// GELU of every number.
pub fn gelu<B: Backend>(states: Tensor<B, 3>) -> Tensor<B, 3> {
    autodiff::gelu(&states).unwrap_or_else(|| activation::gelu(states))
}
