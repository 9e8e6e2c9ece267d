//! Objectives by name: each trains a run, and one that could not teach anything is refused with what it needs.

use spaxiom_embedding::{EncoderKind, LayoutName, NextEventOptions, ObjectiveName, RunConfig, RunFolder, Task};
use tempfile::TempDir;

use crate::{WORLD, config, open, pretrain};

fn brief(mut config: RunConfig) -> RunConfig {
    config.train.max_steps = 2;
    config.train.evaluate_every = 1;
    config
}

#[test]
fn every_objective_trains_alone_and_all_of_them_together() {
    let folder = TempDir::new().unwrap();
    let all: Vec<ObjectiveName> = ObjectiveName::ALL.iter().copied().filter(|name| !name.needs_classes()).collect();
    let sets = all.iter().map(std::slice::from_ref).chain([&all[..]]);
    for (number, names) in sets.enumerate() {
        let run = RunFolder::new(&folder.path().join(number.to_string()));
        let summary = pretrain(brief(config().with_objectives(names)), &WORLD.data(), &run, false).unwrap();
        assert!(summary.validation_loss.is_some_and(f64::is_finite), "{names:?}");
        assert_eq!(open(&run).config().objectives.names(), names);
    }
}

#[test]
fn objectives_that_could_teach_nothing_are_refused() {
    let check = |config: RunConfig, want: &str| {
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    let with = |name| config().with_objectives(&[name]);
    check(
        with(ObjectiveName::Nep).with_encoder(EncoderKind::Gnn),
        "nep needs an encoder that reads from the past alone",
    );
    check(with(ObjectiveName::Jigsaw).with_tokens(LayoutName::Flat), "jigsaw needs tokens that keep times apart");
    check(
        with(ObjectiveName::Jigsaw).with_encoder(EncoderKind::Gnn),
        "jigsaw needs an encoder that hears other events",
    );
    check(with(ObjectiveName::Triplet).with_tokens(LayoutName::Bins), "triplet needs a position per event");
    let mut flat = with(ObjectiveName::Nep).with_tokens(LayoutName::Flat);
    flat.objectives.nep = Some(NextEventOptions { fields: vec!["zone".into()], ..NextEventOptions::default() });
    check(flat, "nep with `objectives.nep.fields` needs a position per event");
    let mut unlinked = with(ObjectiveName::Link);
    unlinked.tokenizer.links = None;
    check(unlinked, "link needs edges between events");
    check(with(ObjectiveName::Classify), "classify needs labels: train it with `finetune`");
}

#[test]
fn objectives_of_an_experiment_file_take_the_place_of_those_of_the_preset() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("experiment.toml");
    let read = |text: &str| {
        fs_err::write(&path, text).unwrap();
        RunConfig::from_file(&path, Task::Pretrain)
    };
    let weights = |text| read(text).unwrap().objectives.weights();
    assert_eq!(weights("preset = \"tiny\"\n"), [(ObjectiveName::Mep, 1.0)]);
    assert_eq!(weights("[objectives.info-nce]\nweight = 0.5\n"), [(ObjectiveName::InfoNce, 0.5)]);
    assert!(read("[objectives.masked]\nweight = 1.0\n").is_err());
    let error = std::error::Error::source(&read("[masking]\nratio = 0.3\n").unwrap_err()).unwrap().to_string();
    assert!(error.contains("the settings of [masking] are in [objectives.mep] now"), "{error}");
}
