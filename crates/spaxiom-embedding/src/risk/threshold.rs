//! A threshold that keeps a promise on decisions that no head learned from.

use super::options::AlertTarget;

/// The lowest probability at which there is an alert, and what it gives.
///
/// `n_unit_shifts` is the number of wards times shifts that the decisions come from.
pub(super) fn choose(target: AlertTarget, judged: &[(f64, bool)], n_unit_shifts: f64) -> f64 {
    match target {
        AlertTarget::Recall(recall) => {
            let points = spaxiom_eval::operating_points(judged);
            points.iter().find(|point| point.recall >= recall).map_or(0.0, |point| point.threshold)
        }
        AlertTarget::AlertsPerUnitShift(budget) => {
            let mut probabilities: Vec<f64> = judged.iter().map(|(p, _)| *p).collect();
            probabilities.sort_by(|a, b| b.total_cmp(a));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of alerts")]
            let n_alerts = (budget * n_unit_shifts).floor() as usize;
            // Equal probabilities are alerts together: only what is above the first one too many.
            match probabilities.get(n_alerts) {
                Some(first_too_many) => {
                    let above = probabilities.iter().rev().find(|p| *p > first_too_many);
                    above.copied().unwrap_or(f64::INFINITY)
                }
                None => 0.0,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AlertTarget, choose};

    const JUDGED: [(f64, bool); 6] = [(0.9, true), (0.8, false), (0.7, true), (0.7, false), (0.2, true), (0.1, false)];

    fn n_alerts(target: AlertTarget, n_unit_shifts: f64) -> usize {
        let threshold = choose(target, &JUDGED, n_unit_shifts);
        JUDGED.iter().filter(|(p, _)| *p >= threshold).count()
    }

    #[test]
    fn a_recall_is_reached_with_as_few_alerts_as_can_be() {
        assert_eq!(n_alerts(AlertTarget::Recall(0.3), 1.0), 1);
        assert_eq!(n_alerts(AlertTarget::Recall(0.6), 1.0), 4);
        assert_eq!(n_alerts(AlertTarget::Recall(1.0), 1.0), 5);
    }

    #[test]
    fn a_budget_is_never_exceeded() {
        for (budget, want) in [(0.0, 0), (0.5, 1), (1.0, 2), (1.5, 2), (2.0, 4), (9.0, 6)] {
            assert_eq!(n_alerts(AlertTarget::AlertsPerUnitShift(budget), 2.0), want, "{budget}");
        }
    }
}
