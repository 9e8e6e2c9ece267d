//! Recurrent encoders: LSTM (Hochreiter and Schmidhuber 1997) and GRU (Cho et al. 2014).

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::sigmoid;
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor};
use serde::{Deserialize, Serialize};

use crate::batch::{BatchLayout, EventBatch};
use crate::embedding::EventEmbedding;
use crate::encoder::{Encoded, Encoder};
use crate::error::EncoderError;
use crate::fused;
use crate::init::WeightRng;
use crate::layers::dense;
use crate::transformer::Preset;

/// The gates of a recurrent layer, as PyTorch orders them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cell {
    /// Input, forget, candidate, output.
    Lstm,
    /// Reset, update, candidate; the reset comes after the product.
    Gru,
}

impl Cell {
    pub(crate) fn n_gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru => 3,
        }
    }
}

/// Shape of a [`RecurrentEventEncoder`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RecurrentEventEncoderConfig {
    /// Width of embedded events.
    pub d_embed: usize,
    /// Width of the state of one direction.
    pub d_hidden: usize,
    /// Number of layers.
    pub n_layers: usize,
    /// Whether a second set of layers reads from the end; such an encoder cannot go on event by event.
    pub bidirectional: bool,
    /// Longest window in events.
    pub max_len: usize,
}

impl From<Preset> for RecurrentEventEncoderConfig {
    /// `tiny` and `small` read in one direction, so that they can go on event by event;
    /// `base` is the seed's `LSTMEventEncoder`: 256 -> 512, two layers, both directions, so that a vector has 1,024 numbers.
    fn from(preset: Preset) -> Self {
        let (d_embed, d_hidden, n_layers, bidirectional, max_len) = match preset {
            Preset::Tiny => (64, 64, 1, false, 32),
            Preset::Small => (128, 256, 1, false, 128),
            Preset::Base => (256, 512, 2, true, 512),
        };
        Self { d_embed, d_hidden, n_layers, bidirectional, max_len }
    }
}

impl RecurrentEventEncoderConfig {
    /// Width of states and vectors.
    #[must_use]
    pub fn d_model(&self) -> usize {
        self.d_hidden * if self.bidirectional { 2 } else { 1 }
    }

    /// Fails where the shape is impossible.
    pub fn check(&self) -> Result<(), EncoderError> {
        let Self { d_embed, d_hidden, n_layers, bidirectional: _, max_len } = *self;
        EncoderError::at_least_one(&[
            ("d-embed", d_embed),
            ("d-hidden", d_hidden),
            ("n-layers", n_layers),
            ("max-len", max_len),
        ])
    }

    /// An encoder with the weights that `seed` gives.
    pub fn init<B: Backend>(
        &self,
        cell: Cell,
        layout: &BatchLayout,
        seed: u64,
        device: &B::Device,
    ) -> RecurrentEventEncoder<B> {
        let mut rng = WeightRng::new(seed);
        RecurrentEventEncoder {
            embedding: EventEmbedding::without_positions(layout, self.d_embed, &mut rng, device),
            stack: RecurrentStack::new(cell, self, self.d_embed, &mut rng, device),
            max_len: self.max_len,
        }
    }
}

/// The seed's `LSTMEventEncoder`.
pub type LstmEventEncoder<B> = RecurrentEventEncoder<B>;

/// The same with the gates of a GRU.
pub type GruEventEncoder<B> = RecurrentEventEncoder<B>;

/// Reads a window event by event; its vector is the final state, of both directions side by side where there are two.
///
/// Events have no position: their order is the order in which they are read.
#[derive(Module, Debug)]
pub struct RecurrentEventEncoder<B: Backend> {
    embedding: EventEmbedding<B>,
    stack: RecurrentStack<B>,
    max_len: usize,
}

impl<B: Backend> Encoder<B> for RecurrentEventEncoder<B> {
    fn d_model(&self) -> usize {
        self.stack.d_model()
    }

    fn max_len(&self) -> usize {
        self.max_len
    }

    fn encode(&self, batch: &EventBatch<B>) -> Encoded<B> {
        let [_, seq] = batch.keep.dims();
        assert!(seq <= self.max_len + 1, "a window of {} events, at most {} are taken", seq - 1, self.max_len);
        let (states, pooled) = self.stack.forward(self.embedding.forward(batch), &batch.keep);
        Encoded { states, pooled }
    }
}

impl<B: Backend> RecurrentEventEncoder<B> {
    /// The state before the first event of each window of `batch`: what `[CLS]` leaves.
    ///
    /// # Errors
    /// [`EncoderError::Setting`] for an encoder of both directions: what comes next is not known yet.
    pub fn start(&self, batch: &EventBatch<B>) -> Result<RecurrentState<B>, EncoderError> {
        if self.stack.layers.iter().any(|layer| layer.backward.is_some()) {
            return Err(EncoderError::Setting {
                name: "bidirectional",
                want: "false for an encoder that goes on event by event",
                got: "true".into(),
            });
        }
        let [n_windows, _] = batch.keep.dims();
        let zeros = self.stack.zeros(n_windows, &batch.keep.device());
        Ok(self.advance(zeros, batch, 0, 1).0)
    }

    /// Reads the events of `batch` on top of `state`; gives the new state and the vector of each window so far, `[batch, d_model]`.
    ///
    /// One event costs the same, however many came before; the vectors are those of [`Encoder::encode`] for all events together.
    #[must_use]
    pub fn step(&self, state: RecurrentState<B>, batch: &EventBatch<B>) -> (RecurrentState<B>, Tensor<B, 2>) {
        let [_, seq] = batch.keep.dims();
        self.advance(state, batch, 1, seq - 1)
    }

    /// Reads `n` positions of a batch from `from` on.
    fn advance(
        &self,
        state: RecurrentState<B>,
        batch: &EventBatch<B>,
        from: usize,
        n: usize,
    ) -> (RecurrentState<B>, Tensor<B, 2>) {
        let keep = batch.keep.clone().narrow(1, from, n);
        let mut rows = self.embedding.forward(batch).narrow(1, from, n);
        let RecurrentState { mut cells } = state;
        for (layer, cell) in self.stack.layers.iter().zip(&mut cells) {
            let (states, last) = layer.forward.run(rows, &keep, cell.clone());
            (rows, *cell) = (states, last);
        }
        let vector = cells.last().map_or_else(|| unreachable!("an encoder has a layer"), |cell| cell.hidden.clone());
        (RecurrentState { cells }, vector)
    }
}

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
    /// Layers over inputs of width `d_in`, with weights from `rng`.
    pub fn new(
        cell: Cell,
        config: &RecurrentEventEncoderConfig,
        d_in: usize,
        rng: &mut WeightRng,
        device: &B::Device,
    ) -> Self {
        let layer = |idx: usize| {
            let d_in = if idx == 0 { d_in } else { config.d_model() };
            let mut direction = || Direction::new(cell, d_in, config.d_hidden, rng, device);
            let forward = direction();
            Layer { forward, backward: config.bidirectional.then(direction) }
        };
        Self { layers: (0..config.n_layers).map(layer).collect() }
    }

    fn d_model(&self) -> usize {
        let layer = &self.layers[0];
        layer.forward.d_hidden() * if layer.backward.is_some() { 2 } else { 1 }
    }

    fn zeros(&self, n_windows: usize, device: &B::Device) -> RecurrentState<B> {
        RecurrentState { cells: self.layers.iter().map(|layer| layer.forward.zeros(n_windows, device)).collect() }
    }

    /// # Shapes
    /// - rows: `[batch, seq, d_in]`
    /// - keep: `[batch, seq]`, 1 for an event and 0 for padding
    /// - output: states `[batch, seq, d_model]`, whose rows of padding mean nothing, and the final state `[batch, d_model]`
    pub fn forward(&self, rows: Tensor<B, 3>, keep: &Tensor<B, 2>) -> (Tensor<B, 3>, Tensor<B, 2>) {
        let [n_windows, _] = keep.dims();
        let device = keep.device();
        let backwards = self.layers.iter().any(|layer| layer.backward.is_some()).then(|| reversal(keep));
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
            && let Some(states) = fused::recurrent(self.cell, &inputs, &self.hidden.weight.val(), &bias.val(), keep)
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
