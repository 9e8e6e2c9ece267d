//! Recurrent layers: LSTM (Hochreiter and Schmidhuber 1997) and GRU (Cho et al. 2014).

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::sigmoid;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};

use super::dense::dense;
use crate::autodiff;
use crate::cell::Cell;
use crate::init::WeightRng;

/// What a one-directional encoder remembers of the events so far.
#[derive(Debug, Clone)]
pub struct RecurrentState<B: Backend> {
    /// One per layer.
    cells: Vec<CellState<B>>,
}

/// Hidden state, and the memory of an LSTM, `[batch, d_hidden]` each.
#[derive(Debug, Clone)]
struct CellState<B: Backend> {
    hidden: Tensor<B, 2>,
    memory: Tensor<B, 2>,
}

/// Shape of a [`RecurrentStack`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecurrentStackConfig {
    /// Width of the inputs.
    pub d_in: usize,
    /// Width of the state of one direction.
    pub d_hidden: usize,
    /// Number of layers.
    pub n_layers: usize,
    /// Whether a second set of layers reads from the end.
    pub bidirectional: bool,
}

/// Recurrent layers over states of any origin.
#[derive(Module, Debug)]
pub struct RecurrentStack<B: Backend> {
    layers: Vec<Layer<B>>,
}

/// One layer, of one direction or two.
#[derive(Module, Debug)]
struct Layer<B: Backend> {
    forward: Direction<B>,
    backward: Option<Direction<B>>,
}

impl<B: Backend> RecurrentStack<B> {
    /// Layers with weights from `rng`.
    pub fn new(cell: Cell, config: RecurrentStackConfig, rng: &mut WeightRng, device: &B::Device) -> Self {
        let RecurrentStackConfig { d_in, d_hidden, n_layers, bidirectional } = config;
        let layer = |idx: usize| {
            let d_in = match (idx, bidirectional) {
                (0, _) => d_in,
                (_, true) => 2 * d_hidden,
                (_, false) => d_hidden,
            };
            let mut direction = || Direction::new(cell, d_in, d_hidden, rng, device);
            let forward = direction();
            Layer { forward, backward: bidirectional.then(direction) }
        };
        Self { layers: (0..n_layers).map(layer).collect() }
    }

    /// Width of the states.
    pub(crate) fn d_model(&self) -> usize {
        self.layers[0].forward.d_hidden() * if self.is_bidirectional() { 2 } else { 1 }
    }

    pub(crate) fn is_bidirectional(&self) -> bool {
        self.layers.iter().any(|layer| layer.backward.is_some())
    }

    /// Reads rows `[batch, seq, d_in]` on top of `state`, forward alone; gives the new state and the last one of the last layer.
    pub(crate) fn advance(
        &self,
        state: RecurrentState<B>,
        mut rows: Tensor<B, 3>,
        keep: &Tensor<B, 2>,
    ) -> (RecurrentState<B>, Tensor<B, 2>) {
        let RecurrentState { mut cells } = state;
        for (layer, cell) in self.layers.iter().zip(&mut cells) {
            let (states, last) = layer.forward.run(rows, keep, cell.clone());
            (rows, *cell) = (states, last);
        }
        let vector = cells.last().map_or_else(|| unreachable!("an encoder has a layer"), |cell| cell.hidden.clone());
        (RecurrentState { cells }, vector)
    }

    /// The state before anything is read.
    pub(crate) fn zeros(&self, n_windows: usize, device: &B::Device) -> RecurrentState<B> {
        RecurrentState { cells: self.layers.iter().map(|layer| layer.forward.zeros(n_windows, device)).collect() }
    }

    /// # Shapes
    /// - rows: `[batch, seq, d_in]`
    /// - keep: `[batch, seq]`, 1 for an event and 0 for padding
    /// - output: states `[batch, seq, d_model]`, whose rows of padding mean nothing, and the final state `[batch, d_model]`
    pub fn forward(&self, rows: Tensor<B, 3>, keep: &Tensor<B, 2>) -> (Tensor<B, 3>, Tensor<B, 2>) {
        let [n_windows, _] = keep.dims();
        let device = keep.device();
        let backwards = self.is_bidirectional().then(|| reversal(keep));
        let mut states = rows;
        let mut last = Tensor::zeros([n_windows, self.d_model()], &device);
        for Layer { forward, backward } in &self.layers {
            let (there, end) = forward.run_from_zeros(states.clone(), keep);
            (states, last) = match (backward, &backwards) {
                (Some(backward), Some(order)) => {
                    let reversed = reordered(states, order);
                    let (back, start) = backward.run_from_zeros(reversed, keep);
                    let states = Tensor::cat(vec![there, reordered(back, order)], 2);
                    (states, Tensor::cat(vec![end, start], 1))
                }
                _ => (there, end),
            };
        }
        (states, last)
    }
}

/// Where each position goes when every window is turned round and its padding stays, `[batch, seq]`; its own inverse.
fn reversal<B: Backend>(keep: &Tensor<B, 2>) -> Tensor<B, 2, Int> {
    let [n_windows, seq] = keep.dims();
    let places = Tensor::<B, 1, Int>::arange(0..i64::try_from(seq).expect("a length fits"), &keep.device());
    let places = places.float().reshape([1, seq]).expand([n_windows, seq]);
    let turned = keep.clone().sum_dim(1).sub_scalar(1.0).expand([n_windows, seq]) - places.clone();
    (keep.clone() * (turned - places.clone()) + places).int()
}

fn reordered<B: Backend>(states: Tensor<B, 3>, order: &Tensor<B, 2, Int>) -> Tensor<B, 3> {
    let [n_windows, seq, d] = states.dims();
    states.gather(1, order.clone().reshape([n_windows, seq, 1]).expand([n_windows, seq, d]))
}

/// One direction of a layer; all gates of a product side by side.
#[derive(Module, Debug)]
struct Direction<B: Backend> {
    /// From the input to the gates, `[d_in, n_gates * d_hidden]`: one product for all events.
    input: Linear<B>,
    /// From the state to the gates, `[d_hidden, n_gates * d_hidden]`: one product per event.
    hidden: Linear<B>,
    #[module(skip)]
    cell: Cell,
}

impl<B: Backend> Direction<B> {
    fn new(cell: Cell, d_in: usize, d_hidden: usize, rng: &mut WeightRng, device: &B::Device) -> Self {
        let d_gates = cell.n_gates() * d_hidden;
        let mut gates = |d_in| rng.gates(d_in, d_gates, d_hidden, device);
        Self { input: gates(d_in), hidden: gates(d_hidden), cell }
    }

    fn d_hidden(&self) -> usize {
        self.hidden.weight.dims()[0]
    }

    fn zeros(&self, n_windows: usize, device: &B::Device) -> CellState<B> {
        let zeros = Tensor::zeros([n_windows, self.d_hidden()], device);
        CellState { hidden: zeros.clone(), memory: zeros }
    }

    /// Reads from the first position to the last, beginning with zeros; gives all states, and the last one.
    fn run_from_zeros(&self, rows: Tensor<B, 3>, keep: &Tensor<B, 2>) -> (Tensor<B, 3>, Tensor<B, 2>) {
        let [n_windows, seq, _] = rows.dims();
        let (d, device) = (self.d_hidden(), keep.device());
        let inputs = dense(&self.input, rows);
        if let Some(bias) = &self.hidden.bias
            && let Some(states) = autodiff::recurrent(self.cell, &inputs, &self.hidden.weight.val(), &bias.val(), keep)
        {
            let last = states.clone().narrow(1, seq - 1, 1).reshape([n_windows, d]);
            return (states, last);
        }
        let (states, end) = self.run_gates(&inputs, keep, self.zeros(n_windows, &device));
        (states, end.hidden)
    }

    /// Reads from the first position to the last; padding leaves the state as it was.
    fn run(&self, rows: Tensor<B, 3>, keep: &Tensor<B, 2>, state: CellState<B>) -> (Tensor<B, 3>, CellState<B>) {
        self.run_gates(&dense(&self.input, rows), keep, state)
    }

    /// The same from the gates of the input, `[batch, seq, n_gates * d_hidden]`.
    fn run_gates(
        &self,
        inputs: &Tensor<B, 3>,
        keep: &Tensor<B, 2>,
        mut state: CellState<B>,
    ) -> (Tensor<B, 3>, CellState<B>) {
        let [n_windows, seq, d_gates] = inputs.dims();
        let mut states = Vec::with_capacity(seq);
        for at in 0..seq {
            let input = inputs.clone().narrow(1, at, 1).reshape([n_windows, d_gates]);
            let keep = keep.clone().narrow(1, at, 1);
            let CellState { hidden, memory } = self.step(input, &state);
            state.hidden = state.hidden.clone() + keep.clone() * (hidden - state.hidden);
            state.memory = state.memory.clone() + keep * (memory - state.memory);
            states.push(state.hidden.clone().reshape([n_windows, 1, self.d_hidden()]));
        }
        (Tensor::cat(states, 1), state)
    }

    fn step(&self, input: Tensor<B, 2>, state: &CellState<B>) -> CellState<B> {
        let d = self.d_hidden();
        let gates = self.hidden.forward(state.hidden.clone());
        let part = |of: &Tensor<B, 2>, gate: usize| of.clone().narrow(1, gate * d, d);
        match self.cell {
            Cell::Lstm => {
                let gates = gates + input;
                let (input, forget) = (sigmoid(part(&gates, 0)), sigmoid(part(&gates, 1)));
                let (candidate, output) = (part(&gates, 2).tanh(), sigmoid(part(&gates, 3)));
                let memory = forget * state.memory.clone() + input * candidate;
                CellState { hidden: output * memory.clone().tanh(), memory }
            }
            Cell::Gru => {
                let reset = sigmoid(part(&input, 0) + part(&gates, 0));
                let update = sigmoid(part(&input, 1) + part(&gates, 1));
                let candidate = (part(&input, 2) + reset * part(&gates, 2)).tanh();
                let hidden = candidate.clone() + update * (state.hidden.clone() - candidate);
                CellState { hidden, memory: state.memory.clone() }
            }
        }
    }
}
