//! The evaluation: all rows, on the same events, in range.

use spaxiom_embedding::{EvaluateOptions, evaluate};

use crate::{WORLD, flex};

#[test]
fn every_representation_is_scored_on_the_same_events() {
    let options = EvaluateOptions { n_probe: 300, n_test: 300, n_queries: 40, seed: 1 };
    let data = WORLD.data();
    let from = WORLD.pretrained();
    let ticks = std::cell::Cell::new(0.0);
    let clock = || {
        ticks.set(ticks.get() + 0.001);
        ticks.get()
    };
    let engine = flex();
    let report =
        evaluate(&WORLD.classifier(), Some(&from), &data, &options, engine.as_ref(), &clock, &mut |_| {}).unwrap();
    let names: Vec<&str> = report.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["pretrained", "fine-tuned", "fine-tuned, own head", "untrained", "tf-idf", "majority"]);
    assert_eq!(report.test_sites, ["warehouse-03"]);
    for row in &report.rows {
        assert_eq!(row.accuracy.n, report.n_test, "{}", row.name);
        let intervals = [Some(row.accuracy), row.recall_at_10, row.mrr];
        for interval in intervals.into_iter().flatten() {
            assert!(0.0 <= interval.low && interval.low <= interval.mean && interval.mean <= interval.high);
            assert!(interval.high <= 1.0);
        }
        let (difference, control) = (row.accuracy_over_tfidf.mean, report.rows[4].accuracy.mean);
        assert!((row.accuracy.mean - control - difference).abs() < 1e-9, "{}", row.name);
        assert_eq!(row.recall_at_10.is_some(), row.silhouette.is_some());
    }
    assert!(report.index.hnsw_recall_at_10 > 0.9, "{:?}", report.index);
    // Every look at this clock takes a millisecond.
    assert!((report.index.encode_and_search.p50_ms - 1.0).abs() < 1e-6);
    assert!(report.to_table().contains("tf-idf") && report.to_html().contains("<td>tf-idf</td>"));
}
