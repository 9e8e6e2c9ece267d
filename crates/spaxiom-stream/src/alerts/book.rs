//! The book of alerts: which there are, and what has to be told.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use spaxiom_embedding::{EmbeddingError, VectorStore};

use super::alert::{Alert, AlertKind, AlertState, Notice, Outcome};
use super::rules::StormRules;
use crate::error::StreamError;

/// The newest format of a kept book.
const FORMAT: u32 = 1;

/// The name under which a store keeps the book.
pub(crate) const BOOK: &str = "alerts/book";

/// Alerts that are over and still shown, at most.
const N_OVER: usize = 500;

/// A shift, for the budget.
const SHIFT_SECS: i64 = 8 * 3_600;

/// Without a rule of its own, a storm is over after so many seconds without a new alert.
const STORM_KEEP_SECS: f64 = 600.0;

/// Something that may be an alert.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Observation {
    pub(crate) kind: AlertKind,
    pub(crate) site: String,
    pub(crate) zone: Option<String>,
    /// Whom or what it is about; with kind and site it is one alert.
    pub(crate) subject: Option<String>,
    pub(crate) time: DateTime<Utc>,
    /// Greater is worse.
    pub(crate) score: f64,
    /// At this score or above it fires.
    pub(crate) fires_at: f64,
    /// Below this one it is over.
    pub(crate) clears_below: f64,
    pub(crate) text: String,
    pub(crate) event_id: Option<String>,
    pub(crate) timing: Timing,
    /// Alerts of a zone in a shift, beyond which they are counted and not told.
    pub(crate) budget: Option<u32>,
}

/// How long an alert takes to fire, to be over, and to fire again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::struct_field_names, reason = "the unit of a number stands in its name")]
pub(crate) struct Timing {
    /// So long before it is told.
    pub(crate) lasting_secs: f64,
    /// It is over so long after it was last seen.
    pub(crate) keep_secs: f64,
    /// It does not begin again for so long after that.
    pub(crate) quiet_secs: f64,
}

/// Which alerts there are, and which notices have to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AlertBook {
    format: u32,
    entries: BTreeMap<String, Entry>,
    /// Those that are over, the newest last.
    over: VecDeque<Alert>,
    n_notices: u64,
    /// Notices that nobody has taken yet.
    outbox: Vec<Notice>,
    /// When alerts of a site and zone fired, for storms and budgets.
    fired: BTreeMap<String, VecDeque<DateTime<Utc>>>,
    /// Alerts that were not told because of a budget.
    n_beyond_budget: u64,
    #[serde(skip)]
    storm: StormRules,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    alert: Alert,
    timing: Timing,
    /// Whether anybody heard of it.
    is_told: bool,
}

impl Default for AlertBook {
    fn default() -> Self {
        Self::new(StormRules::default())
    }
}

impl AlertBook {
    /// A book without alerts.
    #[must_use]
    pub fn new(storm: StormRules) -> Self {
        Self {
            format: FORMAT,
            entries: BTreeMap::new(),
            over: VecDeque::new(),
            n_notices: 0,
            outbox: Vec::new(),
            fired: BTreeMap::new(),
            n_beyond_budget: 0,
            storm,
        }
    }

    /// What is to be kept with a commit.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a book has string keys and finite numbers only")
    }

    /// Goes on with what [`AlertBook::to_bytes`] gave.
    ///
    /// # Errors
    /// [`StreamError::Alerts`] for the book of a newer build.
    pub fn from_bytes(bytes: &[u8], storm: StormRules) -> Result<Self, StreamError> {
        #[derive(Deserialize)]
        struct Header {
            format: u32,
        }
        let found = serde_json::from_slice::<Header>(bytes).map_or(0, |header| header.format);
        let read = || serde_json::from_slice::<Self>(bytes).ok().filter(|_| found == FORMAT);
        let book = read().ok_or(StreamError::Alerts { found, newest: FORMAT })?;
        Ok(Self { storm, ..book })
    }

    /// The book that a stream keeps in a store; an empty one where none does.
    ///
    /// # Errors
    /// A store that cannot be read, and as of [`AlertBook::from_bytes`].
    pub fn of_store(store: &dyn VectorStore) -> Result<Self, StreamError> {
        let bytes = store.kept(BOOK).map_err(EmbeddingError::from)?.remove(BOOK);
        bytes.map_or_else(|| Ok(Self::default()), |bytes| Self::from_bytes(&bytes, StormRules::default()))
    }

    /// Alerts that are not over, in order of what they are about, and then those that are, newest first.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        let open = self.entries.values().map(|entry| &entry.alert).filter(|alert| alert.state != AlertState::Resolved);
        open.chain(self.over.iter().rev())
    }

    /// Notices that were written since somebody last took them.
    #[must_use]
    pub fn has_notices(&self) -> bool {
        !self.outbox.is_empty()
    }

    /// Notices that have to be sent, oldest first; they stay until [`AlertBook::sent`].
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        &self.outbox
    }

    /// Notices up to this number were sent.
    pub fn sent(&mut self, number: u64) {
        self.outbox.retain(|notice| notice.number > number);
    }

    /// How many alerts were written down and not told, because a zone had as many in its shift as it may have.
    #[must_use]
    pub fn n_beyond_budget(&self) -> u64 {
        self.n_beyond_budget
    }

    /// Takes an observation in.
    pub(crate) fn observe(&mut self, seen: &Observation) {
        self.tick(&seen.site, seen.time);
        let key = format!("{} {} {}", seen.kind.as_str(), seen.site, seen.subject.as_deref().unwrap_or_default());
        let is_above = seen.score >= seen.fires_at;
        match self.entries.get_mut(&key) {
            Some(Entry { alert, .. }) if alert.state != AlertState::Resolved => {
                if seen.score < seen.clears_below {
                    self.resolve(&key, seen.time);
                    return;
                }
                alert.last = alert.last.max(seen.time);
                if alert.state != AlertState::Acknowledged && seen.score > alert.score {
                    alert.score = seen.score;
                    alert.text.clone_from(&seen.text);
                }
            }
            None if is_above => {
                self.entries.insert(key.clone(), Entry::new(seen));
            }
            // It is quiet for a while after it is over.
            Some(_) | None => return,
        }
        let entry = &self.entries[&key];
        let is_due = entry.alert.last - entry.alert.since >= secs(entry.timing.lasting_secs);
        if entry.alert.state == AlertState::Pending && is_above && is_due {
            self.fire(&key, seen);
        }
    }

    /// Lets time pass at a site: what was not seen for long enough is over. Every site has its own time.
    pub fn tick(&mut self, site: &str, now: DateTime<Utc>) {
        let is_here = |entry: &Entry| entry.alert.site == site;
        let is_over = |entry: &Entry| is_here(entry) && now - entry.alert.last > secs(entry.timing.keep_secs);
        let open = |entry: &&Entry| entry.alert.state != AlertState::Resolved;
        let due: Vec<(String, DateTime<Utc>)> = self
            .entries
            .iter()
            .filter(|(_, entry)| open(entry) && is_over(entry))
            .map(|(key, entry)| (key.clone(), entry.alert.last + secs(entry.timing.keep_secs)))
            .collect();
        for (key, time) in due {
            self.resolve(&key, time);
        }
        self.entries.retain(|_, entry| {
            let until = entry.alert.resolved.map(|resolved| resolved + secs(entry.timing.quiet_secs));
            !is_here(entry) || until.is_none_or(|until| now < until)
        });
        let first = format!("{site} ");
        for (_, times) in self.fired.iter_mut().filter(|(name, _)| name.starts_with(&first)) {
            while times.front().is_some_and(|first| now - *first > TimeDelta::seconds(SHIFT_SECS)) {
                times.pop_front();
            }
        }
        self.fired.retain(|_, times| !times.is_empty());
    }

    /// Somebody has the alert of this id, and may have found what it was; false for one that is not there or over.
    pub fn acknowledge(&mut self, id: &str, outcome: Option<Outcome>) -> bool {
        let found = self.entries.values_mut().find(|entry| entry.alert.id == id);
        let Some(Entry { alert, .. }) = found.filter(|entry| entry.alert.state != AlertState::Resolved) else {
            // What was found may be said later.
            let over = self.over.iter_mut().find(|alert| alert.id == id);
            let Some(alert) = over.filter(|_| outcome.is_some()) else { return false };
            alert.outcome = outcome;
            return true;
        };
        alert.state = AlertState::Acknowledged;
        alert.outcome = outcome.or(alert.outcome);
        let alert = alert.clone();
        self.tell(alert);
        true
    }

    fn fire(&mut self, key: &str, seen: &Observation) {
        let is_one = seen.kind != AlertKind::Storm;
        let zone = format!("{} {}", seen.site, seen.zone.as_deref().unwrap_or_default());
        let fired = self.fired.entry(zone).or_default();
        let in_shift = fired.iter().filter(|time| shift(**time) == shift(seen.time)).count();
        fired.extend(is_one.then_some(seen.time));
        let n_at_once = fired.iter().filter(|time| seen.time - **time <= secs(self.storm.within_secs)).count();
        let is_beyond = seen.budget.is_some_and(|budget| in_shift >= budget as usize);
        let is_storm = is_one && n_at_once > self.storm.alerts;
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.alert.state = AlertState::Firing;
        entry.is_told = !is_beyond && !is_storm;
        let alert = entry.is_told.then(|| entry.alert.clone());
        self.n_beyond_budget += u64::from(is_beyond);
        if let Some(alert) = alert {
            self.tell(alert);
        } else if is_storm && !is_beyond {
            self.observe_storm(seen, n_at_once);
        }
    }

    /// The zone as one alert.
    fn observe_storm(&mut self, seen: &Observation, n: usize) {
        let place = seen.zone.as_deref().unwrap_or("the site");
        let storm = Observation {
            kind: AlertKind::Storm,
            subject: Some(seen.zone.clone().unwrap_or_default()),
            score: n as f64,
            fires_at: 0.0,
            clears_below: 0.0,
            text: format!("{n} alerts within {:.0} s in {place}", self.storm.within_secs),
            timing: Timing { lasting_secs: 0.0, keep_secs: STORM_KEEP_SECS, quiet_secs: 0.0 },
            budget: None,
            ..seen.clone()
        };
        self.observe(&storm);
    }

    fn resolve(&mut self, key: &str, time: DateTime<Utc>) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let was_pending = entry.alert.state == AlertState::Pending;
        entry.alert.state = AlertState::Resolved;
        entry.alert.resolved = Some(time);
        let (alert, is_told) = (entry.alert.clone(), entry.is_told);
        if was_pending {
            self.entries.remove(key);
            return;
        }
        self.over.push_back(alert.clone());
        if self.over.len() > N_OVER {
            self.over.pop_front();
        }
        if is_told {
            self.tell(alert);
        }
    }

    fn tell(&mut self, alert: Alert) {
        self.n_notices += 1;
        self.outbox.push(Notice { number: self.n_notices, alert });
    }
}

impl Entry {
    fn new(seen: &Observation) -> Self {
        let Observation { kind, site, zone, subject, time, score, text, event_id, timing, .. } = seen.clone();
        let of = subject.as_deref().or(zone.as_deref()).unwrap_or_default();
        let id = format!("{}/{site}/{of}/{}", kind.as_str(), time.format("%Y%m%dT%H%M%S%3fZ"));
        let alert = Alert {
            id,
            kind,
            state: AlertState::Pending,
            site,
            zone,
            subject,
            score,
            text,
            event_id,
            since: time,
            last: time,
            resolved: None,
            outcome: None,
        };
        Self { alert, timing, is_told: false }
    }
}

/// The shift of a time, by number.
fn shift(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(SHIFT_SECS)
}

fn secs(value: f64) -> TimeDelta {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of at most some years")]
    TimeDelta::milliseconds((value * 1e3) as i64)
}

#[cfg(test)]
mod tests {
    use super::{AlertBook, AlertKind, AlertState, DateTime, Observation, Outcome, StormRules, Timing};

    const TIMING: Timing = Timing { lasting_secs: 0.0, keep_secs: 60.0, quiet_secs: 120.0 };

    fn seen(secs: i64, subject: &str, score: f64) -> Observation {
        Observation {
            kind: AlertKind::Risk,
            site: "s".into(),
            zone: Some("ward".into()),
            subject: Some(subject.into()),
            time: DateTime::from_timestamp(1_000_000 + secs, 0).unwrap(),
            score,
            fires_at: 0.5,
            clears_below: 0.3,
            text: "at risk".into(),
            event_id: None,
            timing: TIMING,
            budget: None,
        }
    }

    /// What was told: subject, state, and seconds of the last sight.
    fn told(book: &mut AlertBook) -> Vec<(String, AlertState, i64)> {
        let notices = book.notices().to_vec();
        book.sent(u64::MAX);
        let of = |alert: super::Alert| (alert.subject.unwrap(), alert.state, alert.last.timestamp() - 1_000_000);
        notices.into_iter().map(|notice| of(notice.alert)).collect()
    }

    #[test]
    fn it_fires_once_stays_between_the_thresholds_and_is_over_below_the_lower_one() {
        let mut book = AlertBook::default();
        for (secs, score) in [(0, 0.4), (1, 0.6), (2, 0.9), (3, 0.4), (4, 0.2), (5, 0.9)] {
            book.observe(&seen(secs, "a", score));
        }
        let want = [("a".to_owned(), AlertState::Firing, 1), ("a".to_owned(), AlertState::Resolved, 3)];
        assert_eq!(told(&mut book), want, "the last one is within the quiet time");
        book.observe(&seen(125, "a", 0.9));
        assert_eq!(told(&mut book), [("a".to_owned(), AlertState::Firing, 125)]);
    }

    #[test]
    fn it_is_over_when_nothing_is_seen_of_it_any_more() {
        let mut book = AlertBook::default();
        book.observe(&seen(0, "a", 0.6));
        book.tick("s", seen(60, "", 0.0).time);
        assert_eq!(book.alerts().map(|alert| alert.state).collect::<Vec<_>>(), [AlertState::Firing]);
        book.tick("another", seen(99, "", 0.0).time);
        assert_eq!(book.alerts().next().unwrap().state, AlertState::Firing, "another site has another time");
        book.tick("s", seen(61, "", 0.0).time);
        let over = book.alerts().next().unwrap();
        assert_eq!((over.state, over.resolved.unwrap().timestamp()), (AlertState::Resolved, 1_000_060));
    }

    #[test]
    fn what_has_to_last_is_pending_until_it_has() {
        let mut book = AlertBook::default();
        let lasting =
            |secs, score| Observation { timing: Timing { lasting_secs: 10.0, ..TIMING }, ..seen(secs, "a", score) };
        book.observe(&lasting(0, 0.6));
        book.observe(&lasting(5, 0.2));
        book.observe(&lasting(6, 0.6));
        book.observe(&lasting(14, 0.6));
        assert!(!book.has_notices());
        book.observe(&lasting(16, 0.6));
        assert_eq!(told(&mut book), [("a".to_owned(), AlertState::Firing, 16)]);
    }

    #[test]
    fn many_alerts_of_a_zone_are_told_as_one() {
        let mut book = AlertBook::new(StormRules { alerts: 2, within_secs: 300.0 });
        for (at, subject) in (0i64..).zip(["a", "b", "c", "d", "e"]) {
            book.observe(&seen(at, subject, 0.9));
        }
        let subjects: Vec<String> = told(&mut book).into_iter().map(|told| told.0).collect();
        assert_eq!(subjects, ["a", "b", "ward"]);
        let storm = book.alerts().find(|alert| alert.kind == AlertKind::Storm).unwrap();
        assert!((storm.score - 5.0).abs() < 1e-9, "{storm:?}");
    }

    #[test]
    fn beyond_the_budget_of_a_shift_alerts_are_counted_and_not_told() {
        let mut book = AlertBook::default();
        for (at, subject) in (0i64..).zip(["a", "b", "c"]) {
            book.observe(&Observation { budget: Some(1), ..seen(at, subject, 0.9) });
        }
        assert_eq!(told(&mut book).len(), 1);
        assert_eq!((book.n_beyond_budget(), book.alerts().count()), (2, 3));
        // The next shift has a budget of its own.
        book.observe(&Observation { budget: Some(1), ..seen(8 * 3_600, "d", 0.9) });
        let firing = told(&mut book).into_iter().filter(|told| told.1 == AlertState::Firing).count();
        assert_eq!(firing, 1);
    }

    #[test]
    fn an_acknowledged_alert_is_quiet_and_its_outcome_is_kept() {
        let mut book = AlertBook::default();
        book.observe(&seen(0, "a", 0.6));
        let id = book.alerts().next().unwrap().id.clone();
        assert_eq!(id, "risk/s/a/19700112T134640000Z");
        assert!(book.acknowledge(&id, Some(Outcome::False)));
        book.observe(&seen(1, "a", 0.9));
        let states: Vec<AlertState> = told(&mut book).into_iter().map(|told| told.1).collect();
        assert_eq!(states, [AlertState::Firing, AlertState::Acknowledged]);
        book.tick("s", seen(600, "", 0.0).time);
        assert_eq!(book.alerts().next().unwrap().outcome, Some(Outcome::False));
        assert!(book.acknowledge(&id, Some(Outcome::True)) && !book.acknowledge("none", None));
    }

    #[test]
    fn a_book_goes_on_as_one_that_was_never_closed() {
        let subjects = ["a", "b", "c"].into_iter().cycle().zip([0.2, 0.6, 0.9, 0.4].into_iter().cycle());
        let observations = (0i64..40).zip(subjects).map(|(at, (subject, score))| seen(7 * at, subject, score));
        let observations: Vec<Observation> = observations.collect();
        let mut whole = AlertBook::default();
        let mut parts = AlertBook::default();
        for observation in &observations {
            whole.observe(observation);
            parts.observe(observation);
            parts = AlertBook::from_bytes(&parts.to_bytes(), StormRules::default()).unwrap();
        }
        assert_eq!(whole, parts);
        assert!(whole.notices().len() > 4);
        assert!(
            AlertBook::from_bytes(b"{\"format\": 9}", StormRules::default()).unwrap_err().to_string().contains('9')
        );
    }
}
