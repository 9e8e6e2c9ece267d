//! The evaluation of a fall-risk run on sites that it never saw.

use std::collections::{BTreeMap, BTreeSet};

use spaxiom_eval::{
    Interval, Latency, Part, auroc, average_precision, calibration, clustered_statistic, latency, operating_points,
    precision_at_recall, reliability,
};

use spaxiom_event::{Event, SiteId};

use super::classifier::FallRiskClassifier;
use super::cross_fit::{Columns, CrossFit, Learning, mean_scores};
use super::decisions::{Decision, Decisions};
use super::fit::{learning_places, part_of};
use super::head::{Head, HeadName};
use super::options::AlertTarget;
use super::report::{AtThreshold, DeadSensor, LabelPoint, RiskCost, RiskReport, RiskRow, SiteFigures, curves};
use crate::data::Dataset;
use crate::error::EmbeddingError;
use crate::run::Run;

/// What a missed outcome costs, in false alerts: an assumption, so that costs can be compared at all.
const COST_OF_A_MISS: f64 = 20.0;

/// Bins of the reliability diagram.
const N_BINS: usize = 10;

/// Shares of the labels of the label curve.
const LABEL_SHARES: [f64; 3] = [0.05, 0.2, 0.5];

/// Options of an evaluation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RiskEvaluateOptions {
    /// Whether what a skeptic asks for is judged too: what each kind of number adds, fewer labels, silent sensors, a random split.
    pub is_skeptical: bool,
    /// Seed of intervals and of the heads beside that of the run.
    pub seed: u64,
}

/// Judges a fall-risk run, and what it has to be better than, on the same decisions.
///
/// `now_secs` is the caller's clock, for latency. `progress` is told what is being done.
///
/// # Errors
/// [`EmbeddingError::NoRisk`] for another run, [`EmbeddingError::FewOutcomes`] for data in which nothing comes at unseen sites.
pub fn evaluate_risk(
    run: &Run,
    data: &Dataset,
    options: &RiskEvaluateOptions,
    now_secs: &dyn Fn() -> f64,
    progress: &mut dyn FnMut(&str),
) -> Result<RiskReport, EmbeddingError> {
    let classifier = FallRiskClassifier::open(run.path())?.with_sites(data.sites());
    progress("decision points");
    let decisions = Decisions::of_data(data, &classifier.rule, &classifier.memory)?;
    let split = &run.manifest().split;
    let is_test = |at: &usize| part_of(split, &decisions.all[*at]) == Some(Part::Test);
    let test: Vec<usize> = (0..decisions.all.len()).filter(is_test).collect();
    let n_outcomes = test.iter().filter(|at| decisions.all[**at].is_yes()).count();
    if n_outcomes == 0 || n_outcomes == test.len() {
        return Err(EmbeddingError::FewOutcomes {
            path: data.path().to_owned(),
            n_decisions: test.len(),
            n_outcomes,
            part: "at sites that the run never saw",
            want: "some with an outcome and some without",
        });
    }
    let learning = Learning::new(&decisions, learning_places(split, &decisions));
    let learning = classifier.max_labels.map_or_else(|| learning.clone(), |n| learning.spread(n));
    let judge = Judge {
        recall: if let AlertTarget::Recall(recall) = classifier.target { recall } else { 0.74 },
        names: classifier.memory.feature_names(),
        seed: options.seed,
        decisions: &decisions,
        learning: &learning,
        test: &test,
    };
    progress("the run");
    let by_head = judge.scores_of(&classifier.heads)?;
    let own = judge.scored(&mean_scores(&by_head));
    let mut rows = vec![judge.row(&format!("run, {}", classifier.head.as_str()), &own, &own)];
    rows.extend(judge.bars(&classifier, &own, options.is_skeptical, progress)?);
    progress("alerts");
    let judged: Vec<(f64, bool)> = (0..test.len())
        .map(|at| classifier.judged(&by_head.iter().map(|scores| scores[at]).collect::<Vec<_>>()))
        .collect();
    let predicted: Vec<(f64, bool)> = judged.iter().zip(&own).map(|((p, _), (_, is_yes))| (*p, *is_yes)).collect();
    let [curve, roc] = curves(&operating_points(&own), [test.len(), n_outcomes]);
    let mut report = RiskReport {
        run: run.path().display().to_string(),
        data: data.path().display().to_string(),
        head: classifier.head,
        learned_sites: judge.sites(&learning.places),
        test_sites: judge.sites(&test),
        n_learned: [learning.places.len(), learning.labels(&decisions).iter().filter(|yes| **yes).count()],
        n_test: [test.len(), n_outcomes],
        n_entities: judge.clusters().into_iter().collect::<BTreeSet<_>>().len(),
        recall: judge.recall,
        rows,
        at_threshold: judge.at_threshold(&classifier, &judged),
        calibration: calibration(&predicted),
        reliability: reliability(&predicted, N_BINS),
        sites: judge.by_site(&predicted, classifier.threshold),
        curve,
        roc,
        dead_sensors: Vec::new(),
        label_curve: Vec::new(),
        random_split_inflation: None,
        latency: None,
        verdict: String::new(),
    };
    if options.is_skeptical {
        progress("fewer labels");
        report.label_curve = judge.label_curve(classifier.head)?;
        progress("a random split");
        report.random_split_inflation = Some(judge.random_split(classifier.head)? - average_precision(&own));
        progress("silent sensors");
        report.dead_sensors = dead_sensors(&classifier, data, &judge)?;
    }
    progress("latency");
    report.latency = stream_latency(&classifier, data, &report.test_sites, now_secs)?;
    report.verdict = verdict(&report.rows);
    Ok(report)
}

/// Everything that ways of judging have in common.
struct Judge<'a> {
    recall: f64,
    /// Of the numbers of a row.
    names: Vec<String>,
    seed: u64,
    decisions: &'a Decisions,
    learning: &'a Learning,
    test: &'a [usize],
}

impl Judge<'_> {
    fn of_test(&self) -> impl Iterator<Item = &Decision> {
        self.test.iter().map(|at| &self.decisions.all[*at])
    }

    fn sites(&self, places: &[usize]) -> Vec<String> {
        let sites: BTreeSet<&str> = places.iter().map(|at| self.decisions.all[*at].site.as_str()).collect();
        sites.into_iter().map(String::from).collect()
    }

    /// The entity of each test decision by number.
    fn clusters(&self) -> Vec<u64> {
        let mut numbers = BTreeMap::new();
        let number = |decision: &Decision| {
            let n_known = numbers.len() as u64;
            *numbers.entry((decision.site.clone(), decision.entity.clone())).or_insert(n_known)
        };
        self.of_test().map(number).collect()
    }

    fn scored(&self, scores: &[f64]) -> Vec<(f64, bool)> {
        scores.iter().copied().zip(self.of_test().map(Decision::is_yes)).collect()
    }

    fn scores_of(&self, heads: &[Head]) -> Result<Vec<Vec<f64>>, EmbeddingError> {
        let all = Columns::of_names(&self.names, |_| true);
        let rows = all.rows(self.decisions, self.test);
        heads.iter().map(|head| head.scorer()?.scores(&rows, all.len())).collect()
    }

    fn interval(&self, statistic: impl Fn(&[usize]) -> f64) -> Interval {
        clustered_statistic(&self.clusters(), self.seed, statistic)
    }

    fn row(&self, name: &str, scored: &[(f64, bool)], own: &[(f64, bool)]) -> RiskRow {
        let of =
            |all: &[(f64, bool)], drawn: &[usize]| -> Vec<(f64, bool)> { drawn.iter().map(|at| all[*at]).collect() };
        RiskRow {
            name: name.into(),
            auroc: self.interval(|drawn| auroc(&of(scored, drawn))),
            average_precision: self.interval(|drawn| average_precision(&of(scored, drawn))),
            run_is_better_by: self
                .interval(|drawn| average_precision(&of(own, drawn)) - average_precision(&of(scored, drawn))),
            precision_at_recall: self.interval(|drawn| precision_at_recall(&of(scored, drawn), self.recall)),
        }
    }

    /// Scores of a head on some of the numbers, fitted as the run's were.
    fn fitted(&self, head: HeadName, is_read: impl Fn(&str) -> bool) -> Result<Vec<(f64, bool)>, EmbeddingError> {
        let columns = Columns::of_names(&self.names, is_read);
        let fit = CrossFit::fit(head, self.decisions, self.learning, columns, self.seed)?;
        Ok(self.scored(&mean_scores(&fit.scores(self.decisions, self.test)?)))
    }

    /// What the run has to be better than.
    fn bars(
        &self,
        classifier: &FallRiskClassifier,
        own: &[(f64, bool)],
        is_skeptical: bool,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Vec<RiskRow>, EmbeddingError> {
        let mut rows = Vec::new();
        for head in HeadName::ALL.into_iter().filter(|head| *head != classifier.head && head.is_compiled()) {
            progress(head.as_str());
            rows.push(self.row(&format!("the same, {}", head.as_str()), &self.fitted(head, |_| true)?, own));
        }
        // A bar is as strong as it can be made.
        let head = if HeadName::Boosting.is_compiled() { HeadName::Boosting } else { HeadName::Mlp };
        for (name, is_read, _) in BARS.iter().filter(|(_, _, is_for_skeptics)| is_skeptical || !is_for_skeptics) {
            progress(name);
            rows.push(self.row(name, &self.fitted(head, is_read)?, own));
        }
        if self.of_test().all(|decision| decision.morse.is_some()) {
            let morse: Vec<f64> =
                self.of_test().map(|decision| f64::from(decision.morse.unwrap_or_default())).collect();
            rows.push(self.row("Morse Fall Scale", &self.scored(&morse), own));
        }
        if self.of_test().any(|decision| decision.cause.is_some()) {
            let causes: Vec<f64> =
                self.of_test().map(|decision| f64::from(u8::from(decision.cause.is_some()))).collect();
            rows.push(self.row("oracle: the hidden cause", &self.scored(&causes), own));
        }
        Ok(rows)
    }

    fn at_threshold(&self, classifier: &FallRiskClassifier, judged: &[(f64, bool)]) -> AtThreshold {
        let threshold = classifier.threshold;
        let items: Vec<(bool, bool, bool)> = judged
            .iter()
            .zip(self.of_test())
            .map(|((p, is_unsure), decision)| (*p >= threshold, decision.is_yes(), *is_unsure))
            .collect();
        let share =
            |of: &dyn Fn(&(bool, bool, bool)) -> bool, is: &dyn Fn(&(bool, bool, bool)) -> bool, drawn: &[usize]| {
                let (n, n_is) = drawn
                    .iter()
                    .map(|at| &items[*at])
                    .filter(|item| of(item))
                    .fold((0.0, 0.0), |(n, n_is), item| (n + 1.0, n_is + f64::from(u8::from(is(item)))));
                n_is / n
            };
        let (is_alert, is_yes) = (|item: &(bool, bool, bool)| item.0, |item: &(bool, bool, bool)| item.1);
        let all: Vec<usize> = (0..items.len()).collect();
        let sure: Vec<usize> = all.iter().copied().filter(|at| !items[*at].2).collect();
        let recall = share(&is_yes, &is_alert, &all);
        let false_alarms = share(&|item| !item.1, &is_alert, &all);
        let p = classifier.prevalence;
        let n_alerts = items.iter().filter(|item| item.0).count();
        let over = |by_site: &BTreeMap<String, f64>| -> f64 {
            self.sites(self.test).iter().map(|site| by_site[site.as_str()]).sum()
        };
        let mut leads: Vec<f64> = items
            .iter()
            .zip(self.of_test())
            .filter(|(item, _)| item.0)
            .filter_map(|(_, of)| of.secs_to_outcome)
            .collect();
        leads.sort_by(f64::total_cmp);
        let at_least = |secs: f64| leads.iter().filter(|lead| **lead >= secs).count() as f64 / leads.len() as f64;
        let n = items.len().max(1) as f64;
        let count = |is: &dyn Fn(&(bool, bool, bool)) -> bool| items.iter().filter(|item| is(item)).count() as f64;
        let (n_yes, n_false, n_missed) =
            (count(&is_yes), count(&|item| item.0 && !item.1), count(&|item| !item.0 && item.1));
        AtThreshold {
            threshold,
            target: classifier.target,
            precision: self.interval(|drawn| share(&is_alert, &is_yes, drawn)),
            recall: self.interval(|drawn| share(&is_yes, &is_alert, drawn)),
            precision_at_learned_prevalence: recall * p / (recall * p + false_alarms * (1.0 - p)),
            n_alerts,
            alerts_per_100_entity_days: 100.0 * n_alerts as f64 / over(&self.decisions.entity_days),
            alerts_per_unit_shift: n_alerts as f64 / over(&self.decisions.unit_shifts),
            lead_secs_median: leads.get(leads.len() / 2).copied().unwrap_or(f64::NAN),
            lead_of_30_secs: at_least(30.0),
            lead_of_120_secs: at_least(120.0),
            unsure: count(&|item| item.2) / n,
            precision_if_sure: share(&is_alert, &is_yes, &sure),
            recall_if_sure: share(&is_yes, &is_alert, &sure),
            cost: RiskCost {
                of_a_miss: COST_OF_A_MISS,
                with_alerts: 100.0 * (n_false + COST_OF_A_MISS * n_missed) / n,
                without: 100.0 * COST_OF_A_MISS * n_yes / n,
                always: 100.0 * (n - n_yes) / n,
            },
        }
    }

    fn by_site(&self, predicted: &[(f64, bool)], threshold: f64) -> Vec<SiteFigures> {
        let of_site = |site: String| {
            let own = self.of_test().zip(predicted).filter(|(decision, _)| decision.site == site);
            let own: Vec<(f64, bool)> = own.map(|(_, predicted)| *predicted).collect();
            let n_outcomes = own.iter().filter(|(_, is_yes)| *is_yes).count();
            let n_alerts = own.iter().filter(|(p, _)| *p >= threshold).count();
            let n_right = own.iter().filter(|(p, is_yes)| *p >= threshold && *is_yes).count() as f64;
            SiteFigures {
                auroc: (n_outcomes > 0 && n_outcomes < own.len()).then(|| auroc(&own)),
                calibration: calibration(&own),
                precision: (n_alerts > 0).then(|| n_right / n_alerts as f64),
                recall: (n_outcomes > 0).then(|| n_right / n_outcomes as f64),
                n_decisions: own.len(),
                n_outcomes,
                site,
            }
        };
        self.sites(self.test).into_iter().map(of_site).collect()
    }

    fn label_curve(&self, head: HeadName) -> Result<Vec<LabelPoint>, EmbeddingError> {
        let mut points = Vec::new();
        for share in LABEL_SHARES {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of labels")]
            let n_labels = (share * self.learning.places.len() as f64) as usize;
            let learning = self.learning.spread(n_labels);
            let n_outcomes = learning.labels(self.decisions).iter().filter(|yes| **yes).count();
            if n_outcomes < learning.n_folds {
                continue;
            }
            let judge = Judge { learning: &learning, names: self.names.clone(), ..*self };
            let scored = judge.fitted(head, |_| true)?;
            let average_precision =
                self.interval(|drawn| average_precision(&drawn.iter().map(|at| scored[*at]).collect::<Vec<_>>()));
            points.push(LabelPoint { n_labels, n_outcomes, average_precision });
        }
        Ok(points)
    }

    /// Average precision on the test sites of heads that learned from decisions of all sites, the judged one left out:
    /// what a split at random would have reported.
    fn random_split(&self, head: HeadName) -> Result<f64, EmbeddingError> {
        let mut places: Vec<usize> = self.learning.places.iter().chain(self.test).copied().collect();
        places.sort_unstable();
        let n_folds = super::cross_fit::N_FOLDS;
        let folds = (0..places.len()).map(|at| at % n_folds).collect();
        let learning = Learning { places, folds, n_folds };
        let columns = Columns::of_names(&self.names, |_| true);
        let fit = CrossFit::fit(head, self.decisions, &learning, columns, self.seed)?;
        let test: BTreeSet<usize> = self.test.iter().copied().collect();
        let scored = learning.places.iter().zip(fit.out_of_fold).filter(|(at, _)| test.contains(at));
        let scored: Vec<(f64, bool)> = scored.map(|(at, score)| (score, self.decisions.all[*at].is_yes())).collect();
        Ok(average_precision(&scored))
    }
}

/// Bars that read some of the numbers: a name, what it reads, and whether only a skeptic asks for it.
type Bar = (&'static str, fn(&str) -> bool, bool);

const BARS: [Bar; 6] = [
    ("counts x zone x hour", |name| is_count(name) || is_hour(name) || name.starts_with("zone kind"), false),
    ("counts, ages, the report", |name| is_count(name) || is_age(name) || is_hour(name) || is_report(name), true),
    ("without hours of events", |name| !name.starts_with("hour of"), true),
    ("without order and pace", |name| !is_pace(name), true),
    ("the report alone", |name| is_report(name) || is_hour(name), true),
    ("hour of the day", is_hour, true),
];

fn is_count(name: &str) -> bool {
    name.starts_with("count ")
}

fn is_age(name: &str) -> bool {
    name.starts_with("since ") && !name.contains(" > ") && !name.starts_with("since event")
}

fn is_hour(name: &str) -> bool {
    ["hour", "sine of hour", "cosine of hour"].contains(&name)
}

fn is_pace(name: &str) -> bool {
    name.contains(" > ") || name.starts_with("lag ") || name.starts_with("since event")
}

/// What the event of the decision says itself.
fn is_report(name: &str) -> bool {
    !(is_count(name) || is_age(name) || is_pace(name) || is_hour(name) || name.starts_with("hour of"))
}

/// How the run does where one type of event is missing on the test sites, worst first.
fn dead_sensors(
    classifier: &FallRiskClassifier,
    data: &Dataset,
    judge: &Judge<'_>,
) -> Result<Vec<DeadSensor>, EmbeddingError> {
    let kinds: BTreeSet<String> =
        judge.names.iter().filter_map(|name| name.strip_prefix("type = ").map(String::from)).collect();
    let sites = judge.sites(judge.test);
    let is_test = |id: &SiteId| sites.binary_search_by(|site| site.as_str().cmp(id.as_str())).is_ok();
    let mut found = Vec::new();
    for kind in kinds {
        let is_wanted = |event: &Event| event.kind.as_str() != kind;
        let without = Decisions::of_some(data, &classifier.rule, &classifier.memory, is_test, &is_wanted)?;
        let test: Vec<usize> = (0..without.all.len()).collect();
        let n_yes = without.all.iter().filter(|decision| decision.is_yes()).count();
        if n_yes == 0 {
            continue;
        }
        let judge = Judge { decisions: &without, test: &test, names: judge.names.clone(), ..*judge };
        let scored = judge.scored(&mean_scores(&judge.scores_of(&classifier.heads)?));
        found.push(DeadSensor { kind, average_precision: average_precision(&scored), n_decisions: test.len() });
    }
    found.sort_by(|a, b| a.average_precision.total_cmp(&b.average_precision));
    Ok(found)
}

/// How long a stream takes from an event to its score.
fn stream_latency(
    classifier: &FallRiskClassifier,
    data: &Dataset,
    sites: &[String],
    now_secs: &dyn Fn() -> f64,
) -> Result<Option<Latency>, EmbeddingError> {
    let Some(site) = data.sequences().find(|sequence| sites.iter().any(|site| site == sequence.site_id().as_str()))
    else {
        return Ok(None);
    };
    let mut stream = classifier.stream()?;
    let mut ms = Vec::new();
    for event in site.events() {
        let start = now_secs();
        if stream.push(event)?.is_some() {
            ms.push(1e3 * (now_secs() - start));
        }
    }
    Ok((!ms.is_empty()).then(|| latency(ms)))
}

/// What the comparison with the bars says.
fn verdict(rows: &[RiskRow]) -> String {
    let bars = rows.iter().skip(1).filter(|row| !row.name.starts_with("oracle") && !row.name.starts_with("the same"));
    let (mut above, mut unsure, mut below) = (Vec::new(), Vec::new(), Vec::new());
    for RiskRow { name, run_is_better_by, .. } in bars {
        match run_is_better_by {
            Interval { low, .. } if *low > 0.0 => above.push(name.as_str()),
            Interval { high, .. } if *high < 0.0 => below.push(name.as_str()),
            _ => unsure.push(name.as_str()),
        }
    }
    let list = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut parts = Vec::new();
    for (what, names) in
        [("surely better than", above), ("not surely better than", unsure), ("surely worse than", below)]
    {
        if !names.is_empty() {
            parts.push(format!("{what} {}", list(&names)));
        }
    }
    format!("verdict: by average precision the run is {}", parts.join("; "))
}
