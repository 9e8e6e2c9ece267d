//! From a source into a store: encode, commit, acknowledge, alert.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use spaxiom_embedding::{EmbeddingError, EmbeddingPipeline, FallRiskClassifier, LivePipeline, RiskScore, Taken};
use spaxiom_event::{Event, Rejected};

use crate::alerts::{
    AlertBook, AlertKind, AlertOutcome, AlertRules, BOOK, Observation, Outcome, Silences, Timing, Triggers,
};
use crate::error::StreamError;
use crate::feed::{Feed, Next};
use crate::item::{Given, Item, Stored};
use crate::sinks::Sink;

/// The name under which the store keeps what is known of sensors.
const SILENCES: &str = "alerts/silences";

/// How long the source is waited for before somebody may stop the stream, and time passes for alerts.
const WAIT: Duration = Duration::from_millis(100);

/// Turns of the loop, of a tenth of a second where nothing comes, that a place for alerts is left alone after it failed: at first, and at most.
const FIRST_REST: u32 = 10;
const LONGEST_REST: u32 = 600;

/// Pauses before a commit that failed is tried again, from the first to the longest.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(10)];

/// Commits from one look at the index to the next: whether it lacks enough that building it behind the stream pays.
const LOOK_AT_INDEX: u64 = 64;

/// Options of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamOptions {
    /// Events of one commit at most; 256. Without that many the stream commits what there is.
    pub commit_events: usize,
    /// Rules of alerts; none are written down without.
    pub rules: Option<AlertRules>,
    /// Whether the source goes on as the world does: then a silence is one by the clock, and not by the last event,
    /// at sites whose events come while they happen.
    pub is_live: bool,
    /// Tries of a commit, with pauses from a tenth of a second to ten seconds between them; 8.
    pub commit_tries: u32,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self { commit_events: 256, rules: None, is_live: false, commit_tries: 8 }
    }
}

/// What a stream did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct StreamSummary {
    /// Events that came.
    pub events: u64,
    /// Those of them that are in the store now and were not before.
    pub new: u64,
    /// Those that were there.
    pub known: u64,
    /// Those of the new ones that came after a newer one of their site.
    pub late: u64,
    /// What was no event.
    pub rejected: u64,
    /// Commits.
    pub commits: u64,
    /// Decisions about a risk.
    pub decisions: u64,
    /// Notices of alerts that were sent.
    pub notices: u64,
    /// Times that the index was built behind the stream.
    pub builds: u64,
    /// The time of the newest event.
    pub newest: Option<DateTime<Utc>>,
}

/// What hears how a stream goes, and may end it.
pub trait StreamObserver {
    /// Whether it should end; asked between commits.
    fn is_stopped(&mut self) -> bool;

    /// The time of the world.
    fn now(&mut self) -> DateTime<Utc>;

    /// What was no event.
    fn rejected(&mut self, rejected: &Rejected);

    /// A commit is durable.
    fn committed(&mut self, summary: &StreamSummary);

    /// Waits before something is tried again.
    fn pause(&mut self, pause: Duration, why: &StreamError);
}

/// Takes the events of a feed into a store.
pub struct Worker<'a> {
    pipeline: &'a EmbeddingPipeline,
    live: LivePipeline<'a>,
    /// The threshold of the risk.
    threshold: f64,
    alerts: Option<Alerts>,
    options: StreamOptions,
    summary: StreamSummary,
    /// The last message of the source that is in what came since the last commit, or before.
    n_delivered: u64,
    /// The time of the world, where the source goes on as it does.
    now: Option<DateTime<Utc>>,
    /// Answers to programs that gave what came since the last commit.
    answers: Vec<Box<dyn FnOnce() + Send>>,
}

struct Alerts {
    rules: AlertRules,
    book: AlertBook,
    silences: Silences,
    triggers: Triggers,
    sinks: Vec<Box<dyn Sink>>,
    /// Outcomes that the store has not yet, as it keeps them.
    outcomes: BTreeMap<String, Vec<u8>>,
    /// Whether the store has not what is here.
    is_changed: bool,
    /// How long a place that takes nothing is left alone.
    rest: Rest,
}

/// Leaves a place that fails alone, for twice as long each time.
#[derive(Debug, Default)]
struct Rest {
    n_failures: u32,
    /// Turns of the loop until it is tried again.
    n_turns: u32,
}

impl Rest {
    /// Whether it is to be left alone in this turn.
    fn is_on(&mut self) -> bool {
        let is_on = self.n_turns > 0;
        self.n_turns = self.n_turns.saturating_sub(1);
        is_on
    }

    fn failed(&mut self) {
        self.n_turns = (FIRST_REST << self.n_failures.min(16)).min(LONGEST_REST);
        self.n_failures += 1;
    }
}

impl<'a> Worker<'a> {
    /// Goes on where the store's last commit ended. `risk` judges events too; `sinks` get what the rules of the options say.
    ///
    /// # Errors
    /// As of [`EmbeddingPipeline::live`], and [`StreamError::Alerts`] for alerts of a newer build.
    pub fn new(
        pipeline: &'a EmbeddingPipeline,
        risk: Option<&'a FallRiskClassifier>,
        options: StreamOptions,
        sinks: Vec<Box<dyn Sink>>,
    ) -> Result<Self, StreamError> {
        let live = pipeline.live(risk)?;
        let mut kept = live.kept("alerts/")?;
        let alerts = match &options.rules {
            None => None,
            Some(rules) => {
                let book = kept.remove(BOOK).map(|bytes| AlertBook::from_bytes(&bytes, rules.storm.clone()));
                // Only how long sensors are usually silent is lost with what cannot be read.
                let silences = kept.remove(SILENCES).and_then(|bytes| serde_json::from_slice(&bytes).ok());
                Some(Alerts {
                    rules: rules.clone(),
                    book: book.transpose()?.unwrap_or_else(|| AlertBook::new(rules.storm.clone())),
                    silences: silences.unwrap_or_default(),
                    triggers: Triggers::new(&rules.trigger, pipeline)?,
                    sinks,
                    outcomes: BTreeMap::new(),
                    is_changed: false,
                    rest: Rest::default(),
                })
            }
        };
        let threshold = risk.map_or(1.0, FallRiskClassifier::threshold);
        Ok(Self {
            pipeline,
            live,
            threshold,
            alerts,
            options,
            summary: StreamSummary::default(),
            n_delivered: 0,
            now: None,
            answers: Vec::new(),
        })
    }

    /// Runs until the feed ends or the observer stops it; everything that came before is durable then.
    ///
    /// # Errors
    /// A source that breaks off, and a store that cannot be written after several tries: the source gives
    /// what is not durable again.
    pub fn run(&mut self, feed: &mut Feed, observer: &mut dyn StreamObserver) -> Result<StreamSummary, StreamError> {
        // What was not sent before the last end.
        self.tell(observer)?;
        let mut is_over = false;
        while !is_over && !observer.is_stopped() {
            self.now = self.options.is_live.then(|| observer.now());
            is_over = self.take_some(feed, observer)?;
            self.commit(feed, observer)?;
        }
        Ok(self.summary)
    }

    /// The alerts, where there are rules for them.
    #[must_use]
    pub fn alerts(&self) -> Option<&AlertBook> {
        self.alerts.as_ref().map(|alerts| &alerts.book)
    }

    /// Waits for an item and takes as many as there are, up to a commit's; whether the source ended.
    ///
    /// What is known or no event counts too, so that a long file that is read again can be stopped and acknowledged.
    fn take_some(&mut self, feed: &Feed, observer: &mut dyn StreamObserver) -> Result<bool, StreamError> {
        let mut n_taken = 0;
        while n_taken < self.options.commit_events.max(1) {
            let next = if n_taken == 0 { feed.next_within(WAIT) } else { feed.next_now() };
            n_taken += 1;
            match next {
                Next::Item(Item::Record(record)) => {
                    self.take(&record.event)?;
                }
                Next::Item(Item::Given(given)) => n_taken += self.take_given(*given)?,
                Next::Item(Item::Rejected(rejected)) => {
                    self.summary.rejected += 1;
                    observer.rejected(&rejected);
                }
                Next::Item(Item::Delivered(n)) => self.n_delivered = n,
                Next::Item(Item::Broken(error)) => return Err(*error),
                Next::Nothing => return Ok(false),
                Next::End => return Ok(true),
            }
        }
        Ok(false)
    }

    fn take(&mut self, event: &Event) -> Result<Stored, StreamError> {
        self.summary.events += 1;
        self.summary.newest = self.summary.newest.max(Some(event.time));
        Ok(match self.live.push(event)? {
            Taken::Known => {
                self.summary.known += 1;
                Stored::Known
            }
            Taken::Late => Stored::Late,
            Taken::New { vector, risk } => {
                self.summary.decisions += u64::from(risk.is_some());
                if let Some(alerts) = &mut self.alerts {
                    alerts.observe(event, &vector, risk.as_ref(), self.threshold, self.now);
                }
                Stored::New
            }
        })
    }

    /// Takes in what a program gives, and how it is answered; gives how many events it was.
    fn take_given(&mut self, given: Given) -> Result<usize, StreamError> {
        match given {
            Given::Events(events, answer) => {
                let stored = events.iter().map(|event| self.take(event)).collect::<Result<Vec<Stored>, _>>()?;
                self.answers.push(Box::new(move || answer(stored)));
                Ok(events.len())
            }
            Given::Acknowledgement(id, outcome, answer) => {
                let alerts = self.alerts.as_mut();
                let is_there = alerts.is_some_and(|alerts| alerts.acknowledge(&id, outcome));
                self.answers.push(Box::new(move || answer(is_there)));
                Ok(0)
            }
        }
    }

    /// Makes durable what came, tells the source and whoever waits for alerts.
    fn commit(&mut self, feed: &mut Feed, observer: &mut dyn StreamObserver) -> Result<(), StreamError> {
        if let Some(alerts) = &mut self.alerts {
            alerts.pass(self.now);
        }
        let is_acknowledged = !self.answers.is_empty() && self.alerts.as_ref().is_some_and(|alerts| alerts.is_changed);
        if self.live.n_uncommitted() > 0 || is_acknowledged {
            let committed = self.commit_kept(observer)?;
            self.summary.new += committed.n_new as u64;
            self.summary.late += committed.n_late as u64;
            self.summary.commits += 1;
            if self.summary.commits.is_multiple_of(LOOK_AT_INDEX) {
                self.summary.builds += u64::from(self.pipeline.store().build_behind().map_err(EmbeddingError::from)?);
            }
            observer.committed(&self.summary);
        }
        self.answers.drain(..).for_each(|answer| answer());
        feed.acknowledge(self.n_delivered)?;
        self.tell(observer)
    }

    fn commit_kept(&mut self, observer: &mut dyn StreamObserver) -> Result<spaxiom_embedding::Committed, StreamError> {
        let kept = self.alerts.as_mut().map(Alerts::kept).unwrap_or_default();
        let [mut pause, longest] = PAUSES;
        for _ in 1..self.options.commit_tries {
            match self.live.commit(kept.clone()) {
                Ok(committed) => return Ok(committed),
                Err(error) => observer.pause(pause, &error.into()),
            }
            pause = (2 * pause).min(longest);
        }
        Ok(self.live.commit(kept)?)
    }

    /// Sends the notices that were written, and writes down that they were sent.
    fn tell(&mut self, observer: &mut dyn StreamObserver) -> Result<(), StreamError> {
        let Some(alerts) = &mut self.alerts else { return Ok(()) };
        alerts.hear();
        if !alerts.rest.is_on() {
            match alerts.send() {
                Ok(n_sent) => {
                    self.summary.notices += n_sent;
                    alerts.rest = Rest::default();
                }
                // They are kept, and sent with the next ones.
                Err(error) => {
                    observer.pause(Duration::ZERO, &error);
                    alerts.rest.failed();
                }
            }
        }
        if self.alerts.as_ref().is_some_and(|alerts| alerts.is_changed) {
            self.commit_kept(observer)?;
        }
        Ok(())
    }
}

impl Alerts {
    fn observe(
        &mut self,
        event: &Event,
        vector: &[f32],
        risk: Option<&RiskScore>,
        threshold: f64,
        now: Option<DateTime<Utc>>,
    ) {
        let risk = risk.map(|risk| risk_observation(event, risk, &self.rules, threshold));
        for seen in risk.into_iter().chain(self.triggers.observe(event, vector)) {
            self.book.observe(&seen);
        }
        self.silences.heard(event, now);
        self.is_changed = true;
    }

    /// Lets time pass at every site: up to now, or up to its last event where there is no now.
    fn pass(&mut self, now: Option<DateTime<Utc>>) {
        let Self { rules, book, silences, .. } = self;
        for (site, now) in silences.sites(now) {
            for seen in silences.observe(&rules.silence, site, now) {
                book.observe(&seen);
            }
            book.tick(site, now);
        }
        self.is_changed |= self.book.has_notices();
    }

    /// What is to be kept with a commit.
    fn kept(&mut self) -> BTreeMap<String, Vec<u8>> {
        self.is_changed = false;
        let silences = serde_json::to_vec(&self.silences).expect("times and numbers are written as JSON");
        let mut kept = BTreeMap::from([(BOOK.to_owned(), self.book.to_bytes()), (SILENCES.to_owned(), silences)]);
        kept.append(&mut self.outcomes);
        kept
    }

    /// Somebody has an alert; what it was is kept for good, as a label to learn from.
    fn acknowledge(&mut self, id: &str, outcome: Option<Outcome>) -> bool {
        let is_there = self.book.acknowledge(id, outcome);
        self.is_changed |= is_there;
        let known = self.book.alerts().find(|alert| alert.id == id).and_then(AlertOutcome::of);
        self.outcomes.extend(known.map(|known| known.to_kept()));
        is_there
    }

    /// What somebody acknowledged.
    fn hear(&mut self) {
        let acknowledged: Vec<_> = self.sinks.iter_mut().flat_map(|sink| sink.acknowledged()).collect();
        for (id, outcome) in acknowledged {
            self.acknowledge(&id, outcome);
        }
    }

    fn send(&mut self) -> Result<u64, StreamError> {
        let Some(last) = self.book.notices().last().map(|notice| notice.number) else { return Ok(0) };
        for sink in &mut self.sinks {
            sink.send(self.book.notices())?;
        }
        let n_sent = self.book.notices().len() as u64;
        self.book.sent(last);
        self.is_changed = true;
        Ok(n_sent)
    }
}

fn risk_observation(event: &Event, risk: &RiskScore, rules: &AlertRules, threshold: f64) -> Observation {
    let zone = event.zone.as_ref().map(ToString::to_string);
    let place = zone.as_deref().map(|zone| format!(" in {zone}")).unwrap_or_default();
    let doubt = if risk.is_unsure { "; heads of other sites disagree" } else { "" };
    Observation {
        kind: AlertKind::Risk,
        site: risk.site.clone(),
        zone,
        subject: Some(risk.entity.clone()),
        time: event.time,
        score: risk.probability,
        fires_at: threshold,
        clears_below: rules.risk.clear_share * threshold,
        text: format!("risk {:.0} % for {}{place}{doubt}", 100.0 * risk.probability, risk.entity),
        event_id: Some(risk.event_id.clone()),
        timing: Timing { lasting_secs: 0.0, keep_secs: rules.risk.keep_secs, quiet_secs: rules.risk.quiet_secs },
        budget: rules.risk.budget_per_zone_shift,
    }
}

#[cfg(test)]
mod tests {
    use super::Rest;

    #[test]
    fn a_place_that_fails_is_left_alone_for_longer_each_time() {
        let mut rest = Rest::default();
        let turns = |rest: &mut Rest| {
            rest.failed();
            (0..10_000).take_while(|_| rest.is_on()).count()
        };
        assert_eq!([turns(&mut rest), turns(&mut rest), turns(&mut rest)], [10, 20, 40]);
        assert_eq!((0..40).map(|_| turns(&mut rest)).last(), Some(600));
        assert!(!Rest::default().is_on());
    }
}
