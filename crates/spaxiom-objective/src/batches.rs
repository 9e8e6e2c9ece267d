//! Which examples go into one batch.

use rand::Rng;
use rand::seq::SliceRandom;

use crate::error::ObjectiveError;

/// Batches among whose examples those of about one length are put together.
const BUCKETS: usize = 32;

/// Finds what is near to what: the way to hard negatives among all examples, not among those of a batch alone (ANCE, Xiong et al. 2021).
pub trait Neighbors {
    /// Of each of the vectors `[n, dim]`, row after row and each of length 1, the `k` nearest others, nearest first; fewer where there are fewer.
    fn nearest(&self, vectors: &[f32], dim: usize, k: usize) -> Result<Vec<Vec<usize>>, ObjectiveError>;
}

/// Batches of examples of about one length, so that little of them is padding; the last one may be smaller.
///
/// The examples are in random order; of each stretch of them the batches are shuffled, so that short ones do not always come first.
pub(crate) fn by_length(lengths: &[usize], batch_size: usize, rng: &mut impl Rng) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..lengths.len()).collect();
    let of_stretch = |stretch: &[usize]| {
        let mut stretch = stretch.to_vec();
        stretch.sort_by_key(|&at| lengths[at]);
        let mut batches: Vec<Vec<usize>> = stretch.chunks(batch_size).map(<[usize]>::to_vec).collect();
        if lengths[stretch[0]] != lengths[stretch[stretch.len() - 1]] {
            batches.shuffle(rng);
        }
        batches
    };
    all.chunks(BUCKETS * batch_size).flat_map(of_stretch).collect()
}

/// An order in which an example is followed by up to `n` that are near to it and unlike it: hard negatives of each other in one batch
/// (as the batches of NGAME, Dahiya et al. 2023).
pub(crate) fn beside_neighbors(
    nearest: &[Vec<usize>],
    n: usize,
    is_unlike: impl Fn(usize, usize) -> bool,
) -> Vec<usize> {
    let mut is_placed = vec![false; nearest.len()];
    let mut order = Vec::with_capacity(nearest.len());
    for (anchor, near) in nearest.iter().enumerate() {
        if std::mem::replace(&mut is_placed[anchor], true) {
            continue;
        }
        order.push(anchor);
        let unlike = near.iter().copied().filter(|&other| is_unlike(anchor, other));
        order.extend(unlike.filter(|&other| !std::mem::replace(&mut is_placed[other], true)).take(n));
    }
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::{beside_neighbors, by_length};

    proptest! {
        #[test]
        fn every_example_is_in_one_batch_and_all_but_one_batch_are_full(
            lengths in proptest::collection::vec(1usize..40, 0..300),
            batch_size in 1usize..9,
            seed: u64,
        ) {
            let batches = by_length(&lengths, batch_size, &mut ChaCha8Rng::seed_from_u64(seed));
            prop_assert_eq!(batches.len(), lengths.len().div_ceil(batch_size));
            prop_assert!(batches.iter().filter(|batch| batch.len() < batch_size).count() <= 1);
            let mut all: Vec<usize> = batches.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
        }

        #[test]
        fn every_example_has_one_place_beside_its_neighbors(
            nearest in proptest::collection::vec(proptest::collection::vec(0usize..40, 0..6), 40),
            n in 0usize..4,
        ) {
            let mut order = beside_neighbors(&nearest, n, |a, b| a % 3 != b % 3);
            order.sort_unstable();
            prop_assert_eq!(order, (0..40).collect::<Vec<_>>());
        }
    }

    #[test]
    fn batches_have_windows_of_about_one_length() {
        let lengths: Vec<usize> = (0..64).map(|at| 1 + (at * 37) % 64).collect();
        let padding = |batches: &[Vec<usize>]| -> usize {
            let of_batch = |batch: &Vec<usize>| {
                let longest = batch.iter().map(|&at| lengths[at]).max().unwrap_or(0);
                batch.iter().map(|&at| longest - lengths[at]).sum::<usize>()
            };
            batches.iter().map(of_batch).sum()
        };
        let bucketed = by_length(&lengths, 8, &mut ChaCha8Rng::seed_from_u64(0));
        let plain: Vec<Vec<usize>> = (0..64).collect::<Vec<_>>().chunks(8).map(<[usize]>::to_vec).collect();
        assert!(padding(&bucketed) * 5 < padding(&plain), "{} {}", padding(&bucketed), padding(&plain));
        assert!(!bucketed.is_sorted_by_key(|batch| lengths[batch[0]]), "short ones do not always come first");
    }

    #[test]
    fn neighbors_follow_unless_they_are_alike_or_placed_already() {
        let nearest = [vec![1, 2, 3], vec![0, 3], vec![3, 4], vec![], vec![5], vec![4]];
        // 0 and 1 are alike, and so are 4 and 5.
        let is_unlike = |a: usize, b: usize| (a / 2 != b / 2 || a == 2 || b == 2) && !(a == 4 && b == 5);
        assert_eq!(beside_neighbors(&nearest, 1, is_unlike), [0, 2, 1, 3, 4, 5]);
        assert_eq!(beside_neighbors(&nearest, 2, is_unlike), [0, 2, 3, 1, 4, 5]);
    }
}
