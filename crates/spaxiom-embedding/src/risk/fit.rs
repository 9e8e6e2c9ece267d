//! Fine-tuning for a risk.

use serde::Serialize;
use spaxiom_eval::{Part, Platt, Split, auroc, average_precision};
use spaxiom_token::{EntityMemory, EntityMemoryOptions, TokenError};

use super::classifier::FallRiskClassifier;
use super::cross_fit::{Columns, CrossFit, Learning};
use super::decisions::{Decision, Decisions};
use super::options::RiskOptions;
use super::threshold;
use crate::data::Dataset;
use crate::error::EmbeddingError;
use crate::run::{Run, RunFolder};

/// Outcomes without which nothing can be learned.
const LEAST_OUTCOMES: usize = 20;

/// A fine-tuning for a risk.
pub struct RiskJob<'a> {
    /// The options.
    pub options: RiskOptions,
    /// The data.
    pub data: &'a Dataset,
    /// The run whose split says which sites may be learned from; its files are those of the new run too.
    pub from: &'a Run,
    /// The folder of the new run.
    pub run: &'a RunFolder,
}

/// What was learned, judged on the sites that each head did not learn from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RiskSummary {
    /// Decisions that were learned from.
    pub n_decisions: usize,
    /// Those with an outcome.
    pub n_outcomes: usize,
    /// Sites they come from.
    pub n_sites: usize,
    /// Chance that one with an outcome has a higher score than one without; 0.5 for random scores.
    pub auroc: f64,
    /// Area under precision over recall; the share of outcomes for random scores.
    pub average_precision: f64,
    /// The lowest probability at which there is an alert.
    pub threshold: f64,
    /// Share of the alerts that an outcome follows.
    pub precision: f64,
    /// Share of the outcomes that an alert precedes.
    pub recall: f64,
    /// Alerts in a unit (a ward) and a shift of 8 hours.
    pub alerts_per_unit_shift: f64,
}

/// The part that a decision is for: with several sites whole sites are for the test, with one its last days.
pub(super) fn part_of(split: &Split, decision: &Decision) -> Option<Part> {
    if split.test_sites().is_empty() {
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
        return split.part(&decision.site, decision.secs as i64);
    }
    Some(if split.is_unseen_site(&decision.site) { Part::Test } else { Part::Train })
}

/// The places of the decisions that may be learned from.
pub(super) fn learning_places(split: &Split, decisions: &Decisions) -> Vec<usize> {
    let is_learning = |decision: &Decision| matches!(part_of(split, decision), Some(Part::Train | Part::Validation));
    (0..decisions.all.len()).filter(|at| is_learning(&decisions.all[*at])).collect()
}

/// Learns to judge a risk, and writes a run: the files of `from`, and `risk.json`.
///
/// # Errors
/// [`EmbeddingError::FewOutcomes`] for data without enough of them, [`EmbeddingError::NoBoosting`] for trees in a build without
/// LightGBM, [`EmbeddingError::RunExists`] for a folder that holds a run.
pub fn fit_risk(job: RiskJob<'_>, progress: &mut dyn FnMut(&str)) -> Result<RiskSummary, EmbeddingError> {
    let RiskJob { options, data, from, run } = job;
    let RiskOptions { rule, memory: memory_options, head, target, max_labels, seed } = options;
    rule.check()?;
    if !head.is_compiled() {
        return Err(EmbeddingError::NoBoosting);
    }
    let split = &from.manifest().split;
    progress("names of what entities do");
    let memory = learned_memory(data, split, &memory_options)?;
    progress("decision points");
    let decisions = Decisions::of_data(data, &rule, &memory)?;
    let mut learning = Learning::new(&decisions, learning_places(split, &decisions));
    if let Some(n) = max_labels {
        learning = learning.spread(n);
    }
    let labels = learning.labels(&decisions);
    let n_outcomes = labels.iter().filter(|label| **label).count();
    if n_outcomes < LEAST_OUTCOMES || learning.n_folds < 2 {
        return Err(EmbeddingError::FewOutcomes {
            path: data.path().to_owned(),
            n_decisions: labels.len(),
            n_outcomes,
            part: "to learn from",
            want: "20 outcomes of two entities or more",
        });
    }
    // Before the work, so that a folder that holds a run is told of at once.
    run.create()?;
    progress("heads");
    let columns = Columns::of_names(&memory.feature_names(), |_| true);
    let fit = CrossFit::fit(head, &decisions, &learning, columns, seed)?;
    let scored: Vec<(f64, bool)> = fit.out_of_fold.iter().copied().zip(labels).collect();
    let platt = Platt::fit(&scored);
    let judged: Vec<(f64, bool)> = scored.iter().map(|&(score, is_yes)| (platt.probability(score), is_yes)).collect();
    let n_unit_shifts = unit_shifts(&decisions, &learning, max_labels.is_some());
    let threshold = threshold::choose(target, &judged, n_unit_shifts);
    let alerts: Vec<bool> = judged.iter().filter(|(p, _)| *p >= threshold).map(|(_, is_yes)| *is_yes).collect();
    let n_right = alerts.iter().filter(|is_yes| **is_yes).count();
    let prevalence = n_outcomes as f64 / judged.len() as f64;
    let classifier =
        FallRiskClassifier { rule, memory, head, heads: fit.heads, platt, target, threshold, prevalence, max_labels };
    run.copy_all(from.path())?;
    classifier.save(run.path())?;
    let mut sites: Vec<&str> = learning.places.iter().map(|place| decisions.all[*place].site.as_str()).collect();
    sites.dedup();
    Ok(RiskSummary {
        n_decisions: judged.len(),
        n_outcomes,
        n_sites: sites.len(),
        auroc: auroc(&judged),
        average_precision: average_precision(&judged),
        threshold,
        precision: n_right as f64 / alerts.len().max(1) as f64,
        recall: n_right as f64 / n_outcomes as f64,
        alerts_per_unit_shift: alerts.len() as f64 / n_unit_shifts,
    })
}

/// Names from the events that may be learned from.
fn learned_memory(
    data: &Dataset,
    split: &Split,
    options: &EntityMemoryOptions,
) -> Result<EntityMemory, EmbeddingError> {
    let has_test_sites = !split.test_sites().is_empty();
    let (table, sequences) = data.columns();
    let sites =
        sequences.iter().filter(|sequence| !(has_test_sites && split.is_unseen_site(sequence.site_id.as_str())));
    let events = sites.flat_map(|sequence| table.events(&sequence.rows)).filter(|event| {
        let part = || split.part(event.site_id.as_str(), event.time.timestamp());
        has_test_sites || matches!(part(), Some(Part::Train | Part::Validation))
    });
    match EntityMemory::fit(options, data.sites(), events) {
        Err(TokenError::NoEvents) => Err(EmbeddingError::FewOutcomes {
            path: data.path().to_owned(),
            n_decisions: 0,
            n_outcomes: 0,
            part: "to learn from",
            want: "events with an `entity_id`, which says whom they are about,",
        }),
        memory => Ok(memory?),
    }
}

/// Units times shifts of the sites that were learned from; where decisions were left out, so are as many of their shifts.
fn unit_shifts(decisions: &Decisions, learning: &Learning, is_part: bool) -> f64 {
    let mut sites: Vec<&str> = learning.places.iter().map(|place| decisions.all[*place].site.as_str()).collect();
    sites.dedup();
    let all: f64 = sites.iter().map(|site| decisions.unit_shifts[*site]).sum();
    let n_of_sites = decisions.all.iter().filter(|decision| sites.contains(&decision.site.as_str())).count();
    let share = if is_part { learning.places.len() as f64 / n_of_sites.max(1) as f64 } else { 1.0 };
    all * share
}
