//! A broker by its address.

use std::time::Duration;

use async_nats::ConnectOptions;
use rumqttc::v5::MqttOptions;

use crate::error::StreamError;

/// A connection is checked after so long a silence.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A broker of MQTT, or a server of NATS, by its address.
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
        Self::parse_with(text, 1883)
    }

    /// The same with another port where none is named.
    pub(crate) fn parse_with(text: &str, port: u16) -> Option<Self> {
        let (login, place) = match text.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, text),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (place, port),
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

    /// User and password; `password` is for the user where the address has none.
    pub(crate) fn login(&self, password: Option<&str>) -> Option<(String, String)> {
        let word = self.password.as_deref().or(password).unwrap_or_default();
        self.user.as_ref().map(|user| (user.clone(), word.to_owned()))
    }

    /// Options of a connection with this name; `password` is for the user where the address has none.
    pub(crate) fn options(&self, client: &str, password: Option<&str>) -> MqttOptions {
        let mut options = MqttOptions::new(client, &self.host, self.port);
        options.set_keep_alive(KEEP_ALIVE);
        if let Some((user, word)) = self.login(password) {
            options.set_credentials(user, word);
        }
        options
    }

    /// Options of a connection of NATS with this name, and its address.
    pub(crate) fn nats(&self, client: &str, password: Option<&str>) -> (ConnectOptions, String) {
        let mut options = ConnectOptions::new().name(client);
        if let Some((user, password)) = self.login(password) {
            options = options.user_and_password(user, password);
        }
        (options, format!("nats://{}:{}", self.host, self.port))
    }

    pub(crate) fn error(&self, what: impl Into<String>) -> StreamError {
        StreamError::Broker { address: format!("{}:{}", self.host, self.port), what: what.into() }
    }
}
