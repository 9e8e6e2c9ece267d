//! Where alerts go and what they are, the same for every command that writes some.

#![expect(clippy::doc_markdown, reason = "these docs are printed as help, where back-ticks are noise")]

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use spaxiom_stream::{AlertAddress, AlertRules, Sink, StreamError};

use super::unechoed::Unechoed;
use crate::exit::WrongUse;
use crate::output;

/// Where the password of a broker is looked for.
const PASSWORD: &str = "SPAXIOM_MQTT_PASSWORD";

#[derive(Debug, Args)]
pub(crate) struct AlertArgs {
    /// Where alerts go, repeatable: stdout, file:PATH, webhook:URL, `mqtt://[USER@]HOST[:PORT]` or `nats://[USER@]HOST[:PORT]/SUBJECT`
    #[arg(long, value_name = "DEST", help_heading = "Alerts")]
    alerts: Vec<Unechoed<AlertAddress>>,
    /// Rules of alerts (TOML) [default: risk of the run and silent sensors]
    #[arg(long, value_name = "FILE", help_heading = "Alerts")]
    alert_rules: Option<PathBuf>,
    /// File with the password of a broker
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl AlertArgs {
    /// Whether alerts go anywhere, or have rules of their own.
    pub(crate) fn is_given(&self) -> bool {
        !self.alerts.is_empty() || self.alert_rules.is_some()
    }

    /// Where they go.
    pub(crate) fn addresses(&self) -> Result<Vec<AlertAddress>, WrongUse> {
        self.alerts.iter().map(|alerts| alerts.get("--alerts").cloned()).collect()
    }

    /// Their rules.
    pub(crate) fn rules(&self) -> Result<AlertRules, StreamError> {
        self.alert_rules.as_deref().map_or_else(|| Ok(AlertRules::default()), AlertRules::load)
    }

    /// The password of a broker, from a file or the environment.
    #[expect(clippy::disallowed_methods, reason = "the program is where the environment is read")]
    pub(crate) fn password(&self) -> anyhow::Result<Option<String>> {
        if let Some(path) = &self.password_file {
            let text = fs_err::read_to_string(path).context("`--password-file`")?;
            return Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()));
        }
        Ok(std::env::var(PASSWORD).ok())
    }
}

/// Opens places that alerts go to; `client` is the name that a broker knows this program by.
pub(crate) fn open_sinks(
    addresses: &[AlertAddress],
    client: &str,
    password: Option<&str>,
) -> Result<Vec<Box<dyn Sink>>, StreamError> {
    addresses.iter().map(|alerts| alerts.open(client, password, Box::new(print))).collect()
}

/// A line of an alert.
fn print(line: &str) {
    output::text(&format!("{line}\n"));
}
