//! What has to hold for every encoder.

use burn::module::{AutodiffModule, Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use burn_flex::Flex;
use spaxiom_encoder::{Encoder, EncoderError, EventBatch, Pooling, TransformerEventEncoderConfig};

use crate::{config, distance, encoder, events, layout, pooled};

const POOLINGS: [Pooling; 3] = [Pooling::Cls, Pooling::Mean, Pooling::Last];

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
    // A plain sum of normalised states does not depend on most weights: weigh the columns.
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
