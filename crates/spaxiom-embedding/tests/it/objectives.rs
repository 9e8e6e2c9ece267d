//! Objectives by name: each trains a run, and one that could not teach anything is refused with what it needs.

use spaxiom_embedding::{EncoderKind, LayoutName, PretextName, RunConfig, RunFolder, Task};
use tempfile::TempDir;

use crate::{WORLD, config, pretrain};

const ALL: [PretextName; 7] = [
    PretextName::Mep,
    PretextName::Nep,
    PretextName::Jigsaw,
    PretextName::Link,
    PretextName::Node,
    PretextName::InfoNce,
    PretextName::Triplet,
];

fn brief(mut config: RunConfig) -> RunConfig {
    config.train.max_steps = 2;
    config.train.evaluate_every = 1;
    config
}

#[test]
fn every_objective_trains_alone_and_all_of_them_together() {
    let folder = TempDir::new().unwrap();
    let sets = ALL.iter().map(std::slice::from_ref).chain([&ALL[..]]);
    for (number, names) in sets.enumerate() {
        let run = RunFolder::new(&folder.path().join(number.to_string()));
        let summary = pretrain(brief(config().with_objectives(names)), &WORLD.data(), &run, false).unwrap();
        assert!(summary.validation_loss.is_some_and(f64::is_finite), "{names:?}");
        assert!(run.config().unwrap().objectives.keys().eq(names), "{names:?}");
    }
}

#[test]
fn objectives_that_could_teach_nothing_are_refused() {
    let check = |config: RunConfig, want: &str| {
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains(want), "{error}");
    };
    let with = |name| config().with_objectives(&[name]);
    check(with(PretextName::Nep).with_encoder(EncoderKind::Gnn), "nep needs an encoder that reads from the past alone");
    check(with(PretextName::Jigsaw).with_tokens(LayoutName::Flat), "jigsaw needs tokens that keep times apart");
    check(with(PretextName::Jigsaw).with_encoder(EncoderKind::Gnn), "jigsaw needs an encoder that hears other events");
    check(with(PretextName::Triplet).with_tokens(LayoutName::Bins), "info-nce or triplet needs a position per event");
    let mut flat = with(PretextName::Nep).with_tokens(LayoutName::Flat);
    flat.next_event.fields = vec!["zone".into()];
    check(flat, "nep with `next-event.fields` needs a position per event");
    let mut unlinked = with(PretextName::Link);
    unlinked.tokenizer.links = None;
    check(unlinked, "link needs edges between events");
}

#[test]
fn objectives_of_an_experiment_file_take_the_place_of_those_of_the_preset() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("experiment.toml");
    let read = |text: &str| {
        fs_err::write(&path, text).unwrap();
        RunConfig::from_file(&path, Task::Pretrain)
    };
    let weights = |text| read(text).unwrap().objectives.into_iter().collect::<Vec<_>>();
    assert_eq!(weights("preset = \"tiny\"\n"), [(PretextName::Mep, 1.0)]);
    assert_eq!(weights("[objectives]\ninfo-nce = 0.5\n"), [(PretextName::InfoNce, 0.5)]);
    assert!(read("[objectives]\nmasked = 1.0\n").is_err());
}
