//! The evaluation: all rows, on the same events, in range.

use spaxiom_embedding::{
    AblationJob, Dataset, EmbeddingError, EncoderKind, EvaluateOptions, ObjectiveName, Observer, Provenance,
    ReadOptions, Report, RunConfig, RunFolder, ablate, evaluate,
};
use tempfile::TempDir;

use crate::{WORLD, Watch, browser, config, finetune, flex, open, pretrain};

fn report(run: &RunFolder, from: Option<&RunFolder>, data: &Dataset) -> Result<Report, EmbeddingError> {
    let options = EvaluateOptions { n_probe: 100, n_test: 100, n_queries: 10, seed: 1, ..EvaluateOptions::default() };
    let from = from.map(open);
    evaluate(&open(run), from.as_ref(), data, &options, flex().as_ref(), &|| 0.0, &mut |_| {})
}

/// The data of the world with some lines left out of a file.
fn without(name: &str, is_left_out: impl Fn(&str) -> bool) -> (TempDir, Dataset) {
    let folder = TempDir::new().unwrap();
    for file in ["events.jsonl", "labels.jsonl"] {
        let text = fs_err::read_to_string(WORLD.data().path().join(file)).unwrap();
        let kept: Vec<&str> = text.lines().filter(|line| file != name || !is_left_out(line)).collect();
        fs_err::write(folder.path().join(file), kept.join("\n")).unwrap();
    }
    let data = Dataset::load(folder.path(), &ReadOptions::default()).unwrap();
    (folder, data)
}

#[test]
fn what_a_run_has_seen_is_never_its_test() {
    // The first three of six days: the run trained on them, or their site was kept for later days.
    let (_folder, early) =
        without("events.jsonl", |line| !["-06T", "-07T", "-08T"].iter().any(|day| line.contains(day)));
    let error = report(&WORLD.pretrained(), None, &early).unwrap_err();
    assert!(matches!(error, EmbeddingError::NoLabels { .. }), "{error}");
    assert!(error.to_string().contains("none on sites and days that the run has not seen"), "{error}");
}

#[test]
fn unseen_sites_alone_leave_the_probes_nothing_to_learn_from() {
    let renamed = TempDir::new().unwrap();
    for file in ["events.jsonl", "labels.jsonl"] {
        let text = fs_err::read_to_string(WORLD.data().path().join(file)).unwrap();
        fs_err::write(renamed.path().join(file), text.replace("warehouse-", "depot-")).unwrap();
    }
    let data = Dataset::load(renamed.path(), &ReadOptions::default()).unwrap();
    let error = report(&WORLD.classifier(), None, &data).unwrap_err().to_string();
    assert!(error.contains("put the events of new sites beside those of the run"), "{error}");
}

#[test]
fn a_label_that_the_classifier_never_saw_is_no_panic() {
    let folder = TempDir::new().unwrap();
    let (_data_folder, fewer) = without("labels.jsonl", |line| line.contains("late_batch"));
    let run = RunFolder::new(&folder.path().join("run"));
    let from = WORLD.pretrained();
    let config = RunConfig { train: config().train, ..config().for_classify() };
    finetune(Some(&open(&from)), config, &fewer, &run, false).unwrap();
    assert_eq!(open(&run).manifest().classes.len(), 5);
    // The data were not those of the first run: what it saw is left out of the test.
    let report = report(&run, Some(&from), &WORLD.data()).unwrap();
    // What is never predicted has an F1 of zero, so that five of six labels are the most that the head can tell.
    let head = report.rows.iter().find(|row| row.name == "fine-tuned, own head").unwrap();
    assert!(head.accuracy.mean < 1.0 && head.macro_f1 <= 5.0 / 6.0, "{head:?}");
}

#[test]
fn a_run_with_other_tokens_is_not_where_this_one_started() {
    let folder = TempDir::new().unwrap();
    let other = RunFolder::new(&folder.path().join("other"));
    let mut longer = config();
    longer.encoder = longer.encoder.map(|encoder| encoder.with_max_len(12));
    longer.train.max_steps = 1;
    pretrain(longer, &WORLD.data(), &other, false).unwrap();
    let error = report(&WORLD.classifier(), Some(&other), &WORLD.data()).unwrap_err();
    assert!(matches!(error, EmbeddingError::NotFrom { .. }), "{error}");
}

#[test]
fn an_episode_that_reaches_into_another_part_and_an_event_without_label_are_left_out() {
    let folder = TempDir::new().unwrap();
    let event = |hour: i64| {
        let time = chrono::DateTime::from_timestamp(hour * 3600, 0).unwrap().to_rfc3339();
        format!("{{\"type\":\"A\",\"site_id\":\"s\",\"time\":\"{time}\"}}\n")
    };
    let events: String = (0..240).map(event).collect();
    fs_err::write(folder.path().join("events.jsonl"), events).unwrap();
    let span = |id: u32, label: &str, from: i64, to: i64| {
        let time = |hour: i64| chrono::DateTime::from_timestamp(hour * 3600, 0).unwrap().to_rfc3339();
        format!(
            "{{\"site_id\":\"s\",\"episode_id\":\"{id}\",\"label\":\"{label}\",\"start\":\"{}\",\"end\":\"{}\"}}\n",
            time(from),
            time(to)
        )
    };
    // Training ends after seven days, at hour 168, and the hour before belongs to no part.
    let labels = span(1, "x", 10, 12) + &span(2, "y", 160, 170) + &span(3, "y", 150, 155) + &span(4, "z", 200, 202);
    fs_err::write(folder.path().join("labels.jsonl"), labels).unwrap();
    let data = Dataset::load(folder.path(), &ReadOptions::default()).unwrap();
    let split = data.split(&spaxiom_eval::SplitOptions::default()).unwrap();
    let classes = data.classes(&split).unwrap();
    assert_eq!(classes, ["x", "y"]);
    let tokenizer = spaxiom_embedding::Tokenizer::fit(
        &spaxiom_embedding::TokenizerOptions::default(),
        &data.part(&split, spaxiom_eval::Part::Train),
    )
    .unwrap();
    let labeled = |part| data.labeled(&split, part, &data.part_data(&split, part, &tokenizer), &classes, 8);
    let train = labeled(spaxiom_eval::Part::Train);
    assert_eq!((train.len(), train.iter().filter(|event| event.class < 2).count()), (9, 9));
    let test = labeled(spaxiom_eval::Part::Test);
    let classes: Vec<usize> = test.iter().map(|event| event.class).collect();
    assert_eq!(classes, [2, 2, 2], "`z` is a class that training never saw");
}

#[test]
fn every_representation_is_scored_on_the_same_events() {
    let options = EvaluateOptions {
        n_probe: 300,
        n_test: 300,
        n_queries: 40,
        with_controls: true,
        seed: 1,
        ..EvaluateOptions::default()
    };
    let data = WORLD.data();
    let (classifier, from) = (open(&WORLD.classifier()), open(&WORLD.pretrained()));
    let ticks = std::cell::Cell::new(0.0);
    let clock = || {
        ticks.set(ticks.get() + 0.001);
        ticks.get()
    };
    let engine = flex();
    let report = evaluate(&classifier, Some(&from), &data, &options, engine.as_ref(), &clock, &mut |_| {}).unwrap();
    let names: Vec<&str> = report.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "pretrained",
            "fine-tuned",
            "fine-tuned, own head",
            "fine-tuned, encoder",
            "untrained",
            "memory",
            "memory + encoder",
            "memory, no zones",
            "CASAS features",
            "hand-made",
            "tf-idf",
            "majority",
            "order shuffled",
            "times removed",
        ]
    );
    assert_eq!(report.test_sites, ["warehouse-03"]);
    for row in &report.rows {
        assert_eq!(row.accuracy.n, report.n_test, "{}", row.name);
        let intervals = [Some(row.accuracy), row.recall_at_10, row.mrr];
        for interval in intervals.into_iter().flatten() {
            assert!(0.0 <= interval.low && interval.low <= interval.mean && interval.mean <= interval.high);
            assert!(interval.high <= 1.0);
        }
        for (difference, control) in [(row.accuracy_over_hand_made, 9), (row.accuracy_over_tfidf, 10)] {
            let control = report.rows[control].accuracy.mean;
            assert!((row.accuracy.mean - control - difference.mean).abs() < 1e-9, "{}", row.name);
        }
        assert_eq!(row.recall_at_10.is_some(), row.silhouette.is_some());
    }
    let given_away: Vec<(&str, &str)> =
        report.given_away.iter().map(|told| (told.name.as_str(), told.what.as_str())).collect();
    let of = |name| ["site", "day", "hour"].map(|what| (name, what));
    assert_eq!(given_away, [of("fine-tuned"), of("hand-made")].concat());
    assert!(report.given_away.iter().all(|told| (0.0..=1.0).contains(&told.accuracy.mean) && told.majority > 0.0));
    let index = report.index.as_ref().unwrap();
    assert!(index.hnsw_recall_at_10 > 0.9, "{index:?}");
    // Every look at this clock takes a millisecond.
    assert!((index.encode_and_search.p50_ms - 1.0).abs() < 1e-6);
    let out = TempDir::new().unwrap();
    let details = report.details.as_ref().unwrap();
    let n_known = details.confusion.iter().flatten().sum::<usize>();
    assert!(n_known > 0 && n_known <= report.n_test, "{n_known} of {}", report.n_test);
    assert_eq!(details.map.len(), report.n_test);
    assert!(details.examples.iter().all(|example| example.hits.iter().all(|hit| hit.time != example.query.time)));
    // The whole curve ends where the row is, on the same labels.
    let last = details.label_curve.iter().rfind(|point| point.name == "fine-tuned").unwrap();
    let own = report.rows.iter().find(|row| row.name == "fine-tuned").unwrap();
    assert!((last.accuracy.mean - own.accuracy.mean).abs() < 1e-12, "{last:?}");
    report.save(out.path(), &open(&WORLD.classifier())).unwrap();
    assert!(report.to_table().contains("tf-idf") && report.to_table().contains(&report.verdict()));
    browser::check(
        &out.path().join("report.html"),
        &[
            "Accuracy of a linear probe",
            "Recall@10",
            "MRR",
            "By label",
            "By type",
            "By hour",
            "Accuracy by labels",
            "Loss",
        ],
        &["All figures", "What is taken for what", "Nearest moments", "What the vectors give away", "How it was made"],
    );
}

/// Data without labels have nothing but what the run was trained to predict.
#[test]
fn a_pretrained_run_is_judged_by_its_objectives_on_the_test_part() {
    let folder = TempDir::new().unwrap();
    crate::simulate(folder.path(), 2, 6);
    fs_err::remove_file(folder.path().join("labels.jsonl")).unwrap();
    let data = Dataset::load(folder.path(), &ReadOptions::default()).unwrap();
    let mut config = config().with_encoder(EncoderKind::Gru).with_objectives(&[ObjectiveName::Nep]);
    config.tokenizer.what = true;
    (config.train.max_steps, config.train.evaluate_every) = (8, 4);
    let run = RunFolder::new(&folder.path().join("run"));
    pretrain(config, &data, &run, false).unwrap();
    let engine = flex();
    let judged = || {
        let options = EvaluateOptions::default();
        evaluate(&open(&run), None, &data, &options, engine.as_ref(), &|| 0.0, &mut |_| {}).unwrap()
    };
    let report = judged();
    let names: Vec<&str> = report.held_out.iter().map(|held_out| held_out.name.as_str()).collect();
    let controls = [1, 2, 5].map(|n| [format!("event_accuracy, {n}-gram"), format!("event_log_likelihood, {n}-gram")]);
    let own = ["event_accuracy", "event_log_likelihood", "gap_log_likelihood", "loss", "next_type_accuracy"];
    assert_eq!(names, own.into_iter().chain(controls.iter().flatten().map(String::as_str)).collect::<Vec<_>>());
    let accuracy = report.held_out[0].figure;
    assert!(0.0 < accuracy.mean && accuracy.low < accuracy.mean && accuracy.mean < accuracy.high, "{accuracy:?}");
    // After eight steps it knows less than the frequencies of the events, but more than nothing at all.
    let of = |name: &str| report.held_out.iter().find(|held_out| held_out.name == name).unwrap().figure;
    let (own, frequent) = (of("event_log_likelihood").mean, of("event_log_likelihood, 1-gram").mean);
    assert!(own < frequent && own > frequent - 3.0, "{own} {frequent}");
    assert!(!report.unknown.is_empty());
    assert!(report.rows.is_empty() && report.index.is_none());
    assert!(report.to_table().contains("event_log_likelihood"));
    assert_eq!(judged(), report);
}

/// Runs that are there are used: the second call trains nothing, and finds the same.
#[test]
fn an_ablation_compares_sets_of_objectives_with_the_untrained_encoder_and_goes_on_where_it_was() {
    let (folder, data) = (tempfile::TempDir::new().unwrap(), WORLD.data());
    let mut config = config();
    (config.train.max_steps, config.train.evaluate_every) = (4, 2);
    let options = EvaluateOptions { n_probe: 100, n_test: 100, n_queries: 20, seed: 1, ..EvaluateOptions::default() };
    let job = AblationJob {
        config,
        sets: vec![vec![ObjectiveName::Mep], vec![ObjectiveName::Mep, ObjectiveName::InfoNce]],
        n_seeds: 2,
        data: &data,
        out: folder.path(),
        provenance: Provenance::default(),
        options,
    };
    let engine = flex();
    let mut watched = Vec::new();
    let mut watch = |name: &str| -> Box<dyn Observer> {
        watched.push(name.to_owned());
        Box::new(Watch::default())
    };
    let report = ablate(&job, engine.as_ref(), &mut watch).unwrap().unwrap();
    let again = ablate(&job, engine.as_ref(), &mut watch).unwrap().unwrap();
    assert_eq!(report, again);
    assert_eq!(watched, ["mep-0", "mep-1", "mep-heads", "mep+info-nce-0", "mep+info-nce-1", "mep+info-nce-heads"]);
    let names: Vec<&str> = report.rows.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["mep", "mep+info-nce", "untrained", "memory", "CASAS features", "hand-made", "tf-idf"]);
    let untrained = &report.rows[2];
    assert_eq!(untrained.accuracy_over_untrained.mean, 0.0);
    for row in &report.rows {
        let gain = row.accuracy.mean - untrained.accuracy.mean;
        assert!((row.accuracy_over_untrained.mean - gain).abs() < 1e-9, "{}", row.name);
        let by_seed = row.accuracy_by_seed.iter().sum::<f64>() / row.accuracy_by_seed.len() as f64;
        assert!((row.accuracy.mean - by_seed).abs() < 1e-9, "{}", row.name);
    }
    let mut stop = |_: &str| -> Box<dyn Observer> { Box::new(Watch { stop_at: Some(1) }) };
    let elsewhere = AblationJob { out: &folder.path().join("other"), ..job };
    assert!(ablate(&elsewhere, engine.as_ref(), &mut stop).unwrap().is_none());
    let other = folder.path().join("data");
    crate::simulate(&other, 2, 6);
    let other = Dataset::load(&other, &ReadOptions::default()).unwrap();
    let with_other = AblationJob { data: &other, out: folder.path(), ..elsewhere };
    let refused = ablate(&with_other, engine.as_ref(), &mut stop).unwrap_err();
    assert!(matches!(refused, EmbeddingError::OtherData { .. }), "finished runs of other data: {refused}");
}
