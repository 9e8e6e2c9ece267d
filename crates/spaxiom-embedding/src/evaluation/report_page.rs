//! The page of an evaluation.

use serde_json::Value;
use spaxiom_eval::Interval;

use super::details::{Details, FewShot, LabelShare, ShownMoment, ShownQuery};
use super::report::{Report, ReportRow, difference_text, interval_text};
use crate::page::{
    Axis, Bar, Curve, Line, Moment, Page, bars, curves, details, facts, map, matrix, side_by_side, table, timeline,
};
use crate::run::Manifest;

/// Points of a training curve at most; each is a mean over consecutive steps.
const MAX_POINTS: usize = 200;

/// `report.html`: figures, plots, examples, and the manifest of the run; `metrics` are the lines of `metrics.jsonl`.
pub(super) fn html(report: &Report, metrics: &str, manifest: &Manifest) -> String {
    let mut page = Page::new(&format!("Evaluation of {}", report.run), &report.verdict());
    page.push("At a glance", "", &facts(&figures(report)));
    page.push(
        "Beside what it has to beat",
        "95 % intervals, whole episodes resampled. Relevant is what has the same label in another episode, an hour or more away.",
        &bar_plots(report),
    );
    page.push("All figures", "", &rows(report));
    page.push(
        "What it was trained to predict",
        "On the test part; intervals resample hours of sites.",
        &held_out(report),
    );
    if let Some(found) = &report.details {
        page.push(
            "What is taken for what",
            "Rows: the label of a test event. Columns: what a linear probe on the vectors says. Darker is a larger share of the row.",
            &matrix(&report.classes, &found.confusion),
        );
        page.push(
            "Map of the vectors",
            "Test events by the first two principal components of their directions. What lies apart here is apart; what lies together may differ in other directions.",
            &maps(found),
        );
        page.push(
            "Nearest moments",
            "A query and the nearest moments of other episodes, with the events up to each. Minute 0 is the moment itself.",
            &found.examples.iter().map(example).collect::<String>(),
        );
        page.push("Fewer labels", "Accuracy of a linear probe on all test events.", &label_curve(&found.label_curve));
        page.push(
            "A handful of examples",
            "Accuracy of a vote of the five nearest of so many examples of each label, mean over ten draws.",
            &few_shot(&found.few_shot),
        );
    }
    page.push(
        "What the vectors give away",
        "Accuracy of a linear probe that is asked for site, day and hour of other hours than those that it learned from.",
        &given_away(report),
    );
    page.push("Training", "", &training(metrics));
    page.push("How it was made", "", &manifest_section(manifest));
    page.to_html()
}

/// The manifest of a run, folded.
pub(crate) fn manifest_section(manifest: &Manifest) -> String {
    let text = serde_json::to_string_pretty(manifest).unwrap_or_default();
    details("manifest.json: data, split, seed, backend, versions", &text)
}

fn figures(report: &Report) -> Vec<(&'static str, String)> {
    let mut figures = vec![("data", report.data.clone()), ("sites judged", report.test_sites.join(", "))];
    if let Some(index) = &report.index {
        figures.extend([
            ("labeled test events", report.n_test.to_string()),
            ("queries", report.n_queries.to_string()),
            ("event to ten hits, p50", format!("{:.2} ms", index.encode_and_search.p50_ms)),
            ("event to ten hits, p99", format!("{:.2} ms", index.encode_and_search.p99_ms)),
            ("index built in", format!("{:.2} s, {} x {}", index.build_secs, index.n_vectors, index.dim)),
            ("index recall@10", format!("{:.4}", index.hnsw_recall_at_10)),
        ]);
    }
    figures
}

fn bar_plots(report: &Report) -> String {
    let own = report.own().map(|row| row.name.as_str());
    let plot = |title: &str, figure: &dyn Fn(&ReportRow) -> Option<Interval>| {
        let drawn = report.rows.iter().filter_map(|row| {
            Some(Bar { name: &row.name, figure: figure(row)?, is_own: Some(row.name.as_str()) == own })
        });
        bars(title, &drawn.collect::<Vec<_>>())
    };
    side_by_side(&[
        plot("Accuracy of a linear probe", &|row| Some(row.accuracy)),
        plot("Accuracy with gradient boosting", &|row| row.boosted.as_ref().map(|boosted| boosted.accuracy)),
        plot("Recall@10", &|row| row.recall_at_10),
        plot("MRR", &|row| row.mrr),
    ])
}

fn rows(report: &Report) -> String {
    if report.rows.is_empty() {
        return String::new();
    }
    let header = [
        "representation",
        "accuracy",
        "minus hand-made",
        "macro-F1",
        "boosted accuracy",
        "boosted macro-F1",
        "recall@10",
        "MRR",
        "silhouette",
    ];
    let cell = |interval: &Option<Interval>| interval.as_ref().map_or("-".into(), interval_text);
    let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.3}"));
    let row = |row: &ReportRow| {
        vec![
            row.name.clone(),
            interval_text(&row.accuracy),
            difference_text(&row.accuracy_over_hand_made),
            number(Some(row.macro_f1)),
            cell(&row.boosted.as_ref().map(|boosted| boosted.accuracy)),
            number(row.boosted.as_ref().map(|boosted| boosted.macro_f1)),
            cell(&row.recall_at_10),
            cell(&row.mrr),
            number(row.silhouette),
        ]
    };
    let own = report.own().and_then(|own| report.rows.iter().position(|row| row.name == own.name));
    table(&header, &report.rows.iter().map(row).collect::<Vec<_>>(), own)
}

fn held_out(report: &Report) -> String {
    if report.held_out.is_empty() {
        return String::new();
    }
    let row = |held_out: &super::HeldOut| {
        vec![held_out.name.clone(), interval_text(&held_out.figure), held_out.figure.n_clusters.to_string()]
    };
    table(&["figure", "mean [95 %]", "hours of sites"], &report.held_out.iter().map(row).collect::<Vec<_>>(), None)
}

fn maps(found: &Details) -> String {
    side_by_side(&[
        map("By label", &found.map, |point| point.at, |point| &point.label),
        map("By type of the event", &found.map, |point| point.at, |point| &point.kind),
        map("By hour of the site's day", &found.map, |point| point.at, |point| &point.hour),
    ])
}

fn example(example: &ShownQuery) -> String {
    let moment = |name: &str, moment: &ShownMoment| {
        let zone = moment.events.last().and_then(|event| event.zone.as_deref()).unwrap_or(&moment.site);
        let events = moment.events.iter().map(|event| (event.secs / 60.0, event.kind.clone())).collect::<Vec<_>>();
        (format!("{name} · {} · {zone}", moment.label), events)
    };
    let mut named = vec![moment("query", &example.query)];
    named.extend(example.hits.iter().map(|hit| moment(&format!("{:.2}", hit.similarity), hit)));
    let moments = named.iter().map(|(name, events)| Moment {
        name: name.clone(),
        events: events.iter().map(|(minutes, kind)| (*minutes, kind.as_str())).collect(),
    });
    let title = format!("{}, {}", example.query.site, example.query.time.format("%Y-%m-%d %H:%M:%S UTC"));
    timeline(&title, &moments.collect::<Vec<_>>())
}

fn label_curve(points: &[LabelShare]) -> String {
    let mut names: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
    names.dedup();
    let of = |name: &str| {
        let own = || points.iter().filter(|point| point.name == name);
        let at = |point: &LabelShare| (point.n_labels as f64, point.accuracy.mean);
        (own().map(at).collect(), own().map(|point| (point.accuracy.low, point.accuracy.high)).collect())
    };
    let drawn: Vec<Curve<'_>> = names
        .iter()
        .map(|name| {
            let (points, intervals) = of(name);
            Curve { name, line: Line::Dotted, points, intervals }
        })
        .collect();
    let x = Axis { title: "labels", is_log: true, ..Axis::default() };
    let y = Axis { title: "accuracy", ..Axis::default() };
    curves("Accuracy by labels", &x, &y, &drawn)
}

fn few_shot(found: &[FewShot]) -> String {
    if found.is_empty() {
        return String::new();
    }
    let row = |FewShot { name, n_shots, accuracy, macro_f1 }: &FewShot| {
        vec![name.clone(), n_shots.to_string(), interval_text(accuracy), format!("{macro_f1:.3}")]
    };
    let rows: Vec<Vec<String>> = found.iter().map(row).collect();
    table(&["representation", "examples of each label", "accuracy", "macro-F1"], &rows, None)
}

fn given_away(report: &Report) -> String {
    if report.given_away.is_empty() {
        return String::new();
    }
    let row = |found: &super::GivenAway| {
        vec![
            format!("{}: {}", found.name, found.what),
            interval_text(&found.accuracy),
            format!("{:.3}", found.majority),
            found.n_classes.to_string(),
        ]
    };
    let header = ["what is read", "accuracy", "majority", "answers"];
    table(&header, &report.given_away.iter().map(row).collect::<Vec<_>>(), None)
}

/// Training and validation loss over the steps.
fn training(metrics: &str) -> String {
    let lines: Vec<Value> = metrics.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let curve = |name: &'static str, key: &str, line: Line| {
        let points = lines.iter().filter_map(|line| Some((line["step"].as_f64()?, line[key].as_f64()?)));
        Curve { name, line, points: averaged(&points.collect::<Vec<_>>()), intervals: Vec::new() }
    };
    let drawn = [curve("training", "loss", Line::Solid), curve("validation", "validation_loss", Line::Dotted)];
    let axis = |title| Axis { title, ..Axis::default() };
    curves("Loss", &axis("step"), &axis("loss"), &drawn)
}

/// At most [`MAX_POINTS`] means over consecutive points.
fn averaged(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mean = |part: &[(f64, f64)]| {
        let n = part.len() as f64;
        (part.iter().map(|point| point.0).sum::<f64>() / n, part.iter().map(|point| point.1).sum::<f64>() / n)
    };
    points.chunks(points.len().div_ceil(MAX_POINTS).max(1)).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::{averaged, training};

    #[test]
    fn a_curve_has_at_most_200_points_and_keeps_its_mean() {
        let points: Vec<(f64, f64)> = (0..1_001).map(|step| (f64::from(step), f64::from(step % 2))).collect();
        let averaged = averaged(&points);
        assert!(averaged.len() <= 200);
        assert!(averaged.iter().all(|point| (0.3..0.7).contains(&point.1) || point.1 == 0.0), "{averaged:?}");
    }

    #[test]
    fn one_step_is_no_curve_and_what_is_no_json_is_passed_over() {
        assert_eq!(training("{\"step\":1,\"loss\":3.0}\nno json"), "");
        let svg =
            training("{\"step\":1,\"loss\":3.0}\n{\"step\":2,\"loss\":1.0}\n{\"step\":2,\"validation_loss\":2.0}\n");
        assert!(svg.contains("training") && svg.contains("<polyline"), "{svg}");
    }
}
