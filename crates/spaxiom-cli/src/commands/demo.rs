//! `demo`: every command once, on simulated events or on the user's own.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use spaxiom_embedding::{DataFolder, Dataset, EmbeddingPipeline, Event, Filter, ObjectiveName, Preset, Query, Run};

use super::check::CheckArgs;
use super::eval::EvalArgs;
use super::finetune::{FallRiskArgs, FinetuneArgs, FinetuneTask};
use super::index::{IndexAction, IndexAddArgs, IndexArgs, IndexBuildArgs, IndexFlags, KindChoice};
use super::pretrain::PretrainArgs;
use super::{check, eval, finetune, index, pretrain, search, simulate};
use crate::args::{BackendArgs, DataArgs, EncoderArgs, ReadArgs, StoreArgs, TrainArgs};
use crate::exit::Exit;
use crate::{clock, output};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask demo\n  cargo xtask demo --data home.txt --format casas")]
pub(crate) struct DemoArgs {
    /// Events of your own instead of simulated ones
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    /// Folder for everything that the demo writes [default: the next free runs/demo-N]
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Random seed
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

/// Sites and days of the simulated warehouse.
const N_SITES: u32 = 10;
const N_DAYS: u32 = 28;

pub(crate) fn run(args: &DemoArgs, json: bool) -> anyhow::Result<Exit> {
    if json {
        output::text_to_stderr();
    }
    let start = clock::now();
    let out = args.out.clone().map_or_else(next_free, Ok)?;
    let demo = Demo { args, out, start };
    let (data, events) = demo.data()?;
    demo.title("check", &format!("check {}", events.display()));
    let check = CheckArgs {
        input: vec![events],
        read: args.read.clone(),
        quarantine: None,
        allowed_lateness: 60.0,
        chatter_per_min: 60,
        strict: false,
    };
    check::run(&check, false)?;
    let (pretrained, classifier, store) =
        (demo.out.join("pretrained"), demo.out.join("classifier"), demo.out.join("store"));
    if let Some(exit) = demo.train(&data, &pretrained, &classifier)? {
        return Ok(exit);
    }
    demo.index(&data, &pretrained, &store)?;
    demo.searches(&data, &pretrained, &store)?;
    demo.title("evaluate", &format!("eval --run {}", classifier.display()));
    let eval = EvalArgs {
        run: classifier.clone(),
        from: Some(pretrained.clone()),
        data: demo.data_args(&data),
        other: false,
        refit: false,
        skeptic: false,
        probe_events: None,
        test_events: None,
        out: None,
        backend: demo.backend(),
    };
    let (report, _) = eval::report(&eval)?;
    if json {
        output::json(&report)?;
    } else {
        output::text(&report.to_table());
    }
    let minutes = demo.start.elapsed().as_secs_f64() / 60.0;
    output::text(&format!(
        "\n{minutes:.1} minutes; everything is in {}, the run in {}\n\
        Look for yourself, at http://127.0.0.1:8321:\n$ cargo xtask serve --run {} --store {}\n",
        demo.out.display(),
        classifier.display(),
        pretrained.display(),
        store.display()
    ));
    Ok(Exit::Done)
}

struct Demo<'a> {
    args: &'a DemoArgs,
    out: PathBuf,
    start: Instant,
}

impl Demo<'_> {
    /// Says which command does the same.
    fn title(&self, what: &str, command: &str) {
        let secs = self.start.elapsed().as_secs();
        output::text(&format!("\n== {what} ({secs} s) ==\n$ cargo xtask {command}\n"));
    }

    /// The data, and the file of events in them.
    fn data(&self) -> anyhow::Result<(PathBuf, PathBuf)> {
        if let Some(data) = &self.args.data {
            let events = if data.is_dir() { DataFolder::new(data).events() } else { data.clone() };
            return Ok((data.clone(), events));
        }
        let data = self.out.join("data");
        let seed = self.args.seed;
        let out = data.display();
        self.title(
            "simulate",
            &format!("simulate --scenario warehouse --sites {N_SITES} --days {N_DAYS} --seed {seed} --out {out}"),
        );
        simulate::warehouse(&data, seed, N_SITES, N_DAYS)?;
        Ok((data.clone(), data.join("events.jsonl")))
    }

    fn data_args(&self, data: &Path) -> DataArgs {
        DataArgs { data: data.to_owned(), read: self.args.read.clone() }
    }

    fn backend(&self) -> BackendArgs {
        self.args.backend.clone()
    }

    fn train_args(&self, out: &Path) -> TrainArgs {
        let (out, seed) = (Some(out.to_owned()), Some(self.args.seed));
        TrainArgs { out, resume: None, max_steps: None, reduce_to: None, seed }
    }

    /// Pretrains and fine-tunes; gives the exit where the user stopped it.
    fn train(&self, data: &Path, pretrained: &Path, classifier: &Path) -> anyhow::Result<Option<Exit>> {
        let (from, to) = (pretrained.display(), classifier.display());
        self.title("pretrain", &format!("pretrain --preset tiny --data {} --out {from}", data.display()));
        let args = PretrainArgs {
            data: self.data_args(data),
            stream: false,
            preset: Some(Preset::Tiny),
            config: None,
            encoder: EncoderArgs::default(),
            tokens: None,
            objective: vec![ObjectiveName::Mep],
            train: self.train_args(pretrained),
            backend: self.backend(),
        };
        let exit = pretrain::run(&args, false)?;
        if exit == Exit::Interrupted {
            return Ok(Some(exit));
        }
        self.title("finetune", &format!("finetune --task classify --from {from} --data {} --out {to}", data.display()));
        let args = FinetuneArgs {
            task: FinetuneTask::Classify,
            from: Some(pretrained.to_owned()),
            config: None,
            data: self.data_args(data),
            train: self.train_args(classifier),
            fall_risk: FallRiskArgs::default(),
            backend: self.backend(),
        };
        let exit = finetune::run(&args, false)?;
        Ok((exit == Exit::Interrupted).then_some(exit))
    }

    fn index(&self, data: &Path, run: &Path, store: &Path) -> anyhow::Result<()> {
        let (run_name, store_name) = (run.display(), store.display());
        self.title("index", &format!("index build --store {store_name} --run {run_name} --data {}", data.display()));
        let add = IndexAddArgs {
            store: StoreArgs::of_folder(store.to_owned()),
            run: run.to_owned(),
            data: self.data_args(data),
            replace: false,
            backend: self.backend(),
        };
        let index = IndexFlags { kind: Some(KindChoice::Auto), ..IndexFlags::default() };
        let args = IndexBuildArgs { add, vector: None, index };
        index::run(&IndexArgs { action: IndexAction::Build(args) }, false)?;
        Ok(())
    }

    /// Two stored events in their context, and one bare event.
    fn searches(&self, data: &Path, run: &Path, store: &Path) -> anyhow::Result<()> {
        let opened = Run::open(run)?;
        let engine = self.args.backend.engine_for(&opened)?;
        let pipeline = EmbeddingPipeline::open(&opened, store, engine.as_ref())?;
        let dataset = Dataset::load(data, &self.args.read.options()?)?;
        let sequence = dataset.sequences().next_back().context("the data have no events")?;
        let events = sequence.events();
        let flags = format!("--run {} --store {}", run.display(), store.display());
        for event in [&events[events.len() / 2], &events[events.len() * 3 / 4]] {
            self.title("search", &format!("search {flags} -k 5 --id {}", event.id));
            output::text(&format!("query: {}\n", described(event)));
            output::text(&search::table(&pipeline.search(Query::Id(event.id.as_str()), 5, &Filter::All)?));
        }
        let event = events.iter().rev().find(|event| !event.attrs.is_empty()).unwrap_or(&events[0]);
        let bare = serde_json::to_string(event).context("the event as JSON")?;
        self.title("search", &format!("search {flags} -k 5 --type {} --event '{bare}'", event.kind));
        let filter = Filter::kind(event.kind.to_string());
        let context = pipeline.stored_context(event)?;
        output::text(&search::table(&pipeline.search(Query::Event { event, context: &context }, 5, &filter)?));
        Ok(())
    }
}

fn described(event: &Event) -> String {
    let zone = event.zone.as_ref().map_or("-", |zone| zone.as_str());
    format!("{} in {zone} at {} ({})", event.kind, event.time.to_rfc3339(), event.site_id)
}

/// The first `runs/demo-N` that does not exist.
fn next_free() -> anyhow::Result<PathBuf> {
    let mut names = (1..).map(|number: u32| Path::new("runs").join(format!("demo-{number}")));
    names.find(|path| !path.exists()).context("a free folder for the demo")
}
