//! The calibration table: simulated figures beside published ones.

use std::fmt::Write as _;

use serde::Serialize;
use spaxiom_eval::auroc;

use crate::hospital::HospitalTally;
use crate::simulation::Truth;

/// Collects what is compared; empty but for hospitals.
#[derive(Debug, Default)]
pub struct Calibration {
    tally: HospitalTally,
    /// The Morse score of each stay, and whether the patient fell.
    stays: Vec<(f64, bool)>,
    n_decisions: u64,
    n_outcomes: u64,
}

/// A figure beside its source.
#[derive(Debug, Clone, Serialize)]
pub struct CalibrationRow {
    /// What is compared.
    pub figure: &'static str,
    /// The simulated value.
    pub here: f64,
    /// Half of the width of the 95 % interval over wards, or of the binomial one; none where it says nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<f64>,
    /// The published value.
    pub published: &'static str,
    /// Where it was published.
    pub source: &'static str,
}

impl Calibration {
    /// Adds the truth of a day.
    pub fn watch(&mut self, truth: &Truth) {
        self.stays.extend(truth.entities.iter().map(|record| (f64::from(record.morse), record.n_falls > 0)));
        self.n_decisions += truth.decisions.len() as u64;
        self.n_outcomes += truth.decisions.iter().filter(|decision| decision.secs_to_outcome.is_some()).count() as u64;
    }

    /// Adds the counts of a hospital.
    pub fn tally(&mut self, tally: &HospitalTally) {
        self.tally.add(tally);
    }

    /// The figures; none without a hospital.
    #[must_use]
    pub fn rows(&self) -> Vec<CalibrationRow> {
        let tally = &self.tally;
        if tally.wards.is_empty() {
            return Vec::new();
        }
        let n_falls = f64::from(tally.n_falls());
        let row = |figure, here, margin, published, source| CalibrationRow { figure, here, margin, published, source };
        let share = |figure, n: u32, published, source| {
            let share = f64::from(n) / n_falls;
            row(figure, share, Some(1.96 * (share * (1.0 - share) / n_falls).sqrt()), published, source)
        };
        let (mean, sd) = tally.speed();
        let months = tally.patient_days() / tally.wards.len() as f64 / 30.4 / 22.0;
        vec![
            row(
                "falls per 1,000 patient-days",
                tally.falls_per_1000(),
                Some(self.margin_over_wards()),
                "3.56",
                "Bouldin 2013",
            ),
            share("share with an injury", tally.n_injurious, "0.26", "Bouldin 2013"),
            share("share while toileting", tally.n_toileting, "0.45", "Tzeng 2010"),
            share("share from 20:00 to 07:59", tally.n_at_night, "0.54 to 0.60", "Decalf 2018, Tzeng 2010"),
            row(
                "share of the variance between wards, 24 months",
                tally.share_between_wards(24.0, months.max(0.1)),
                None,
                "0.87",
                "Staggs 2015",
            ),
            row("gait speed, m/s", mean, None, "0.43", "Graham 2010"),
            row("its standard deviation", sd, None, "0.23", "Graham 2010"),
            row(
                "AUROC of the Morse scale, stays with a fall",
                auroc(&self.stays),
                None,
                "0.60 to 0.70",
                "e.g. Hendrich II 0.68",
            ),
            row(
                "near-falls per fall",
                f64::from(tally.n_near_falls()) / n_falls,
                None,
                "-",
                "assumption: no source found",
            ),
            row(
                "share of decision points with an outcome",
                self.n_outcomes as f64 / self.n_decisions as f64,
                None,
                "-",
                "follows from the constants",
            ),
        ]
    }

    /// Wards differ far more than chance makes them: the interval is over wards.
    fn margin_over_wards(&self) -> f64 {
        let wards = &self.tally.wards;
        let overall = self.tally.falls_per_1000() / 1000.0;
        let mean_days = self.tally.patient_days() / wards.len() as f64;
        let squares = wards.iter().map(|ward| (f64::from(ward.n_falls) - overall * ward.patient_days).powi(2));
        let variance = squares.sum::<f64>() / (wards.len() as f64 - 1.0).max(1.0);
        1000.0 * 1.96 * (variance / wards.len() as f64).sqrt() / mean_days
    }

    /// The figures as a table of fixed width; empty without a hospital.
    #[must_use]
    pub fn to_table(&self) -> String {
        let rows = self.rows();
        if rows.is_empty() {
            return String::new();
        }
        let mut text = format!("\n{:<48} {:>15} {:>13}  source\n", "calibration", "here", "published");
        for CalibrationRow { figure, here, margin, published, source } in &rows {
            let margin = margin.map_or(String::new(), |margin| format!(" +- {margin:.2}"));
            let _ = writeln!(text, "{figure:<48} {:>15} {published:>13}  {source}", format!("{here:.2}{margin}"));
        }
        text.push_str(
            "Intervals are of 95 %, the first one over wards: a handful of hospitals is far from the mean of many.\n",
        );
        text
    }
}
