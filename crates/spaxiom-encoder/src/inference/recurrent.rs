//! LSTM and GRU over packed rows.
//!
//! Windows are sorted by length, the longest first, so that at every step those that still have events are the first ones:
//! one product per step reads the weights once for all of them.

use std::collections::BTreeMap;
use std::ops::Range;

use faer::Par;
use rayon::prelude::*;
use spaxiom_token::TokenWindow;

use super::linear::DenseLinear;
use super::rows::RowEmbedding;
use crate::batch::BatchLayout;
use crate::cell::Cell;
use crate::encoder::EncoderConfig;
use crate::encoders::recurrent::RecurrentEventEncoderConfig;
use crate::error::EncoderError;
use crate::kernels::linear::add_bias;
use crate::kernels::{gru, lstm};
use crate::weights::NamedTensor;

/// Windows that one thread reads together: enough that a step is more than fetching weights.
const CHUNK_WINDOWS: usize = 32;

/// Windows of a wide encoder that are one chunk, whose steps the threads share.
const FEW_WINDOWS: usize = 8;

/// Weights of a step, from which on several threads share it: fetching fewer takes no longer than waking a thread.
const WORTH_SHARING: usize = 200_000;

/// Columns that the kernel of faer's products takes at a time: blocks of units have once or twice as many gates.
const KERNEL_COLUMNS: usize = 96;

/// Rows whose gates are computed ahead of the steps that use them: enough for a good product, few enough for the cache.
const SEGMENT_ROWS: usize = 256;

/// Windows up to which that kernel reads the weights where they are; for more it copies them first, at every step.
const GROUP_WINDOWS: usize = 12;

/// [`crate::RecurrentEventEncoder`] for encoding on the CPU.
#[derive(Debug, Clone)]
pub struct RecurrentInference {
    pub(super) embedding: RowEmbedding,
    pub(super) layers: Vec<Layer>,
    pub(super) d_hidden: usize,
    d_model: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Layer {
    pub(super) forward: Direction,
    pub(super) backward: Option<Direction>,
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
                let there = layer.forward.run(&rows, &steps, wants_states, par);
                (rows, last) = (there.states, there.last);
                continue;
            };
            let run_forward = |par| layer.forward.run(&rows, &steps, wants_states, par);
            let run_backward = |par| {
                let Run { states, last, memory } = backward.run(&steps.turned(&rows), &steps, wants_states, par);
                Run { states: steps.turned(&states), last, memory }
            };
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
    if is_wide && windows.len() <= FEW_WINDOWS {
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
pub(super) struct Steps {
    /// Rows of every window.
    lens: Vec<usize>,
    /// How many windows, from the first one on, have a row at a step.
    active: Vec<usize>,
    /// The first row of a step.
    starts: Vec<usize>,
}

impl Steps {
    pub(super) fn new(ranges: &[Range<usize>]) -> Self {
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
        self.gathered(rows, |at, window| ranges[window].start + at)
    }

    /// Rows in order of time with every window turned round: its last row comes first.
    fn turned(&self, rows: &[f32]) -> Vec<f32> {
        self.gathered(rows, |at, window| self.starts[self.lens[window] - 1 - at] + window)
    }

    /// For every step and window of it, the row that `row_of` names.
    fn gathered(&self, rows: &[f32], row_of: impl Fn(usize, usize) -> usize) -> Vec<f32> {
        let d = rows.len() / self.n_rows();
        let mut gathered = Vec::with_capacity(rows.len());
        for (at, &n_active) in self.active.iter().enumerate() {
            for window in 0..n_active {
                gathered.extend_from_slice(&rows[row_of(at, window) * d..][..d]);
            }
        }
        gathered
    }

    /// Consecutive steps with together about [`SEGMENT_ROWS`] rows.
    fn segments(&self) -> Vec<Range<usize>> {
        let mut segments = Vec::new();
        let mut first = 0;
        for at in 0..self.active.len() {
            let n_rows = self.starts[at] + self.active[at] - self.starts[first];
            if n_rows >= SEGMENT_ROWS || at + 1 == self.active.len() {
                segments.push(first..at + 1);
                first = at + 1;
            }
        }
        segments
    }
}

/// One direction of a layer.
#[derive(Debug, Clone)]
pub(super) struct Direction {
    cell: Cell,
    blocks: Vec<Block>,
    d_in: usize,
    d_hidden: usize,
}

/// Some units of the state, and the weights that take them a step further; all gates side by side.
#[derive(Debug, Clone)]
struct Block {
    units: Range<usize>,
    /// `[d_in, n_gates * units]`; its bias holds that of `hidden` too, wherever the two are only ever added.
    input: DenseLinear,
    /// `[d_hidden, n_gates * units]`.
    hidden: DenseLinear,
}

/// The units of a block, of all windows.
struct BlockState {
    hidden: Vec<f32>,
    memory: Vec<f32>,
    /// Gates from the input, of all rows of a segment.
    inputs: Vec<f32>,
    /// Gates from the state, where they are not added to those from the input.
    gates: Vec<f32>,
}

/// What a direction leaves.
pub(super) struct Run {
    /// `[n_rows, d_hidden]`, in the order of the rows; empty where nobody wants them.
    pub(super) states: Vec<f32>,
    /// `[n_windows, d_hidden]`.
    last: Vec<f32>,
    /// The same of the memory of an LSTM, which only a direction that goes on later needs.
    memory: Vec<f32>,
}

/// Where a direction stands in a window: hidden state, and the memory of an LSTM, `[d_hidden]` each.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    hidden: Vec<f32>,
    memory: Vec<f32>,
}

impl Standing {
    pub(super) fn zeros(d_hidden: usize) -> Self {
        Self { hidden: vec![0.0; d_hidden], memory: vec![0.0; d_hidden] }
    }

    /// How many numbers it has.
    pub(super) fn n_values(d_hidden: usize) -> usize {
        2 * d_hidden
    }

    pub(super) fn values(&self) -> impl Iterator<Item = f32> {
        self.hidden.iter().chain(&self.memory).copied()
    }

    /// Of what [`Standing::values`] gave.
    pub(super) fn of_values(values: &[f32]) -> Self {
        let (hidden, memory) = values.split_at(values.len() / 2);
        Self { hidden: hidden.to_vec(), memory: memory.to_vec() }
    }
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
        let n_units = match cell {
            Cell::Lstm => 2 * KERNEL_COLUMNS / 4,
            Cell::Gru => KERNEL_COLUMNS / 3,
        };
        let block = |start: usize| {
            let units = start..(start + n_units).min(d_hidden);
            let gates = (0..cell.n_gates()).map(|gate| gate * d_hidden + units.start..gate * d_hidden + units.end);
            let gates: Vec<Range<usize>> = gates.collect();
            Block { input: input.columns(&gates), hidden: hidden.columns(&gates), units }
        };
        Ok(Self { cell, blocks: (0..d_hidden).step_by(n_units).map(block).collect(), d_in, d_hidden })
    }

    fn is_wide(&self) -> bool {
        self.d_hidden * self.d_hidden * self.cell.n_gates() >= WORTH_SHARING
    }

    /// Reads the rows of one window on from where the direction stands in it; gives the states after each of them.
    pub(super) fn go_on(&self, standing: &mut Standing, rows: &[f32]) -> Vec<f32> {
        let all = 0..rows.len() / self.d_in;
        let steps = Steps::new(std::slice::from_ref(&all));
        let Run { states, last, memory } = self.run_from(standing, rows, &steps, true, Par::Seq);
        *standing = Standing { hidden: last, memory };
        states
    }

    /// Reads rows that are in order of steps.
    fn run(&self, rows: &[f32], steps: &Steps, wants_states: bool, par: Par) -> Run {
        let n_windows = steps.lens.len();
        self.run_from(&Standing::zeros(n_windows * self.d_hidden), rows, steps, wants_states, par)
    }

    /// The same from states of all windows.
    fn run_from(&self, standing: &Standing, rows: &[f32], steps: &Steps, wants_states: bool, par: Par) -> Run {
        let (d, n_windows) = (self.d_hidden, steps.lens.len());
        let of_units = |rows: &[f32], units: &Range<usize>| -> Vec<f32> {
            rows.chunks_exact(d).flat_map(|row| &row[units.clone()]).copied().collect()
        };
        let state = |Block { units, .. }: &Block| BlockState {
            hidden: of_units(&standing.hidden, units),
            memory: of_units(&standing.memory, units),
            inputs: Vec::new(),
            gates: vec![0.0; self.cell.n_gates() * n_windows * units.len()],
        };
        let mut blocks: Vec<(&Block, BlockState)> = self.blocks.iter().map(|block| (block, state(block))).collect();
        // As many parts as threads, so that each finds its weights in its own cache.
        let n_parts = if par == Par::Seq { 1 } else { rayon::current_num_threads() };
        let part = blocks.len().div_ceil(n_parts);
        let mut last = standing.hidden.clone();
        let mut states = if wants_states { vec![0.0; steps.n_rows() * d] } else { Vec::new() };
        for segment in steps.segments() {
            for at in segment.clone() {
                let n = steps.active[at];
                let hidden = &last[..n * d];
                let first = steps.starts[segment.start];
                let work = |blocks: &mut [(&Block, BlockState)]| {
                    for (block, state) in blocks {
                        if at == segment.start {
                            let end = steps.starts[segment.end - 1] + steps.active[segment.end - 1];
                            block.read(&rows[first * self.d_in..end * self.d_in], state);
                        }
                        self.step(block, state, hidden, steps.starts[at] - first);
                    }
                };
                if n_parts == 1 {
                    work(&mut blocks);
                } else {
                    blocks.par_chunks_mut(part).for_each(work);
                }
                for (Block { units, .. }, state) in &blocks {
                    for (to, from) in last.chunks_exact_mut(d).zip(state.hidden.chunks_exact(units.len())).take(n) {
                        to[units.clone()].copy_from_slice(from);
                    }
                }
                if wants_states {
                    states[steps.starts[at] * d..][..n * d].copy_from_slice(&last[..n * d]);
                }
            }
        }
        let mut memory = vec![0.0; n_windows * d];
        for (Block { units, .. }, state) in &blocks {
            for (to, from) in memory.chunks_exact_mut(d).zip(state.memory.chunks_exact(units.len())) {
                to[units.clone()].copy_from_slice(from);
            }
        }
        Run { states, last, memory }
    }

    /// Takes the units of a block one step further, for the first windows, whose states `hidden` holds;
    /// `first` is the row of the first window among those that the block has read.
    fn step(&self, Block { units, hidden: weights, .. }: &Block, state: &mut BlockState, hidden: &[f32], first: usize) {
        let BlockState { hidden: own, memory, inputs, gates } = state;
        let (d, width, d_gates, n) = (self.d_hidden, units.len(), weights.d_out(), hidden.len() / self.d_hidden);
        let inputs = &mut inputs[first * d_gates..(first + n) * d_gates];
        let groups = hidden.chunks(GROUP_WINDOWS * d);
        match self.cell {
            Cell::Lstm => {
                let groups = groups.zip(inputs.chunks_mut(GROUP_WINDOWS * d_gates));
                groups.for_each(|(hidden, gates)| weights.multiply_add(hidden, gates, Par::Seq));
                let windows = own.chunks_exact_mut(width).zip(memory.chunks_exact_mut(width));
                for (gates, (own, memory)) in inputs.chunks_exact(d_gates).zip(windows) {
                    lstm::step(gates, own, memory);
                }
            }
            Cell::Gru => {
                let groups = groups.zip(gates[..n * d_gates].chunks_mut(GROUP_WINDOWS * d_gates));
                groups.for_each(|(hidden, gates)| weights.multiply(hidden, gates, Par::Seq));
                let windows = gates.chunks_exact(d_gates).zip(own.chunks_exact_mut(width));
                for (input, (gates, own)) in inputs.chunks_exact(d_gates).zip(windows) {
                    gru::step(input, gates, &weights.bias[2 * width..], own);
                }
            }
        }
    }
}

impl Block {
    /// The gates from the rows of a segment.
    fn read(&self, rows: &[f32], state: &mut BlockState) {
        let n = rows.len() / self.input.d_in();
        state.inputs.resize(n * self.input.d_out(), 0.0);
        let inputs = &mut state.inputs[..n * self.input.d_out()];
        self.input.multiply(rows, inputs, Par::Seq);
        add_bias(inputs, &self.input.bias, Par::Seq);
    }
}

/// Rows of width `d` of both, the second after the first.
fn side_by_side(first: &[f32], second: &[f32], d: usize) -> Vec<f32> {
    first.chunks_exact(d).zip(second.chunks_exact(d)).flat_map(|(a, b)| a.iter().chain(b)).copied().collect()
}
