//! The report of a fall-risk run.

use std::fmt::Write;

use serde::{Deserialize, Serialize};
use spaxiom_eval::{Calibration, Interval, Latency, OperatingPoint, ReliabilityBin};

use super::head::HeadName;
use super::options::AlertTarget;
use crate::evaluation::{difference_text, interval_text};

/// A way of judging, on the same decisions as all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RiskRow {
    /// What judges: a head, what it reads, or a score that nobody learned.
    pub name: String,
    /// Chance that a decision with an outcome has a higher score than one without; 0.5 for random scores.
    pub auroc: Interval,
    /// Area under precision over recall; the prevalence for random scores.
    pub average_precision: Interval,
    /// By how much the average precision of the run is greater; the interval is of the paired difference.
    pub run_is_better_by: Interval,
    /// Precision at the highest threshold that reaches the recall of the report.
    pub precision_at_recall: Interval,
}

/// What alerts at the threshold of the run give on sites that it never saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AtThreshold {
    /// The lowest probability at which there is an alert, chosen on sites that were learned from.
    pub threshold: f64,
    /// What it was chosen for.
    pub target: AlertTarget,
    /// Share of the alerts that an outcome follows.
    pub precision: Interval,
    /// Share of the outcomes that an alert precedes.
    pub recall: Interval,
    /// Precision for the prevalence of the sites that were learned from, by recall and specificity.
    pub precision_at_learned_prevalence: f64,
    /// Number of alerts.
    pub n_alerts: usize,
    /// Alerts per 100 days of an entity (patient-days).
    pub alerts_per_100_entity_days: f64,
    /// Alerts in a unit (a ward) and a shift of 8 hours.
    pub alerts_per_unit_shift: f64,
    /// Median of the seconds from an alert to the outcome that it precedes.
    pub lead_secs_median: f64,
    /// Share of the preceded outcomes with 30 seconds or more.
    pub lead_of_30_secs: f64,
    /// Share of the preceded outcomes with 2 minutes or more.
    pub lead_of_120_secs: f64,
    /// Share of the decisions at which heads of other sites disagree about the alert.
    pub unsure: f64,
    /// Precision where they agree.
    pub precision_if_sure: f64,
    /// Recall where they agree, of the outcomes there.
    pub recall_if_sure: f64,
    /// Cost of 100 decisions where a missed outcome costs so many false alerts.
    pub cost: RiskCost,
}

/// Expected cost of 100 decisions, in false alerts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RiskCost {
    /// What a missed outcome costs.
    pub of_a_miss: f64,
    /// With the alerts of the run.
    pub with_alerts: f64,
    /// Without any alert.
    pub without: f64,
    /// With an alert at every decision.
    pub always: f64,
}

/// A site that was not learned from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SiteFigures {
    /// The site.
    pub site: String,
    /// Decisions.
    pub n_decisions: usize,
    /// Those with an outcome.
    pub n_outcomes: usize,
    /// Chance that one with an outcome has a higher score; none where only one kind came.
    pub auroc: Option<f64>,
    /// How its probabilities compare with what came.
    pub calibration: Calibration,
    /// Precision and recall at the threshold; none where there is no alert or no outcome.
    pub precision: Option<f64>,
    /// Share of its outcomes that an alert precedes.
    pub recall: Option<f64>,
}

/// How much the average precision falls where a sensor is silent on the test sites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadSensor {
    /// The type of events that is missing.
    pub kind: String,
    /// Average precision without it.
    pub average_precision: f64,
    /// Decisions that are left: those at events of this type are not.
    pub n_decisions: usize,
}

/// Average precision by the number of labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelPoint {
    /// Labeled decisions.
    pub n_labels: usize,
    /// Those with an outcome.
    pub n_outcomes: usize,
    /// On the test sites.
    pub average_precision: Interval,
}

/// What an evaluation of a fall-risk run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RiskReport {
    /// The run's folder.
    pub run: String,
    /// The data.
    pub data: String,
    /// The head of the run.
    pub head: HeadName,
    /// Sites that were learned from.
    pub learned_sites: Vec<String>,
    /// Sites that are judged.
    pub test_sites: Vec<String>,
    /// Decisions to learn from, and those with an outcome.
    pub n_learned: [usize; 2],
    /// Decisions that are judged, and those with an outcome.
    pub n_test: [usize; 2],
    /// Entities of the decisions that are judged; intervals resample them.
    pub n_entities: usize,
    /// The recall of `precision_at_recall`.
    pub recall: f64,
    /// Ways of judging side by side; the first is the run's.
    pub rows: Vec<RiskRow>,
    /// Alerts.
    pub at_threshold: AtThreshold,
    /// How probabilities compare with what came, over all test sites.
    pub calibration: Calibration,
    /// The same in ten bins.
    pub reliability: Vec<ReliabilityBin>,
    /// Site by site.
    pub sites: Vec<SiteFigures>,
    /// Recall and precision of the run's scores, from the highest threshold down.
    pub curve: Vec<[f64; 2]>,
    /// False alarm rate and recall at the same thresholds.
    #[serde(default)]
    pub roc: Vec<[f64; 2]>,
    /// Worst first; empty without `--skeptic`.
    #[serde(default)]
    pub dead_sensors: Vec<DeadSensor>,
    /// Average precision by labels; empty without `--skeptic`.
    #[serde(default)]
    pub label_curve: Vec<LabelPoint>,
    /// Average precision where decisions are split at random, instead of by site, minus that of the run; none without `--skeptic`.
    #[serde(default)]
    pub random_split_inflation: Option<f64>,
    /// From an event to its score, one after the other.
    pub latency: Option<Latency>,
    /// What follows, in words.
    pub verdict: String,
}

/// Points of a curve at most.
const MAX_POINTS: usize = 200;

/// Recall and precision, and false alarm rate and recall, of some of the points, from the highest threshold down.
pub(super) fn curves(points: &[OperatingPoint], [n, n_yes]: [usize; 2]) -> [Vec<[f64; 2]>; 2] {
    let step = points.len().div_ceil(MAX_POINTS).max(1);
    let some = || points.iter().step_by(step).chain(points.last());
    let odds = n_yes as f64 / (n - n_yes) as f64;
    let false_alarms = |point: &OperatingPoint| point.recall * odds * (1.0 / point.precision - 1.0);
    let roc = some().filter(|point| point.precision > 0.0).map(|point| [false_alarms(point), point.recall]);
    [some().map(|point| [point.recall, point.precision]).collect(), roc.collect()]
}

impl RiskReport {
    /// A table of fixed width.
    #[must_use]
    pub fn to_table(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{:<32} {:>20} {:>24} {:>26} {:>24}",
            "who judges",
            "AUROC [95 %]",
            "average precision [95 %]",
            "run is better by [95 %]",
            format!("precision at recall {:.2}", self.recall)
        );
        for RiskRow { name, auroc, average_precision, run_is_better_by, precision_at_recall } in &self.rows {
            let _ = writeln!(
                text,
                "{name:<32} {:>20} {:>24} {:>26} {:>24}",
                interval_text(auroc),
                interval_text(average_precision),
                difference_text(run_is_better_by),
                interval_text(precision_at_recall)
            );
        }
        let ([n, n_yes], [n_learned, n_learned_yes]) = (self.n_test, self.n_learned);
        let _ = writeln!(
            text,
            "\n{n} decisions with {n_yes} outcomes of {} entities at {} unseen sites; learned from {n_learned} with {n_learned_yes} at {}",
            self.n_entities,
            self.test_sites.len(),
            self.learned_sites.len()
        );
        self.push_alerts(&mut text);
        self.push_sites(&mut text);
        self.push_skeptic(&mut text);
        if let Some(Latency { p50_ms, p99_ms, .. }) = self.latency {
            let _ = writeln!(text, "\nfrom event to score: p50 {p50_ms:.2} ms, p99 {p99_ms:.2} ms");
        }
        let _ = writeln!(text, "\n{}", self.verdict);
        text
    }

    fn push_alerts(&self, text: &mut String) {
        let at = &self.at_threshold;
        let target = match at.target {
            AlertTarget::Recall(recall) => format!("recall {recall:.2}"),
            AlertTarget::AlertsPerUnitShift(budget) => format!("{budget} alerts per ward and shift"),
        };
        let _ = writeln!(
            text,
            "\nalerts at {:.3}, chosen for {target}: precision {}, recall {}; {:.3} at the prevalence learned from",
            at.threshold,
            interval_text(&at.precision),
            interval_text(&at.recall),
            at.precision_at_learned_prevalence
        );
        let _ = writeln!(
            text,
            "{} alerts: {:.2} per 100 patient-days, {:.3} per ward and shift; lead time: median {:.0} s, {:.0} % with 30 s, {:.0} % with 2 min",
            at.n_alerts,
            at.alerts_per_100_entity_days,
            at.alerts_per_unit_shift,
            at.lead_secs_median,
            100.0 * at.lead_of_30_secs,
            100.0 * at.lead_of_120_secs
        );
        let _ = writeln!(
            text,
            "heads disagree at {:.1} % of the decisions; elsewhere precision {:.3}, recall {:.3}",
            100.0 * at.unsure,
            at.precision_if_sure,
            at.recall_if_sure
        );
        let RiskCost { of_a_miss, with_alerts, without, always } = at.cost;
        let _ = writeln!(
            text,
            "cost of 100 decisions where a miss costs {of_a_miss} false alerts: {with_alerts:.1}; without alerts {without:.1}, with an alert each time {always:.1}"
        );
    }

    fn push_sites(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "\n{:<20} {:>9} {:>8} {:>6} {:>9} {:>6} {:>6} {:>9} {:>6}",
            "site", "decisions", "outcomes", "AUROC", "intercept", "slope", "Brier", "precision", "recall"
        );
        let all = SiteFigures {
            site: "all".into(),
            n_decisions: self.n_test[0],
            n_outcomes: self.n_test[1],
            auroc: self.rows.first().map(|row| row.auroc.mean),
            calibration: self.calibration,
            precision: Some(self.at_threshold.precision.mean),
            recall: Some(self.at_threshold.recall.mean),
        };
        for site in self.sites.iter().chain([&all]) {
            let SiteFigures { site, n_decisions, n_outcomes, auroc, calibration, precision, recall } = site;
            let number = |value: &Option<f64>| value.map_or("-".into(), |value| format!("{value:.3}"));
            let Calibration { intercept, slope, brier, expected_error: _ } = calibration;
            let _ = writeln!(
                text,
                "{site:<20} {n_decisions:>9} {n_outcomes:>8} {:>6} {intercept:>+9.2} {slope:>6.2} {brier:>6.3} {:>9} {:>6}",
                number(auroc),
                number(precision),
                number(recall)
            );
        }
    }

    fn push_skeptic(&self, text: &mut String) {
        if !self.label_curve.is_empty() {
            let _ = writeln!(text, "\nlabels   outcomes  average precision [95 %]");
        }
        for LabelPoint { n_labels, n_outcomes, average_precision } in &self.label_curve {
            let _ = writeln!(text, "{n_labels:<8} {n_outcomes:<8}  {}", interval_text(average_precision));
        }
        if let Some(inflation) = self.random_split_inflation {
            let _ = writeln!(text, "\nsplit at random instead of by site: average precision {inflation:+.3}");
        }
        if !self.dead_sensors.is_empty() {
            let _ = writeln!(text, "\nsilent sensor        average precision  decisions left");
        }
        for DeadSensor { kind, average_precision, n_decisions } in &self.dead_sensors {
            let _ = writeln!(text, "{kind:<20} {average_precision:>17.3}  {n_decisions:>14}");
        }
    }
}

#[cfg(test)]
mod tests {
    use spaxiom_eval::operating_points;

    use super::curves;

    /// Of two outcomes and three others the first is an outcome, then a false alarm, then the second outcome.
    #[test]
    fn false_alarms_are_a_share_of_what_had_no_outcome() {
        let scored = [(0.9, true), (0.8, false), (0.7, true), (0.2, false), (0.1, false)];
        let [precision, roc] = curves(&operating_points(&scored), [5, 2]);
        let near =
            |found: [f64; 2], want: [f64; 2]| (found[0] - want[0]).abs() < 1e-9 && (found[1] - want[1]).abs() < 1e-9;
        assert!(near(precision[0], [0.5, 1.0]), "{precision:?}");
        assert!(near(roc[0], [0.0, 0.5]) && near(roc[2], [1.0 / 3.0, 1.0]), "{roc:?}");
        assert!(near(roc[roc.len() - 1], [1.0, 1.0]), "{roc:?}");
    }
}
