//! Rotary position embedding (Su et al. 2021) by continuous time.

/// Shortest and longest time in seconds in which a pair of columns turns once: ten seconds, ten days.
const TURN_SECS: [f64; 2] = [10.0, 864_000.0];

/// How far each pair of columns turns in a second, in radians: from fast to slow.
pub(crate) fn turns_per_sec(d_head: usize) -> Vec<f32> {
    let n_pairs = d_head / 2;
    let [shortest, longest] = TURN_SECS;
    let secs = |pair: usize| shortest * (longest / shortest).powf(pair as f64 / (n_pairs.max(2) - 1) as f64);
    #[expect(clippy::cast_possible_truncation, reason = "an angle below 1")]
    let turn = |pair: usize| (std::f64::consts::TAU / secs(pair)) as f32;
    (0..n_pairs).map(turn).collect()
}

/// Cosine and sine of each pair of columns, row after row.
#[derive(Debug)]
pub(crate) struct Turns {
    half: usize,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Turns {
    /// For rows of these ages in seconds.
    pub(crate) fn new(ages: impl Iterator<Item = f32>, d_head: usize) -> Self {
        let turns = turns_per_sec(d_head);
        let (sin, cos) = ages.flat_map(|age| turns.iter().map(move |turn| (age * turn).sin_cos())).unzip();
        Self { half: d_head / 2, cos, sin }
    }

    /// Turns the heads in the first `width` of every `stride` values; the rows are those of `of_rows`.
    pub(crate) fn apply(&self, values: &mut [f32], stride: usize, width: usize, of_rows: impl Iterator<Item = usize>) {
        for (values, row) in values.chunks_exact_mut(stride).zip(of_rows) {
            let cos = &self.cos[row * self.half..(row + 1) * self.half];
            let sin = &self.sin[row * self.half..(row + 1) * self.half];
            for head in values[..width].chunks_exact_mut(2 * self.half) {
                let (first, second) = head.split_at_mut(self.half);
                for ((first, second), (cos, sin)) in first.iter_mut().zip(second).zip(cos.iter().zip(sin)) {
                    (*first, *second) = (*first * cos - *second * sin, *second * cos + *first * sin);
                }
            }
        }
    }
}
