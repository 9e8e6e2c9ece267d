//! Events from the events before them by frequencies alone: the control of every model of sequences.

use std::collections::{BTreeMap, HashMap};

/// An interpolated n-gram with Witten-Bell smoothing (Witten and Bell 1991): what follows a context counts by how often it did,
/// against what follows the shorter context by how many different events followed; at the end all events are as likely.
#[derive(Debug, Clone)]
pub struct NGram {
    order: usize,
    n_events: usize,
    /// What followed each context of up to `order - 1` events, and how often.
    followers: HashMap<Vec<u32>, BTreeMap<u32, u32>>,
}

impl NGram {
    /// Counts sequences; `order` 1 looks at no event before. There are `n_events` different events.
    ///
    /// # Panics
    /// For order 0, which says nothing.
    #[must_use]
    pub fn fit(order: usize, n_events: usize, sequences: impl IntoIterator<Item = Vec<u32>>) -> Self {
        assert!(order > 0, "an n-gram of order 1 looks at no event before");
        let mut followers: HashMap<Vec<u32>, BTreeMap<u32, u32>> = HashMap::new();
        for sequence in sequences {
            for (at, &event) in sequence.iter().enumerate() {
                for len in 0..order.min(at + 1) {
                    let context = sequence[at - len..at].to_vec();
                    *followers.entry(context).or_default().entry(event).or_default() += 1;
                }
            }
        }
        Self { order, n_events, followers }
    }

    /// The likelihood of every event after these, by its number; they sum to 1.
    #[must_use]
    pub fn likelihoods(&self, before: &[u32]) -> Vec<f64> {
        let shortest_first = (0..self.order.min(before.len() + 1)).map(|len| &before[before.len() - len..]);
        let mut likelihoods = vec![1.0 / self.n_events as f64; self.n_events];
        for followers in shortest_first.map_while(|context| self.followers.get(context)) {
            let n: u32 = followers.values().sum();
            let (n, kinds) = (f64::from(n), followers.len() as f64);
            for likelihood in &mut likelihoods {
                *likelihood *= kinds / (n + kinds);
            }
            for (&event, &n_times) in followers {
                likelihoods[event as usize] += f64::from(n_times) / (n + kinds);
            }
        }
        likelihoods
    }

    /// The likeliest event after these, and the logarithm of the likelihood of `event`, in nats.
    #[must_use]
    pub fn predict(&self, before: &[u32], event: u32) -> (u32, f64) {
        let shortest_first = || (0..self.order.min(before.len() + 1)).map(|len| &before[before.len() - len..]);
        let known: Vec<&BTreeMap<u32, u32>> =
            shortest_first().map_while(|context| self.followers.get(context)).collect();
        let likelihood = |event: u32| {
            known.iter().fold(1.0 / self.n_events as f64, |shorter, followers| {
                let n: u32 = followers.values().sum();
                let (n, kinds) = (f64::from(n), followers.len() as f64);
                (f64::from(followers.get(&event).copied().unwrap_or(0)) + kinds * shorter) / (n + kinds)
            })
        };
        // What never followed anything is as likely as every other such event, and less than any that did.
        let seen = known.first().into_iter().flat_map(|followers| followers.keys().copied());
        let likeliest = seen.max_by(|&a, &b| likelihood(a).total_cmp(&likelihood(b)).then(b.cmp(&a)));
        (likeliest.unwrap_or(0), likelihood(event).ln())
    }
}

#[cfg(test)]
mod tests {
    use super::NGram;

    /// By hand: after 1 came 2 twice and 3 once. Unigrams: 1 three times, 2 twice, 3 once, of 4 events; 3 kinds.
    #[test]
    fn likelihoods_are_those_of_the_formula() {
        let bigram = NGram::fit(2, 4, [vec![1, 2], vec![1, 2], vec![1, 3]]);
        let unigram = |n: f64| (n + 3.0 * 0.25) / (6.0 + 3.0);
        let (likeliest, log_likelihood) = bigram.predict(&[1], 3);
        assert_eq!(likeliest, 2);
        assert!((log_likelihood - ((1.0 + 2.0 * unigram(1.0)) / 5.0).ln()).abs() < 1e-12);
        // After 3 nothing ever came: the unigram.
        let (likeliest, log_likelihood) = bigram.predict(&[3], 0);
        assert_eq!(likeliest, 1);
        assert!((log_likelihood - unigram(0.0).ln()).abs() < 1e-12);
    }

    #[test]
    fn likelihoods_of_all_events_sum_to_one_in_every_context() {
        let sequence: Vec<u32> = (0..200).map(|at| (at * at / 3) % 5).collect();
        for order in 1..=4 {
            let model = NGram::fit(order, 6, [sequence.clone()]);
            for before in [&sequence[..0], &sequence[..1], &sequence[..7], &[5, 5, 5][..]] {
                let one_by_one: Vec<f64> = (0..6).map(|event| model.predict(before, event).1.exp()).collect();
                let at_once = model.likelihoods(before);
                assert!(one_by_one.iter().zip(&at_once).all(|(a, b)| (a - b).abs() < 1e-12), "{order} {before:?}");
                let sum: f64 = one_by_one.iter().sum();
                assert!((sum - 1.0).abs() < 1e-9, "{order} {before:?}: {sum}");
            }
        }
    }
}
