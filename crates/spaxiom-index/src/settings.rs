//! What a store records of its index kind.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::error::IndexError;

/// The key beside the settings that holds the name of a kind.
const KIND: &str = "kind";

/// Settings of an index kind by name, in the order in which they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KindSettings {
    entries: Vec<(String, Value)>,
}

impl KindSettings {
    /// The fields of `options`, a struct that serializes as a JSON object.
    ///
    /// # Errors
    /// [`IndexError::Settings`] for anything else.
    pub fn of(options: &impl Serialize) -> Result<Self, IndexError> {
        let text = serde_json::to_string(options).map_err(IndexError::Settings)?;
        serde_json::from_str(&text).map_err(IndexError::Settings)
    }

    /// The options that have these settings as fields.
    ///
    /// # Errors
    /// [`IndexError::Settings`] if a setting is missing, unknown or of another type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, IndexError> {
        let object = Value::Object(self.entries.iter().cloned().collect());
        serde_json::from_value(object).map_err(IndexError::Settings)
    }

    /// Names of the settings.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }

    /// Changes the value of a setting; gives false and changes nothing if there is no setting of this name.
    pub fn replace(&mut self, name: &str, value: impl Into<Value>) -> bool {
        let Some((_, old)) = self.entries.iter_mut().find(|(known, _)| known == name) else { return false };
        *old = value.into();
        true
    }
}

impl Serialize for KindSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.entries.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

impl<'de> Deserialize<'de> for KindSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

/// Keeps the order of the text, which [`serde_json::Map`] does not.
struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = KindSettings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("settings by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<KindSettings, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(KindSettings { entries })
    }
}

/// The index kind of a store as it is recorded: one JSON object with the name under `kind` and the settings beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindRecord {
    name: String,
    settings: KindSettings,
}

impl KindRecord {
    /// A record of the kind `name` with these settings.
    #[must_use]
    pub fn new(name: &str, settings: KindSettings) -> Self {
        Self { name: name.into(), settings }
    }

    /// The name of the kind.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its settings.
    #[must_use]
    pub fn settings(&self) -> &KindSettings {
        &self.settings
    }
}

impl Serialize for KindRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let name = Value::from(self.name.as_str());
        let settings = self.settings.entries.iter().map(|(name, value)| (name.as_str(), value));
        serializer.collect_map(std::iter::once((KIND, &name)).chain(settings))
    }
}

impl<'de> Deserialize<'de> for KindRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut settings = KindSettings::deserialize(deserializer)?;
        let place = settings.entries.iter().position(|(name, _)| name == KIND);
        let (_, value) = settings.entries.remove(place.ok_or_else(|| D::Error::missing_field(KIND))?);
        let name = value.as_str().ok_or_else(|| D::Error::custom("`kind` must be a string"))?;
        Ok(Self { name: name.into(), settings })
    }
}
