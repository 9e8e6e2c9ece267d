//! Estimates against exact inner products, the rotation against what a rotation keeps, files against memory.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::codes::{CodeShape, Found, ListCodes, QueryCode, encode};
use super::rotation::Rotation;
use crate::id_set::IdSet;
use crate::index_kind::IndexFile;
use crate::kinds::{RaBitQ, RaBitQOptions};
use crate::vector_index::Nearest;
use crate::vectors::{Rows, VectorId, dot, normalize};

fn unit_rows(seed: u64, n: usize, dim: usize) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut rows: Vec<f32> = (0..n * dim).map(|_| rng.random_range(-1.0..1.0)).collect();
    normalize(&mut rows, dim);
    rows
}

#[test]
fn a_rotation_keeps_inner_products_and_spreads_a_coordinate() {
    for dim in [3, 64, 100, 192, 768] {
        let rotation = Rotation::new(dim, 7);
        let rows = unit_rows(1, 2, dim);
        let rotated = rotation.rotate_rows(&rows);
        let (a, b) = rotated.split_at(rotation.n_values());
        assert!((dot(a, b) - dot(&rows[..dim], &rows[dim..])).abs() < 1e-5, "{dim}");
        assert!((dot(a, a) - 1.0).abs() < 1e-5, "{dim}");
        let mut axis = vec![0.0; dim];
        axis[dim / 2] = 1.0;
        let greatest = rotation.rotate_rows(&axis).into_iter().fold(0f32, |greatest, value| greatest.max(value.abs()));
        // A coordinate of a random unit vector is above five standard deviations once in two million.
        assert!(greatest < 5.0 / (rotation.n_values() as f32).sqrt(), "{dim}: {greatest}");
    }
}

/// The error of the paper's estimate is of the order of 1 / sqrt(dim) for one bit, and halves with each further bit.
#[test]
fn estimates_are_without_bias_and_nearer_with_more_bits() {
    let dim = 256;
    let rotation = Rotation::new(dim, 1);
    let [rows, queries, center] =
        [(2, 200), (3, 20), (4, 1)].map(|(seed, n)| rotation.rotate_rows(&unit_rows(seed, n, dim)));
    let center: Vec<f32> = center.iter().map(|value| 0.3 * value).collect();
    let mut spreads = Vec::new();
    for bits in [1, 2, 4] {
        let shape = CodeShape::new(dim, bits);
        let (mut codes, mut factors) = (vec![0; 200 * shape.n_words()], Vec::new());
        for (row, code) in rows.chunks_exact(dim).zip(codes.chunks_exact_mut(shape.n_words())) {
            factors.push(encode(row, &center, shape, code));
        }
        let ids: Vec<u32> = (0..200).collect();
        let mut errors = Vec::new();
        for query in queries.chunks_exact(dim) {
            let mut code = QueryCode::new(shape);
            code.quantize(query, &center);
            let mut found = Found { nearest: Nearest::new(200), best: Nearest::new(0) };
            let list = ListCodes { codes: &codes, factors: &factors, ids: &ids };
            assert_eq!(code.scan(list, None, dot(&center, query), &mut found), 200);
            for neighbor in found.nearest.into_sorted() {
                let row = &rows[usize::try_from(neighbor.id.0).unwrap() * dim..][..dim];
                errors.push(f64::from(neighbor.similarity - dot(row, query)));
            }
        }
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let spread = (errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64).sqrt();
        assert!(mean.abs() < 0.1 * spread + 1e-4, "{bits} bits: mean {mean:.5}, spread {spread:.5}");
        spreads.push(spread);
    }
    // 0.053, 0.025 and 0.0073 when this was written; for one bit the paper has sqrt(pi / 2 - 1) / sqrt(255), here times
    // the lengths of both vectors without the center, 1.09: 0.052.
    assert!(spreads[0] < 0.06 && spreads[1] < 0.6 * spreads[0] && spreads[2] < 0.5 * spreads[1], "{spreads:?}");
}

#[test]
fn a_file_is_read_as_the_index_that_was_written_and_damage_is_refused() {
    let (rows, dim) = (unit_rows(5, 300, 40), 40);
    let ids: Vec<VectorId> = (0..300).map(VectorId).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    for bits in [1, 2, 4] {
        let kind = RaBitQ::new(RaBitQOptions { bits, ..RaBitQOptions::default() }).unwrap();
        let built = kind.build_file(&Rows::new(dim, &ids, &rows).unwrap(), &path, &()).unwrap();
        let read = kind.read_file(&path).unwrap();
        let among: IdSet = ids.iter().copied().filter(|id| id.0 % 3 == 0).collect();
        for query in rows.chunks_exact(dim).take(5) {
            assert_eq!(built.search(query, 20).unwrap(), read.search(query, 20).unwrap());
            let found = read.filtered().unwrap().search_among(query, 300, &among).unwrap();
            assert_eq!(found.len(), 100);
            assert!(found.iter().all(|neighbor| among.contains(neighbor.id)));
        }
        let whole = fs_err::read(&path).unwrap();
        for n_bytes in [0, 10, 60, whole.len() / 2, whole.len() - 1] {
            fs_err::write(&path, &whole[..n_bytes]).unwrap();
            assert!(kind.read_file(&path).is_err(), "{n_bytes}");
        }
    }
}
