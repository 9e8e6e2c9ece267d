//! Data larger than memory, in several files.

use spaxiom_embedding::{
    EmbeddingError, ObjectiveName, Outcome, ReadOptions, RunConfig, RunFolder, RunSummary, ShardedDataset, train,
};
use tempfile::TempDir;

use crate::{WORLD, Watch, config, flex, job, open, pretrain};

/// The events of the world in so many files.
fn sharded(n: usize) -> (TempDir, ShardedDataset) {
    let folder = TempDir::new().unwrap();
    let text = fs_err::read_to_string(WORLD.data().path().join("events.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (number, lines) in lines.chunks(lines.len().div_ceil(n)).enumerate() {
        fs_err::write(folder.path().join(format!("part-{number}.jsonl")), lines.join("\n")).unwrap();
    }
    let data = ShardedDataset::open(folder.path(), &ReadOptions::default()).unwrap();
    (folder, data)
}

fn run(data: &ShardedDataset, run: &RunFolder, config: RunConfig, stop_at: Option<u64>) -> RunSummary {
    let resume = run.has_checkpoint();
    let config = if resume { open(run).config().clone() } else { config };
    train(job(config, data, run, resume), flex().as_ref(), &mut Watch { stop_at }).unwrap()
}

#[test]
fn one_file_gives_tokenizer_and_split_of_data_in_memory() {
    let (folder, data) = sharded(1);
    assert_eq!((data.n_shards(), data.n_events()), (1, WORLD.data().n_events()));
    let mut config = config();
    config.train.max_steps = 1;
    let folder_of = |name: &str| RunFolder::new(&folder.path().join("runs").join(name));
    let streamed = run(&data, &folder_of("streamed"), config.clone(), None);
    let whole = pretrain(config, &WORLD.data(), &folder_of("whole"), false).unwrap();
    assert_eq!(streamed.tokens, whole.tokens);
    let of_run = |name: &str| {
        let manifest = open(&folder_of(name)).manifest().clone();
        (manifest.tokenizer, manifest.split)
    };
    assert_eq!(of_run("streamed"), of_run("whole"));
}

/// Files come in another order in every epoch, which is that of the run that never stopped.
#[test]
fn a_run_over_several_files_is_resumed_in_the_middle_of_an_epoch() {
    let (folder, data) = sharded(3);
    let mut config = config().with_objectives(&[ObjectiveName::Mep, ObjectiveName::InfoNce]);
    (config.train.max_steps, config.train.evaluate_every, config.train.batch_size) = (14, 5, 16);
    config.train.neighbors = 1;
    let folder_of = |name: &str| RunFolder::new(&folder.path().join("runs").join(name));
    let whole = run(&data, &folder_of("whole"), config.clone(), None);
    assert_eq!(whole.outcome, Outcome::Finished);
    for stop_at in [2, 7, 11] {
        let own = folder_of(&format!("stopped-{stop_at}"));
        assert_eq!(run(&data, &own, config.clone(), Some(stop_at)).outcome, Outcome::Interrupted);
        assert_eq!(run(&data, &own, config.clone(), None).weights, whole.weights, "stopped at {stop_at}");
    }
}

#[test]
fn a_single_file_and_components_are_refused() {
    let file = WORLD.data().path().join("events.jsonl");
    let error = ShardedDataset::open(&file, &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, EmbeddingError::NoShards { .. }), "{error}");
    let (folder, data) = sharded(2);
    let config = RunConfig { reduce_to: Some(4), ..config() };
    let own = RunFolder::new(&folder.path().join("run"));
    let error = train(job(config, &data, &own, false), flex().as_ref(), &mut Watch::default()).unwrap_err();
    assert!(error.to_string().contains("leave `--stream` out"), "{error}");
}
