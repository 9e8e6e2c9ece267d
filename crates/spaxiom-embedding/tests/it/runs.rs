//! Run folders: what is in them, how they are resumed, and what is refused.

use spaxiom_embedding::{
    Dataset, EmbeddingError, EncoderKind, Event, EventEncoderConfig, Outcome, Part, Pca, ReadOptions,
    RecurrentEventEncoderConfig, Run, RunConfig, RunFolder, Task, Tokenizer, WeightFile, engine, train,
};
use tempfile::TempDir;

use crate::{WORLD, Watch, config, finetune, flex, job, open, pretrain};

#[test]
fn a_run_folder_holds_everything_that_the_run_was_made_from() {
    let run = WORLD.pretrained();
    let names = ["config.toml", "tokenizer.json", "model.safetensors", "checkpoint/last.safetensors", "metrics.jsonl"];
    for name in names.into_iter().chain(["manifest.json"]) {
        assert!(run.path().join(name).exists(), "{name}");
    }
    let opened = open(&run);
    // The embargo outlasts the memory by five times its longest half-life, two hours.
    let mut written = config();
    written.split.embargo_hours = 10.0;
    written.memory.zone_half_lives_secs = vec![600.0, 1800.0, 7200.0];
    assert_eq!(opened.config(), &written);
    let manifest = opened.manifest();
    assert_eq!((manifest.steps, manifest.outcome), (20, Some(Outcome::Finished)));
    assert_eq!(manifest.data, WORLD.data().fingerprint());
    assert_eq!(
        open(&WORLD.classifier()).manifest().classes,
        ["alarm_drill", "blocked_dock", "door_fault", "late_batch", "normal", "understaffing"]
    );
}

#[test]
fn a_stopped_and_resumed_run_has_the_weights_and_metrics_of_one_that_never_stopped() {
    let folder = TempDir::new().unwrap();
    let data = WORLD.data();
    let run = RunFolder::new(&folder.path().join("run"));
    let mut watch = Watch { stop_at: Some(7) };
    let stopped = train(job(config(), &data, &run, false), flex().as_ref(), &mut watch).unwrap();
    assert_eq!((stopped.outcome, stopped.steps), (Outcome::Interrupted, 7));
    // The first evaluation is after ten steps: no weights are known for good yet.
    assert_eq!(stopped.weights, None);
    let error = open(&run).encoder(flex().as_ref()).err().unwrap();
    assert!(matches!(error, EmbeddingError::NoRun { missing: "model.safetensors", .. }), "{error}");
    let resumed = pretrain(open(&run).config().clone(), &data, &run, true).unwrap();
    assert!(resumed.weights.is_some());
    assert_eq!(resumed.weights, open(&WORLD.pretrained()).manifest().weights);
    let metrics = |run: &RunFolder| fs_err::read_to_string(run.path().join("metrics.jsonl")).unwrap();
    assert_eq!(metrics(&run), metrics(&WORLD.pretrained()));
}

/// All objectives of events at once, with hard negatives that the index found at the start of the epoch that is broken off.
#[test]
fn a_mixture_with_neighbors_is_resumed_to_the_weights_of_one_that_never_stopped() {
    use spaxiom_embedding::ObjectiveName::{InfoNce, Jigsaw, Mep, Nep, Triplet};
    let folder = TempDir::new().unwrap();
    let data = WORLD.data();
    let mut config = config().with_objectives(&[Mep, Nep, Jigsaw, InfoNce, Triplet]);
    (config.train.max_steps, config.train.evaluate_every, config.train.batch_size) = (9, 4, 8);
    config.train.neighbors = 2;
    let folder_of = |name: &str| RunFolder::new(&folder.path().join(name));
    let whole = pretrain(config.clone(), &data, &folder_of("whole"), false).unwrap();
    for stop_at in [1, 4, 6] {
        let run = folder_of(&format!("stopped-{stop_at}"));
        let mut watch = Watch { stop_at: Some(stop_at) };
        let job = job(config.clone(), &data, &run, false);
        assert_eq!(train(job, flex().as_ref(), &mut watch).unwrap().steps, stop_at);
        let resumed = pretrain(open(&run).config().clone(), &data, &run, true).unwrap();
        assert_eq!(resumed.weights, whole.weights, "stopped at {stop_at}");
    }
    let mut other = config.clone();
    other.train.neighbors = 0;
    let other = pretrain(other, &data, &folder_of("other"), false).unwrap();
    assert_ne!(other.weights, whole.weights, "neighbors decide the batches");
}

#[test]
fn a_run_is_not_resumed_on_other_data() {
    let folder = TempDir::new().unwrap();
    crate::simulate(&folder.path().join("data"), 4, 7);
    let data = Dataset::load(&folder.path().join("data"), &ReadOptions::default()).unwrap();
    let error = pretrain(config(), &data, &WORLD.pretrained(), true).unwrap_err();
    assert!(matches!(error, EmbeddingError::OtherData { .. }), "{error}");
}

#[test]
fn a_run_is_never_overwritten() {
    let error = pretrain(config(), &WORLD.data(), &WORLD.pretrained(), false).unwrap_err();
    assert!(matches!(error, EmbeddingError::RunExists { .. }), "{error}");
}

#[test]
fn a_folder_without_a_run_or_a_checkpoint_is_said_to_have_none() {
    let folder = TempDir::new().unwrap();
    let error = Run::open(folder.path()).unwrap_err();
    assert!(matches!(error, EmbeddingError::NoRun { missing: "manifest.json", .. }), "{error}");
    let run = Run::open(copied().path()).unwrap();
    assert!(matches!(run.checkpoint(), Err(EmbeddingError::NoCheckpoint { .. })));
}

#[test]
fn files_of_somebody_else_are_never_overwritten() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("config.toml");
    fs_err::write(&path, "mine = true").unwrap();
    let error = pretrain(config(), &WORLD.data(), &RunFolder::new(folder.path()), false).unwrap_err();
    assert!(matches!(error, EmbeddingError::Foreign { .. }), "{error}");
    assert_eq!(fs_err::read_to_string(&path).unwrap(), "mine = true");
}

/// The run without its weights.
fn copied() -> TempDir {
    let folder = TempDir::new().unwrap();
    for name in ["config.toml", "tokenizer.json", "memory.json", "manifest.json"] {
        fs_err::copy(WORLD.pretrained().path().join(name), folder.path().join(name)).unwrap();
    }
    folder
}

#[test]
fn a_tokenizer_of_another_run_is_refused() {
    let folder = copied();
    let path = folder.path().join("tokenizer.json");
    let text = fs_err::read_to_string(&path).unwrap();
    fs_err::write(&path, text.replace("TruckArrived", "TruckReturned")).unwrap();
    let error = Run::open(folder.path()).unwrap_err();
    assert!(matches!(error, EmbeddingError::OtherTokenizer { .. }), "{error}");
}

#[test]
fn cut_weights_are_refused() {
    let folder = copied();
    let bytes = fs_err::read(WORLD.pretrained().path().join("model.safetensors")).unwrap();
    fs_err::write(folder.path().join("model.safetensors"), &bytes[..bytes.len() / 2]).unwrap();
    let error = Run::open(folder.path()).unwrap().encoder(flex().as_ref()).err().unwrap();
    assert!(matches!(error, EmbeddingError::OtherWeights { .. }), "{error}");
}

#[test]
fn backends_are_named_when_one_is_unknown_or_not_compiled_in() {
    let error = engine("gpu").err().unwrap().to_string();
    assert_eq!(error, "unknown backend `gpu`; there are flex, ndarray, wgpu, cuda");
    if !cfg!(feature = "cuda") {
        let error = engine("cuda").err().unwrap().to_string();
        assert!(error.starts_with("backend `cuda` is not compiled in, this program has flex"), "{error}");
        assert!(error.contains("build with `--features cuda` (`cargo xtask ... --backend cuda` does)"), "{error}");
    }
}

#[test]
fn an_experiment_file_changes_only_what_it_names() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("experiment.toml");
    let read = |text: &str| {
        fs_err::write(&path, text).unwrap();
        RunConfig::from_file(&path, Task::Pretrain)
    };
    let mut want = RunConfig::preset(spaxiom_embedding::Preset::Small, Task::Pretrain);
    want.train.max_steps = 7;
    want.objectives.mep.as_mut().unwrap().ratio = 0.3;
    let text = "preset = \"small\"\n[train]\nmax-steps = 7\n[objectives.mep]\nratio = 0.3\n";
    assert_eq!(read(text).unwrap(), want);
    let gru = read("[encoder]\nkind = \"gru\"\nd-hidden = 32\n").unwrap();
    let RecurrentEventEncoderConfig { d_embed, d_hidden, .. } = match gru.encoder {
        Some(EventEncoderConfig::Gru(config)) => config,
        other => panic!("{other:?}"),
    };
    assert_eq!((d_embed, d_hidden), (64, 32));
    let error = read("[encoder]\nkind = \"gru\"\nn-heads = 4\n").unwrap_err();
    assert!(matches!(error, EmbeddingError::Config { .. }), "{error}");
    let error = read("[train]\nmaximal-steps = 7\n").unwrap_err();
    assert!(matches!(error, EmbeddingError::Config { .. }), "{error}");
    assert_eq!(toml::from_str::<RunConfig>(&want.to_toml()).unwrap(), want);
}

#[test]
fn data_without_labels_cannot_be_classified() {
    let folder = TempDir::new().unwrap();
    crate::simulate(&folder.path().join("data"), 2, 4);
    let data = Dataset::load(&folder.path().join("data/events.jsonl"), &ReadOptions::default()).unwrap();
    let run = RunFolder::new(&folder.path().join("run"));
    let from = open(&WORLD.pretrained());
    let error = finetune(Some(&from), config().for_classify(), &data, &run, false).unwrap_err();
    assert!(matches!(error, EmbeddingError::NoLabels { .. }), "{error}");
}

#[test]
fn a_folder_that_ended_before_its_first_checkpoint_can_be_used_again() {
    let folder = TempDir::new().unwrap();
    let run = RunFolder::new(&folder.path().join("run"));
    let mut broken = config();
    // No window of the validation part can be made of no events.
    broken.split.validation_days = 0.01;
    broken.split.train_days = 0.98;
    broken.train.learning_rate = 1e30;
    broken.train.warmup_steps = 0;
    broken.train.evaluate_every = 1_000;
    let error = pretrain(broken, &WORLD.data(), &run, false).unwrap_err().to_string();
    assert!(error.contains("lower `learning-rate`"), "{error}");
    assert!(!run.has_checkpoint());
    pretrain(config(), &WORLD.data(), &run, false).unwrap();
    let again = pretrain(config(), &WORLD.data(), &run, false).unwrap_err();
    assert!(matches!(again, EmbeddingError::RunExists { .. }), "{again}");
}

#[test]
fn a_classifier_is_resumed_without_its_parent_but_never_from_another() {
    let (run, data) = (WORLD.classifier(), WORLD.data());
    assert_eq!(open(&run).manifest().from, open(&WORLD.pretrained()).manifest().weights);
    let resume = |from: Option<&Run>| finetune(from, open(&run).config().clone(), &data, &run, true);
    let before = open(&run).manifest().clone();
    assert_eq!(resume(None).unwrap().weights, before.weights, "it was finished");
    assert_eq!(open(&run).manifest(), &before);
    let error = resume(Some(&open(&WORLD.classifier()))).unwrap_err();
    assert!(matches!(error, EmbeddingError::OtherStart { .. }), "{error}");
}

/// Every number of the metrics of a step.
fn steps(run: &RunFolder) -> Vec<u64> {
    let text = fs_err::read_to_string(run.path().join("metrics.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter(|line| line.get("loss").is_some()).map(|line| line["step"].as_u64().unwrap()).collect()
}

#[test]
fn metrics_are_those_of_an_uninterrupted_run() {
    let folder = TempDir::new().unwrap();
    let (whole, parts) = (RunFolder::new(&folder.path().join("a")), RunFolder::new(&folder.path().join("b")));
    pretrain(config(), &WORLD.data(), &whole, false).unwrap();
    let mut watch = Watch { stop_at: Some(13) };
    let data = WORLD.data();
    train(job(config(), &data, &parts, false), flex().as_ref(), &mut watch).unwrap();
    // Steps that no checkpoint holds, as a kill leaves them.
    let metrics = parts.path().join("metrics.jsonl");
    let left = fs_err::read_to_string(&metrics).unwrap() + "{\"step\":14,\"loss\":9.0}\n{\"step\":15,\"lo";
    fs_err::write(&metrics, left).unwrap();
    pretrain(config(), &data, &parts, true).unwrap();
    assert_eq!(steps(&parts), (1..=20).collect::<Vec<_>>());
    let read = |run: &RunFolder| fs_err::read(run.path().join("metrics.jsonl")).unwrap();
    assert_eq!(read(&parts), read(&whole));
}

#[test]
fn nothing_but_the_training_part_enters_the_tokenizer() {
    let data = WORLD.data();
    let split = data.split(&config().split).unwrap();
    let fitted =
        |data: &Dataset| Tokenizer::fit(&config().tokenizer, &data.part(&split, Part::Train)).unwrap().to_json();
    let folder = TempDir::new().unwrap();
    let text = fs_err::read_to_string(data.path().join("events.jsonl")).unwrap();
    let mut n_changed = 0;
    let changed: Vec<String> = text
        .lines()
        .map(|line| {
            let event = Event::from_json(line).unwrap();
            if split.part(event.site_id.as_str(), event.time.timestamp()) == Some(Part::Train) {
                return line.to_owned();
            }
            n_changed += 1;
            line.replace("DoorOpened", "Intruder")
                .replace("\"zone\":\"", "\"zone\":\"far_")
                .replace("percent\":", "percent\":9")
        })
        .collect();
    assert!(n_changed > 100);
    fs_err::write(folder.path().join("events.jsonl"), changed.join("\n")).unwrap();
    let changed = Dataset::load(folder.path(), &ReadOptions::default()).unwrap();
    assert_eq!(fitted(&changed), fitted(&data));
    assert_ne!(changed.fingerprint(), data.fingerprint());
}

#[test]
fn a_file_of_bad_lines_only_says_what_the_first_one_lacks() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("events.jsonl");
    fs_err::write(&path, "{\"type\": \"A\"}\n{}\n").unwrap();
    let error = Dataset::load(&path, &ReadOptions::default()).unwrap_err().to_string();
    assert!(error.contains("line 1: `time` is missing"), "{error}");
}

#[test]
fn every_encoder_trains_encodes_and_is_chosen_by_name() {
    let folder = TempDir::new().unwrap();
    let kinds = [EncoderKind::Transformer, EncoderKind::Lstm, EncoderKind::Gru, EncoderKind::Gnn, EncoderKind::Fusion];
    for kind in kinds {
        let run = RunFolder::new(&folder.path().join(format!("{kind:?}")));
        let mut config = config().with_encoder(kind);
        assert_eq!((config.encoder.as_ref().unwrap().kind(), config.max_len()), (kind, 8));
        config.train.max_steps = 2;
        config.train.evaluate_every = 1;
        let data = WORLD.data();
        let summary = pretrain(config, &data, &run, false).unwrap();
        assert!(summary.weights.is_some());
        let tuned = RunFolder::new(&folder.path().join(format!("{kind:?}-classifier")));
        let mut config = open(&run).config().clone().for_classify();
        config.train.max_steps = 1;
        config.train.evaluate_every = 1;
        finetune(Some(&open(&run)), config, &data, &tuned, false).unwrap();
        let encoder = open(&tuned).encoder(flex().as_ref()).unwrap();
        let tokens =
            open(&run).tokenizer().clone().with_sites(data.sites()).tokenize(&data.sequences().next().unwrap());
        let windows = [tokens.window(0, 5), tokens.window(3, 9)];
        let vectors = encoder.encode(&windows);
        assert_eq!(vectors.len(), 2 * encoder.dim());
        assert!(vectors.iter().all(|value| value.is_finite()), "{kind:?}");
        assert_eq!(encoder.classify(&windows).unwrap().len(), 2);
    }
}

#[test]
fn vectors_of_a_run_with_components_are_those_of_the_whole_run_reduced() {
    let folder = TempDir::new().unwrap();
    let data = WORLD.data();
    let run = RunFolder::new(&folder.path().join("run"));
    let summary = pretrain(RunConfig { reduce_to: Some(5), ..config() }, &data, &run, false).unwrap();
    assert_eq!(summary.weights, open(&WORLD.pretrained()).manifest().weights, "the weights are the same");
    let (whole, reduced) =
        (open(&WORLD.pretrained()).encoder(flex().as_ref()).unwrap(), open(&run).encoder(flex().as_ref()).unwrap());
    assert_eq!((whole.dim(), reduced.dim()), (16, 5));
    let part = data.part_data(&open(&run).manifest().split, Part::Test, open(&run).tokenizer());
    let tokens = part.tokens[0].context(3, 8);
    let components = WeightFile::read(&run.path().join("pca.safetensors")).unwrap();
    let pca = Pca::from_tensors(&components.tensors).unwrap();
    assert_eq!(reduced.encode(&[tokens]), pca.transform(&whole.encode(&[tokens])));

    fs_err::write(run.path().join("pca.safetensors"), "no components").unwrap();
    let error = open(&run).encoder(flex().as_ref()).err().unwrap();
    assert!(matches!(error, EmbeddingError::OtherWeights { .. }), "{error}");
    let error = RunConfig { reduce_to: Some(17), ..config() }.check().unwrap_err();
    assert_eq!(error.to_string(), "`reduce-to` has to be from 1 to the width of the encoder, got 17");
}
