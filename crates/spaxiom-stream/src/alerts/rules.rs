//! Rules of alerts: a file that a person writes.

use std::path::Path;

use serde::Deserialize;

use crate::error::StreamError;

/// Rules of alerts; every value has a default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AlertRules {
    /// Alerts of a fall-risk run.
    pub risk: RiskRules,
    /// Moments like an example; none.
    pub trigger: Vec<TriggerRule>,
    /// Sensors that are silent.
    pub silence: SilenceRules,
    /// Many alerts at once.
    pub storm: StormRules,
}

/// Alerts of a fall-risk run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RiskRules {
    /// It is over when the probability falls below so much of the threshold of the run; 0.7.
    pub clear_share: f64,
    /// Without a new decision it is over after so many seconds; 600, the horizon of the risk.
    pub keep_secs: f64,
    /// The same entity is not told again for so many seconds after that; 900.
    pub quiet_secs: f64,
    /// Alerts of a zone in a shift of eight hours, beyond which they are counted and not told; none.
    pub budget_per_zone_shift: Option<u32>,
}

impl Default for RiskRules {
    fn default() -> Self {
        Self { clear_share: 0.7, keep_secs: 600.0, quiet_secs: 900.0, budget_per_zone_shift: None }
    }
}

/// Moments like an example.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TriggerRule {
    /// What it is called.
    pub name: String,
    /// Id of a stored event: its moment is the example.
    pub event: String,
    /// Site of the example, where several have that id.
    #[serde(default)]
    pub site: Option<String>,
    /// Fires at this cosine similarity or above.
    pub similarity: f64,
    /// It is over below this one; 0.05 less by default.
    #[serde(default)]
    pub clear: Option<f64>,
    /// Types of events that are compared; that of the example by default, all where it is empty.
    #[serde(default)]
    pub types: Option<Vec<String>>,
    /// It has to be so for so many seconds before it is told; 0.
    #[serde(default)]
    pub for_secs: f64,
    /// Without a new moment it is over after so many seconds; 900.
    #[serde(default = "keep_secs")]
    pub keep_secs: f64,
}

fn keep_secs() -> f64 {
    900.0
}

/// Sensors that are silent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SilenceRules {
    /// Fires after so many times the longest silence that the sensor is known for; 3, and 0 for never.
    pub times: f64,
    /// But not before so many seconds; 3600.
    pub least_secs: f64,
    /// Nor for a sensor of which fewer events came; 20.
    pub least_events: u64,
}

impl Default for SilenceRules {
    fn default() -> Self {
        Self { times: 3.0, least_secs: 3_600.0, least_events: 20 }
    }
}

/// Many alerts at once.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct StormRules {
    /// More alerts of a zone than this are told as one; 5.
    pub alerts: usize,
    /// Within so many seconds; 300.
    pub within_secs: f64,
}

impl Default for StormRules {
    fn default() -> Self {
        Self { alerts: 5, within_secs: 300.0 }
    }
}

impl AlertRules {
    /// Reads a file of rules.
    ///
    /// # Errors
    /// [`StreamError::Rules`] for a file that is none, [`StreamError::Rule`] for a value that cannot be.
    pub fn load(path: &Path) -> Result<Self, StreamError> {
        let text = fs_err::read_to_string(path)?;
        let rules: Self = toml::from_str(&text)
            .map_err(|source| StreamError::Rules { path: path.to_owned(), source: Box::new(source) })?;
        rules.check(path)?;
        Ok(rules)
    }

    fn check(&self, path: &Path) -> Result<(), StreamError> {
        let Self { risk, trigger, silence, storm } = self;
        let secs = |value: f64| value >= 0.0 && value.is_finite();
        let mut values = vec![
            ("risk.clear-share", "from 0 to 1", (0.0..=1.0).contains(&risk.clear_share), risk.clear_share),
            ("risk.keep-secs", "0 or more", secs(risk.keep_secs), risk.keep_secs),
            ("risk.quiet-secs", "0 or more", secs(risk.quiet_secs), risk.quiet_secs),
            ("silence.times", "0 or more", secs(silence.times), silence.times),
            ("silence.least-secs", "0 or more", secs(silence.least_secs), silence.least_secs),
            ("storm.within-secs", "0 or more", secs(storm.within_secs), storm.within_secs),
        ];
        for rule in trigger {
            let clear = rule.clear.unwrap_or(rule.similarity);
            values.push((
                "trigger.similarity",
                "from -1 to 1",
                (-1.0..=1.0).contains(&rule.similarity),
                rule.similarity,
            ));
            values.push(("trigger.clear", "at most `similarity`", clear <= rule.similarity, clear));
            values.push(("trigger.for-secs", "0 or more", secs(rule.for_secs), rule.for_secs));
            values.push(("trigger.keep-secs", "0 or more", secs(rule.keep_secs), rule.keep_secs));
        }
        let wrong = values.into_iter().find(|(_, _, is_right, _)| !is_right);
        let Some((name, want, _, got)) = wrong else { return Ok(()) };
        Err(StreamError::Rule { path: path.to_owned(), name, want, got: got.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::AlertRules;

    fn check(text: &str) -> Result<AlertRules, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        AlertRules::load(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn an_empty_file_has_the_defaults_and_a_trigger_needs_an_example() {
        assert_eq!(check("").unwrap(), AlertRules::default());
        let text = "[[trigger]]\nname = \"jam\"\nevent = \"e1\"\nsimilarity = 0.9\n[storm]\nalerts = 3\n";
        let rules = check(text).unwrap();
        assert_eq!((rules.trigger[0].keep_secs, rules.storm.alerts), (900.0, 3));
        assert!(check("[[trigger]]\nname = \"jam\"\nsimilarity = 0.9\n").is_err());
    }

    #[test]
    fn a_value_that_cannot_be_is_named() {
        for (text, name) in [
            ("[risk]\nclear-share = 1.5", "risk.clear-share"),
            ("[silence]\ntimes = -1.0", "silence.times"),
            ("[[trigger]]\nname = \"a\"\nevent = \"e\"\nsimilarity = 2.0", "trigger.similarity"),
            ("[[trigger]]\nname = \"a\"\nevent = \"e\"\nsimilarity = 0.5\nclear = 0.6", "trigger.clear"),
        ] {
            assert!(check(text).unwrap_err().contains(name), "{name}");
        }
        assert!(check("[risk]\nclear = 1.0").unwrap_err().contains("no rules"));
    }
}
