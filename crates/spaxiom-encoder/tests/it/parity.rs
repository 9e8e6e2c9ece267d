//! Encoders against PyTorch, on any backend: weights, inputs, outputs and gradients of a fixture.
//!
//! `torch-42.safetensors` was made by PyTorch 2.15 in 64-bit floats from 32-bit weights and inputs
//! (`nn.TransformerEncoder`, norm first, GELU by `erf`, 2 layers of width 32 with 4 heads, 64 inside);
//! its metadata say how. PyTorch's own 32-bit run differs from it by 5e-7 forward and 3e-6 backward.

use std::collections::BTreeMap;

use burn::module::{ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use safetensors::{Dtype, SafeTensors};
use spaxiom_encoder::{
    Cell, CrossAttentionLayer, NamedTensor, ParameterPath, RecurrentStack, RecurrentStackConfig, TransformerStack,
    WeightRng, apply_weights,
};

use crate::relative_distance;

const FIXTURE: &[u8] = include_bytes!("../fixtures/torch-42.safetensors");

fn fixture(name: &str) -> NamedTensor {
    let file = SafeTensors::deserialize(FIXTURE).unwrap();
    let view = file.tensor(name).unwrap();
    let values = match view.dtype() {
        Dtype::U8 => view.data().iter().map(|&byte| f32::from(byte)).collect(),
        _ => view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
    };
    NamedTensor { shape: view.shape().to_vec(), values }
}

fn tensor<B: Backend, const D: usize>(name: &str) -> Tensor<B, D> {
    let NamedTensor { shape, values } = fixture(name);
    Tensor::from_data(TensorData::new(values, shape), &Default::default())
}

/// PyTorch keeps linear weights as `[out, in]`, burn as `[in, out]`.
fn transposed(tensor: NamedTensor) -> NamedTensor {
    let [n_out, n_in] = tensor.shape[..] else { return tensor };
    let values = (0..n_in).flat_map(|i| (0..n_out).map(move |o| (o, i))).map(|(o, i)| tensor.values[o * n_in + i]);
    NamedTensor { shape: vec![n_in, n_out], values: values.collect() }
}

/// Our name of every parameter, and PyTorch's.
fn names() -> Vec<(String, String)> {
    let parts = [
        ("attention_norm.gamma", "norm1.weight"),
        ("attention_norm.beta", "norm1.bias"),
        ("attention.qkv.weight", "self_attn.in_proj_weight"),
        ("attention.qkv.bias", "self_attn.in_proj_bias"),
        ("attention.output.weight", "self_attn.out_proj.weight"),
        ("attention.output.bias", "self_attn.out_proj.bias"),
        ("feed_forward_norm.gamma", "norm2.weight"),
        ("feed_forward_norm.beta", "norm2.bias"),
        ("expand.weight", "linear1.weight"),
        ("expand.bias", "linear1.bias"),
        ("contract.weight", "linear2.weight"),
        ("contract.bias", "linear2.bias"),
    ];
    let layer = |layer: usize| {
        parts.map(|(ours, theirs)| (format!("layers.{layer}.{ours}"), format!("layers.{layer}.{theirs}")))
    };
    let norm = [("norm.gamma", "norm.weight"), ("norm.beta", "norm.bias")];
    let norm = norm.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()));
    [layer(0).to_vec(), layer(1).to_vec(), norm.to_vec()].concat()
}

fn stack<B: Backend>() -> TransformerStack<B> {
    let weights: BTreeMap<String, NamedTensor> =
        names().into_iter().map(|(ours, theirs)| (ours, transposed(fixture(&format!("w.encoder.{theirs}"))))).collect();
    let stack = TransformerStack::new(32, 2, 4, 64, &mut WeightRng::new(0), &Default::default());
    apply_weights(stack, "", &weights).unwrap()
}

fn greatest_difference(got: &[f32], want: &[f32]) -> f32 {
    assert_eq!(got.len(), want.len());
    got.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

pub(crate) fn the_transformer_agrees<B: Backend>(tolerance: f32) {
    let keep = tensor::<B, 2>("in.encoder.pad").neg().add_scalar(1.0);
    let states = stack::<B>().forward(tensor("in.encoder.x"), &keep);
    let got = (states * keep.reshape([3, 9, 1])).into_data().convert::<f32>().to_vec::<f32>().unwrap();
    let difference = greatest_difference(&got, &fixture("out.encoder.y").values);
    // 1.4e-6 on flex when this was written.
    assert!(difference < tolerance, "{difference:e}");
}

struct Gradients<'a> {
    path: ParameterPath,
    grads: &'a GradientsParams,
    found: BTreeMap<String, Vec<f32>>,
}

impl<A: AutodiffBackend> ModuleVisitor<A> for Gradients<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        self.path.exit(container);
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<A, D>>) {
        let grad = self.grads.get::<A::InnerBackend, D>(param.id).unwrap();
        self.found.insert(self.path.name(), grad.into_data().convert::<f32>().to_vec().unwrap());
    }
}

pub(crate) fn every_gradient_agrees<B: AutodiffBackend>(tolerance: f32) {
    use burn::module::Module;
    let stack = stack::<B>();
    let keep = tensor::<B, 2>("in.encoder.pad").neg().add_scalar(1.0);
    let first = stack.forward(tensor("in.encoder.x"), &keep).slice([0..3, 0..1]);
    let grads = GradientsParams::from_grads((first.clone() * first).sum().backward(), &stack);
    let mut gradients = Gradients { path: ParameterPath::default(), grads: &grads, found: BTreeMap::new() };
    Module::<B>::visit(&stack, &mut gradients);
    for (ours, theirs) in names() {
        let want = transposed(fixture(&format!("out.encoder.grad.{theirs}")));
        let difference = relative_distance(&want.values, &gradients.found[&ours]);
        // Gradients are up to 20.
        assert!(difference < tolerance, "{ours}: {difference:e}");
    }
}

/// One layer of width 24 over 16 inputs, with PyTorch's weights.
fn recurrent<B: Backend>(cell: Cell, name: &str, bidirectional: bool) -> RecurrentStack<B> {
    let mut weights = BTreeMap::new();
    let directions = [("forward", ""), ("backward", "_reverse")];
    for (ours, theirs) in directions.into_iter().take(if bidirectional { 2 } else { 1 }) {
        for (part, kind) in [("input", "ih"), ("hidden", "hh")] {
            let weight = transposed(fixture(&format!("w.{name}.weight_{kind}_l0{theirs}")));
            weights.insert(format!("layers.0.{ours}.{part}.weight"), weight);
            let bias = fixture(&format!("w.{name}.bias_{kind}_l0{theirs}"));
            weights.insert(format!("layers.0.{ours}.{part}.bias"), bias);
        }
    }
    let config = RecurrentStackConfig { d_in: 16, d_hidden: 24, n_layers: 1, bidirectional };
    let stack = RecurrentStack::new(cell, config, &mut WeightRng::new(0), &Default::default());
    apply_weights(stack, "", &weights).unwrap()
}

pub(crate) fn lstm_and_gru_agree<B: Backend>(tolerance: f32) {
    for (cell, name, bidirectional) in [
        (Cell::Lstm, "lstm", false),
        (Cell::Lstm, "bilstm", true),
        (Cell::Gru, "gru", false),
        (Cell::Gru, "bigru", true),
    ] {
        let keep = Tensor::ones([3, 7], &Default::default());
        let (states, last) = recurrent::<B>(cell, name, bidirectional).forward(tensor("in.rnn.x"), &keep);
        let states = states.into_data().convert::<f32>().to_vec::<f32>().unwrap();
        let difference = greatest_difference(&states, &fixture(&format!("out.{name}.y")).values);
        assert!(difference < tolerance, "{name}: {difference:e}");
        // PyTorch gives the final state of each direction apart: [directions, batch, d_hidden].
        let want = fixture(&format!("out.{name}.h")).values;
        let last = last.into_data().convert::<f32>().to_vec::<f32>().unwrap();
        let n_directions = want.len() / 72;
        for (at, value) in last.iter().enumerate() {
            let (window, column) = (at / (24 * n_directions), at % (24 * n_directions));
            let theirs = want[column / 24 * 72 + window * 24 + column % 24];
            assert!((value - theirs).abs() < tolerance, "{name}: {value} {theirs}");
        }
    }
}

/// PyTorch keeps the projections of queries, keys and values in one matrix; ours has that of the queries apart.
fn cross_attention<B: Backend>() -> CrossAttentionLayer<B> {
    let weight = transposed(fixture("w.cross.attn.in_proj_weight"));
    let bias = fixture("w.cross.attn.in_proj_bias");
    let columns = |from: usize, to: usize| NamedTensor {
        shape: vec![32, to - from],
        values: weight.values.chunks_exact(96).flat_map(|row| row[from..to].to_vec()).collect(),
    };
    let part = |from: usize, to: usize| NamedTensor { shape: vec![to - from], values: bias.values[from..to].to_vec() };
    let mut weights: BTreeMap<String, NamedTensor> = [
        ("query.weight", columns(0, 32)),
        ("query.bias", part(0, 32)),
        ("key_value.weight", columns(32, 96)),
        ("key_value.bias", part(32, 96)),
    ]
    .map(|(name, tensor)| (name.to_owned(), tensor))
    .into();
    for (ours, theirs) in [
        ("query_norm.gamma", "norm_q.weight"),
        ("query_norm.beta", "norm_q.bias"),
        ("context_norm.gamma", "norm_kv.weight"),
        ("context_norm.beta", "norm_kv.bias"),
        ("output.weight", "attn.out_proj.weight"),
        ("output.bias", "attn.out_proj.bias"),
        ("feed_forward_norm.gamma", "norm_ff.weight"),
        ("feed_forward_norm.beta", "norm_ff.bias"),
        ("expand.weight", "linear1.weight"),
        ("expand.bias", "linear1.bias"),
        ("contract.weight", "linear2.weight"),
        ("contract.bias", "linear2.bias"),
    ] {
        weights.insert(ours.into(), transposed(fixture(&format!("w.cross.{theirs}"))));
    }
    let layer = CrossAttentionLayer::new(32, 4, 64, &mut WeightRng::new(0), &Default::default());
    apply_weights(layer, "", &weights).unwrap()
}

pub(crate) fn cross_attention_agrees<B: Backend>(tolerance: f32) {
    let keep = tensor::<B, 2>("in.cross.pad").neg().add_scalar(1.0);
    let states = cross_attention::<B>().forward(tensor("in.cross.x"), tensor("in.cross.ctx"), &keep);
    let difference = greatest_difference(
        &states.into_data().convert::<f32>().to_vec::<f32>().unwrap(),
        &fixture("out.cross.y").values,
    );
    assert!(difference < tolerance, "{difference:e}");
}
