//! Scores against yes or no: how well a greater score means yes.

/// The area under the receiver operating characteristic: the chance that one of the yes has a greater score than
/// one of the no, ties counting half (the area under the curve by Hanley, 1982). NaN where there are only yes or only no.
#[must_use]
pub fn auroc(scored: &[(f64, bool)]) -> f64 {
    let mut sorted: Vec<(f64, bool)> = scored.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n_yes = sorted.iter().filter(|(_, yes)| *yes).count() as f64;
    let n_no = sorted.len() as f64 - n_yes;
    let mut rank_sum = 0.0;
    let mut n_before = 0.0;
    for ties in sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let mean_rank = n_before + f64::midpoint(ties.len() as f64, 1.0);
        rank_sum += mean_rank * ties.iter().filter(|(_, yes)| *yes).count() as f64;
        n_before += ties.len() as f64;
    }
    (rank_sum - n_yes * (n_yes + 1.0) / 2.0) / (n_yes * n_no)
}

/// A threshold of a score: what is at or above it is called yes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperatingPoint {
    /// The score.
    pub threshold: f64,
    /// Share of the called that are yes.
    pub precision: f64,
    /// Share of the yes that are called.
    pub recall: f64,
}

/// Every threshold from the highest score down; scores that are equal are called together.
#[must_use]
pub fn operating_points(scored: &[(f64, bool)]) -> Vec<OperatingPoint> {
    let mut sorted: Vec<(f64, bool)> = scored.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let n_yes = sorted.iter().filter(|(_, yes)| *yes).count() as f64;
    let (mut n_called, mut n_right) = (0.0, 0.0);
    let point = |ties: &[(f64, bool)]| {
        n_called += ties.len() as f64;
        n_right += ties.iter().filter(|(_, yes)| *yes).count() as f64;
        OperatingPoint { threshold: ties[0].0, precision: n_right / n_called, recall: n_right / n_yes }
    };
    sorted.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()).map(point).collect()
}

/// The area under precision over recall, summed in steps (average precision); the share of yes for random scores.
#[must_use]
pub fn average_precision(scored: &[(f64, bool)]) -> f64 {
    let mut last = 0.0;
    let mut sum = 0.0;
    for OperatingPoint { precision, recall, .. } in operating_points(scored) {
        sum += (recall - last) * precision;
        last = recall;
    }
    sum
}

/// The precision at the highest threshold that reaches `recall`; NaN where there is no yes.
#[must_use]
pub fn precision_at_recall(scored: &[(f64, bool)], recall: f64) -> f64 {
    let points = operating_points(scored);
    points.iter().find(|point| point.recall >= recall).map_or(f64::NAN, |point| point.precision)
}
