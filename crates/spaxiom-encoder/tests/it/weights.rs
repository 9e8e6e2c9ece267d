//! Weights in files.

use spaxiom_encoder::{EncoderError, Pooling, WeightFile, apply_weights, collect_weights};
use tempfile::TempDir;

use crate::{config, distance, encoder, events, layout, pooled};

fn file() -> WeightFile {
    WeightFile { tensors: collect_weights(&encoder(Pooling::Mean), "encoder"), metadata: "about".into() }
}

#[test]
fn weights_are_named_by_their_path_and_read_back_equal() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.safetensors");
    fs_err::write(&path, file().to_bytes()).unwrap();
    let read = WeightFile::read(&path).unwrap();
    assert_eq!(read, file());
    assert_eq!(read.tensors["encoder.embedding.table"].shape, [62, 16]);
    assert_eq!(read.tensors["encoder.stack.layers.1.attention.qkv.weight"].shape, [16, 48]);
    assert_eq!(file().to_bytes(), file().to_bytes(), "the same bytes for the same weights");
}

#[test]
fn an_encoder_with_the_weights_of_another_gives_its_vectors() {
    let other = config(Pooling::Mean).init::<burn_flex::Flex>(&layout(), 77, &Default::default());
    let loaded = apply_weights(other, "encoder", &file().tensors).unwrap();
    let tokens = events(0, 5);
    let (a, b) = (pooled(&loaded, &[&tokens]), pooled(&encoder(Pooling::Mean), &[&tokens]));
    assert_eq!(distance(&a[0], &b[0]), 0.0);
}

#[test]
fn a_cut_file_is_damaged() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.safetensors");
    let bytes = file().to_bytes();
    for n in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        fs_err::write(&path, &bytes[..n]).unwrap();
        let error = WeightFile::read(&path).unwrap_err();
        assert!(matches!(error, EncoderError::Damaged { .. }), "{n} bytes: {error}");
    }
    assert!(matches!(WeightFile::read(&folder.path().join("none")), Err(EncoderError::Io(_))));
}

#[test]
fn weights_of_another_shape_are_refused_with_the_first_name_and_both_shapes() {
    let wider = spaxiom_encoder::TransformerEventEncoderConfig { d_model: 32, ..config(Pooling::Mean) };
    let wider = wider.init::<burn_flex::Flex>(&layout(), 1, &Default::default());
    let error = apply_weights(wider, "encoder", &file().tensors).unwrap_err().to_string();
    assert_eq!(error, "tensor `encoder.embedding.table` has the shape 62 x 16 in the file, the encoder wants 62 x 32");
    let error = apply_weights(encoder(Pooling::Mean), "other", &file().tensors).unwrap_err().to_string();
    assert_eq!(error, "the weights have no tensor `other.embedding.table`");
}
