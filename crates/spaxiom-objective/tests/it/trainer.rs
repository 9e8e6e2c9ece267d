//! Training: it learns, it can be stopped and resumed, and it never loses a checkpoint.

use std::path::Path;

use spaxiom_encoder::{NamedTensor, TransformerEventEncoder, collect_weights};
use spaxiom_objective::{
    Checkpoint, Classification, ClassificationOptions, EvalReport, Example, Flow, Labeled, MaskedEvent, Model,
    Neighbors, ObjectiveContext, ObjectiveError, ObjectiveOptions, Observer, Outcome, RateOptions, StepReport,
    TrainOptions, Trained, Trainer, TrainingSet, Windows,
};
use spaxiom_token::TokenSequence;
use tempfile::TempDir;

use crate::{B, encoder, layout, masked_event, sequences};

/// Stops after so many steps and remembers the losses.
struct StopAfter {
    step: u64,
    losses: Vec<f64>,
}

impl Observer for StopAfter {
    fn step(&mut self, report: &StepReport<'_>) -> Flow {
        self.losses.push(report.loss);
        if report.step >= self.step { Flow::Stop } else { Flow::Continue }
    }

    fn evaluated(&mut self, _report: &EvalReport<'_>) {}
}

fn options(max_steps: u64) -> TrainOptions {
    TrainOptions {
        max_steps,
        batch_size: 4,
        warmup_steps: 5,
        evaluate_every: 7,
        learning_rate: 0.01,
        ..TrainOptions::default()
    }
}

type Masked = Model<B, TransformerEventEncoder<B>, MaskedEvent<B>>;

fn model() -> Masked {
    Model::new(encoder(1), masked_event(2))
}

fn classifier() -> Model<B, TransformerEventEncoder<B>, Classification<B>> {
    let context = ObjectiveContext::default().with_classes(vec![1; 3]);
    Model::new(encoder(1), ClassificationOptions::default().init(32, &layout(), &context, 2, &Default::default()))
}

/// Trains masked event prediction on the eight sequences, at most to step `stop`.
fn train(options: TrainOptions, resume: Option<Checkpoint>, stop: u64, path: &Path) -> (Trained<Masked>, Vec<f64>) {
    let sequences = sequences();
    // Whole sequences: a window of one masked event cannot be learned.
    let whole = Windows::new(&sequences, 8).in_order();
    let model = model();
    let mut observer = StopAfter { step: stop, losses: Vec::new() };
    let devices = vec![Default::default(); options.replicas.max(1)];
    let trainer = Trainer::new(options).unwrap();
    let trained = trainer
        .run(model, TrainingSet::new(&Labeled::new(whole.clone(), 8), &whole), resume, path, &mut observer, &devices)
        .unwrap();
    (trained, observer.losses)
}

fn weights(trained: &Trained<Masked>) -> Vec<(String, NamedTensor)> {
    collect_weights(&trained.model, "").into_iter().collect()
}

#[test]
fn masked_event_prediction_overfits_eight_sequences() {
    let folder = TempDir::new().unwrap();
    let options = TrainOptions { learning_rate: 0.003, batch_size: 8, patience: 100, ..options(800) };
    let (trained, losses) = train(options, None, u64::MAX, &folder.path().join("c"));
    assert_eq!(trained.outcome, Outcome::Finished);
    // 12 and 16 ids: 2.6 nats at first. 0.05 at the end when this was written.
    let (first, last) = (losses[0], losses[750..].iter().sum::<f64>() / 50.0);
    assert!(first > 2.4 && last < 0.2, "from {first:.2} to {last:.2}");
}

#[test]
fn a_classifier_overfits_eight_sequences() {
    let folder = TempDir::new().unwrap();
    let sequences = sequences();
    let examples: Vec<Example<'_>> =
        sequences.iter().enumerate().map(|(i, tokens)| Example::of_class(tokens.context(7, 8), i % 3)).collect();
    let model = classifier();
    let mut observer = StopAfter { step: u64::MAX, losses: Vec::new() };
    let trained = Trainer::new(options(100))
        .unwrap()
        .run(
            model,
            TrainingSet::new(&Labeled::new(examples.clone(), 8), &examples),
            None,
            &folder.path().join("c"),
            &mut observer,
            &[Default::default()],
        )
        .unwrap();
    assert!(trained.state.best_loss.unwrap() < 0.05, "{:?}", trained.state);
}

#[test]
fn a_stopped_and_resumed_run_gives_the_weights_of_one_that_never_stopped() {
    let folder = TempDir::new().unwrap();
    let options = || TrainOptions { average: 0.9, replicas: 3, ..options(30) };
    let (whole, whole_losses) = train(options(), None, u64::MAX, &folder.path().join("whole"));
    // In the middle of an epoch and between two evaluations.
    for stop in [3, 13, 21] {
        let path = folder.path().join(format!("stopped-{stop}"));
        let (stopped, mut losses) = train(options(), None, stop, &path);
        assert_eq!((stopped.outcome, stopped.state.step), (Outcome::Interrupted, stop));
        let (resumed, rest) = train(options(), Some(Checkpoint::read(&path).unwrap()), u64::MAX, &path);
        losses.extend(rest);
        assert_eq!(losses, whole_losses, "stopped at {stop}");
        assert_eq!(weights(&resumed), weights(&whole), "stopped at {stop}");
        assert_eq!(resumed.state, whole.state);
    }
}

#[test]
fn the_mean_of_the_weights_is_judged_and_kept_beside_the_last_ones() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("c");
    let run = |average| train(TrainOptions { average, evaluate_every: 1, ..options(2) }, None, u64::MAX, &path);
    let (plain, _) = run(0.0);
    let last = Checkpoint::read(&path).unwrap();
    assert!(last.mean.is_empty());
    let _ = run(0.9);
    let averaged = Checkpoint::read(&path).unwrap();
    assert_eq!(averaged.model, last.model, "the steps are the same");
    // After a step (1 + 1) / (10 + 1) is kept, after the second (1 + 2) / (10 + 2).
    let first = collect_weights(&model(), "");
    let after_one = {
        let _ = train(options(2), None, 1, &path);
        Checkpoint::read(&path).unwrap().model
    };
    for (name, mean) in &averaged.mean {
        let weights = first[name].values.iter().zip(&after_one[name].values).zip(&last.model[name].values);
        for (mean, ((first, one), two)) in mean.values.iter().zip(weights) {
            let want = 0.25 * (first * 2.0 / 11.0 + one * 9.0 / 11.0) + 0.75 * two;
            assert!((mean - want).abs() < 1e-6, "{name}: {mean} {want}");
        }
    }
    assert_ne!(averaged.state.best_loss, plain.state.best_loss);
}

/// Neighbors are found by vectors, and masked events compare none.
#[test]
fn neighbors_need_an_objective_that_compares_vectors() {
    struct Nobody;
    impl Neighbors for Nobody {
        fn nearest(&self, _: &[f32], _: usize, _: usize) -> Result<Vec<Vec<usize>>, ObjectiveError> {
            unreachable!("there are no vectors")
        }
    }
    let folder = TempDir::new().unwrap();
    let sequences = sequences();
    let windows = Windows::new(&sequences, 8);
    let whole = windows.in_order();
    let data = TrainingSet { neighbors: Some(&Nobody), ..TrainingSet::new(&windows, &whole) };
    let mut observer = StopAfter { step: u64::MAX, losses: Vec::new() };
    let error = Trainer::new(TrainOptions { neighbors: 1, ..options(5) })
        .unwrap()
        .run(model(), data, None, &folder.path().join("c"), &mut observer, &[Default::default()])
        .unwrap_err();
    assert!(error.to_string().contains("`train.neighbors` has to be 0 without"), "{error}");
}

#[test]
fn a_seed_gives_the_same_run_and_another_seed_another() {
    let folder = TempDir::new().unwrap();
    let losses =
        |seed, name: &str| train(TrainOptions { seed, ..options(10) }, None, u64::MAX, &folder.path().join(name)).1;
    assert_eq!(losses(1, "a"), losses(1, "b"));
    assert_ne!(losses(1, "c"), losses(2, "d"));
}

#[test]
fn a_run_that_gets_no_better_stops_early_with_its_best_weights() {
    let folder = TempDir::new().unwrap();
    // Steps this long make everything worse.
    let options = TrainOptions { learning_rate: 3.0, warmup_steps: 0, evaluate_every: 1, patience: 3, ..options(200) };
    let (trained, losses) = train(options, None, u64::MAX, &folder.path().join("c"));
    assert_eq!(trained.outcome, Outcome::EarlyStopped);
    assert!(losses.len() < 200 && trained.state.n_worse == 3, "{:?}", trained.state);
    let checkpoint = Checkpoint::read(&folder.path().join("c")).unwrap();
    assert_eq!(collect_weights(&trained.model, ""), checkpoint.best);
    assert_ne!(checkpoint.best, checkpoint.model, "the last weights are not the best ones");
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_keeps_the_checkpoint() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("c");
    let (_, _) = train(options(7), None, u64::MAX, &path);
    let mut poisoned = Checkpoint::read(&path).unwrap();
    let before = fs_err::read(&path).unwrap();
    poisoned.model.get_mut("heads.fields.output.bias").unwrap().values[0] = f32::NAN;
    let sequences = sequences();
    let windows = Windows::new(&sequences, 8);
    let model = model();
    let mut observer = StopAfter { step: u64::MAX, losses: Vec::new() };
    let error = Trainer::new(options(20))
        .unwrap()
        .run(
            model,
            TrainingSet::new(&windows, &windows.in_order()),
            Some(poisoned),
            &path,
            &mut observer,
            &[Default::default()],
        )
        .unwrap_err();
    assert!(matches!(error, ObjectiveError::Diverged { step: 7, .. }), "{error}");
    assert_eq!(fs_err::read(&path).unwrap(), before);
}

#[test]
fn a_checkpoint_reads_back_equal_and_a_cut_one_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("c");
    train(options(9), None, u64::MAX, &path);
    let checkpoint = Checkpoint::read(&path).unwrap();
    let copy = folder.path().join("copy");
    checkpoint.write(&copy).unwrap();
    assert_eq!(fs_err::read(&copy).unwrap(), fs_err::read(&path).unwrap());
    let bytes = fs_err::read(&path).unwrap();
    fs_err::write(&path, &bytes[..bytes.len() - 10]).unwrap();
    assert!(matches!(Checkpoint::read(&path), Err(ObjectiveError::Weights(_))));
    // One of another build: nothing but its format number is another.
    checkpoint.write(&path).unwrap();
    let bytes = fs_err::read(&path).unwrap();
    let wanted = br#"\"format\":4"#;
    let at = bytes.windows(wanted.len()).position(|part| part == wanted).unwrap();
    let newer = [&bytes[..at + wanted.len() - 1], b"9", &bytes[at + wanted.len()..]].concat();
    fs_err::write(&path, newer).unwrap();
    assert!(matches!(Checkpoint::read(&path), Err(ObjectiveError::CheckpointFormat { found: 9, want: 4, .. })));
}

#[test]
fn a_checkpoint_that_cannot_be_written_leaves_the_old_one() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("c");
    train(options(7), None, u64::MAX, &path);
    let before = fs_err::read(&path).unwrap();
    let mut checkpoint = Checkpoint::read(&path).unwrap();
    checkpoint.state.step += 1;
    // A link to the device that is always full: the write reaches it only if it does not go to a new file first.
    let full = folder.path().join("full");
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    assert!(fs_err::write(&full, b"x").is_err(), "this device takes nothing");
    checkpoint.write(&full).unwrap();
    assert!(!fs_err::symlink_metadata(&full).unwrap().is_symlink(), "a new file took the place of the link");
    // A folder in the way fails at the last step, as a full disk fails at an earlier one.
    let blocked = folder.path().join("blocked");
    fs_err::create_dir_all(blocked.join("inside")).unwrap();
    assert!(checkpoint.write(&blocked).is_err());
    assert_eq!(fs_err::read(&path).unwrap(), before);
    let left: Vec<_> = fs_err::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "no temporary file is left: {left:?}");
}

#[test]
fn empty_parts_and_wrong_options_are_named() {
    let folder = TempDir::new().unwrap();
    let mut observer = StopAfter { step: u64::MAX, losses: Vec::new() };
    let trainer = Trainer::new(options(5)).unwrap();
    let sequences = sequences();
    let windows = Windows::new(&sequences, 8);
    let nothing = Windows::new(&[], 8);
    let path = folder.path().join("c");
    let error = trainer
        .run(model(), TrainingSet::new(&windows, &[]), None, &path, &mut observer, &[Default::default()])
        .unwrap_err();
    assert!(matches!(error, ObjectiveError::NoExamples { part: "validation" }), "{error}");
    let error = trainer
        .run(
            model(),
            TrainingSet::new(&nothing, &windows.in_order()),
            None,
            &path,
            &mut observer,
            &[Default::default()],
        )
        .unwrap_err();
    assert!(matches!(error, ObjectiveError::NoExamples { part: "training" }), "{error}");
    let error = Trainer::new(TrainOptions { batch_size: 0, ..options(5) }).unwrap_err();
    assert_eq!(error.to_string(), "`batch-size` has to be 1 or more, got 0");
}

#[test]
fn a_step_in_parts_has_the_gradients_of_the_whole() {
    let folder = TempDir::new().unwrap();
    let losses = |accumulate, n_copies| {
        // Four parts of two: each predicts as much as the others.
        let options = TrainOptions { accumulate, batch_size: 8, ..options(6) };
        let examples: Vec<TokenSequence> = sequences();
        let classes: Vec<Example<'_>> =
            examples.iter().enumerate().map(|(i, tokens)| Example::of_class(tokens.context(7, 8), i % 3)).collect();
        let model = classifier();
        let mut observer = StopAfter { step: u64::MAX, losses: Vec::new() };
        let train = Labeled::new(classes.clone(), 8);
        let data = TrainingSet::new(&train, &classes);
        let path = folder.path().join(format!("c{accumulate}"));
        Trainer::new(options)
            .unwrap()
            .run(model, data, None, &path, &mut observer, &vec![Default::default(); n_copies])
            .unwrap();
        observer.losses
    };
    let whole = losses(1, 1);
    for (accumulate, n_copies) in [(4, 1), (1, 3), (4, 3)] {
        for (whole, parts) in whole.iter().zip(losses(accumulate, n_copies)) {
            assert!((whole - parts).abs() < 1e-4, "{accumulate} parts, {n_copies} copies: {whole} {parts}");
        }
    }
}

#[test]
fn frozen_parameters_stay_and_all_others_change() {
    let folder = TempDir::new().unwrap();
    let rates = RateOptions { frozen: vec!["encoder.embedding".into()], layer_decay: 0.5 };
    let (trained, _) = train(TrainOptions { rates, ..options(7) }, None, u64::MAX, &folder.path().join("c"));
    let first = collect_weights(&model(), "");
    for (name, tensor) in weights(&trained) {
        assert_eq!(tensor == first[&name], name.starts_with("encoder.embedding"), "{name}");
    }
    // The whole encoder by its parts, alone and with copies that share the windows.
    for replicas in [0, 2] {
        let frozen = vec!["encoder.embedding".into(), "encoder.stack".into()];
        let rates = RateOptions { frozen, ..RateOptions::default() };
        let options = TrainOptions { rates, replicas, ..options(7) };
        let (trained, _) = train(options, None, u64::MAX, &folder.path().join("e"));
        for (name, tensor) in weights(&trained) {
            assert_eq!(tensor == first[&name], name.starts_with("encoder"), "{name}");
        }
    }
    let unknown = RateOptions { frozen: vec!["encoder.layers".into()], ..RateOptions::default() };
    let all = RateOptions { frozen: vec!["encoder".into(), "heads".into()], ..RateOptions::default() };
    for (rates, want) in [(unknown, "the beginning of names"), (all, "some of the parameters")] {
        let sequences = sequences();
        let windows = Windows::new(&sequences, 8);
        let error = Trainer::new(TrainOptions { rates, ..options(5) })
            .unwrap()
            .run(
                model(),
                TrainingSet::new(&windows, &windows.in_order()),
                None,
                &folder.path().join("d"),
                &mut StopAfter { step: u64::MAX, losses: Vec::new() },
                &[Default::default()],
            )
            .unwrap_err();
        assert!(error.to_string().contains(want), "{error}");
    }
}

#[test]
fn a_loss_that_only_rises_stops_the_run_and_keeps_the_checkpoint() {
    let folder = TempDir::new().unwrap();
    let sequences = sequences();
    let whole = Windows::new(&sequences, 8).in_order();
    let path = folder.path().join("c");
    let options =
        TrainOptions { learning_rate: 3.0, warmup_steps: 0, evaluate_every: 1, patience: 500, ..options(500) };
    let error = Trainer::new(TrainOptions { max_rise: 1.0, ..options })
        .unwrap()
        .run(
            model(),
            TrainingSet::new(&Labeled::new(whole.clone(), 8), &whole),
            None,
            &path,
            &mut StopAfter { step: u64::MAX, losses: Vec::new() },
            &[Default::default()],
        )
        .unwrap_err();
    assert!(matches!(error, ObjectiveError::Rising { mean, least, .. } if mean > least + 1.0), "{error}");
    assert!(Checkpoint::read(&path).unwrap().state.step > 0);
}
