//! Sensors that say nothing any more.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use spaxiom_event::Event;

use super::alert::AlertKind;
use super::book::{Observation, Timing};
use super::rules::SilenceRules;

/// Between site and sensor in a name; no id has it.
const BETWEEN: char = '\u{1f}';

/// An event that comes so long after it happened, or before, is one of now.
const SOON: TimeDelta = TimeDelta::hours(1);

/// What is known of every sensor: kept with the commit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Silences {
    /// The last event of each site: its time, as far as events tell it.
    sites: BTreeMap<String, DateTime<Utc>>,
    sensors: BTreeMap<String, Sensor>,
    /// Sites whose events came while they happened: their time goes on as the world's does.
    #[serde(default)]
    live: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Sensor {
    n_events: u64,
    last: DateTime<Utc>,
    longest_secs: f64,
}

impl Silences {
    /// An event came, at this time of the world where that is known.
    /// A sensor is known by the zone that its events name, as in `check`.
    pub(crate) fn heard(&mut self, event: &Event, now: Option<DateTime<Utc>>) {
        if now.is_some_and(|now| (now - event.time).abs() < SOON) {
            self.live.insert(event.site_id.to_string());
        }
        let newest = self.sites.entry(event.site_id.to_string()).or_insert(event.time);
        *newest = event.time.max(*newest);
        let Some(zone) = &event.zone else { return };
        let sensor = self.sensors.entry(format!("{}{BETWEEN}{zone}", event.site_id)).or_insert_with(|| Sensor {
            n_events: 0,
            last: event.time,
            longest_secs: 0.0,
        });
        sensor.longest_secs = sensor.longest_secs.max((event.time - sensor.last).as_seconds_f64());
        sensor.last = sensor.last.max(event.time);
        sensor.n_events += 1;
    }

    /// Sites of which something came, and what time it is there: that of the world, or of the last event of what is long past.
    pub(crate) fn sites(&self, now: Option<DateTime<Utc>>) -> impl Iterator<Item = (&str, DateTime<Utc>)> {
        self.sites.iter().map(move |(site, newest)| {
            let now = now.filter(|_| self.live.contains(site));
            (site.as_str(), now.map_or(*newest, |now| now.max(*newest)))
        })
    }

    /// Sensors of a site that have been silent for long, and those that are heard again after that.
    pub(crate) fn observe(&self, rules: &SilenceRules, site: &str, now: DateTime<Utc>) -> Vec<Observation> {
        let SilenceRules { times, least_secs, least_events } = *rules;
        if times <= 0.0 {
            return Vec::new();
        }
        let first = format!("{site}{BETWEEN}");
        let of_site = self.sensors.range(first.clone()..).take_while(|(name, _)| name.starts_with(&first));
        let known = of_site.filter(|(_, sensor)| sensor.n_events >= least_events);
        let observation = |(name, sensor): (&String, &Sensor)| {
            let (site, subject) = name.split_once(BETWEEN)?;
            let usual = sensor.longest_secs.max(least_secs / times);
            let silent_secs = (now - sensor.last).as_seconds_f64();
            Some(Observation {
                kind: AlertKind::Silence,
                site: site.to_owned(),
                zone: Some(subject.to_owned()),
                subject: Some(subject.to_owned()),
                time: now,
                score: silent_secs / usual,
                fires_at: times,
                clears_below: times,
                text: format!("{subject} has been silent for {}", duration_text(silent_secs)),
                event_id: None,
                // It is over when it is heard, however long that takes.
                timing: Timing { lasting_secs: 0.0, keep_secs: f64::from(u32::MAX), quiet_secs: 0.0 },
                budget: None,
            })
        };
        known.filter_map(observation).collect()
    }
}

/// Seconds, minutes, hours or days.
fn duration_text(secs: f64) -> String {
    match secs {
        ..120.0 => format!("{secs:.0} s"),
        ..7_200.0 => format!("{:.0} min", secs / 60.0),
        ..172_800.0 => format!("{:.0} h", secs / 3_600.0),
        _ => format!("{:.0} days", secs / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::{DateTime, Event, SilenceRules, Silences};

    #[test]
    fn a_sensor_is_silent_after_three_times_its_longest_silence() {
        let mut silences = Silences::default();
        let time = |hours: i64| DateTime::from_timestamp(1_700_000_000 + hours * 3_600, 0).unwrap();
        for at in 0..25 {
            let text = format!(r#"{{"type":"A","zone":"cam","time":"{}"}}"#, time(2 * at).to_rfc3339());
            silences.heard(&Event::from_json(&text).unwrap(), None);
        }
        let rules = SilenceRules::default();
        let score = |now| silences.observe(&rules, "default", now)[0].score;
        assert!((score(time(48 + 5)) - 2.5).abs() < 1e-9 && (score(time(48 + 6)) - 3.0).abs() < 1e-9);
        assert_eq!(silences.observe(&rules, "default", time(48 + 6))[0].text, "cam has been silent for 6 h");
        let is_quiet = |rules: &SilenceRules, site| silences.observe(rules, site, time(99)).is_empty();
        assert!(is_quiet(&SilenceRules { least_events: 26, ..rules.clone() }, "default"));
        assert!(is_quiet(&SilenceRules { times: 0.0, ..rules.clone() }, "default"));
        assert!(!is_quiet(&rules, "default") && is_quiet(&rules, "another"));
        assert_eq!(silences.sites(Some(time(99))).collect::<Vec<_>>(), [("default", time(48))], "what is long past");
        let text = format!("{{\"type\": \"A\", \"time\": \"{}\"}}", time(50).to_rfc3339());
        silences.heard(&Event::from_json(&text).unwrap(), Some(time(50)));
        assert_eq!(silences.sites(Some(time(99))).collect::<Vec<_>>(), [("default", time(99))], "what is going on");
        assert_eq!(silences.sites(None).collect::<Vec<_>>(), [("default", time(50))]);
    }
}
