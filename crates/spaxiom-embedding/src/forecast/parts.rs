//! The moments of a site's past in three parts of time: to learn from, to choose settings, and to judge.

use std::ops::Range;

/// Of the time of the past: its first three fifths are learned from, the next chooses settings, the last judges.
const SHARES: [f64; 2] = [0.6, 0.8];

/// Moments by number, in order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) train: Range<usize>,
    pub(super) validation: Range<usize>,
    pub(super) test: Range<usize>,
}

impl Parts {
    /// Splits by time; what a moment of one part is asked about lies before the next part begins.
    pub(super) fn new(times_ns: &[i64], horizon_ns: i64) -> Self {
        let (Some(&first), Some(&last)) = (times_ns.first(), times_ns.last()) else {
            return Self { train: 0..0, validation: 0..0, test: 0..0 };
        };
        #[expect(clippy::cast_possible_truncation, reason = "a time between two others")]
        let bounds = SHARES.map(|share| first + ((last - first) as f64 * share) as i64);
        let before = |time: i64| times_ns.partition_point(|&own| own < time);
        let [to_validation, to_test] = bounds;
        Self {
            train: 0..before(to_validation - horizon_ns),
            validation: before(to_validation)..before(to_test - horizon_ns).max(before(to_validation)),
            test: before(to_test)..times_ns.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Parts;

    #[test]
    fn a_part_ends_a_horizon_before_the_next() {
        let times: Vec<i64> = (0..=100).collect();
        let parts = Parts::new(&times, 10);
        assert_eq!(parts, Parts { train: 0..50, validation: 60..70, test: 80..101 });
        // A horizon longer than a part leaves nothing to learn from.
        assert!(Parts::new(&times, 70).train.is_empty());
        assert!(Parts::new(&[], 70).test.is_empty());
    }
}
