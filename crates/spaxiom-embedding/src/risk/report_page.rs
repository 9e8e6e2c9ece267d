//! The page of a fall-risk evaluation.

use spaxiom_eval::Interval;

use super::report::{AtThreshold, RiskReport, RiskRow, SiteFigures};
use crate::evaluation::{difference_text, interval_text, manifest_section};
use crate::page::{Axis, Bar, Curve, Line, Page, bars, curves, facts, side_by_side, table};
use crate::run::Manifest;

/// From 0 to 1.
const WHOLE: Option<(f64, f64)> = Some((0.0, 1.0));

/// `report.html`: figures, plots, sites, and the manifest of the run.
pub(super) fn html(report: &RiskReport, manifest: &Manifest) -> String {
    let mut page = Page::new(&format!("Fall risk: {}", report.run), &report.verdict);
    page.push("At a glance", "", &facts(&figures(report)));
    page.push(
        "Who judges best",
        "On the same decisions at sites that no head learned from. 95 % intervals, whole patients resampled.",
        &bar_plots(report),
    );
    page.push("All figures", "", &rows(report));
    page.push(
        "Scores and probabilities",
        "What a threshold costs in precision and in false alarms as it finds more, and how often an outcome came where a probability was given.",
        &plots(report),
    );
    page.push("Site by site", "Intercept 0 and slope 1 are a calibrated forecast.", &sites(report));
    page.push("Fewer labels", "Average precision on the test sites.", &label_curve(report));
    page.push("Silent sensors", "One type of event is missing at all test sites.", &dead_sensors(report));
    page.push("How it was made", "", &manifest_section(manifest));
    page.to_html()
}

fn figures(report: &RiskReport) -> Vec<(&'static str, String)> {
    let AtThreshold {
        precision,
        recall,
        alerts_per_unit_shift,
        alerts_per_100_entity_days,
        lead_secs_median,
        unsure,
        ..
    } = &report.at_threshold;
    let [n, n_outcomes] = report.n_test;
    let mut figures = vec![
        ("decisions judged", format!("{n} at {} sites", report.test_sites.len())),
        ("outcomes", format!("{n_outcomes} ({:.1} %)", 100.0 * n_outcomes as f64 / n as f64)),
        ("precision of alerts", interval_text(precision)),
        ("recall of alerts", interval_text(recall)),
        ("alerts per ward and shift", format!("{alerts_per_unit_shift:.2}")),
        ("alerts per 100 patient-days", format!("{alerts_per_100_entity_days:.1}")),
        ("lead time, median", format!("{lead_secs_median:.0} s")),
        ("heads disagree at", format!("{:.1} %", 100.0 * unsure)),
    ];
    if let Some(latency) = report.latency {
        figures.push(("event to score, p99", format!("{:.2} ms", latency.p99_ms)));
    }
    figures
}

fn bar_plots(report: &RiskReport) -> String {
    let plot = |title: &str, figure: fn(&RiskRow) -> Interval| {
        let rows = report.rows.iter().enumerate();
        let drawn = rows.map(|(at, row)| Bar { name: &row.name, figure: figure(row), is_own: at == 0 });
        bars(title, &drawn.collect::<Vec<_>>())
    };
    let at_recall = format!("Precision at recall {:.2}", report.recall);
    side_by_side(&[
        plot("Average precision", |row| row.average_precision),
        plot(&at_recall, |row| row.precision_at_recall),
        plot("AUROC", |row| row.auroc),
    ])
}

fn rows(report: &RiskReport) -> String {
    let at_recall = format!("precision at recall {:.2}", report.recall);
    let header = ["who judges", "AUROC", "average precision", "run is better by", at_recall.as_str()];
    let row = |row: &RiskRow| {
        vec![
            row.name.clone(),
            interval_text(&row.auroc),
            interval_text(&row.average_precision),
            difference_text(&row.run_is_better_by),
            interval_text(&row.precision_at_recall),
        ]
    };
    table(&header, &report.rows.iter().map(row).collect::<Vec<_>>(), Some(0))
}

fn plots(report: &RiskReport) -> String {
    let whole = |title| Axis { title, range: WHOLE, is_log: false };
    let points = |points: &[[f64; 2]]| points.iter().map(|[x, y]| (*x, *y)).collect::<Vec<_>>();
    let curve = |name: &'static str, line, points| Curve { name, line, points, intervals: Vec::new() };
    let [n, n_outcomes] = report.n_test.map(|n| n as f64);
    let prevalence = n_outcomes / n;
    let forecast = report.reliability.iter().filter(|bin| bin.n > 0).map(|bin| (bin.mean_predicted, bin.frequency));
    side_by_side(&[
        curves(
            "Precision and recall",
            &whole("recall"),
            &whole("precision"),
            &[
                curve("the run", Line::Solid, points(&report.curve)),
                curve("an alert at every decision", Line::Reference, vec![(0.0, prevalence), (1.0, prevalence)]),
            ],
        ),
        curves(
            "ROC",
            &whole("false alarms of what had no outcome"),
            &whole("recall"),
            &[
                curve("the run", Line::Solid, points(&report.roc)),
                curve("random scores", Line::Reference, vec![(0.0, 0.0), (1.0, 1.0)]),
            ],
        ),
        curves(
            "Calibration",
            &whole("probability that was given"),
            &whole("share with an outcome"),
            &[
                curve("the run, bins of equal width", Line::Dotted, forecast.collect()),
                curve("a perfect forecast", Line::Reference, vec![(0.0, 0.0), (1.0, 1.0)]),
            ],
        ),
    ])
}

fn sites(report: &RiskReport) -> String {
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.3}"));
    let row = |site: &SiteFigures| {
        vec![
            site.site.clone(),
            site.n_decisions.to_string(),
            site.n_outcomes.to_string(),
            number(site.auroc),
            format!("{:+.2}", site.calibration.intercept),
            format!("{:.2}", site.calibration.slope),
            number(Some(site.calibration.brier)),
            number(site.precision),
            number(site.recall),
        ]
    };
    let header = ["site", "decisions", "outcomes", "AUROC", "intercept", "slope", "Brier", "precision", "recall"];
    table(&header, &report.sites.iter().map(row).collect::<Vec<_>>(), None)
}

fn label_curve(report: &RiskReport) -> String {
    let mut points: Vec<(f64, Interval)> =
        report.label_curve.iter().map(|point| (point.n_labels as f64, point.average_precision)).collect();
    if let (false, Some(own)) = (points.is_empty(), report.rows.first()) {
        points.push((report.n_learned[0] as f64, own.average_precision));
    }
    let drawn = Curve {
        name: "the run's head",
        line: Line::Dotted,
        points: points.iter().map(|(n, figure)| (*n, figure.mean)).collect(),
        intervals: points.iter().map(|(_, figure)| (figure.low, figure.high)).collect(),
    };
    let x = Axis { title: "labels", is_log: true, ..Axis::default() };
    let y = Axis { title: "average precision", range: Some((0.0, 0.1)), is_log: false };
    curves("Average precision by labels", &x, &y, &[drawn])
}

fn dead_sensors(report: &RiskReport) -> String {
    if report.dead_sensors.is_empty() {
        return String::new();
    }
    let own = report.rows.first().map_or(f64::NAN, |row| row.average_precision.mean);
    let mut rows = vec![vec!["none".to_owned(), format!("{own:.3}"), String::new(), report.n_test[0].to_string()]];
    rows.extend(report.dead_sensors.iter().map(|dead| {
        let lost = dead.average_precision - own;
        vec![
            dead.kind.clone(),
            format!("{:.3}", dead.average_precision),
            format!("{lost:+.3}"),
            dead.n_decisions.to_string(),
        ]
    }));
    table(&["silent", "average precision", "difference", "decisions left"], &rows, Some(0))
}
