//! What has to hold for fusion and for the encoders of single modalities.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn_flex::Flex;
use spaxiom_encoder::{
    BatchLayout, Encoder, EncoderConfig, EncoderError, EventBatch, FusionMethod, ModalityEncoder, MultiModalFusion,
    MultiModalFusionConfig, Pooling, Preset, WeightRng, WindowRows,
};
use spaxiom_token::{Edge, EdgeType, Modality};

use crate::transformer::{Auto, WithoutGradient};
use crate::{distance, events, louder};

const METHODS: [FusionMethod; 3] = [FusionMethod::Early, FusionMethod::Late, FusionMethod::Hybrid];

/// Type, zone and a number: what `events` gives, and ages beside them.
fn layout() -> BatchLayout {
    crate::layout().with_modalities(&[Modality::Type, Modality::Spatial, Modality::Numeric]).with_ages().with_edges()
}

fn config(method: FusionMethod) -> MultiModalFusionConfig {
    MultiModalFusionConfig {
        method,
        d_modality: 16,
        d_model: 16,
        n_heads: 2,
        n_layers: 2,
        n_graph_layers: 2,
        n_recurrent_layers: 1,
        max_len: 8,
        pooling: if method == FusionMethod::Late { Pooling::Mean } else { Pooling::Last },
    }
}

fn encoder(method: FusionMethod) -> MultiModalFusion<Flex> {
    louder(config(method).init::<Flex>(&layout(), 1, &Default::default()))
}

/// `len` events a second apart, each joined to the one before it.
fn window(start: u32, len: u32) -> WindowRows {
    let edges = (1..len as usize).map(|to| Edge { from: to - 1, to, kind: EdgeType::Spatial }).collect();
    WindowRows { edges, ..events(start, len).window(0, len as usize).into() }
}

fn pooled(encoder: &MultiModalFusion<Flex>, windows: &[WindowRows]) -> Vec<Vec<f32>> {
    let batch = EventBatch::with_rows(&layout(), windows, &Default::default());
    let values: Vec<f32> = encoder.encode(&batch).pooled.into_data().to_vec().unwrap();
    values.chunks_exact(encoder.d_model()).map(<[f32]>::to_vec).collect()
}

#[test]
fn padding_and_the_other_windows_of_a_batch_change_nothing() {
    for method in METHODS {
        let encoder = encoder(method);
        let windows = [window(3, 2), window(7, 8), window(0, 1), window(1, 5)];
        let together = pooled(&encoder, &windows);
        for (together, window) in together.iter().zip(&windows) {
            let alone = &pooled(&encoder, std::slice::from_ref(window))[0];
            assert!(distance(together, alone) < 1e-5, "{method:?}");
            assert!(together.iter().all(|value| value.is_finite()));
        }
    }
}

#[test]
fn every_modality_and_the_order_of_events_matter() {
    for method in METHODS {
        let encoder = encoder(method);
        let original = window(2, 6);
        let with = |field: usize| {
            let mut other = original.clone();
            other.ids[3 * 4 + field] = 6 + (other.ids[3 * 4 + field] - 5) % 5;
            other
        };
        let mut other_time = original.clone();
        other_time.ages[2] += 400.0;
        let mut swapped = original.clone();
        swapped.ids.rotate_left(3);
        let vectors = pooled(&encoder, &[original.clone(), with(0), with(1), with(2), other_time, swapped]);
        for (at, other) in vectors.iter().enumerate().skip(1) {
            assert!(distance(&vectors[0], other) > 1e-4, "{method:?}, change {at}");
        }
    }
}

#[test]
fn edges_matter_to_hybrid_fusion_alone() {
    for method in METHODS {
        let joined = window(2, 6);
        let apart = WindowRows { edges: Vec::new(), ..joined.clone() };
        let vectors = pooled(&encoder(method), &[joined, apart]);
        assert_eq!(distance(&vectors[0], &vectors[1]) > 1e-4, method == FusionMethod::Hybrid, "{method:?}");
    }
}

#[test]
fn a_modality_is_deaf_to_the_others() {
    let device = Default::default();
    let states = |modality: Modality, window: &WindowRows| -> Vec<f32> {
        let encoder = louder(ModalityEncoder::<Flex>::new(modality, &layout(), 8, &mut WeightRng::new(1), &device));
        let batch = EventBatch::with_rows(&layout(), std::slice::from_ref(window), &device);
        let states = encoder.forward(&batch);
        assert_eq!(states.dims(), [1, 5, 8]);
        states.into_data().to_vec().unwrap()
    };
    let original = window(2, 4);
    for (field, own) in [Modality::Type, Modality::Spatial, Modality::Numeric].into_iter().enumerate() {
        let mut other = original.clone();
        other.ids[3 + field] += 1;
        for modality in Modality::ALL {
            let differs = distance(&states(modality, &original), &states(modality, &other)) > 1e-5;
            assert_eq!(differs, modality == own, "{modality:?} of a change in {own:?}");
        }
    }
    let mut other = original.clone();
    other.ages[1] += 100.0;
    for modality in Modality::ALL {
        let differs = distance(&states(modality, &original), &states(modality, &other)) > 1e-5;
        assert_eq!(differs, modality == Modality::Temporal);
    }
}

#[test]
fn a_gradient_reaches_every_parameter() {
    for method in METHODS {
        let encoder = config(method).init::<Auto>(&layout(), 1, &Default::default());
        let windows = [window(0, 6), window(4, 3)];
        let batch = EventBatch::<Auto>::with_rows(&layout(), &windows, &Default::default());
        // The last state of the backward direction of a sequence is its first: all states are looked at.
        let states = encoder.encode(&batch).states;
        let weights = Tensor::arange(0..16, &Default::default()).float().reshape([1, 1, 16]);
        let grads = GradientsParams::from_grads((states * weights).sum().backward(), &encoder);
        let mut visitor = WithoutGradient { grads: &grads, n: 0, without: Vec::new() };
        Module::<Auto>::visit(&encoder, &mut visitor);
        assert_eq!(visitor.without, Vec::<Vec<usize>>::new(), "{method:?}");
    }
}

#[test]
fn what_the_layout_lacks_is_one_vector() {
    let layout = BatchLayout::new(&[12]);
    let mut tokens = spaxiom_token::TokenSequence::new(1);
    (7..10).for_each(|id| tokens.push([id]));
    for method in METHODS {
        let encoder = config(method).init::<Flex>(&layout, 1, &Default::default());
        let batch = EventBatch::new(&layout, &[tokens.window(0, 3)], &Default::default());
        let values: Vec<f32> = encoder.encode(&batch).pooled.into_data().to_vec().unwrap();
        assert!(values.iter().all(|value| value.is_finite()), "{method:?}");
    }
}

#[test]
fn impossible_shapes_are_named() {
    for preset in [Preset::Tiny, Preset::Small, Preset::Base] {
        MultiModalFusionConfig::from(preset).check().unwrap();
    }
    let error = |config: MultiModalFusionConfig| match config.check().unwrap_err() {
        EncoderError::Setting { name, .. } => name,
        other => panic!("{other}"),
    };
    assert_eq!(error(MultiModalFusionConfig { n_heads: 3, ..config(FusionMethod::Early) }), "n-heads");
    assert_eq!(error(MultiModalFusionConfig { d_model: 32, ..config(FusionMethod::Late) }), "d-model");
    assert_eq!(error(MultiModalFusionConfig { pooling: Pooling::Last, ..config(FusionMethod::Late) }), "pooling");
    let odd = MultiModalFusionConfig { d_model: 15, n_heads: 3, ..config(FusionMethod::Hybrid) };
    assert_eq!(error(odd), "d-model");
}

#[test]
#[should_panic(expected = "a window of 9 events, at most 8 are taken")]
fn a_longer_window_is_refused() {
    pooled(&encoder(FusionMethod::Early), &[window(0, 9)]);
}

#[test]
fn a_part_of_a_batch_is_the_batch_of_those_windows() {
    let of = |windows: &[WindowRows]| EventBatch::<Flex>::with_rows(&layout(), windows, &Default::default());
    let tensors = |EventBatch { rows, features, ages, edges, positions, keep, .. }: EventBatch<Flex>| {
        let (features, edges) = (features.unwrap().into_data(), edges.unwrap().into_data());
        [rows.into_data(), features, ages.into_data(), edges, positions.into_data(), keep.into_data()]
    };
    let windows = [(0, 5), (1, 3), (2, 4), (3, 1)].map(|(start, len)| window(start, len));
    for range in [0..4, 1..3, 3..4] {
        let part = of(&windows).part(range.clone());
        assert_eq!(part.n_windows(), range.len());
        assert_eq!(tensors(part), tensors(of(&windows[range])));
    }
}
