//! The steps of the graph, for the backend whose tensors the slices are taken from.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients as GraphGradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::{Autodiff, Flex};
use burn::tensor::ops::{FloatTensor, FloatTensorOps};
use burn::tensor::{Int, Tensor, TensorData, TensorPrimitive};

use crate::cell::Cell;
use crate::kernels::attention::{Bias, Shape};
use crate::kernels::gradients::Gradients;
use crate::kernels::{
    attention as attention_kernel, gelu as gelu_kernel, gru, layer_norm as layer_norm_kernel, linear, lookup, lstm,
};

type A = Autodiff<Flex>;

pub(super) fn recurrent(
    cell: Cell,
    inputs: &Tensor<A, 3>,
    weight: &Tensor<A, 2>,
    bias: &Tensor<A, 1>,
    keep: &Tensor<A, 2>,
) -> Tensor<A, 3> {
    let [n_windows, seq, _] = inputs.dims();
    let [d, _] = weight.dims();
    let parents = [parent(inputs), parent(weight), parent(bias)];
    let (inputs, weight, bias, keep) = (slice(inputs), slice(weight), slice(bias), slice(keep));
    let (states, gradients): (_, Arc<dyn Gradients<3>>) = match cell {
        Cell::Gru => {
            let (states, run) = gru::forward(&inputs, weight, &bias, keep, seq);
            (states, Arc::new(run))
        }
        Cell::Lstm => {
            let (states, run) = lstm::forward(&inputs, weight, &bias, keep, seq);
            (states, Arc::new(run))
        }
    };
    step(parents, TensorData::new(states, [n_windows, seq, d]), gradients)
}

/// None where the bias is learned.
pub(super) fn attention(qkv: &Tensor<A, 3>, bias: &Tensor<A, 4>, n_heads: usize) -> Option<Tensor<A, 3>> {
    if parent(bias).tensor.node.clone_if_require_grad().is_some() {
        return None;
    }
    let ([n_windows, seq, d3], bias_shape) = (qkv.dims(), bias.dims());
    let shape = Shape { seq, d: d3 / 3, heads: n_heads };
    let bias = Bias { values: slice(bias), shape: bias_shape };
    let (mixed, gradients) = attention_kernel::forward(shape, slice(qkv), &bias);
    Some(step([parent(qkv)], TensorData::new(mixed, [n_windows, seq, d3 / 3]), Arc::new(gradients)))
}

pub(super) fn layer_norm(states: &Tensor<A, 3>, gamma: &Tensor<A, 1>, beta: &Tensor<A, 1>) -> Tensor<A, 3> {
    let (normed, gradients) = layer_norm_kernel::forward(&slice(states), slice(gamma), &slice(beta));
    let parents = [parent(states), parent(gamma), parent(beta)];
    step(parents, TensorData::new(normed, states.shape()), Arc::new(gradients))
}

pub(super) fn dense(states: &Tensor<A, 3>, weight: &Tensor<A, 2>, bias: Option<&Tensor<A, 1>>) -> Tensor<A, 3> {
    let ([n_windows, seq, d_in], [_, d_out]) = (states.dims(), weight.dims());
    let offset = bias.map(slice);
    let (out, product) = linear::forward(slice(states), slice(weight), offset.as_deref(), d_in);
    let out = TensorData::new(out, [n_windows, seq, d_out]);
    match bias {
        Some(bias) => step([parent(states), parent(weight), parent(bias)], out, Arc::new(product)),
        None => step([parent(states), parent(weight)], out, Arc::new(product)),
    }
}

pub(super) fn gelu(states: &Tensor<A, 3>) -> Tensor<A, 3> {
    let (out, gradients) = gelu_kernel::forward(slice(states));
    step([parent(states)], TensorData::new(out, states.shape()), Arc::new(gradients))
}

pub(super) fn sum_of_rows(table: &Tensor<A, 2>, rows: &Tensor<A, 3, Int>) -> Tensor<A, 3> {
    let ([_, d], [n_windows, seq, n_fields]) = (table.dims(), rows.dims());
    let rows = rows.clone().inner().into_data();
    let rows = rows.iter::<i64>().map(|row| usize::try_from(row).expect("rows of a table are counted from 0"));
    let (sums, gradients) = lookup::forward(&slice(table), d, rows.collect(), n_fields);
    step([parent(table)], TensorData::new(sums, [n_windows, seq, d]), Arc::new(gradients))
}

/// The numbers of a tensor, row after row.
fn slice<const D: usize>(tensor: &Tensor<A, D>) -> Vec<f32> {
    numbers(tensor.clone().inner().into_data())
}

fn numbers(data: TensorData) -> Vec<f32> {
    data.into_vec().expect("training is in 32-bit floats")
}

/// An input of an operation.
struct Input {
    tensor: FloatTensor<A>,
    shape: Vec<usize>,
}

fn parent<const D: usize>(tensor: &Tensor<A, D>) -> Input {
    Input { shape: tensor.dims().to_vec(), tensor: tensor.clone().into_primitive().tensor() }
}

/// What the backward pass of an operation needs.
#[derive(Debug, Clone)]
struct State<const N: usize> {
    gradients: Arc<dyn Gradients<N>>,
    shapes: [Vec<usize>; N],
}

/// A step of the graph whose gradients are computed on slices.
#[derive(Debug)]
struct ByHand;

impl<const N: usize> Backward<Flex, N> for ByHand {
    type State = State<N>;

    fn backward(self, ops: Ops<State<N>, N>, grads: &mut GraphGradients, _: &mut Checkpointer) {
        let of_output = Tensor::<Flex, 1>::from_primitive(TensorPrimitive::Float(grads.consume::<Flex>(&ops.node)));
        let State { gradients, shapes } = ops.state;
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let of_inputs = gradients.gradients(&numbers(of_output.into_data()), wanted);
        for ((parent, gradient), shape) in ops.parents.into_iter().zip(of_inputs).zip(shapes) {
            if let Some(parent) = parent {
                let gradient = Flex::float_from_data(TensorData::new(gradient, shape), &Default::default());
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

fn step<const N: usize, const D: usize>(
    inputs: [Input; N],
    output: TensorData,
    gradients: Arc<dyn Gradients<N>>,
) -> Tensor<A, D> {
    let output = Flex::float_from_data(output, &Default::default());
    let nodes = inputs.each_ref().map(|input| input.tensor.node.clone());
    let shapes = inputs.map(|input| input.shape);
    let output = match ByHand.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(State { gradients, shapes }, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Tensor::from_primitive(TensorPrimitive::Float(output))
}
