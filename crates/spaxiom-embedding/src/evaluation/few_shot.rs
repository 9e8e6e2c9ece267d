//! Few labels: what the nearest of a handful of examples tell.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use spaxiom_eval::{accuracy, clustered_mean, macro_f1};

use super::bench::Bench;
use super::details::FewShot;
use super::features::Features;
use super::samples::Representation;
use crate::data::LabeledEvent;

/// Examples of each label.
const SHOTS: [usize; 2] = [5, 20];

/// Times that examples are drawn anew.
const N_DRAWS: u64 = 10;

/// Nearest examples that vote, each by its similarity.
const N_NEIGHBORS: usize = 5;

/// Accuracy of a vote of the nearest examples of the training part, with so many of each label, from as many episodes as there are.
pub(super) fn few_shot(bench: &Bench<'_>, name: &str, features: &Representation, seed: u64) -> Vec<FewShot> {
    let moments = features.train.moments();
    let unit = |features: &Features| features.standardized(moments.as_deref()).unit();
    let (train, test) = (unit(&features.train), unit(&features.test));
    let (truth, episodes) = (bench.truth(), bench.episodes());
    let of = |shots: usize| {
        let (mut right, mut f1) = (vec![0.0; truth.len()], 0.0);
        for draw in 0..N_DRAWS {
            let examples = drawn(&bench.train.labeled, bench.n_classes(), shots, seed.wrapping_add(draw));
            let classes: Vec<usize> = examples.iter().map(|at| bench.train.labeled[*at].class).collect();
            let near = train.only(&examples);
            let predicted: Vec<usize> =
                (0..truth.len()).map(|at| vote(&test.similarities(at, &near), &classes, bench.n_classes())).collect();
            right.iter_mut().zip(accuracy(&predicted, &truth)).for_each(|(sum, right)| *sum += right);
            f1 += macro_f1(&predicted, &truth) / N_DRAWS as f64;
        }
        let right: Vec<f64> = right.into_iter().map(|sum| sum / N_DRAWS as f64).collect();
        FewShot {
            name: name.to_owned(),
            n_shots: shots,
            accuracy: clustered_mean(&right, &episodes, seed),
            macro_f1: f1,
        }
    };
    SHOTS.map(of).into()
}

/// Places of examples: of each class from one episode after the other.
fn drawn(labeled: &[LabeledEvent], n_classes: usize, shots: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..labeled.len()).collect();
    order.shuffle(&mut rng);
    let mut examples = Vec::new();
    for class in 0..n_classes {
        let mut own: Vec<(usize, usize)> = Vec::new();
        let mut n_of_episode = std::collections::BTreeMap::<u64, usize>::new();
        for &at in order.iter().filter(|at| labeled[**at].class == class) {
            let n = n_of_episode.entry(labeled[at].episode).or_default();
            own.push((*n, at));
            *n += 1;
        }
        // The first of every episode before the second of any.
        own.sort_by_key(|(n, _)| *n);
        examples.extend(own.into_iter().take(shots).map(|(_, at)| at));
    }
    examples
}

/// The class with the most similarity among the nearest.
fn vote(similarities: &[f32], classes: &[usize], n_classes: usize) -> usize {
    let mut nearest: Vec<(f32, usize)> = similarities.iter().copied().zip(classes.iter().copied()).collect();
    nearest.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut votes = vec![0.0; n_classes];
    for (similarity, class) in nearest.into_iter().take(N_NEIGHBORS) {
        votes[class] += similarity.max(0.0) + f32::EPSILON;
    }
    votes.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::{LabeledEvent, drawn, vote};

    #[test]
    fn examples_come_from_as_many_episodes_as_there_are() {
        let event = |(class, episode): (usize, u64)| LabeledEvent {
            sequence_idx: 0,
            event_idx: 0,
            class,
            episode,
            start: DateTime::UNIX_EPOCH,
            time: DateTime::UNIX_EPOCH,
        };
        let labeled: Vec<LabeledEvent> = (0..40).map(|at| event((at % 2, (at / 20) as u64))).collect();
        for seed in 0..5 {
            let examples = drawn(&labeled, 3, 2, seed);
            let mut found: Vec<(usize, u64)> =
                examples.iter().map(|at| (labeled[*at].class, labeled[*at].episode)).collect();
            found.sort_unstable();
            assert_eq!(found, [(0, 0), (0, 1), (1, 0), (1, 1)]);
        }
        assert_eq!(drawn(&labeled, 2, 100, 0).len(), 40);
    }

    #[test]
    fn the_nearest_decide_by_their_similarity() {
        assert_eq!(vote(&[0.9, 0.3, 0.3, 0.2], &[0, 1, 1, 1], 2), 0);
        assert_eq!(vote(&[0.5, 0.4, 0.3, 0.2], &[0, 1, 1, 1], 2), 1);
    }
}
