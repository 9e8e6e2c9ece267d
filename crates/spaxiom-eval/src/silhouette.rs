//! Silhouette: how much nearer a vector lies to its own class than to the next one.

/// Mean cosine silhouette (Rousseeuw 1987) of unit vectors; greater is better, -1 to 1.
///
/// `vectors` holds rows of `dim` numbers, each of length 1. Rows whose class has no other member count as 0.
/// With the distance `1 - cosine` the mean distance to a class needs only the sum of its vectors,
/// so the cost is rows x classes x dim, not rows squared.
///
/// # Panics
/// Where `vectors` does not hold `labels.len()` rows.
#[must_use]
pub fn silhouette(vectors: &[f32], dim: usize, labels: &[usize]) -> f64 {
    assert_eq!(vectors.len(), labels.len() * dim, "one row per label");
    let n_classes = labels.iter().max().map_or(0, |max| max + 1);
    let mut sums = vec![0f64; n_classes * dim];
    let mut counts = vec![0f64; n_classes];
    for (row, &label) in vectors.chunks_exact(dim).zip(labels) {
        counts[label] += 1.0;
        for (sum, value) in sums[label * dim..].iter_mut().zip(row) {
            *sum += f64::from(*value);
        }
    }
    let scores = vectors.chunks_exact(dim).zip(labels).map(|(row, &label)| score(row, label, &sums, &counts));
    scores.sum::<f64>() / labels.len() as f64
}

fn score(row: &[f32], label: usize, sums: &[f64], counts: &[f64]) -> f64 {
    if counts[label] < 2.0 {
        return 0.0;
    }
    let dim = row.len();
    let similarity = |class: usize| -> f64 {
        row.iter().zip(&sums[class * dim..]).map(|(value, sum)| f64::from(*value) * sum).sum()
    };
    let own_length: f64 = row.iter().map(|value| f64::from(*value).powi(2)).sum();
    let own = 1.0 - (similarity(label) - own_length) / (counts[label] - 1.0);
    let next = (0..counts.len())
        .filter(|&class| class != label && counts[class] > 0.0)
        .map(|class| 1.0 - similarity(class) / counts[class])
        .fold(f64::INFINITY, f64::min);
    if next.is_infinite() || own.max(next) <= 0.0 {
        return 0.0;
    }
    (next - own) / own.max(next)
}
