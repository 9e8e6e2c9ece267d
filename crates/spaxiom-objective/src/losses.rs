//! The mathematics of losses, over tensors of any origin.

use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::backend::Backend;
use burn::tensor::linalg::vector_normalize;
use burn::tensor::{Int, Tensor, TensorData};

/// Added to the score of what must not be chosen.
pub(crate) const NEVER: f32 = -1e9;

/// Keeps a vector of nothing but zeros finite.
pub(crate) const LEAST_NORM: f64 = 1e-12;

/// Mean negative log-likelihood of `targets` `[n]` under `logits` `[n, n_classes]`, in nats.
pub fn cross_entropy<B: Backend>(logits: Tensor<B, 2>, targets: Tensor<B, 1, Int>) -> Tensor<B, 1> {
    log_likelihood(logits, targets).mean().neg()
}

/// The log-likelihood of each target, `[n]`.
fn log_likelihood<B: Backend>(logits: Tensor<B, 2>, targets: Tensor<B, 1, Int>) -> Tensor<B, 1> {
    let [n, _] = logits.dims();
    log_softmax(logits, 1).gather(1, targets.reshape([n, 1])).reshape([n])
}

/// Cross-entropy in which examples count by the weight of their class, and what is known already counts less.
///
/// With `gamma` above 0 it is the focal loss (Lin et al. 2017): each example is weighted by `(1 - p)^gamma` too,
/// where `p` is the probability of its class. The mean is over the weights of the classes, as in PyTorch.
///
/// # Shapes
/// - logits: `[n, n_classes]`
/// - targets, weights: `[n]`; the weight of each example is that of its class
pub fn focal_cross_entropy<B: Backend>(
    logits: Tensor<B, 2>,
    targets: Tensor<B, 1, Int>,
    weights: Tensor<B, 1>,
    gamma: f64,
) -> Tensor<B, 1> {
    let log_p = log_likelihood(logits, targets);
    let sum = weights.clone().sum();
    let missed = if gamma > 0.0 {
        // Nothing below zero may be raised to a power: a probability may round to above 1.
        let missed = log_p.clone().exp().neg().add_scalar(1.0).clamp_min(1e-7).powf_scalar(gamma);
        weights * missed
    } else {
        weights
    };
    (missed * log_p).sum().neg() / sum
}

/// The greatest logarithm of a rate, so that no exponential overflows.
const MAX_LOG_RATE: f64 = 12.0;

/// Logarithms of rates, from far below one event to more than there can be.
pub(crate) fn bounded<B: Backend>(log_rates: Tensor<B, 2>) -> Tensor<B, 2> {
    log_rates.clamp(-2.0 * MAX_LOG_RATE, MAX_LOG_RATE)
}

/// Minus the log-likelihood of each count of a Poisson distribution, without the term of the count alone.
pub(crate) fn poisson<B: Backend>(log_means: Tensor<B, 2>, counts: Tensor<B, 2>) -> Tensor<B, 2> {
    let log_means = bounded(log_means);
    log_means.clone().exp() - counts * log_means
}

/// Half the square of each difference up to 1, and linear from there on (Huber 1964).
pub(crate) fn huber<B: Backend>(differences: Tensor<B, 2>) -> Tensor<B, 2> {
    let size = differences.abs();
    let square = size.clone().clamp_max(1.0);
    square.clone() * square.clone().mul_scalar(0.5) + (size - square)
}

/// The mean of the numbers whose mask is 1; 0 where there is none.
pub(crate) fn masked_mean<B: Backend>(values: Tensor<B, 2>, mask: Tensor<B, 2>) -> Tensor<B, 1> {
    (values * mask.clone()).sum() / mask.sum().clamp_min(1.0)
}

/// `InfoNCE` (van den Oord et al. 2018), symmetric as in `SimCLR` and CLIP: row `i` of `a` has to find row `i` of `b` among all rows
/// by the cosine over `temperature`, and the other way round.
///
/// # Shapes
/// - a, b: `[n, d]`, of any length
/// - bias: `[n, n]`, added to the scores; a large negative number takes a pair out, 0 on the diagonal
pub fn info_nce<B: Backend>(
    a: Tensor<B, 2>,
    b: Tensor<B, 2>,
    temperature: f64,
    bias: Option<Tensor<B, 2>>,
) -> Tensor<B, 1> {
    let [n, _] = a.dims();
    let unit = |vectors| vector_normalize(vectors, 2.0, 1, LEAST_NORM);
    let mut scores = unit(a).matmul(unit(b).transpose()).div_scalar(temperature);
    if let Some(bias) = bias {
        scores = scores + bias;
    }
    let targets: Tensor<B, 1, Int> =
        Tensor::arange(0..i64::try_from(n).expect("the size of a batch fits"), &scores.device());
    let there = cross_entropy(scores.clone(), targets.clone());
    (there + cross_entropy(scores.transpose(), targets)).div_scalar(2.0)
}

/// The triplet loss of the seed: `max(0, |a - p|^2 - |a - n|^2 + margin)`, the mean over the rows.
///
/// # Shapes
/// - anchors, positives, negatives: `[n, d]`
pub fn triplet<B: Backend>(
    anchors: Tensor<B, 2>,
    positives: Tensor<B, 2>,
    negatives: Tensor<B, 2>,
    margin: f64,
) -> Tensor<B, 1> {
    let near = squared_distances(anchors.clone(), positives);
    let far = squared_distances(anchors, negatives);
    (near - far).add_scalar(margin).clamp_min(0.0).mean()
}

/// Of each row of `a` to the same row of `b`, `[n]`.
pub(crate) fn squared_distances<B: Backend>(a: Tensor<B, 2>, b: Tensor<B, 2>) -> Tensor<B, 1> {
    let [n, _] = a.dims();
    let difference = a - b;
    (difference.clone() * difference).sum_dim(1).reshape([n])
}

/// In-batch negatives for two encoders (DPR, Karpukhin et al. 2020): query `i` has to find event `i` among all events
/// by the product of their vectors; rows of `events` beyond the queries are extra hard negatives.
///
/// # Shapes
/// - queries: `[n, d]`
/// - events: `[n or more, d]`
pub fn in_batch_negatives<B: Backend>(queries: Tensor<B, 2>, events: Tensor<B, 2>) -> Tensor<B, 1> {
    own_column(queries.matmul(events.transpose()))
}

/// Cross-entropy of scores `[n, n_events]` of which row `i` has its event in column `i`.
pub(crate) fn own_column<B: Backend>(scores: Tensor<B, 2>) -> Tensor<B, 1> {
    let [n, _] = scores.dims();
    let targets = Tensor::arange(0..i64::try_from(n).expect("the size of a batch fits"), &scores.device());
    cross_entropy(scores, targets)
}

/// Mean negative log-likelihood of yes and no, in nats.
///
/// # Shapes
/// - scores: `[n]`, the logits
/// - signs: `[n]`, 1 for yes and -1 for no
pub fn binary_cross_entropy<B: Backend>(scores: Tensor<B, 1>, signs: Tensor<B, 1>) -> Tensor<B, 1> {
    log_sigmoid(scores * signs).mean().neg()
}

/// Share of rows of `logits` `[n, n_classes]` whose greatest is at `targets` `[n]`.
pub(crate) fn accuracy<B: Backend>(logits: Tensor<B, 2>, targets: Tensor<B, 1, Int>) -> f64 {
    let [n, _] = logits.dims();
    scalar(logits.argmax(1).reshape([n]).equal(targets).float().mean())
}

/// A tensor of indices.
pub(crate) fn indices<B: Backend>(indices: &[usize], device: &B::Device) -> Tensor<B, 1, Int> {
    let values: Vec<i64> = indices.iter().map(|&i| i64::try_from(i).expect("an index fits")).collect();
    let len = values.len();
    Tensor::from_data(TensorData::new(values, [len]), device)
}

/// A vector of numbers.
pub(crate) fn numbers<B: Backend>(numbers: Vec<f32>, device: &B::Device) -> Tensor<B, 1> {
    let len = numbers.len();
    Tensor::from_data(TensorData::new(numbers, [len]), device)
}

/// The one number of a tensor.
pub(crate) fn scalar<B: Backend>(value: Tensor<B, 1>) -> f64 {
    value.into_data().convert::<f64>().to_vec::<f64>().expect("converted above")[0]
}

/// All numbers of a tensor, row after row.
pub(crate) fn to_host<B: Backend, const D: usize>(values: Tensor<B, D>) -> Vec<f32> {
    values.into_data().convert::<f32>().to_vec().expect("converted above")
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::Tensor;

    use super::{huber, masked_mean, poisson, scalar, to_host};

    #[test]
    fn a_huber_loss_is_a_square_up_to_one_and_a_line_after() {
        let differences = Tensor::<Flex, 2>::from_data([[-3.0, -0.5, 0.0, 1.0, 2.0]], &Default::default());
        assert_eq!(to_host(huber(differences)), [2.5, 0.125, 0.0, 0.5, 1.5]);
    }

    #[test]
    fn a_poisson_loss_is_least_where_the_mean_is_the_count() {
        let loss = |log_mean: f64, count: f32| {
            let log_means = Tensor::<Flex, 2>::from_data([[log_mean]], &Default::default());
            to_host(poisson(log_means, Tensor::from_data([[count]], &Default::default())))[0]
        };
        assert!((f64::from(loss(0.5, 3.0)) - (0.5f64.exp() - 1.5)).abs() < 1e-6);
        let best = loss(3f64.ln(), 3.0);
        assert!(best < loss(3f64.ln() - 0.1, 3.0) && best < loss(3f64.ln() + 0.1, 3.0));
        assert!(loss(1e9, 0.0).is_finite() && loss(-1e9, 5.0).is_finite());
    }

    #[test]
    fn what_is_masked_counts_for_nothing() {
        let values = Tensor::<Flex, 2>::from_data([[1.0, 2.0, 30.0]], &Default::default());
        let mask = |mask: [f32; 3]| Tensor::from_data([mask], &Default::default());
        assert!((scalar(masked_mean(values.clone(), mask([1.0, 1.0, 0.0]))) - 1.5).abs() < 1e-6);
        assert!(scalar(masked_mean(values, mask([0.0; 3]))).abs() < 1e-9);
    }
}
