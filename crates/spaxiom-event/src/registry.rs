//! The registry: which attributes a type of event has, in which unit and range, and by which other names.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::error::EventError;
use crate::unit::Unit;

const BUILT_IN: &str = include_str!("../registry.toml");

/// What is known of types of events.
///
/// The set of types is open: what is not declared is kept as it is, and counted by the [`Doctor`](crate::Doctor).
#[derive(Debug, Clone, PartialEq)]
pub struct Registry {
    types: BTreeMap<String, TypeSpec>,
    type_aliases: BTreeMap<String, String>,
    common: Attributes,
    ambiguous: Vec<String>,
}

/// A type of event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TypeSpec {
    /// What it means.
    pub doc: String,
    /// Other names of the type.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Attributes by name.
    #[serde(default)]
    pub attributes: BTreeMap<String, AttrSpec>,
}

/// An attribute of a type.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AttrSpec {
    /// The unit in which events keep it; none for words and flags.
    pub unit: Option<Unit>,
    /// Smallest value that makes sense.
    pub min: Option<f64>,
    /// Greatest value that makes sense.
    pub max: Option<f64>,
    /// Other names for a value in the same unit.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Other names for a value in another unit.
    #[serde(default)]
    pub aliases_in: BTreeMap<String, Unit>,
}

impl AttrSpec {
    fn has_alias(&self, alias: &str) -> bool {
        self.aliases.iter().any(|known| known == alias) || self.aliases_in.contains_key(alias)
    }

    /// The unit of a value that came as `alias`.
    fn unit_of(&self, alias: &str) -> Option<Unit> {
        self.aliases_in.get(alias).copied().or(self.unit)
    }

    /// Whether `value` is in the declared range.
    #[must_use]
    pub fn allows(&self, value: f64) -> bool {
        self.min.is_none_or(|min| min <= value) && self.max.is_none_or(|max| value <= max)
    }
}

/// Attributes by every name that they have.
#[derive(Debug, Clone, Default, PartialEq)]
struct Attributes {
    specs: BTreeMap<String, AttrSpec>,
    /// Alias to name and unit.
    aliases: BTreeMap<String, (String, Option<Unit>)>,
}

/// What a registry knows of an attribute that came by some name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Known<'a> {
    /// Its name, the unit in which it came, and its declaration.
    Declared(&'a str, Option<Unit>, &'a AttrSpec),
    /// Not declared, and the name does not say whether 0.5 is half or half a percent.
    Ambiguous,
    /// Not declared.
    Unknown,
}

/// The file as it is written by hand.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct RegistryFile {
    /// The format of this file; 1.
    format: u32,
    /// Names without a unit that some sources fill with percentages and others with fractions.
    #[serde(default)]
    percent_or_fraction: Vec<String>,
    /// Attributes of any type.
    #[serde(default)]
    common: BTreeMap<String, AttrSpec>,
    #[serde(default)]
    types: BTreeMap<String, TypeSpec>,
}

impl Registry {
    /// A short hash of everything that is declared.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let Self { types, type_aliases, common, ambiguous } = self;
        let text = serde_json::to_vec(&(types, type_aliases, &common.specs, ambiguous)).expect("plain data");
        format!("{:016x}", xxhash_rust::xxh64::xxh64(&text, 0))
    }

    /// The types of the seed, of the published Spaxiom package and of the sources and scenarios of this project.
    #[must_use]
    pub fn built_in() -> &'static Self {
        static REGISTRY: OnceLock<Registry> = OnceLock::new();
        REGISTRY.get_or_init(|| Self::parse(BUILT_IN).expect("the built-in registry is tested"))
    }

    /// Reads a registry file and lays it over the built-in one: its types replace those of the same name.
    pub fn load(path: &Path) -> Result<Self, EventError> {
        let wrong = |source| EventError::Settings { path: path.to_owned(), source };
        let mut registry = Self::built_in().clone();
        registry.extend(Self::parse(&fs_err::read_to_string(path)?).map_err(wrong)?);
        Ok(registry)
    }

    fn extend(&mut self, over: Self) {
        let Self { types, type_aliases, common, ambiguous } = over;
        self.types.extend(types);
        self.type_aliases.extend(type_aliases);
        self.common.specs.extend(common.specs);
        self.common.aliases.extend(common.aliases);
        self.ambiguous.extend(ambiguous);
    }

    /// Reads a registry from its text, by itself and over nothing.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let RegistryFile { format, percent_or_fraction, common, types } = toml::from_str(text)?;
        if format != 1 {
            return Err(serde::de::Error::custom(format_args!("`format`: wanted 1, got {format}")));
        }
        let mut type_aliases = BTreeMap::new();
        for (name, spec) in &types {
            type_aliases.extend(spec.aliases.iter().map(|alias| (alias.clone(), name.clone())));
        }
        Ok(Self { types, type_aliases, common: Attributes::new(common), ambiguous: percent_or_fraction })
    }

    /// The declared types in order of their names.
    pub fn types(&self) -> impl Iterator<Item = (&str, &TypeSpec)> {
        self.types.iter().map(|(name, spec)| (name.as_str(), spec))
    }

    /// The declaration of a type.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&TypeSpec> {
        self.types.get(kind)
    }

    /// The declaration of an attribute of a type.
    #[must_use]
    pub fn attribute(&self, kind: &str, name: &str) -> Option<&AttrSpec> {
        let own = self.types.get(kind).and_then(|spec| spec.attributes.get(name));
        own.or_else(|| self.common.specs.get(name))
    }

    /// The name of a type that came under this one.
    pub(crate) fn type_name<'a>(&'a self, kind: &'a str) -> &'a str {
        self.type_aliases.get(kind).map_or(kind, String::as_str)
    }

    /// What is known of an attribute that came as `name` in an event of type `kind`.
    pub(crate) fn look_up<'a>(&'a self, spec: Option<&'a TypeSpec>, name: &'a str) -> Known<'a> {
        if let Some(spec) = spec {
            if let Some((name, own)) = spec.attributes.get_key_value(name) {
                return Known::Declared(name, own.unit, own);
            }
            if let Some((known, own)) = spec.attributes.iter().find(|(_, own)| own.has_alias(name)) {
                return Known::Declared(known, own.unit_of(name), own);
            }
        }
        self.common.look_up(name).unwrap_or_else(|| {
            if self.ambiguous.iter().any(|ambiguous| ambiguous == name) { Known::Ambiguous } else { Known::Unknown }
        })
    }
}

impl Attributes {
    fn new(specs: BTreeMap<String, AttrSpec>) -> Self {
        let mut aliases = BTreeMap::new();
        for (name, spec) in &specs {
            let AttrSpec { unit, min: _, max: _, aliases: same, aliases_in: other } = spec;
            aliases.extend(same.iter().map(|alias| (alias.clone(), (name.clone(), *unit))));
            aliases.extend(other.iter().map(|(alias, unit)| (alias.clone(), (name.clone(), Some(*unit)))));
        }
        Self { specs, aliases }
    }

    fn look_up(&self, name: &str) -> Option<Known<'_>> {
        if let Some((name, spec)) = self.specs.get_key_value(name) {
            return Some(Known::Declared(name, spec.unit, spec));
        }
        let (name, unit) = self.aliases.get(name)?;
        Some(Known::Declared(name, *unit, &self.specs[name]))
    }
}
