//! What is asked, and the exact answers.

use std::path::Path;

use serde::{Deserialize, Serialize};
use spaxiom_embedding::{Filter, Store, replace_file};

use super::vectors::{DIM, N_BANDS, World};

const K: usize = 10;

/// Queries without a filter, and with each.
const N_ASKED: [usize; 2] = [200, 40];

/// Seed of the queries; vectors have another.
const QUERIES: u64 = 2;

/// Shares of the records that pass, in bands.
const WIDTHS: [usize; 4] = [N_BANDS / 2, N_BANDS / 20, N_BANDS / 200, N_BANDS / 2_000];

/// Exact answers to questions of one kind.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) what: String,
    pub(super) condition: String,
    /// Whether queries come from near the first cluster, whose records are in the last bands.
    is_near: bool,
    n_queries: usize,
    /// The similarity that a hit has to have to be one of the ten nearest, per query.
    pub(super) least: Vec<f32>,
}

impl Asked {
    pub(super) fn queries(&self) -> Vec<Vec<f32>> {
        let World { centers, .. } = &World::new();
        let own = |query: &[f32]| -> Vec<f32> {
            if self.is_near { query.iter().zip(centers).map(|(a, b)| 0.3 * a + b).collect() } else { query.to_vec() }
        };
        World::new().vectors(self.n_queries, QUERIES).chunks_exact(DIM).map(own).collect()
    }
}

/// All questions.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Truth {
    pub(super) asked: Vec<Asked>,
}

impl Truth {
    /// Asks a store exactly.
    pub(super) fn made(store: &Store) -> anyhow::Result<Self> {
        let question = |what: String, condition: String, is_near, n_queries| Asked {
            what,
            condition,
            is_near,
            n_queries,
            least: Vec::new(),
        };
        let mut asked = vec![question("all".into(), String::new(), false, N_ASKED[0])];
        for width in WIDTHS {
            let share = 100.0 * width as f64 / N_BANDS as f64;
            asked.push(question(format!("{share} % at random"), format!("share < {width}"), false, N_ASKED[1]));
            asked.push(question(format!("{share} % farthest"), format!("band < {width}"), true, N_ASKED[1]));
        }
        for asked in &mut asked {
            tracing::info!("exact answers: {}", asked.what);
            let filter = Filter::parse(&asked.condition)?;
            let least = |query: &[f32]| -> anyhow::Result<f32> {
                let hits = store.search_exactly(query, K, &filter)?;
                Ok(hits.last().map_or(f32::INFINITY, |hit| hit.similarity))
            };
            asked.least = asked.queries().iter().map(|query| least(query)).collect::<anyhow::Result<_>>()?;
        }
        Ok(Self { asked })
    }

    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        Ok(replace_file(path, &serde_json::to_vec(self)?)?)
    }

    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        Ok(serde_json::from_slice(&fs_err::read(path)?)?)
    }
}
