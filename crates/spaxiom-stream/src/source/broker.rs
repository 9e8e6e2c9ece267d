//! An MQTT broker by its address.

use std::time::Duration;

use rumqttc::v5::MqttOptions;

use crate::error::StreamError;

/// A connection is checked after so long a silence.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A broker by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    host: String,
    port: u16,
    user: Option<String>,
    password: Option<String>,
}

impl Broker {
    /// Of `[USER[:PASSWORD]@]HOST[:PORT]`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (login, place) = match text.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, text),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (place, 1883),
        };
        let login = login.map(|login| login.split_once(':').map_or((login, None), |(user, word)| (user, Some(word))));
        (!host.is_empty()).then(|| Self {
            host: host.to_owned(),
            port,
            user: login.map(|(user, _)| user.to_owned()),
            password: login.and_then(|(_, password)| password.map(str::to_owned)),
        })
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Options of a connection with this name; `password` is for the user where the address has none.
    pub(crate) fn options(&self, client: &str, password: Option<&str>) -> MqttOptions {
        let mut options = MqttOptions::new(client, &self.host, self.port);
        options.set_keep_alive(KEEP_ALIVE);
        if let Some(user) = &self.user {
            options.set_credentials(user, self.password.as_deref().or(password).unwrap_or_default());
        }
        options
    }

    pub(crate) fn error(&self, what: impl Into<String>) -> StreamError {
        StreamError::Broker { address: format!("{}:{}", self.host, self.port), what: what.into() }
    }
}
