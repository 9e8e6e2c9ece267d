//! A site that is read event by event: one event costs the same, however many came before.

use faer::Par;
use spaxiom_token::TokenWindow;

use super::recurrent::{RecurrentInference, Standing};

/// Reads a site from its beginning on; see [`RecurrentInference::walk`].
#[derive(Debug, Clone)]
pub struct RecurrentWalk<'a> {
    encoder: &'a RecurrentInference,
    /// One per layer; none before the first event.
    standings: Option<Vec<Standing>>,
}

impl RecurrentInference {
    /// A site in which nothing has happened yet; none for an encoder of both directions, which has to know what comes next.
    #[must_use]
    pub fn walk(&self) -> Option<RecurrentWalk<'_>> {
        let is_one_way = self.layers.iter().all(|layer| layer.backward.is_none());
        is_one_way.then_some(RecurrentWalk { encoder: self, standings: None })
    }
}

impl RecurrentWalk<'_> {
    /// What goes on to the next event, layer after layer; empty before the first event.
    #[must_use]
    pub fn state(&self) -> Vec<f32> {
        self.standings.iter().flatten().flat_map(Standing::values).collect()
    }

    /// Goes on with what [`RecurrentWalk::state`] gave; false, and nothing is changed, for that of another encoder.
    #[must_use]
    pub fn resume(&mut self, state: &[f32]) -> bool {
        let RecurrentInference { layers, d_hidden, .. } = self.encoder;
        if state.is_empty() {
            self.standings = None;
            return true;
        }
        let is_own = state.len() == layers.len() * Standing::n_values(*d_hidden);
        if is_own {
            let standings = state.chunks_exact(Standing::n_values(*d_hidden));
            self.standings = Some(standings.map(Standing::of_values).collect());
        }
        is_own
    }

    /// The vector after each of the next positions, row after row.
    ///
    /// To the last bit those that [`RecurrentInference::encode`] gives of the window from the beginning up to there.
    pub fn read(&mut self, next: TokenWindow<'_>) -> Vec<f32> {
        let RecurrentInference { embedding, layers, d_hidden, .. } = self.encoder;
        let (rows, _) = embedding.embed_any(&[next], Par::Seq);
        let d_embed = rows.len() / (1 + next.len());
        let is_first = self.standings.is_none();
        let standings =
            self.standings.get_or_insert_with(|| layers.iter().map(|_| Standing::zeros(*d_hidden)).collect());
        // `[CLS]` stands before the first event of the site alone.
        let mut rows = if is_first { rows } else { rows[d_embed..].to_vec() };
        for (layer, standing) in layers.iter().zip(standings) {
            rows = layer.forward.go_on(standing, &rows);
        }
        if is_first { rows.split_off(*d_hidden) } else { rows }
    }
}
