//! What has to hold for the graph encoder; message passing edge by edge is the oracle.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};
use burn_flex::Flex;
use spaxiom_encoder::{
    BatchLayout, Encoder, EncoderConfig, EncoderError, EventBatch, GraphStack, NamedTensor, Preset, Readout,
    SpatioTemporalGnn, SpatioTemporalGnnConfig, WeightRng, WindowRows, collect_weights,
};
use spaxiom_token::{Edge, EdgeType};

use crate::transformer::{Auto, WithoutGradient};
use crate::{distance, events, louder};

const READOUTS: [Readout; 3] = [Readout::Mean, Readout::Attention, Readout::Last];

fn layout() -> BatchLayout {
    crate::layout().with_edges()
}

fn config(readout: Readout) -> SpatioTemporalGnnConfig {
    SpatioTemporalGnnConfig { d_node: 12, d_model: 16, n_layers: 3, max_len: 8, readout }
}

fn encoder(readout: Readout) -> SpatioTemporalGnn<Flex> {
    louder(config(readout).init::<Flex>(&layout(), 1, &Default::default()))
}

fn edge(from: usize, to: usize, kind: EdgeType) -> Edge {
    Edge { from, to, kind }
}

/// `len` events, each joined to the one before it and some to earlier ones.
fn graph(start: u32, len: u32) -> WindowRows {
    let tokens = events(start, len);
    let mut edges = Vec::new();
    for to in 1..len as usize {
        edges.push(edge(to - 1, to, EdgeType::Temporal));
        if to % 2 == 0 {
            edges.push(edge(to / 2, to, EdgeType::Spatial));
            edges.push(edge(0, to, EdgeType::Spatial));
        }
        if to % 3 == 0 {
            edges.push(edge(to - 2, to, EdgeType::Causal));
        }
    }
    WindowRows { edges, ..tokens.window(0, len as usize).into() }
}

fn pooled(encoder: &SpatioTemporalGnn<Flex>, graphs: &[WindowRows]) -> Vec<Vec<f32>> {
    let batch = EventBatch::with_rows(&layout(), graphs, &Default::default());
    let values: Vec<f32> = encoder.encode(&batch).pooled.into_data().to_vec().unwrap();
    values.chunks_exact(encoder.d_model()).map(<[f32]>::to_vec).collect()
}

fn gelu(x: f64) -> f64 {
    // `erf` by its series: enough for numbers of a few units.
    let z = x / 2f64.sqrt();
    let (mut term, mut sum) = (z, z);
    for n in 1..200 {
        term *= -z * z / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    0.5 * x * (1.0 + sum * 2.0 / std::f64::consts::PI.sqrt())
}

fn layer_norm(row: &[f64]) -> Vec<f64> {
    let n = row.len() as f64;
    let mean = row.iter().sum::<f64>() / n;
    let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    row.iter().map(|value| (value - mean) / (variance + 1e-5).sqrt()).collect()
}

/// `row` times the rows of `weight` from `first` on, added to `out`.
fn add_product(out: &mut [f64], row: &[f64], weight: &NamedTensor, first: usize) {
    let d_out = weight.shape[1];
    for (input, value) in row.iter().enumerate() {
        for (output, sum) in out.iter_mut().enumerate() {
            *sum += value * f64::from(weight.values[(first + input) * d_out + output]);
        }
    }
}

#[test]
fn states_are_those_of_message_passing_edge_by_edge() {
    let (d_node, d_model, n_nodes) = (4u16, 6, 5u16);
    let device = Default::default();
    let (d_node, n_rows) = (usize::from(d_node), usize::from(n_nodes) + 1);
    let stack = louder(GraphStack::<Flex>::new(d_node, d_model, 2, &mut WeightRng::new(3), &device));
    let weights = collect_weights(&stack, "");
    let graph = graph(0, n_nodes.into());
    let input: Vec<f32> = (0u16..).take(n_rows * d_node).map(|i| (f32::from(i) * 0.7).sin()).collect();
    let nodes: Vec<f64> = input.iter().map(|value| f64::from(*value)).collect();
    let batch = EventBatch::<Flex>::with_rows(&layout(), std::slice::from_ref(&graph), &device);
    let input = Tensor::from_data(TensorData::new(input, [1, n_rows, d_node]), &device);
    let got: Vec<f32> = stack.forward(input, batch.edges.as_ref()).into_data().to_vec().unwrap();

    let mut states: Vec<Vec<f64>> = nodes.chunks_exact(d_node).map(<[f64]>::to_vec).collect();
    for layer in 0..2 {
        let normed: Vec<Vec<f64>> = states.iter().map(|row| layer_norm(row)).collect();
        let d_in = states[0].len();
        let mut next = Vec::new();
        for (node, own) in normed.iter().enumerate() {
            let mut update = vec![0.0; d_model];
            add_product(&mut update, own, &weights[&format!("layers.{layer}.own.weight")], 0);
            for relation in 0..6 {
                let kind = EdgeType::ALL[relation % 3];
                let of_kind = graph.edges.iter().filter(|edge| edge.kind == kind);
                let others: Vec<usize> = of_kind
                    .map(|edge| if relation < 3 { (edge.to, edge.from) } else { (edge.from, edge.to) })
                    .filter(|(hears, _)| *hears + 1 == node)
                    .map(|(_, says)| says + 1)
                    .collect();
                for other in &others {
                    let message: Vec<f64> = normed[*other].iter().map(|value| value / others.len() as f64).collect();
                    let weight = &weights[&format!("layers.{layer}.messages.weight")];
                    add_product(&mut update, &message, weight, relation * d_in);
                }
            }
            let residual = if d_in == d_model { states[node].clone() } else { vec![0.0; d_model] };
            next.push(update.into_iter().zip(residual).map(|(value, old)| gelu(value) + old).collect());
        }
        states = next;
    }
    let want: Vec<f64> = states.iter().flat_map(|row| layer_norm(row)).collect();
    assert_eq!(got.len(), want.len());
    let greatest = got.iter().zip(want).map(|(got, want)| (f64::from(*got) - want).abs()).fold(0.0, f64::max);
    assert!(greatest < 1e-4, "{greatest:e}");
}

#[test]
fn padding_and_the_other_graphs_of_a_batch_change_nothing() {
    for readout in READOUTS {
        let encoder = encoder(readout);
        let graphs = [graph(3, 2), graph(7, 8), graph(0, 0), graph(1, 5)];
        let together = pooled(&encoder, &graphs);
        for (together, graph) in together.iter().zip(&graphs) {
            let alone = &pooled(&encoder, std::slice::from_ref(graph))[0];
            assert!(distance(together, alone) < 1e-5, "{readout:?}");
            assert!(together.iter().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn the_order_of_nodes_does_not_matter_but_their_edges_do() {
    for readout in [Readout::Mean, Readout::Attention] {
        let encoder = encoder(readout);
        let original = graph(2, 6);
        let place = |node: usize| 5 - node;
        let mut turned = original.clone();
        turned.ids = original.ids.chunks_exact(3).rev().flatten().copied().collect();
        for edge in &mut turned.edges {
            *edge = Edge { from: place(edge.from), to: place(edge.to), ..*edge };
        }
        let mut other_kind = original.clone();
        other_kind.edges[0].kind = EdgeType::Causal;
        let mut other_way = original.clone();
        other_way.edges[0] = edge(1, 0, EdgeType::Temporal);
        let mut without = original.clone();
        without.edges.remove(0);
        let vectors = pooled(&encoder, &[original, turned, other_kind, other_way, without]);
        assert!(distance(&vectors[0], &vectors[1]) < 1e-5, "{readout:?}");
        for other in &vectors[2..] {
            assert!(distance(&vectors[0], other) > 1e-3, "{readout:?}");
        }
    }
}

#[test]
fn a_node_hears_as_many_edges_away_as_there_are_layers() {
    let chain = |n_changed: usize| {
        let mut chain = WindowRows { edges: Vec::new(), ..events(0, 6).window(0, 6).into() };
        chain.edges = (1..6).map(|to| edge(to - 1, to, EdgeType::Temporal)).collect();
        chain.ids[..3 * n_changed].fill(9);
        chain
    };
    let encoder = encoder(Readout::Last);
    let vectors = pooled(&encoder, &[chain(0), chain(2), chain(3)]);
    assert!(distance(&vectors[0], &vectors[1]) < 1e-6, "four edges away");
    assert!(distance(&vectors[0], &vectors[2]) > 1e-4, "three edges away");
}

#[test]
fn a_gradient_reaches_every_parameter() {
    for readout in READOUTS {
        let encoder = config(readout).init::<Auto>(&layout(), 1, &Default::default());
        let batch = EventBatch::<Auto>::with_rows(&layout(), &[graph(0, 6), graph(4, 3)], &Default::default());
        let pooled = encoder.encode(&batch).pooled;
        let weights = Tensor::arange(0..16, &Default::default()).float().reshape([1, 16]);
        let grads = GradientsParams::from_grads((pooled * weights).sum().backward(), &encoder);
        let mut visitor = WithoutGradient { grads: &grads, n: 0, without: Vec::new() };
        Module::<Auto>::visit(&encoder, &mut visitor);
        // What is added to all scores alike changes no share: the offset of the score, of shape `[1]`, has nothing but rounding.
        visitor.without.retain(|shape| *shape != [1]);
        assert_eq!(visitor.without, Vec::<Vec<usize>>::new(), "{readout:?}");
        // A table, norms of the embedding and of the end, five of a layer, and the score.
        assert_eq!(visitor.n, 3 + 2 + 5 * 3 + if readout == Readout::Attention { 2 } else { 0 });
    }
}

#[test]
fn impossible_shapes_are_named() {
    SpatioTemporalGnnConfig::from(Preset::Base).check().unwrap();
    let error = SpatioTemporalGnnConfig { d_node: 0, ..Preset::Tiny.into() }.check().unwrap_err();
    assert!(matches!(error, EncoderError::Setting { name: "d-node", .. }), "{error}");
}

#[test]
#[should_panic(expected = "a window of 9 events, at most 8 are taken")]
fn a_longer_window_is_refused() {
    pooled(&encoder(Readout::Mean), &[graph(0, 9)]);
}
