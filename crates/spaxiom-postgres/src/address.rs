//! Where a store is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;

use crate::error::AddressError;

/// A connection that takes longer is none.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

const SCHEMA: &str = "spaxiom";

/// Where a store is: a server, a database, and a schema in it.
///
/// ```
/// use spaxiom_postgres::PostgresAddress;
///
/// let address: PostgresAddress = "postgres://ann:secret@db.example:5433/buildings?schema=homes&sslmode=require".parse()?;
/// assert_eq!(address.to_string(), "postgres://ann@db.example:5433/buildings?schema=homes");
/// assert!("postgres://ann@db.example/buildings?schema=Homes; drop".parse::<PostgresAddress>().is_err());
/// # Ok::<(), spaxiom_postgres::AddressError>(())
/// ```
#[derive(Clone)]
pub struct PostgresAddress {
    pub(crate) config: Config,
    pub(crate) schema: String,
    /// Certificates that a server may be known by, beside those that browsers know.
    pub(crate) root_certificates: Option<PathBuf>,
}

impl PostgresAddress {
    /// Whether a text is meant to be such an address, and no folder.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme))
    }

    /// The same with a password, which no message and no log repeats.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        self.config.password(password);
        self
    }
}

impl FromStr for PostgresAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if !Self::is_meant(text) {
            return Err(AddressError::Form(None));
        }
        let (server, options) = text.split_once('?').unwrap_or((text, ""));
        let (mut schema, mut root_certificates, mut others) = (SCHEMA.to_owned(), None, Vec::new());
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("schema", name)) => name.clone_into(&mut schema),
                Some(("sslrootcert", path)) => root_certificates = Some(PathBuf::from(path)),
                _ => others.push(option),
            }
        }
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if schema.is_empty() || schema.starts_with(|c: char| c.is_ascii_digit()) || !schema.chars().all(is_plain) {
            return Err(AddressError::Schema { got: schema });
        }
        let plain = if others.is_empty() { server.to_owned() } else { format!("{server}?{}", others.join("&")) };
        let mut config: Config = plain.parse().map_err(|error| AddressError::Form(Some(error)))?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("spaxiom");
        }
        Ok(Self { config, schema, root_certificates })
    }
}

impl fmt::Display for PostgresAddress {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use tokio_postgres::config::Host;
        f.write_str("postgres://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        match self.config.get_hosts().first() {
            Some(Host::Tcp(host)) => f.write_str(host)?,
            #[cfg(unix)]
            Some(Host::Unix(path)) => write!(f, "{}", path.display())?,
            None => {}
        }
        if let Some(port) = self.config.get_ports().first() {
            write!(f, ":{port}")?;
        }
        write!(f, "/{}?schema={}", self.config.get_dbname().unwrap_or_default(), self.schema)
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::PostgresAddress;

    #[test]
    fn a_password_is_never_repeated() {
        for text in ["postgres://ann:hunter2@host/db", "postgres://ann:hunter2@host:notaport/db", "postgres://:hunter2"]
        {
            let said = match text.parse::<PostgresAddress>() {
                Ok(address) => format!("{address} {address:?}"),
                Err(error) => format!("{error} {error:?} {:?}", std::error::Error::source(&error)),
            };
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
