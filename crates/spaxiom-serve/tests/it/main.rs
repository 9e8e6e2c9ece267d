//! Tests of `spaxiom-serve` through its border: questions whose answers are known from the data.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod desk;

use std::sync::{Arc, LazyLock};

use chrono::DateTime;
use spaxiom_embedding::{
    Dataset, EmbeddingPipeline, EvalReport, Event, Exact, Flow, Observer, Preset, Provenance, ReadOptions, Run,
    RunConfig, RunFolder, SiteMap, Sites, StepReport, Task, TrainJob, engine, train, write_jsonl,
};
use spaxiom_serve::Desk;
use spaxiom_sim::{Difficulty, SimulatedSite, Warehouse, WarehouseOptions};
use tempfile::TempDir;

/// Three warehouses for four days in a store, with what was put into it.
struct World {
    _folder: TempDir,
    events: Vec<Event>,
    desk: Desk,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    fs_err::create_dir_all(&data).unwrap();
    let warehouse = Warehouse::new(WarehouseOptions::default(), Difficulty::Medium).unwrap();
    let start = "2025-01-06T00:00:00Z".parse().unwrap();
    let (mut events, mut zones) = (Vec::new(), Vec::new());
    for site_idx in 0..3 {
        let mut site = warehouse.site(1, site_idx, start);
        zones.push((site.id().as_str().to_owned(), site.zones()));
        for _ in 0..4 {
            events.extend(site.next_day().events);
        }
    }
    write_jsonl(&mut fs_err::File::create(data.join("events.jsonl")).unwrap(), &events).unwrap();
    let map = SiteMap::from_zones(zones).unwrap();
    fs_err::write(data.join("site-map.toml"), map.to_toml()).unwrap();
    let mut config = RunConfig::preset(Preset::Tiny, Task::Pretrain).with_memory_alone();
    config.memory.half_lives_secs = vec![120.0, 600.0, 1800.0, 7200.0];
    let data = Dataset::load(&data, &ReadOptions::default()).unwrap();
    let run = RunFolder::new(&folder.path().join("run"));
    let job = TrainJob { config, data: &data, run: &run, from: None, resume: false, provenance: Provenance::default() };
    let engine = engine("flex").unwrap();
    train(job, engine.as_ref(), &mut Silent).unwrap();
    let run = Run::open(run.path()).unwrap();
    let store = folder.path().join("store");
    let pipeline = EmbeddingPipeline::create(&run, &store, Arc::new(Exact), engine.as_ref()).unwrap();
    let pipeline = pipeline.with_sites(&Sites::new(&map, None));
    pipeline.add_data(&data, |_| ()).unwrap();
    let now = || DateTime::from_timestamp(1_736_467_200, 0).unwrap();
    let desk = Desk::new(pipeline, "run", map, now).unwrap();
    World { _folder: folder, events, desk }
});

struct Silent;

impl Observer for Silent {
    fn step(&mut self, _: &StepReport<'_>) -> Flow {
        Flow::Continue
    }

    fn evaluated(&mut self, _: &EvalReport<'_>) {}
}
