//! Runs of older formats: opened and resumed by every build.
//!
//! `run-format-3` is a classifier of a small world, made by the last build of that format:
//! `simulate --scenario count-only --sites 4 --days 8 --seed 3`, then `pretrain` and `finetune` with an encoder of width 8.

use std::path::Path;

use spaxiom_embedding::{
    Dataset, EvaluateOptions, Manifest, ReadOptions, Run, RunFolder, SiteMap, Task, evaluate, write_jsonl, write_labels,
};
use spaxiom_sim::{SimulatedSite, SmallWorld, SmallWorldOptions};
use tempfile::TempDir;

use crate::{finetune, flex};

fn data(folder: &Path) -> Dataset {
    let mut events = fs_err::File::create(folder.join("events.jsonl")).unwrap();
    let mut labels = fs_err::File::create(folder.join("labels.jsonl")).unwrap();
    let start = "2025-01-06T00:00:00Z".parse().unwrap();
    let mut zones = Vec::new();
    for site_idx in 0..4 {
        let mut site = SmallWorldOptions::default().site(SmallWorld::CountOnly, 3, site_idx, start);
        for _ in 0..8 {
            let day = site.next_day();
            write_jsonl(&mut events, &day.events).unwrap();
            write_labels(&mut labels, &day.truth.spans).unwrap();
        }
        zones.push((site.id().to_string(), site.zones()));
    }
    let map = SiteMap::from_zones(zones).unwrap();
    fs_err::write(folder.join("site-map.toml"), map.to_toml()).unwrap();
    Dataset::load(folder, &ReadOptions::default()).unwrap()
}

fn copied(name: &str) -> (TempDir, RunFolder) {
    let folder = TempDir::new().unwrap();
    let from = Path::new("tests/fixtures").join(name);
    fs_err::create_dir(folder.path().join("checkpoint")).unwrap();
    for file in ["config.toml", "manifest.json", "tokenizer.json", "model.safetensors", "checkpoint/last.safetensors"] {
        fs_err::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    let run = RunFolder::new(folder.path());
    (folder, run)
}

#[test]
fn a_run_of_format_3_classifies_as_it_did() {
    let (folder, run) = copied("run-format-3");
    let data = data(folder.path());
    let run = Run::open(run.path()).unwrap();
    assert_eq!((run.manifest().format, run.manifest().data.as_str()), (3, data.fingerprint()));
    let report =
        evaluate(&run, None, &data, &EvaluateOptions::default(), flex().as_ref(), &|| 0.0, &mut |_| {}).unwrap();
    let accuracy = |name: &str| report.rows.iter().find(|row| row.name == name).unwrap().accuracy.mean;
    // What the build of that format reported; it has no memory, and its vectors are those of its encoder.
    assert_eq!(accuracy("fine-tuned, own head"), 0.55);
    assert!(run.memory().is_none() && report.rows.iter().all(|row| !row.name.contains("memory")));
}

#[test]
fn a_run_of_format_3_is_resumed_to_the_losses_of_that_format() {
    let (folder, run) = copied("run-format-3");
    let data = data(folder.path());
    let mut config = Run::open(run.path()).unwrap().resumed_config(Task::Classify).unwrap();
    assert_eq!(config.objectives.classify.as_ref().unwrap().focal_gamma, 1.0);
    config.train.max_steps = 10;
    let summary = finetune(None, config.clone(), &data, &run, true).unwrap();
    // The build of that format resumed it to 0.34654031682705533.
    assert!((summary.validation_loss.unwrap() - 0.346_540_316_827_055_33).abs() < 1e-6, "{summary:?}");
    let resumed = Run::open(run.path()).unwrap();
    assert_eq!((resumed.manifest().format, resumed.config()), (Manifest::FORMAT, &config));
}
