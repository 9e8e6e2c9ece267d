//! LSTM and GRU over packed rows.
//!
//! Windows are sorted by length, the longest first, so that at every step those that still have events are the first ones:
//! one product per step reads the weights once for all of them.

use std::collections::BTreeMap;
use std::ops::Range;

use faer::Par;
use rayon::prelude::*;
use spaxiom_token::TokenWindow;

use super::elementwise::{GruGates, LstmGates, add_bias, gru_step, lstm_step};
use super::linear::DenseLinear;
use super::rows::RowEmbedding;
use crate::batch::BatchLayout;
use crate::error::EncoderError;
use crate::recurrent::{Cell, RecurrentEventEncoderConfig};
use crate::weights::NamedTensor;

/// Windows that one thread reads together: enough that a step is more than fetching weights.
const CHUNK_WINDOWS: usize = 32;

/// Weights of a step, from which on several threads share it: fetching fewer takes no longer than waking a thread.
const WORTH_SHARING: usize = 200_000;

/// [`crate::RecurrentEventEncoder`] for encoding on the CPU.
#[derive(Debug, Clone)]
pub struct RecurrentInference {
    embedding: RowEmbedding,
    layers: Vec<Layer>,
    d_hidden: usize,
    d_model: usize,
}

#[derive(Debug, Clone)]
struct Layer {
    forward: Direction,
    backward: Option<Direction>,
}

impl RecurrentInference {
    /// Takes the weights that [`crate::collect_weights`] gives of the encoder, each name preceded by `prefix`.
    ///
    /// # Errors
    /// The first name that is missing or has another shape.
    pub fn from_weights(
        cell: Cell,
        config: &RecurrentEventEncoderConfig,
        layout: &BatchLayout,
        tensors: &BTreeMap<String, NamedTensor>,
        prefix: &str,
    ) -> Result<Self, EncoderError> {
        let RecurrentEventEncoderConfig { d_embed, d_hidden, n_layers, bidirectional, max_len } = *config;
        let name = |rest: &str| if prefix.is_empty() { rest.to_owned() } else { format!("{prefix}.{rest}") };
        let layer = |idx: usize| {
            let d_in = if idx == 0 { d_embed } else { config.d_model() };
            let direction = |way: &str| {
                let name = name(&format!("stack.layers.{idx}.{way}"));
                Direction::from_weights(cell, tensors, &name, [d_in, d_hidden])
            };
            let forward = direction("forward")?;
            let backward = bidirectional.then(|| direction("backward")).transpose()?;
            Ok(Layer { forward, backward })
        };
        Ok(Self {
            embedding: RowEmbedding::without_positions(tensors, &name("embedding"), layout, [max_len, d_embed])?,
            layers: (0..n_layers).map(layer).collect::<Result<_, EncoderError>>()?,
            d_hidden,
            d_model: config.d_model(),
        })
    }

    /// Width of the vectors.
    #[must_use]
    pub fn d_model(&self) -> usize {
        self.d_model
    }

    /// The longest window in events.
    #[must_use]
    pub fn max_len(&self) -> usize {
        self.embedding.max_len()
    }

    /// One vector per window, row after row.
    ///
    /// Chunks of windows run side by side; where there is only one chunk, its directions do, or parts of its state.
    ///
    /// # Panics
    /// Where a window is longer than [`RecurrentInference::max_len`].
    #[must_use]
    pub fn encode(&self, windows: &[TokenWindow<'_>]) -> Vec<f32> {
        let chunks = chunks(windows, rayon::current_num_threads(), self.is_wide());
        let par = if chunks.len() == 1 { Par::rayon(0) } else { Par::Seq };
        let encoded: Vec<Vec<f32>> = chunks
            .par_iter()
            .map(|chunk| {
                let windows: Vec<TokenWindow<'_>> = chunk.iter().map(|&idx| windows[idx]).collect();
                self.encode_chunk(&windows, par)
            })
            .collect();
        let d = self.d_model;
        let mut vectors = vec![0.0; windows.len() * d];
        for (chunk, encoded) in chunks.iter().zip(&encoded) {
            for (&idx, vector) in chunk.iter().zip(encoded.chunks_exact(d)) {
                vectors[idx * d..(idx + 1) * d].copy_from_slice(vector);
            }
        }
        vectors
    }

    /// Whether threads that share one chunk have enough to do at each step.
    fn is_wide(&self) -> bool {
        self.layers.iter().all(|layer| layer.forward.is_wide())
    }

    /// The final states of windows that are sorted by length.
    fn encode_chunk(&self, windows: &[TokenWindow<'_>], par: Par) -> Vec<f32> {
        let (rows, ranges) = self.embedding.embed(windows, par);
        let steps = Steps::new(&ranges);
        let mut rows = steps.in_order_of_time(&rows, &ranges);
        let mut last = Vec::new();
        for (idx, layer) in self.layers.iter().enumerate() {
            let wants_states = idx + 1 < self.layers.len();
            let Some(backward) = &layer.backward else {
                let there = layer.forward.run(&rows, &steps, Way::Forward, wants_states, par);
                (rows, last) = (there.states, there.last);
                continue;
            };
            let run_forward = |par| layer.forward.run(&rows, &steps, Way::Forward, wants_states, par);
            let run_backward = |par| backward.run(&rows, &steps, Way::Backward, wants_states, par);
            let (there, back) = if par == Par::Seq {
                (run_forward(par), run_backward(par))
            } else {
                rayon::join(|| run_forward(Par::Seq), || run_backward(Par::Seq))
            };
            rows = side_by_side(&there.states, &back.states, self.d_hidden);
            last = side_by_side(&there.last, &back.last, self.d_hidden);
        }
        last
    }
}

/// The indices of the windows of every chunk, in each the longest first.
///
/// Windows of similar lengths are dealt out to as many chunks as there are threads, so that they end together;
/// few windows of a wide encoder are one chunk, so that its weights are fetched once.
fn chunks(windows: &[TokenWindow<'_>], n_threads: usize, is_wide: bool) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..windows.len()).collect();
    order.sort_by_key(|&idx| std::cmp::Reverse(windows[idx].len()));
    if is_wide && windows.len() <= n_threads * CHUNK_WINDOWS {
        return vec![order];
    }
    let deal = |group: &[usize]| {
        let n_chunks = n_threads.min(group.len().div_ceil(CHUNK_WINDOWS / 2));
        let chunk = |first| group.iter().skip(first).step_by(n_chunks).copied().collect();
        (0..n_chunks).map(chunk).collect::<Vec<Vec<usize>>>()
    };
    order.chunks(n_threads * CHUNK_WINDOWS).flat_map(deal).collect()
}

/// Where the rows of windows stand that are read step by step, all windows at a time.
struct Steps {
    /// Rows of every window.
    lens: Vec<usize>,
    /// How many windows, from the first one on, have a row at a step.
    active: Vec<usize>,
    /// The first row of a step.
    starts: Vec<usize>,
}

impl Steps {
    fn new(ranges: &[Range<usize>]) -> Self {
        let lens: Vec<usize> = ranges.iter().map(Range::len).collect();
        let longest = lens.first().copied().unwrap_or(0);
        let active: Vec<usize> = (0..longest).map(|at| lens.partition_point(|&len| len > at)).collect();
        let starts = active.iter().scan(0, |next, n| Some(std::mem::replace(next, *next + n))).collect();
        Self { lens, active, starts }
    }

    fn n_rows(&self) -> usize {
        self.lens.iter().sum()
    }

    /// Rows of windows, one after the other, as rows of steps.
    fn in_order_of_time(&self, rows: &[f32], ranges: &[Range<usize>]) -> Vec<f32> {
        let d = rows.len() / self.n_rows();
        let row = |(at, window): (usize, usize)| {
            let row = ranges[window].start + at;
            &rows[row * d..(row + 1) * d]
        };
        let places = self.active.iter().enumerate().flat_map(|(at, &n)| (0..n).map(move |window| (at, window)));
        places.flat_map(row).copied().collect()
    }

    /// The row that a window reads at a step.
    fn row(&self, at: usize, window: usize, way: Way) -> usize {
        match way {
            Way::Forward => self.starts[at] + window,
            Way::Backward => self.starts[self.lens[window] - 1 - at] + window,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Forward,
    Backward,
}

/// One direction of a layer.
#[derive(Debug, Clone)]
struct Direction {
    cell: Cell,
    /// Its offset holds that of the products with the state too, wherever the two are only ever added.
    input: DenseLinear,
    /// Each thread's part of the state.
    blocks: Vec<Block>,
    d_hidden: usize,
}

/// Some units of the state, and the weights that take them a step further.
#[derive(Debug, Clone)]
struct Block {
    units: Range<usize>,
    /// `[d_hidden, n_gates * units]`, all gates side by side.
    hidden: DenseLinear,
}

/// The units of a block, of all windows.
struct BlockState {
    hidden: Vec<f32>,
    memory: Vec<f32>,
    /// Window after window.
    gates: Vec<f32>,
}

/// What a direction leaves.
struct Run {
    /// `[n_rows, d_hidden]`, in order of time; empty where nobody wants them.
    states: Vec<f32>,
    /// `[n_windows, d_hidden]`.
    last: Vec<f32>,
}

impl Direction {
    fn from_weights(
        cell: Cell,
        tensors: &BTreeMap<String, NamedTensor>,
        name: &str,
        [d_in, d_hidden]: [usize; 2],
    ) -> Result<Self, EncoderError> {
        let d_gates = cell.n_gates() * d_hidden;
        let mut input = DenseLinear::from_weights(tensors, &format!("{name}.input"), [d_in, d_gates])?;
        let hidden = DenseLinear::from_weights(tensors, &format!("{name}.hidden"), [d_hidden, d_gates])?;
        let only_added = match cell {
            Cell::Lstm => d_gates,
            // The candidate's is multiplied by the reset gate.
            Cell::Gru => 2 * d_hidden,
        };
        for (input, hidden) in input.bias.iter_mut().zip(&hidden.bias).take(only_added) {
            *input += hidden;
        }
        let n_blocks = if d_hidden * d_gates >= WORTH_SHARING { rayon::current_num_threads() } else { 1 };
        let block = |idx: usize| {
            let units = idx * d_hidden / n_blocks..(idx + 1) * d_hidden / n_blocks;
            let gates = (0..cell.n_gates()).map(|gate| gate * d_hidden + units.start..gate * d_hidden + units.end);
            Block { hidden: hidden.columns(&gates.collect::<Vec<_>>()), units }
        };
        Ok(Self { cell, input, blocks: (0..n_blocks).map(block).collect(), d_hidden })
    }

    fn is_wide(&self) -> bool {
        self.blocks.len() > 1
    }

    fn run(&self, rows: &[f32], steps: &Steps, way: Way, wants_states: bool, par: Par) -> Run {
        let (d, n_windows, d_gates) = (self.d_hidden, steps.lens.len(), self.input.d_out());
        let mut inputs = vec![0.0; steps.n_rows() * d_gates];
        self.input.multiply(rows, &mut inputs, par);
        add_bias(&mut inputs, &self.input.bias, par);
        let state = |Block { units, .. }: &Block| {
            let zeros = vec![0.0; n_windows * units.len()];
            let gates = vec![0.0; self.cell.n_gates() * n_windows * units.len()];
            BlockState { hidden: zeros.clone(), memory: zeros, gates }
        };
        let mut blocks: Vec<(&Block, BlockState)> = self.blocks.iter().map(|block| (block, state(block))).collect();
        let mut last = vec![0.0; n_windows * d];
        let mut states = if wants_states { vec![0.0; steps.n_rows() * d] } else { Vec::new() };
        for (at, &n) in steps.active.iter().enumerate() {
            let hidden = &last[..n * d];
            let input = |window: usize| {
                let row = steps.row(at, window, way);
                &inputs[row * d_gates..(row + 1) * d_gates]
            };
            let step = |(block, state): &mut (&Block, BlockState)| self.step(block, state, hidden, input);
            if par == Par::Seq {
                blocks.iter_mut().for_each(step);
            } else {
                blocks.par_iter_mut().for_each(step);
            }
            for (Block { units, .. }, state) in &blocks {
                for (to, from) in last.chunks_exact_mut(d).zip(state.hidden.chunks_exact(units.len())).take(n) {
                    to[units.clone()].copy_from_slice(from);
                }
            }
            if wants_states {
                for (window, state) in last.chunks_exact(d).take(n).enumerate() {
                    let row = steps.row(at, window, way);
                    states[row * d..(row + 1) * d].copy_from_slice(state);
                }
            }
        }
        Run { states, last }
    }

    /// Takes the units of a block one step further, for the first windows, whose states `hidden` holds.
    fn step<'a>(&self, block: &Block, state: &mut BlockState, hidden: &[f32], input: impl Fn(usize) -> &'a [f32]) {
        let Block { units, hidden: weights } = block;
        let BlockState { hidden: own, memory, gates } = state;
        let (d, width) = (self.d_hidden, units.len());
        let gates = &mut gates[..hidden.len() / d * weights.d_out()];
        weights.multiply(hidden, gates, Par::Seq);
        let windows = gates.chunks_exact(weights.d_out()).zip(own.chunks_exact_mut(width));
        for (window, ((gates, own), memory)) in windows.zip(memory.chunks_exact_mut(width)).enumerate() {
            let input = input(window);
            let of_input = |gate: usize| &input[gate * d + units.start..gate * d + units.end];
            let of_hidden = |gate: usize| &gates[gate * width..(gate + 1) * width];
            match self.cell {
                Cell::Lstm => {
                    let gates = LstmGates { input: [0, 1, 2, 3].map(of_input), hidden: [0, 1, 2, 3].map(of_hidden) };
                    lstm_step(&gates, own, memory);
                }
                Cell::Gru => {
                    let candidate_bias = &weights.bias[2 * width..];
                    let gates =
                        GruGates { input: [0, 1, 2].map(of_input), hidden: [0, 1, 2].map(of_hidden), candidate_bias };
                    gru_step(&gates, own);
                }
            }
        }
    }
}

/// Rows of width `d` of both, the second after the first.
fn side_by_side(first: &[f32], second: &[f32], d: usize) -> Vec<f32> {
    first.chunks_exact(d).zip(second.chunks_exact(d)).flat_map(|(a, b)| a.iter().chain(b)).copied().collect()
}
