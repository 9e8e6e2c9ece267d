//! Which objective helps which figure: the same encoder pretrained by each, from several seeds, beside the encoder that learned nothing.

use std::fmt::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use spaxiom_eval::{Interval, accuracy, clustered_mean, clustered_statistic, macro_f1};
use spaxiom_objective::{ObjectiveName, Observer, Outcome};

use super::bench::{Bench, Judged};
use super::evaluate::with_other;
use super::options::EvaluateOptions;
use super::report::{difference_text, interval_text};
use super::samples::Source;
use crate::data::Dataset;
use crate::engine::Engine;
use crate::error::EmbeddingError;
use crate::files;
use crate::run::{Provenance, Run, RunConfig, RunFolder};
use crate::training::{TrainJob, train, with_memory};

/// An ablation to be started, or gone on with: runs that are finished are used as they are.
pub struct AblationJob<'a> {
    /// Everything but objectives and seeds; weights of objectives that it names count, others are 1.
    pub config: RunConfig,
    /// Each is pretrained by itself.
    pub sets: Vec<Vec<ObjectiveName>>,
    /// Seeds from 0 on.
    pub n_seeds: u64,
    /// The data, with labels.
    pub data: &'a Dataset,
    /// Folder of the runs.
    pub out: &'a Path,
    /// The program.
    pub provenance: Provenance,
    /// How vectors are judged.
    pub options: EvaluateOptions,
}

/// Figures of one set of objectives, means over the seeds; intervals resample episodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AblationRow {
    /// The objectives, `untrained`, `hand-made` or `tf-idf`.
    pub name: String,
    /// Share of test events whose label a linear probe on frozen vectors tells.
    pub accuracy: Interval,
    /// Its difference to the untrained encoders of the same seeds, event by event.
    pub accuracy_over_untrained: Interval,
    /// Its difference to the hand-made vector, event by event.
    pub accuracy_over_hand_made: Interval,
    /// Mean F1 over the labels of the test part.
    pub macro_f1: Interval,
    /// Its difference to the untrained encoders.
    pub macro_f1_over_untrained: Interval,
    /// Hits of the first ten over `min(10, relevant)`.
    pub recall_at_10: Interval,
    /// Its difference to the untrained encoders, query by query.
    pub recall_over_untrained: Interval,
    /// Accuracy of each seed.
    pub accuracy_by_seed: Vec<f64>,
    /// The objective's own loss on the validation part, of seed 0: heads alone on the untrained encoder, and everything trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_loss: Option<[f64; 2]>,
}

/// What an ablation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AblationReport {
    /// The data.
    pub data: String,
    /// Seeds of each row with an encoder.
    pub n_seeds: u64,
    /// Steps of each run at most.
    pub max_steps: u64,
    /// Labeled test events.
    pub n_test: usize,
    /// Rows side by side.
    pub rows: Vec<AblationRow>,
}

impl AblationReport {
    /// A table of fixed width.
    #[must_use]
    pub fn to_table(&self) -> String {
        let mut text = format!(
            "{:<16} {:>20} {:>23} {:>23} {:>20} {:>23} {:>20} {:>23} {:>15}\n",
            "objectives",
            "accuracy [95 %]",
            "minus untrained",
            "minus hand-made",
            "macro-F1 [95 %]",
            "minus untrained",
            "recall@10 [95 %]",
            "minus untrained",
            "own loss"
        );
        for row in &self.rows {
            let own_loss = row.own_loss.map_or("-".into(), |[before, after]| format!("{before:.3} -> {after:.3}"));
            let _ = writeln!(
                text,
                "{:<16} {:>20} {:>23} {:>23} {:>20} {:>23} {:>20} {:>23} {own_loss:>15}",
                row.name,
                interval_text(&row.accuracy),
                difference_text(&row.accuracy_over_untrained),
                difference_text(&row.accuracy_over_hand_made),
                interval_text(&row.macro_f1),
                difference_text(&row.macro_f1_over_untrained),
                interval_text(&row.recall_at_10),
                difference_text(&row.recall_over_untrained),
            );
        }
        let n_episodes = self.rows.first().map_or(0, |row| row.accuracy.n_clusters);
        let _ = writeln!(
            text,
            "\n{} labeled test events in {n_episodes} episodes, which intervals resample; means over {} seeds; at most {} steps\n\
             own loss: on the validation part, heads alone on the untrained encoder -> everything trained (seed 0)",
            self.n_test, self.n_seeds, self.max_steps,
        );
        text
    }
}

/// Pretrains by every set of objectives from every seed and judges the frozen vectors; none where the observer stopped it.
///
/// All sets train one encoder: where next-event prediction is among them, none looks ahead.
/// `watch` makes the observer of a run from its name.
pub fn ablate(
    job: &AblationJob<'_>,
    engine: &dyn Engine,
    watch: &mut dyn FnMut(&str) -> Box<dyn Observer>,
) -> Result<Option<AblationReport>, EmbeddingError> {
    let names: Vec<ObjectiveName> = job.sets.iter().flatten().copied().collect();
    let base = with_memory(job.config.clone().with_objectives(&names), job.data, None)?;
    base.check()?;
    if base.encoder.is_none() {
        return Err(EmbeddingError::NoEncoder { what: "an ablation compares what encoders learn" });
    }
    let mut trained = Vec::new();
    for set in &job.sets {
        let Some(found) = Trained::new(job, &base, set, engine, watch)? else { return Ok(None) };
        trained.push(found);
    }
    let Some(run) = trained.first().and_then(|set| set.runs.first()) else {
        return Err(EmbeddingError::Unfit {
            objective: "of an ablation",
            want: "one set or more, and one seed or more",
        });
    };
    let (tokenizer, split) = (run.tokenizer().clone().with_sites(job.data.sites()), run.manifest().split.clone());
    let mut classes = job.data.classes(&split)?;
    let other = job.options.with_other.then(|| with_other(&mut classes));
    let memory = run.memory().map(|memory| memory.clone().with_sites(job.data.sites()));
    let source = Source {
        data: job.data,
        split: &split,
        tokenizer: &tokenizer,
        memory: memory.as_ref(),
        classes: &classes,
        other,
        max_len: base.max_len(),
    };
    let bench = Bench::new(&source, &job.options)?;
    let parts = job.options.parts;
    let hand_made = bench.judge_hand_made();
    let untrained = |seed| {
        let encoder = engine.untrained(run.shape()?, seed);
        let windows = bench.train.windows_up_to(encoder.reach());
        let vectors = run.vectors(engine, parts)?.with_encoder(encoder, &windows);
        Ok(bench.judge(&bench.encoded(&vectors)))
    };
    let untrained: Result<Vec<Judged>, EmbeddingError> = (0..job.n_seeds).map(untrained).collect();
    let untrained = untrained?;
    let table = Table { bench: &bench, hand_made: &hand_made, untrained: &untrained, seed: job.options.seed };
    let mut rows = Vec::new();
    for Trained { name, runs, own_loss } in &trained {
        let judged: Result<Vec<Judged>, EmbeddingError> =
            runs.iter().map(|run| Ok(bench.judge(&bench.encoded(&run.vectors(engine, parts)?)))).collect();
        rows.push(AblationRow { own_loss: *own_loss, ..table.row(name, &judged?) });
    }
    rows.push(table.row("untrained", &untrained));
    if let Some(memory) = &memory {
        rows.push(table.row("memory", &[bench.judge(&bench.remembered(memory, 0))]));
    }
    rows.push(table.row("CASAS features", &[bench.judge(&bench.casas(job.data))]));
    rows.push(table.row("hand-made", std::slice::from_ref(&hand_made)));
    rows.push(table.row("tf-idf", &[bench.judge_tfidf()]));
    let report = AblationReport {
        data: job.data.path().display().to_string(),
        n_seeds: job.n_seeds,
        max_steps: base.train.max_steps,
        n_test: bench.test.labeled.len(),
        rows,
    };
    files::save_json(&job.out.join("ablation.json"), &report)?;
    Ok(Some(report))
}

/// The runs of one set of objectives.
struct Trained {
    name: String,
    /// One per seed.
    runs: Vec<Run>,
    own_loss: Option<[f64; 2]>,
}

impl Trained {
    /// None where the observer stopped a run.
    fn new(
        job: &AblationJob<'_>,
        base: &RunConfig,
        set: &[ObjectiveName],
        engine: &dyn Engine,
        watch: &mut dyn FnMut(&str) -> Box<dyn Observer>,
    ) -> Result<Option<Self>, EmbeddingError> {
        let name = set.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("+");
        let mut config = RunConfig { objectives: job.config.objectives.pick(set), ..base.clone() };
        let mut runs = Vec::new();
        for seed in 0..job.n_seeds {
            config.train.seed = seed;
            let Some(run) = finished(job, &config, &format!("{name}-{seed}"), engine, watch)? else { return Ok(None) };
            runs.push(run);
        }
        config.train.seed = 0;
        config.train.rates.frozen = vec!["encoder".into()];
        let Some(heads) = finished(job, &config, &format!("{name}-heads"), engine, watch)? else { return Ok(None) };
        let own_loss = match (heads.best_loss()?, runs.first().map(Run::best_loss).transpose()?.flatten()) {
            (Some(before), Some(after)) => Some([before, after]),
            _ => None,
        };
        Ok(Some(Self { name, runs, own_loss }))
    }
}

/// A run with this configuration: the one that is there, or one that is made now.
fn finished(
    job: &AblationJob<'_>,
    config: &RunConfig,
    name: &str,
    engine: &dyn Engine,
    watch: &mut dyn FnMut(&str) -> Box<dyn Observer>,
) -> Result<Option<Run>, EmbeddingError> {
    let folder = RunFolder::new(&job.out.join(name));
    let resume = folder.has_checkpoint();
    if resume {
        let run = Run::open(folder.path())?;
        run.require_data(job.data.path(), job.data.fingerprint())?;
        if run.config() != config {
            return Err(EmbeddingError::RunExists { path: run.path().to_owned() });
        }
        if run.manifest().outcome.is_some_and(|outcome| outcome != Outcome::Interrupted) {
            return Ok(Some(run));
        }
    }
    let (config, provenance) = (config.clone(), job.provenance.clone());
    let job = TrainJob { config, data: job.data, run: &folder, from: None, resume, provenance };
    let summary = train(job, engine, watch(name).as_mut())?;
    (summary.outcome != Outcome::Interrupted).then(|| Run::open(folder.path())).transpose()
}

/// What all rows are compared with.
struct Table<'a> {
    bench: &'a Bench<'a>,
    hand_made: &'a Judged,
    untrained: &'a [Judged],
    seed: u64,
}

impl Table<'_> {
    fn row(&self, name: &str, judged: &[Judged]) -> AblationRow {
        let (truth, episodes) = (&self.bench.truth(), &self.bench.episodes());
        let right = |judged: &[Judged]| mean_of(judged, |judged| accuracy(&judged.predicted, truth));
        let recalls = |judged: &[Judged]| mean_of(judged, |judged| judged.retrieved.recalls.clone());
        let (own, untrained) = (right(judged), right(self.untrained));
        let hand_made = accuracy(&self.hand_made.predicted, truth);
        let of_events = |values: &[f64]| clustered_mean(values, episodes, self.seed);
        let of_queries = |values: &[f64]| clustered_mean(values, &self.hand_made.retrieved.episodes, self.seed);
        let f1 = |judged: &[Judged], items: &[usize]| {
            let of_one = |judged: &Judged| {
                let pick = |from: &[usize]| items.iter().map(|&item| from[item]).collect::<Vec<_>>();
                macro_f1(&pick(&judged.predicted), &pick(truth))
            };
            judged.iter().map(of_one).sum::<f64>() / judged.len() as f64
        };
        let resampled = |statistic: &dyn Fn(&[usize]) -> f64| clustered_statistic(episodes, self.seed, statistic);
        let (own_recalls, untrained_recalls) = (recalls(judged), recalls(self.untrained));
        AblationRow {
            name: name.into(),
            accuracy: of_events(&own),
            accuracy_over_untrained: of_events(&difference(&own, &untrained)),
            accuracy_over_hand_made: of_events(&difference(&own, &hand_made)),
            macro_f1: resampled(&|items| f1(judged, items)),
            macro_f1_over_untrained: resampled(&|items| f1(judged, items) - f1(self.untrained, items)),
            recall_at_10: of_queries(&own_recalls),
            recall_over_untrained: of_queries(&difference(&own_recalls, &untrained_recalls)),
            accuracy_by_seed: judged.iter().map(|judged| mean(&accuracy(&judged.predicted, truth))).collect(),
            own_loss: None,
        }
    }
}

/// The mean over the seeds, item by item.
fn mean_of(judged: &[Judged], values: impl Fn(&Judged) -> Vec<f64>) -> Vec<f64> {
    let by_seed: Vec<Vec<f64>> = judged.iter().map(values).collect();
    let n_items = by_seed.first().map_or(0, Vec::len);
    (0..n_items).map(|item| by_seed.iter().map(|values| values[item]).sum::<f64>() / by_seed.len() as f64).collect()
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
