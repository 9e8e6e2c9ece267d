//! The report of an evaluation: `report.json`, a table for the terminal, and a page.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};
use spaxiom_eval::{Interval, Latency};

use super::controls::GivenAway;
use super::details::{Details, FewShot, LabelShare};

/// Figures of one representation on the same queries as all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportRow {
    /// `pretrained`, `fine-tuned`, `untrained`, `memory`, `hand-made`, `tf-idf`, `majority`, and what of it is judged.
    pub name: String,
    /// Share of test events whose label a linear probe (or the own head) tells; greater is better.
    pub accuracy: Interval,
    /// Its difference to that of TF-IDF on the same events; the interval is of the paired difference.
    pub accuracy_over_tfidf: Interval,
    /// The same to that of the vector that was put together by hand.
    pub accuracy_over_hand_made: Interval,
    /// Mean F1 over the labels of the test part; greater is better.
    pub macro_f1: f64,
    /// The same with gradient boosting in place of the linear probe; none where it was not asked for, or is not compiled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boosted: Option<Boosted>,
    /// Hits of the first ten over `min(10, relevant)`; greater is better. None without a retrieval.
    pub recall_at_10: Option<Interval>,
    /// One over the rank of the first hit; greater is better.
    pub mrr: Option<Interval>,
    /// Silhouette by label, cosine, -1 to 1; greater is better.
    pub silhouette: Option<f64>,
}

/// Figures of gradient boosting on a representation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Boosted {
    /// Share of test events whose label it tells; greater is better.
    pub accuracy: Interval,
    /// Its difference to a linear probe on the vector that was put together by hand.
    pub accuracy_over_hand_made: Interval,
    /// Mean F1 over the labels of the test part; greater is better.
    pub macro_f1: f64,
    /// The trees as LightGBM writes them, for a file of their own; empty in a report that was read.
    #[serde(skip)]
    pub model: String,
}

/// A figure of what a run was trained to predict, for the test part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeldOut {
    /// `loss`, or as in `metrics.jsonl`.
    pub name: String,
    /// Its mean over the predictions, or over the windows of a run with several objectives; the interval resamples hours of sites.
    pub figure: Interval,
}

/// Figures of index and latency.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IndexFigures {
    /// Vectors in the index.
    pub n_vectors: usize,
    /// Width of a vector.
    pub dim: usize,
    /// Seconds to build HNSW, or the exact index in a build without FAISS.
    pub build_secs: f64,
    /// Share of the ten exact neighbors that this index found, mean over the queries.
    pub hnsw_recall_at_10: f64,
    /// The worst query.
    pub hnsw_recall_at_10_min: f64,
    /// From one event with its context to ten hits, batch of one.
    pub encode_and_search: Latency,
}

/// What an evaluation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The run's folder.
    pub run: String,
    /// The data.
    pub data: String,
    /// The backend.
    pub backend: String,
    /// Sites of the test part.
    pub test_sites: Vec<String>,
    /// What the run was trained to predict, for the test part; empty for a classifier.
    #[serde(default)]
    pub held_out: Vec<HeldOut>,
    /// Labeled test events; 0, as all that follows, for data without labels.
    pub n_test: usize,
    /// Queries of the retrieval.
    pub n_queries: usize,
    /// Share of the test values of each field of words that training never showed, from 0 to 1.
    pub unknown: BTreeMap<String, f64>,
    /// Vectors that the retrieval ranks.
    pub n_gallery: usize,
    /// The labels.
    pub classes: Vec<String>,
    /// Representations side by side.
    pub rows: Vec<ReportRow>,
    /// What the vectors tell of site, day and hour; empty for data without labels.
    #[serde(default)]
    pub given_away: Vec<GivenAway>,
    /// What a page shows of the run's own vectors; none for data without labels.
    #[serde(default)]
    pub details: Option<Details>,
    /// Index and latency; none for data without labels.
    pub index: Option<IndexFigures>,
}

impl Report {
    /// A table of fixed width.
    #[must_use]
    pub fn to_table(&self) -> String {
        let mut text = String::new();
        if !self.held_out.is_empty() {
            text.push_str("predicted for the test part      mean [95 %]\n");
        }
        for HeldOut { name, figure } in &self.held_out {
            let _ = writeln!(text, "{name:<32} {:>24}  {} hours of sites", interval_text(figure), figure.n_clusters);
        }
        if let Some(index) = &self.index {
            text.push_str(if self.held_out.is_empty() { "" } else { "\n" });
            self.push_rows(&mut text);
            self.push_boosted(&mut text);
            self.push_given_away(&mut text);
            self.push_label_curve(&mut text);
            self.push_few_shot(&mut text);
            self.push_index(index, &mut text);
            let _ = writeln!(text, "\n{}", self.verdict());
        }
        text
    }

    fn push_rows(&self, text: &mut String) {
        let _ = writeln!(
            text,
            "{:<20} {:>20} {:>23} {:>8} {:>20} {:>20} {:>10}",
            "representation",
            "accuracy [95 %]",
            "minus hand-made [95 %]",
            "macro-F1",
            "recall@10 [95 %]",
            "MRR [95 %]",
            "silhouette"
        );
        for row in &self.rows {
            let retrieval = |interval: &Option<Interval>| interval.as_ref().map_or("-".into(), interval_text);
            let _ = writeln!(
                text,
                "{:<20} {:>20} {:>23} {:>8.3} {:>20} {:>20} {:>10}",
                row.name,
                interval_text(&row.accuracy),
                difference_text(&row.accuracy_over_hand_made),
                row.macro_f1,
                retrieval(&row.recall_at_10),
                retrieval(&row.mrr),
                row.silhouette.map_or("-".into(), |value| format!("{value:.3}")),
            );
        }
    }

    fn push_boosted(&self, text: &mut String) {
        let boosted = || self.rows.iter().filter_map(|row| Some((&row.name, row.boosted.as_ref()?)));
        if boosted().next().is_none() {
            return;
        }
        let _ = writeln!(
            text,
            "\n{:<20} {:>20} {:>23} {:>8}",
            "gradient boosting", "accuracy [95 %]", "minus hand-made [95 %]", "macro-F1"
        );
        for (name, Boosted { accuracy, accuracy_over_hand_made, macro_f1, model: _ }) in boosted() {
            let (accuracy, difference) = (interval_text(accuracy), difference_text(accuracy_over_hand_made));
            let _ = writeln!(text, "{name:<20} {accuracy:>20} {difference:>23} {macro_f1:>8.3}");
        }
    }

    fn push_given_away(&self, text: &mut String) {
        if self.given_away.is_empty() {
            return;
        }
        let _ = writeln!(text, "\n{:<20} {:<6} {:>20} {:>9}", "what it gives away", "", "accuracy [95 %]", "majority");
        for GivenAway { name, what, accuracy, majority, n_classes } in &self.given_away {
            let accuracy = interval_text(accuracy);
            let _ = writeln!(text, "{name:<20} {what:<6} {accuracy:>20} {majority:>9.3}  of {n_classes}");
        }
    }

    fn push_label_curve(&self, text: &mut String) {
        let points = self.details.iter().flat_map(|details| &details.label_curve);
        for (at, LabelShare { name, n_labels, accuracy }) in points.enumerate() {
            if at == 0 {
                let _ = writeln!(text, "\n{:<20} {:>8} {:>20}", "by labels", "labels", "accuracy [95 %]");
            }
            let _ = writeln!(text, "{name:<20} {n_labels:>8} {:>20}", interval_text(accuracy));
        }
    }

    fn push_few_shot(&self, text: &mut String) {
        let rows = self.details.iter().flat_map(|details| &details.few_shot);
        for (at, FewShot { name, n_shots, accuracy, macro_f1 }) in rows.enumerate() {
            if at == 0 {
                let _ = writeln!(text, "\n{:<20} {:>8} {:>20} macro-F1", "by neighbors", "examples", "accuracy [95 %]");
            }
            let _ = writeln!(text, "{name:<20} {n_shots:>8} {:>20} {macro_f1:>8.3}", interval_text(accuracy));
        }
    }

    /// What follows for the run, in words; it may be that counting wins.
    #[must_use]
    pub fn verdict(&self) -> String {
        let Some(own) = self.own() else {
            return "There are no labels: the run is judged by what it was trained to predict.".into();
        };
        let difference = &own.accuracy_over_hand_made;
        let beside = match (difference.low > 0.0, difference.high < 0.0) {
            (true, _) => "surely more than by",
            (_, true) => "surely less than by",
            _ => "not surely different from",
        };
        let mut text = format!(
            "A linear probe on `{}` tells the label of {:.1} % of {} test events, {beside} the hand-made vector ({} points).",
            own.name,
            100.0 * own.accuracy.mean,
            self.n_test,
            points_text(difference)
        );
        let boosted = |name: &str| {
            let row = self.rows.iter().find(|row| row.name == name);
            row.and_then(|row| row.boosted.as_ref()).map(|boosted| boosted.accuracy.mean)
        };
        let bars = ["hand-made", "CASAS features"].into_iter().filter_map(|name| Some((name, boosted(name)?)));
        if let (Some(own), Some((name, bar))) = (own.boosted.as_ref(), bars.max_by(|a, b| a.1.total_cmp(&b.1))) {
            let _ = write!(
                text,
                " Boosted, it tells {:.1} %, and the best bar, `{name}`, {:.1} %.",
                100.0 * own.accuracy.mean,
                100.0 * bar
            );
            if bar > own.accuracy.mean {
                text.push_str(" Counting wins there.");
            }
        } else if difference.high < 0.0 {
            text.push_str(" Counting wins.");
        }
        text
    }

    /// The row of the run itself; that of a run that it started from stands before it.
    pub(super) fn own(&self) -> Option<&ReportRow> {
        let names = ["fine-tuned", "memory, projected", "pretrained"];
        names.into_iter().find_map(|name| self.rows.iter().find(|row| row.name == name))
    }

    fn push_index(&self, index: &IndexFigures, text: &mut String) {
        let _ = writeln!(
            text,
            "\n{} labeled test events in {} episodes, {} queries over {} events, {} classes",
            self.n_test,
            self.rows.first().map_or(0, |row| row.accuracy.n_clusters),
            self.n_queries,
            self.n_gallery,
            self.classes.len(),
        );
        let _ = writeln!(
            text,
            "encode + search: p50 {:.2} ms, p99 {:.2} ms (one event, {}); HNSW over {} x {}: built in {:.2} s, recall@10 {:.4} (worst {:.1})",
            index.encode_and_search.p50_ms,
            index.encode_and_search.p99_ms,
            self.backend,
            index.n_vectors,
            index.dim,
            index.build_secs,
            index.hnsw_recall_at_10,
            index.hnsw_recall_at_10_min,
        );
    }
}

pub(crate) fn interval_text(interval: &Interval) -> String {
    format!("{:.3} [{:.3}, {:.3}]", interval.mean, interval.low, interval.high)
}

pub(crate) fn difference_text(interval: &Interval) -> String {
    format!("{:+.3} [{:+.3}, {:+.3}]", interval.mean, interval.low, interval.high)
}

/// A difference in percentage points.
fn points_text(interval: &Interval) -> String {
    let [mean, low, high] = [interval.mean, interval.low, interval.high].map(|value| 100.0 * value);
    format!("{mean:+.1} [{low:+.1}, {high:+.1}]")
}
