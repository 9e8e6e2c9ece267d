//! What has to hold for the encoder of texts.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use burn_flex::Flex;
use spaxiom_encoder::{EncoderError, TextBatch, TextQueryEncoder, TextQueryEncoderConfig};

use crate::transformer::{Auto, WithoutGradient};
use crate::{distance, louder};

const CONFIG: TextQueryEncoderConfig = TextQueryEncoderConfig { d_text: 16, n_layers: 2, n_heads: 2, max_len: 6 };

fn vectors(encoder: &TextQueryEncoder<Flex>, texts: &[&[u32]]) -> Vec<Vec<f32>> {
    let texts: Vec<Vec<u32>> = texts.iter().map(|ids| ids.to_vec()).collect();
    let vectors = encoder.encode(&TextBatch::new(&texts, &Default::default()));
    let values: Vec<f32> = vectors.into_data().to_vec().unwrap();
    values.chunks_exact(8).map(<[f32]>::to_vec).collect()
}

fn encoder() -> TextQueryEncoder<Flex> {
    louder(CONFIG.init::<Flex>(20, 8, 1, &Default::default()))
}

#[test]
fn padding_changes_nothing_and_order_matters() {
    let encoder = encoder();
    let (short, long) = ([2, 5, 6], [2, 6, 5, 7, 8, 9]);
    let together = vectors(&encoder, &[&short, &long, &[2]]);
    assert!(together.concat().iter().all(|value| value.is_finite()));
    assert!(distance(&together[0], &vectors(&encoder, &[&short])[0]) < 1e-5);
    assert!(distance(&together[2], &vectors(&encoder, &[&[2]])[0]) < 1e-5);
    assert!(distance(&together[0], &vectors(&encoder, &[&[2, 6, 5]])[0]) > 1e-3);
}

#[test]
fn a_gradient_reaches_every_parameter() {
    let encoder = CONFIG.init::<Auto>(20, 8, 1, &Default::default());
    let batch = TextBatch::<Auto>::new(&[vec![2, 5, 6, 7, 8, 9]], &Default::default());
    let weights = Tensor::arange(0..8, &Default::default()).float().reshape([1, 8]);
    let grads = GradientsParams::from_grads((encoder.encode(&batch) * weights).sum().backward(), &encoder);
    let mut visitor = WithoutGradient { grads: &grads, n: 0, without: Vec::new() };
    Module::<Auto>::visit(&encoder, &mut visitor);
    assert_eq!(visitor.without, Vec::<Vec<usize>>::new());
}

#[test]
fn impossible_shapes_are_named() {
    TextQueryEncoderConfig::default().check().unwrap();
    let error = TextQueryEncoderConfig { n_heads: 3, ..CONFIG }.check().unwrap_err();
    assert!(matches!(error, EncoderError::Setting { name: "n-heads", .. }), "{error}");
}

#[test]
#[should_panic(expected = "a text of 7 word pieces, at most 6 are taken")]
fn a_longer_text_is_refused() {
    vectors(&encoder(), &[&[2; 7]]);
}
