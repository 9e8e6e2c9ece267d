//! `RaBitQ`: codes of 1, 2 or 4 bits per value in inverted lists (Gao and Long 2024; Gao et al. 2025).
//!
//! A vector minus the center of its list is rotated at random and rounded to a few bits per value.
//! Its inner product with a query is then estimated without bias from the bits and two numbers.
//! The store ranks the best estimates again by the vectors themselves.

mod clusters;
mod codes;
mod rotation;
mod serial;

use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::clusters::Clusters;
use self::codes::{CodeShape, Found, ListCodes, QueryCode, encode};
use self::rotation::Rotation;
use crate::error::IndexError;
use crate::id_set::IdSet;
use crate::index_kind::{IndexFile, IndexKind, Progress};
use crate::settings::KindSettings;
use crate::vector_index::{FilteredIndex, Nearest, Neighbor, VectorIndex, top_k};
use crate::vectors::{VectorId, VectorSource, check_rows};

/// Up to so many hits, `rerank` vectors are compared for each; a quarter of that for each further one.
const FEW_HITS: usize = 10;

/// Vectors that are read and rotated together.
const BLOCK: usize = 1024;

/// With a filter, lists are searched until so many vectors that pass were seen.
const LEAST_PASSING: usize = 8_000;

/// Options of `RaBitQ` codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RaBitQOptions {
    /// Bits per value, 1, 2 or 4; 1 by default.
    pub bits: u32,
    /// Inverted lists; 0, the default, is the square root of the number of vectors.
    pub n_lists: u32,
    /// Lists that a query searches at most, the nearest first; 0, the default, is a tenth of them, and 16 at least.
    pub n_probe: u32,
    /// A search ends before that when so many lists in a row had none of the nearest, by their estimates;
    /// 0, the default, is a fifteenth of the lists, and 16 at least. With a fiftieth, a store of 322,600 events had a recall
    /// of 0.976, with a fifteenth and with all of `n-probe` 0.995 (`index verify`).
    pub patience: u32,
    /// Estimates that may be compared exactly for each of the first ten hits, and a quarter of that for each further one; 100 by default.
    /// How many are depends on their errors and is a few times k for most queries.
    pub rerank: u32,
    /// Seed of the rotation.
    pub seed: u64,
}

impl RaBitQOptions {
    /// How many vectors are compared at most for `k` hits.
    ///
    /// The more hits are wanted, the fewer vectors per hit lie so near the last of them that an estimate could hide one.
    fn n_candidates(&self, k: usize) -> usize {
        let rerank = self.rerank as usize;
        rerank * k.min(FEW_HITS) + rerank.div_ceil(4) * k.saturating_sub(FEW_HITS)
    }

    /// How many hits so many vectors are compared for.
    fn n_hits(&self, n_candidates: usize) -> usize {
        let rerank = self.rerank as usize;
        let few = n_candidates.div_ceil(rerank);
        if few <= FEW_HITS { few } else { FEW_HITS + (n_candidates - rerank * FEW_HITS).div_ceil(rerank.div_ceil(4)) }
    }
}

impl Default for RaBitQOptions {
    fn default() -> Self {
        Self { bits: 1, n_lists: 0, n_probe: 0, patience: 0, rerank: 100, seed: 0 }
    }
}

/// Codes of a few bits in inverted lists.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RaBitQ {
    options: RaBitQOptions,
}

impl RaBitQ {
    /// Checks the options.
    ///
    /// # Errors
    /// [`IndexError::Setting`] for another number of bits, or if nothing is ranked again.
    pub fn new(options: RaBitQOptions) -> Result<Self, IndexError> {
        if ![1, 2, 4].contains(&options.bits) {
            return Err(IndexError::Setting { name: "bits", want: "1, 2 or 4", got: options.bits.to_string() });
        }
        if options.rerank == 0 {
            return Err(IndexError::Setting { name: "rerank", want: "1 or more", got: "0".into() });
        }
        Ok(Self { options })
    }

    fn lists(self, source: &dyn VectorSource, progress: &dyn Progress) -> Result<RaBitQIndex, IndexError> {
        let (dim, n) = (source.dim(), source.ids().len());
        let shape = CodeShape::new(dim, self.options.bits);
        let rotation = Rotation::new(dim, self.options.seed);
        let n_lists = match self.options.n_lists {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a root of a count")]
            0 => (n as f64).sqrt() as usize,
            wanted => wanted as usize,
        };
        let clusters = Clusters::fit(source, &rotation, n_lists.clamp(1, n.max(1)))?;
        let assigned = Self::assign(source, &rotation, &clusters, progress)?;
        let mut index = RaBitQIndex::with_room(self.options, shape, rotation, clusters, &assigned);
        index.fill(source, &assigned, progress)?;
        Ok(index)
    }

    /// The list of every vector, in the order of the source.
    fn assign(
        source: &dyn VectorSource,
        rotation: &Rotation,
        clusters: &Clusters,
        progress: &dyn Progress,
    ) -> Result<Vec<u32>, IndexError> {
        let mut assigned = Vec::with_capacity(source.ids().len());
        for blocks in waves(source.ids().len()) {
            let lists = blocks.par_iter().map(|places| {
                let rotated = rotated(source, rotation, places.clone())?;
                Ok(clusters.assign(&rotated))
            });
            for list in lists.collect::<Result<Vec<_>, IndexError>>()? {
                assigned.extend(list);
            }
            progress.done(assigned.len() / 2)?;
        }
        Ok(assigned)
    }
}

/// Blocks of places, a few for every thread at a time.
fn waves(n: usize) -> impl Iterator<Item = Vec<std::ops::Range<usize>>> {
    let wave = BLOCK * 2 * rayon::current_num_threads();
    (0..n).step_by(wave).map(move |start| {
        let end = (start + wave).min(n);
        (start..end).step_by(BLOCK).map(|block| block..(block + BLOCK).min(end)).collect()
    })
}

fn rotated(
    source: &dyn VectorSource,
    rotation: &Rotation,
    places: std::ops::Range<usize>,
) -> Result<Vec<f32>, IndexError> {
    let mut vectors = Vec::new();
    source.read(places, &mut vectors)?;
    Ok(rotation.rotate_rows(&vectors))
}

/// The kind with these settings.
pub(super) fn open(settings: &KindSettings) -> Result<Arc<dyn IndexKind>, IndexError> {
    Ok(Arc::new(RaBitQ::new(settings.parse()?)?))
}

impl IndexKind for RaBitQ {
    fn name(&self) -> &'static str {
        "rabitq"
    }

    fn settings(&self) -> KindSettings {
        KindSettings::of(&self.options).expect("numbers are a JSON object")
    }

    fn build(&self, source: &dyn VectorSource, progress: &dyn Progress) -> Result<Box<dyn VectorIndex>, IndexError> {
        Ok(Box::new(self.lists(source, progress)?))
    }

    fn file(&self) -> Option<&dyn IndexFile> {
        Some(self)
    }
}

impl IndexFile for RaBitQ {
    fn file_name(&self) -> &'static str {
        "index.rabitq"
    }

    fn build_file(
        &self,
        source: &dyn VectorSource,
        path: &Path,
        progress: &dyn Progress,
    ) -> Result<Box<dyn VectorIndex>, IndexError> {
        let index = self.lists(source, progress)?;
        index.write(path)?;
        Ok(Box::new(index))
    }

    fn read_file(&self, path: &Path) -> Result<Box<dyn VectorIndex>, IndexError> {
        Ok(Box::new(RaBitQIndex::read(path, self.options)?))
    }

    /// The settings of searches are not part of the file.
    fn accepts(&self, built: &KindSettings) -> bool {
        let Ok(built) = built.parse::<RaBitQOptions>() else { return false };
        let RaBitQOptions { bits, n_lists, seed, n_probe: _, patience: _, rerank: _ } = self.options;
        (bits, n_lists, seed) == (built.bits, built.n_lists, built.seed)
    }
}

/// Codes by list.
#[derive(Debug)]
struct RaBitQIndex {
    options: RaBitQOptions,
    shape: CodeShape,
    rotation: Rotation,
    clusters: Clusters,
    /// Where each list begins, and at the end the number of vectors.
    starts: Vec<usize>,
    ids: Vec<u32>,
    /// What is added to and multiplied with an estimate.
    factors: Vec<[f32; 2]>,
    codes: Vec<u64>,
}

impl RaBitQIndex {
    fn with_room(
        options: RaBitQOptions,
        shape: CodeShape,
        rotation: Rotation,
        clusters: Clusters,
        assigned: &[u32],
    ) -> Self {
        let mut starts = vec![0; clusters.len() + 1];
        for &list in assigned {
            starts[list as usize + 1] += 1;
        }
        (0..clusters.len()).for_each(|list| starts[list + 1] += starts[list]);
        let n = assigned.len();
        let (ids, factors, codes) = (vec![0; n], vec![[0.0; 2]; n], vec![0; n * shape.n_words()]);
        Self { options, shape, rotation, clusters, starts, ids, factors, codes }
    }

    /// Encodes every vector into its place.
    fn fill(&mut self, source: &dyn VectorSource, assigned: &[u32], progress: &dyn Progress) -> Result<(), IndexError> {
        let n_words = self.shape.n_words();
        let mut next = self.starts.clone();
        for blocks in waves(assigned.len()) {
            let encoded = blocks.par_iter().map(|places| {
                let rotated = rotated(source, &self.rotation, places.clone())?;
                let mut codes = vec![0; places.len() * n_words];
                let rows = rotated.chunks_exact(self.shape.n_values()).zip(&assigned[places.clone()]);
                let encode = |((row, &list), code): ((&[f32], &u32), &mut [u64])| {
                    encode(row, self.clusters.center(list as usize), self.shape, code)
                };
                let factors: Vec<[f32; 2]> = rows.zip(codes.chunks_exact_mut(n_words)).map(encode).collect();
                Ok((factors, codes))
            });
            let encoded = encoded.collect::<Result<Vec<_>, IndexError>>()?;
            for (places, (factors, codes)) in blocks.iter().zip(encoded) {
                for ((from, factors), code) in places.clone().zip(factors).zip(codes.chunks_exact(n_words)) {
                    let place = &mut next[assigned[from] as usize];
                    self.ids[*place] = small(source.ids()[from])?;
                    self.factors[*place] = factors;
                    self.codes[*place * n_words..(*place + 1) * n_words].copy_from_slice(code);
                    *place += 1;
                }
                progress.done(usize::midpoint(assigned.len(), places.end))?;
            }
        }
        Ok(())
    }

    fn n_probe(&self) -> usize {
        match self.options.n_probe {
            0 => (self.clusters.len() / 10).max(16),
            wanted => wanted as usize,
        }
    }

    fn patience(&self) -> usize {
        match self.options.patience {
            0 => (self.clusters.len() / 15).max(16),
            wanted => wanted as usize,
        }
    }

    /// Searches the lists nearest to the query until `is_enough` of what was looked at.
    fn probe(
        &self,
        query: &[f32],
        k: usize,
        ids: Option<&IdSet>,
        is_enough: impl Fn(Seen) -> bool,
    ) -> Result<Vec<Neighbor>, IndexError> {
        check_rows(self.shape.dim(), 1, query)?;
        let query = self.rotation.rotate_rows(query);
        // Far more candidates are kept than are asked for: what ends a search is that the best of them stay the best.
        let mut found = Found { nearest: Nearest::new(k), best: Nearest::new(self.options.n_hits(k)) };
        let mut code = QueryCode::new(self.shape);
        let mut seen = Seen::default();
        for (list, similarity) in self.clusters.by_similarity(&query) {
            if is_enough(seen) {
                break;
            }
            seen.lists += 1;
            seen.vectors += self.starts[list + 1] - self.starts[list];
            let best = found.best.n_offered();
            seen.passing += self.scan(list, similarity, &query, ids, &mut code, &mut found);
            seen.in_vain = if found.best.n_offered() > best { 0 } else { seen.in_vain + 1 };
        }
        Ok(found.nearest.into_sorted())
    }

    /// Searches all lists, on all threads.
    fn probe_all(&self, query: &[f32], k: usize, ids: Option<&IdSet>) -> Result<Vec<Neighbor>, IndexError> {
        check_rows(self.shape.dim(), 1, query)?;
        let query = self.rotation.rotate_rows(query);
        let lists = self.clusters.by_similarity(&query);
        let n_parts = rayon::current_num_threads();
        let parts = (0..n_parts).into_par_iter().map(|part| {
            let mut found = Found { nearest: Nearest::new(k), best: Nearest::new(0) };
            let mut code = QueryCode::new(self.shape);
            // Every part has near lists and far ones, so that each soon knows what is too far.
            for &(list, similarity) in lists.iter().skip(part).step_by(n_parts) {
                self.scan(list, similarity, &query, ids, &mut code, &mut found);
            }
            found.nearest.into_sorted()
        });
        Ok(top_k(parts.collect::<Vec<_>>().concat(), k))
    }

    /// Offers the vectors of a list; gives the number of those that pass.
    fn scan(
        &self,
        list: usize,
        similarity: f32,
        query: &[f32],
        ids: Option<&IdSet>,
        code: &mut QueryCode,
        found: &mut Found,
    ) -> usize {
        let (start, end) = (self.starts[list], self.starts[list + 1]);
        let list_codes = ListCodes {
            codes: &self.codes[start * self.shape.n_words()..end * self.shape.n_words()],
            factors: &self.factors[start..end],
            ids: &self.ids[start..end],
        };
        let passes = |id: &u32| ids.is_none_or(|ids| ids.contains(VectorId(i64::from(*id))));
        if !list_codes.ids.iter().any(passes) {
            return 0;
        }
        code.quantize(query, self.clusters.center(list));
        code.scan(list_codes, ids, similarity, found)
    }
}

/// What a search has looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    lists: usize,
    vectors: usize,
    /// Vectors that pass the filter.
    passing: usize,
    /// Lists in a row that had none of the best.
    in_vain: usize,
}

fn small(id: VectorId) -> Result<u32, IndexError> {
    u32::try_from(id.0).map_err(|_| IndexError::Setting {
        name: "id",
        want: "between 0 and 2^32 for this kind",
        got: id.0.to_string(),
    })
}

impl VectorIndex for RaBitQIndex {
    fn dim(&self) -> usize {
        self.shape.dim()
    }

    fn len(&self) -> usize {
        self.ids.len()
    }

    fn search(&self, query: &[f32], k: usize) -> Result<Vec<Neighbor>, IndexError> {
        let (n_probe, patience) = (self.n_probe(), self.patience());
        self.probe(query, k, None, |seen| (seen.lists >= n_probe || seen.in_vain >= patience) && seen.passing >= k)
    }

    fn search_wider(&self, query: &[f32], k: usize) -> Result<Vec<Neighbor>, IndexError> {
        self.probe_all(query, k, None)
    }

    fn n_candidates(&self, k: usize) -> Option<usize> {
        Some(self.options.n_candidates(k))
    }

    fn filtered(&self) -> Option<&dyn FilteredIndex> {
        Some(self)
    }
}

impl FilteredIndex for RaBitQIndex {
    /// Searches lists until as many that pass were seen as without a filter, and all lists
    /// where few pass near the query: what passes then lies anywhere.
    fn search_among(&self, query: &[f32], k: usize, ids: &IdSet) -> Result<Vec<Neighbor>, IndexError> {
        let probed = self.n_probe() as f64 / self.clusters.len() as f64;
        let share = ids.len() as f64 / self.len().max(1) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
        let wanted = (probed * ids.len() as f64) as usize;
        let wanted = wanted.max(LEAST_PASSING).max(k);
        let (patience, enough) = (self.patience(), k.max(LEAST_PASSING / 4));
        self.probe(query, k, Some(ids), |seen| {
            let is_usual = seen.passing as f64 >= 0.5 * share * seen.vectors as f64;
            let is_done = seen.passing >= wanted || (seen.passing >= enough && seen.in_vain >= patience);
            is_done && is_usual
        })
    }

    fn search_wider_among(&self, query: &[f32], k: usize, ids: &IdSet) -> Result<Vec<Neighbor>, IndexError> {
        self.probe_all(query, k, Some(ids))
    }

    fn n_compared(&self) -> usize {
        2_000
    }
}

#[cfg(test)]
mod tests;
