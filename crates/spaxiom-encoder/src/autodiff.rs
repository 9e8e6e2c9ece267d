//! The kernels as steps of burn's graph, for what takes most of the time of a training step.
//!
//! For tensors of `Autodiff<Flex>`, or of `Flex` where nothing is learned, [`recurrent()`] and the others run a kernel;
//! for every other backend they return `None`, and the layer goes on in burn's operations, which are the oracle in the tests.
//! Backends are told apart by the types of their tensors, at run time and without `unsafe`.

#[cfg(feature = "flex")]
mod flex;

#[cfg(feature = "flex")]
use std::any::Any;

#[cfg(feature = "flex")]
use burn::backend::{Autodiff, Flex};
use burn::tensor::backend::Backend;
#[cfg(feature = "flex")]
use burn::tensor::{BasicAutodiffOps, BasicOps, DType};
use burn::tensor::{Int, Tensor};

use crate::cell::Cell;

/// The states of a recurrent layer after every position, from zeros on; padding leaves the state as it was.
///
/// # Shapes
/// - inputs: `[batch, seq, n_gates * d]`, the gates from the input
/// - weight: `[d, n_gates * d]`, bias: `[n_gates * d]`
/// - keep: `[batch, seq]`
/// - output: `[batch, seq, d]`
pub(crate) fn recurrent<B: Backend>(
    cell: Cell,
    inputs: &Tensor<B, 3>,
    weight: &Tensor<B, 2>,
    bias: &Tensor<B, 1>,
    keep: &Tensor<B, 2>,
) -> Option<Tensor<B, 3>> {
    #[cfg(feature = "flex")]
    return lowered(flex::recurrent(cell, &lifted(inputs)?, &lifted(whole(weight)?)?, &lifted(bias)?, &lifted(keep)?));
    #[cfg(not(feature = "flex"))]
    {
        let _ = (cell, inputs, weight, bias, keep);
        None
    }
}

/// Attention of all positions to all, from queries, keys and values side by side.
///
/// # Shapes
/// - qkv: `[batch, seq, 3 * d]`
/// - bias: `[1 or batch, 1 or heads, 1 or seq, seq]`; nothing is given where it has a gradient
/// - output: `[batch, seq, d]`
pub(crate) fn attention<B: Backend>(qkv: &Tensor<B, 3>, bias: &Tensor<B, 4>, n_heads: usize) -> Option<Tensor<B, 3>> {
    #[cfg(feature = "flex")]
    return lowered(flex::attention(&lifted(qkv)?, &lifted(bias)?, n_heads)?);
    #[cfg(not(feature = "flex"))]
    {
        let _ = (qkv, bias, n_heads);
        None
    }
}

/// Every row with mean 0 and deviation 1, times `gamma`, plus `beta`.
///
/// # Shapes
/// - states: `[batch, seq, d]`, gamma and beta: `[d]`
/// - output: as states
pub(crate) fn layer_norm<B: Backend>(
    states: &Tensor<B, 3>,
    gamma: &Tensor<B, 1>,
    beta: &Tensor<B, 1>,
) -> Option<Tensor<B, 3>> {
    #[cfg(feature = "flex")]
    return lowered(flex::layer_norm(&lifted(states)?, &lifted(gamma)?, &lifted(beta)?));
    #[cfg(not(feature = "flex"))]
    {
        let _ = (states, gamma, beta);
        None
    }
}

/// A linear layer over every position.
///
/// # Shapes
/// - states: `[batch, seq, d_in]`
/// - weight: `[d_in, d_out]`, bias: `[d_out]`
/// - output: `[batch, seq, d_out]`
pub(crate) fn dense<B: Backend>(
    states: &Tensor<B, 3>,
    weight: &Tensor<B, 2>,
    bias: Option<&Tensor<B, 1>>,
) -> Option<Tensor<B, 3>> {
    #[cfg(feature = "flex")]
    return {
        let bias = match bias {
            Some(bias) => Some(lifted(bias)?),
            None => None,
        };
        lowered(flex::dense(&lifted(states)?, &lifted(whole(weight)?)?, bias.as_ref()))
    };
    #[cfg(not(feature = "flex"))]
    {
        let _ = (states, weight, bias);
        None
    }
}

/// `x (1 + erf(x / sqrt 2)) / 2` of every number.
pub(crate) fn gelu<B: Backend>(states: &Tensor<B, 3>) -> Option<Tensor<B, 3>> {
    #[cfg(feature = "flex")]
    return lowered(flex::gelu(&lifted(states)?));
    #[cfg(not(feature = "flex"))]
    {
        let _ = states;
        None
    }
}

/// The sum of the rows of a table that every position names.
///
/// # Shapes
/// - table: `[n_rows, d]`
/// - rows: `[batch, seq, n_fields]`
/// - output: `[batch, seq, d]`
pub(crate) fn sum_of_rows<B: Backend>(table: &Tensor<B, 2>, rows: &Tensor<B, 3, Int>) -> Option<Tensor<B, 3>> {
    #[cfg(feature = "flex")]
    return lowered(flex::sum_of_rows(&lifted(table)?, &lifted(rows)?));
    #[cfg(not(feature = "flex"))]
    {
        let _ = (table, rows);
        None
    }
}

/// Weights of 32 bits; the steps by hand know no others.
#[cfg(feature = "flex")]
fn whole<B: Backend, const D: usize>(weight: &Tensor<B, D>) -> Option<&Tensor<B, D>> {
    (weight.dtype() == DType::F32).then_some(weight)
}

/// The backend of the steps by hand.
#[cfg(feature = "flex")]
type ByHand = Autodiff<Flex>;

/// A tensor for a step by hand: one of that backend, or of the one under it, where nothing is learned.
#[cfg(feature = "flex")]
fn lifted<B, const D: usize, K>(tensor: &Tensor<B, D, K>) -> Option<Tensor<ByHand, D, K>>
where
    B: Backend,
    K: BasicAutodiffOps<ByHand, InnerKind = K> + BasicOps<B> + BasicOps<Flex> + 'static,
{
    same(tensor).or_else(|| Some(Tensor::from_inner(same::<_, Tensor<Flex, D, K>>(tensor)?)))
}

/// What a step gave, for the backend that it was lifted from.
#[cfg(feature = "flex")]
fn lowered<B: Backend, const D: usize>(tensor: Tensor<ByHand, D>) -> Option<Tensor<B, D>> {
    same(&tensor).or_else(|| same(&tensor.inner()))
}

/// A value of one type as one of another, where the two are the same.
#[cfg(feature = "flex")]
fn same<T: 'static, U: Clone + 'static>(value: &T) -> Option<U> {
    (value as &dyn Any).downcast_ref().cloned()
}
