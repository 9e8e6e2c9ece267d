//! What has to hold for every encoder.

use burn::module::{AutodiffModule, Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use burn_flex::Flex;
use spaxiom_encoder::{
    BatchLayout, Encoder, EncoderConfig, EncoderError, EventBatch, Pooling, TransformerEventEncoderConfig, WindowRows,
};
use spaxiom_token::Modality;

use crate::{config, distance, encoder, events, layout, louder, pooled};

const POOLINGS: [Pooling; 5] = [Pooling::Cls, Pooling::Mean, Pooling::Last, Pooling::Age, Pooling::Attention];

#[test]
fn the_output_is_finite_from_one_event_to_the_longest_window() {
    for pooling in POOLINGS {
        let vectors = pooled(&encoder(pooling), &[&events(0, 1), &events(0, 8)]);
        assert!(vectors.concat().iter().all(|value| value.is_finite()));
    }
}

#[test]
fn padding_changes_nothing_and_a_row_is_the_batch_of_one() {
    for pooling in POOLINGS {
        let encoder = encoder(pooling);
        let (short, long) = (events(3, 2), events(7, 8));
        let together = pooled(&encoder, &[&short, &long]);
        // Sums in another order differ in the last bits.
        assert!(distance(&together[0], &pooled(&encoder, &[&short])[0]) < 1e-5, "{pooling:?}");
        assert!(distance(&together[1], &pooled(&encoder, &[&long])[0]) < 1e-5, "{pooling:?}");
    }
}

#[test]
fn order_and_every_field_matter() {
    for pooling in POOLINGS {
        let encoder = encoder(pooling);
        let vector = |rows: [[u32; 3]; 3]| {
            let mut tokens = spaxiom_token::TokenSequence::new(3);
            for row in rows {
                tokens.push(row);
            }
            pooled(&encoder, &[&tokens]).remove(0)
        };
        let original = vector([[6, 7, 8], [9, 10, 11], [7, 8, 9]]);
        for other in [
            [[9, 10, 11], [6, 7, 8], [7, 8, 9]],
            [[6, 7, 8], [9, 10, 11], [8, 8, 9]],
            [[6, 7, 8], [9, 10, 11], [7, 9, 9]],
            [[6, 7, 8], [9, 10, 11], [7, 8, 10]],
        ] {
            assert!(distance(&original, &vector(other)) > 1e-4, "{pooling:?} {other:?}");
        }
    }
}

#[test]
fn a_seed_gives_the_same_weights_and_another_seed_others() {
    let vector = |seed| {
        let encoder = config(Pooling::Mean).init::<Flex>(&layout(), seed, &Default::default());
        pooled(&encoder, &[&events(0, 4)]).remove(0)
    };
    assert_eq!(vector(1), vector(1));
    assert!(distance(&vector(1), &vector(2)) > 1e-3);
}

#[test]
#[should_panic(expected = "a window of 9 events, at most 8 are taken")]
fn a_longer_window_is_refused() {
    pooled(&encoder(Pooling::Cls), &[&events(0, 9)]);
}

#[test]
fn impossible_shapes_are_named() {
    let check = |change: fn(&mut TransformerEventEncoderConfig), want: &str| {
        let mut config = config(Pooling::Cls);
        change(&mut config);
        let error = config.check().unwrap_err();
        assert!(matches!(error, EncoderError::Setting { .. }) && error.to_string().contains(want), "{error}");
    };
    check(|config| config.n_heads = 3, "`n-heads` has to be a part of d-model, got 3");
    check(|config| config.n_layers = 0, "`n-layers` has to be 1 or more, got 0");
    check(|config| config.max_len = 0, "`max-len`");
    check(|config| config.causal = true, "`pooling` has to be last or mean with causal");
    check(|config| (config.rotary, config.d_model, config.n_heads) = (true, 6, 2), "`n-heads`");
}

pub(crate) type Auto = burn::backend::Autodiff<Flex>;

pub(crate) struct WithoutGradient<'a> {
    pub(crate) grads: &'a GradientsParams,
    pub(crate) n: usize,
    pub(crate) without: Vec<Vec<usize>>,
}

impl<B: AutodiffBackend> ModuleVisitor<B> for WithoutGradient<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.n += 1;
        let grad = self.grads.get::<B::InnerBackend, D>(param.id);
        let is_alive = grad.is_some_and(|grad| {
            let values = grad.into_data().convert::<f32>().to_vec::<f32>().unwrap();
            values.iter().all(|value| value.is_finite()) && values.iter().any(|value| *value != 0.0)
        });
        if !is_alive {
            self.without.push(param.dims().to_vec());
        }
    }
}

#[test]
fn a_gradient_reaches_every_parameter() {
    let encoder = config(Pooling::Mean).init::<Auto>(&layout(), 1, &Default::default());
    let tokens = events(0, 6);
    let batch = EventBatch::<Auto>::new(&layout(), &[tokens.window(0, 6)], &Default::default());
    // A plain sum of normalized states does not depend on most weights: weigh the columns.
    let pooled = encoder.encode(&batch).pooled;
    let [_, d_model] = pooled.dims();
    let weights = Tensor::arange(0..16, &Default::default()).float().reshape([1, d_model]);
    let grads = GradientsParams::from_grads((pooled * weights).sum().backward(), &encoder);
    let mut visitor = WithoutGradient { grads: &grads, n: 0, without: Vec::new() };
    Module::<Auto>::visit(&encoder, &mut visitor);
    assert_eq!(visitor.without, Vec::<Vec<usize>>::new());
    // Two tables and a norm, two layers of twelve, a final norm.
    assert_eq!(visitor.n, 4 + 2 * 12 + 2);
    assert_eq!(encoder.valid().d_model(), 16);
}

/// Every choice that attention has, each by itself and all together.
pub(crate) fn choices() -> Vec<TransformerEventEncoderConfig> {
    let plain = config(Pooling::Last);
    vec![
        TransformerEventEncoderConfig { ages: true, ..plain.clone() },
        TransformerEventEncoderConfig { causal: true, ..plain.clone() },
        TransformerEventEncoderConfig { rotary: true, ..plain.clone() },
        TransformerEventEncoderConfig { relative_bias: true, ..plain.clone() },
        TransformerEventEncoderConfig { ages: true, causal: true, rotary: true, relative_bias: true, ..plain },
    ]
}

pub(crate) fn choice_layout(config: &TransformerEventEncoderConfig) -> BatchLayout {
    let layout = layout().with_modalities(&[Modality::Type, Modality::Spatial, Modality::Spatial]);
    if config.ages { layout.with_ages() } else { layout }
}

/// States of all positions, `[batch * seq]` rows.
fn states(config: &TransformerEventEncoderConfig, windows: &[WindowRows]) -> Vec<Vec<f32>> {
    let layout = choice_layout(config);
    let encoder = louder(config.init::<Flex>(&layout, 1, &Default::default()));
    let batch = EventBatch::with_rows(&layout, windows, &Default::default());
    let values: Vec<f32> = encoder.encode(&batch).states.into_data().to_vec().unwrap();
    values.chunks_exact(16).map(<[f32]>::to_vec).collect()
}

fn window(start: u32, len: u32) -> WindowRows {
    events(start, len).window(0, len as usize).into()
}

#[test]
fn with_every_choice_padding_changes_nothing_and_gradients_reach_every_parameter() {
    for config in choices() {
        let together = states(&config, &[window(3, 2), window(7, 8)]);
        for (row, alone) in states(&config, &[window(3, 2)]).iter().enumerate() {
            assert!(distance(alone, &together[row]) < 1e-5, "{config:?}");
            assert!(alone.iter().all(|value| value.is_finite()));
        }
        let layout = choice_layout(&config);
        let encoder = config.init::<Auto>(&layout, 1, &Default::default());
        let batch = EventBatch::<Auto>::with_rows(&layout, &[window(0, 6)], &Default::default());
        let weights = Tensor::arange(0..16, &Default::default()).float().reshape([1, 1, 16]);
        let sum = (encoder.encode(&batch).states * weights).sum();
        let grads = GradientsParams::from_grads(sum.backward(), &encoder);
        let mut visitor = WithoutGradient { grads: &grads, n: 0, without: Vec::new() };
        Module::<Auto>::visit(&encoder, &mut visitor);
        assert_eq!(visitor.without, Vec::<Vec<usize>>::new(), "{config:?}");
    }
}

#[test]
fn a_causal_encoder_knows_nothing_of_what_comes_later() {
    for config in choices() {
        let (original, mut other) = (window(0, 6), window(0, 6));
        other.ids[5 * 3..].fill(9);
        let (before, after) = (states(&config, &[original]), states(&config, &[other]));
        for row in 0..6 {
            let is_equal = distance(&before[row], &after[row]) < 1e-6;
            assert_eq!(is_equal, config.causal, "row {row}, {config:?}");
        }
        assert!(distance(&before[6], &after[6]) > 1e-3);
    }
}

#[test]
fn time_and_shared_places_matter_where_they_are_chosen() {
    for config in choices() {
        let (original, mut later) = (window(0, 6), window(0, 6));
        later.ages.iter_mut().take(3).for_each(|age| *age += 3_600.0);
        let differs = distance(&states(&config, &[original])[6], &states(&config, &[later])[6]) > 1e-4;
        assert_eq!(differs, config.ages || config.rotary || config.relative_bias, "{config:?}");
    }
}
