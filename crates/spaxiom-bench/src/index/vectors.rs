//! Vectors as the peer makes them: 500 clusters on the unit sphere, spread in 64 of 768 dimensions, with a little noise.

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;
use spaxiom_embedding::{NewFile, StoreHeader, StoreRecord, normalize};

pub(super) const DIM: usize = 768;

const N_CLUSTERS: usize = 500;

/// Dimensions that clusters spread in.
const N_SPREAD: usize = 64;

/// Bands of similarity to a cluster, by which records are told apart.
pub(super) const N_BANDS: usize = 10_000;

/// Vectors of a store.
pub(super) struct Vectors {
    rows: Vec<f32>,
    centers: Vec<f32>,
}

impl Vectors {
    /// Reads the vectors of a folder, or makes and keeps them.
    pub(super) fn made(folder: &Path, n: usize) -> anyhow::Result<Self> {
        let path = folder.join(format!("vec_{n}.f32"));
        let world = World::new();
        if !path.exists() {
            tracing::info!("making {n} vectors");
            let mut out = BufWriter::with_capacity(1 << 20, NewFile::create(&path)?);
            out.write_all(bytemuck::cast_slice(&world.vectors(n, 1)))?;
            out.into_inner()?.commit()?;
        }
        let mut rows = vec![0f32; n * DIM];
        let mut file = fs_err::File::open(&path)?;
        std::io::Read::read_exact(&mut file, bytemuck::cast_slice_mut(&mut rows)).context("the file of vectors")?;
        Ok(Self { rows, centers: world.centers })
    }

    pub(super) fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// For each vector how near it is to the first cluster, from the farthest band 0 on.
    pub(super) fn bands(&self) -> Vec<usize> {
        let to = &self.centers[..DIM];
        let similarity = |row: &[f32]| row.iter().zip(to).map(|(a, b)| a * b).sum::<f32>();
        let similarities: Vec<f32> = self.rows.par_chunks_exact(DIM).map(similarity).collect();
        let mut order: Vec<usize> = (0..similarities.len()).collect();
        order.par_sort_by(|&a, &b| similarities[a].total_cmp(&similarities[b]));
        let mut bands = vec![0; order.len()];
        for (rank, &row) in order.iter().enumerate() {
            bands[row] = rank * N_BANDS / order.len();
        }
        bands
    }
}

/// Where vectors come from.
pub(super) struct World {
    pub(super) centers: Vec<f32>,
    /// Orthonormal.
    spread: Vec<f32>,
}

impl World {
    pub(super) fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut centers: Vec<f32> = normal(&mut rng, N_CLUSTERS * DIM);
        normalize(&mut centers, DIM);
        let mut spread: Vec<f32> = Vec::new();
        for _ in 0..N_SPREAD {
            // Gram-Schmidt.
            let mut axis: Vec<f32> = normal(&mut rng, DIM);
            for other in spread.chunks_exact(DIM) {
                let along: f32 = axis.iter().zip(other).map(|(a, b)| a * b).sum();
                axis.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
            }
            normalize(&mut axis, DIM);
            spread.extend(axis);
        }
        Self { centers, spread }
    }

    pub(super) fn vectors(&self, n: usize, seed: u64) -> Vec<f32> {
        let mut rows = vec![0f32; n * DIM];
        rows.par_chunks_exact_mut(DIM).enumerate().for_each(|(at, row)| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(at as u64);
            let center = rng.random_range(0..N_CLUSTERS) * DIM;
            row.copy_from_slice(&self.centers[center..center + DIM]);
            for axis in self.spread.chunks_exact(DIM) {
                let along: f32 = StandardNormal.sample(&mut rng);
                row.iter_mut().zip(axis).for_each(|(value, axis)| *value += 0.7 / 8.0 * along * axis);
            }
            let noise = 0.1 / (DIM as f32).sqrt();
            for value in row.iter_mut() {
                let own: f32 = StandardNormal.sample(&mut rng);
                *value += noise * own;
            }
            normalize(row, DIM);
        });
        rows
    }
}

fn normal(rng: &mut ChaCha8Rng, n: usize) -> Vec<f32> {
    (0..n).map(|_| StandardNormal.sample(rng)).collect()
}

pub(super) fn header() -> StoreHeader {
    StoreHeader { dim: DIM, tokenizer: "none".into(), encoder: "random".into() }
}

/// A record whose attributes filters of every width can tell apart: `share` at random, `band` by similarity.
pub(super) fn record(at: usize, band: usize, vector: &[f32]) -> StoreRecord {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    rng.set_stream(at as u64);
    let share = rng.random_range(0..N_BANDS);
    StoreRecord {
        id: format!("{at:08}"),
        site: format!("site-{}", at % 8),
        kind: "Vector".into(),
        zone: None,
        time_ns: i64::try_from(at).unwrap_or(i64::MAX) * 1_000_000_000,
        metadata: format!("{{\"share\":{share},\"band\":{band}}}"),
        vector: vector.to_vec(),
    }
}
