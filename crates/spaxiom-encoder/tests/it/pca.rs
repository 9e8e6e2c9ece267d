//! Principal components against scikit-learn (`docs/fixtures/pca.py` made the fixture).

use safetensors::SafeTensors;
use spaxiom_encoder::{EncoderError, Pca, WeightFile};

use crate::distance;

fn fixture(name: &str) -> Vec<f32> {
    let file = SafeTensors::deserialize(include_bytes!("../fixtures/pca.safetensors")).unwrap();
    let view = file.tensor(name).unwrap();
    view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

#[test]
fn components_are_those_of_scikit_learn() {
    let vectors = fixture("x");
    let pca = Pca::fit(&vectors, 8, 3).unwrap();
    assert_eq!((pca.d(), pca.n_components()), (8, 3));
    let tensors = pca.tensors();
    let variance = fixture("explained_variance");
    assert!(distance(&tensors["mean"].values, &fixture("mean")) < 1e-5);
    assert!(distance(&tensors["components"].values, &fixture("components")) < 1e-5);
    assert!(distance(pca.explained_variance(), &variance) < 1e-5 * variance[0]);
    assert!(distance(&pca.explained_variance_ratio(), &fixture("explained_variance_ratio")) < 1e-6);
    let reduced = pca.transform(&vectors);
    assert_eq!(reduced.len(), 40 * 3);
    assert!(distance(&reduced, &fixture("transformed")) < 1e-4);
    assert!(distance(&pca.inverse_transform(&reduced), &fixture("inverse")) < 1e-4);
}

#[test]
fn all_components_lose_nothing() {
    let vectors = fixture("x");
    let pca = Pca::fit(&vectors, 8, 8).unwrap();
    assert!(distance(&pca.inverse_transform(&pca.transform(&vectors)), &vectors) < 1e-4);
    assert!((pca.explained_variance_ratio().iter().sum::<f32>() - 1.0).abs() < 1e-5);
}

#[test]
fn it_is_read_back_equal_and_from_nothing_else() {
    let pca = Pca::fit(&fixture("x"), 8, 3).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("pca.safetensors");
    fs_err::write(&path, WeightFile { tensors: pca.tensors(), metadata: String::new() }.to_bytes()).unwrap();
    let mut tensors = WeightFile::read(&path).unwrap().tensors;
    assert_eq!(Pca::from_tensors(&tensors).unwrap(), pca);
    tensors.get_mut("components").unwrap().shape = vec![8, 3];
    let error = Pca::from_tensors(&tensors).unwrap_err();
    assert_eq!(error.to_string(), "tensor `components` has the shape 8 x 3 in the file, the encoder wants 3 x 8");
    tensors.remove("mean");
    assert!(matches!(Pca::from_tensors(&tensors), Err(EncoderError::MissingTensor { name }) if name == "mean"));
}

#[test]
fn what_cannot_be_learned_is_named() {
    let check = |vectors: &[f32], n_components, want: &str| {
        let error = Pca::fit(vectors, 2, n_components).unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    check(&[1.0, 2.0, 3.0, 4.0], 3, "at most the width of the vectors, got 3 of 2");
    check(&[1.0, 2.0], 1, "`vectors` has to be two or more, got 1");
    check(&[1.0, f32::NAN, 3.0, 4.0], 1, "`vectors` has to be finite");
}
