//! Column maps with a name, in files: what many people have needs no map of their own.

use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::map::{ColumnMap, TypeRule, column};
use crate::error::{ColumnMapError, EventError};

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        /// Name and text of each.
        const BUILT_IN: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../mappings/", $name, ".toml")))),*];
    };
}

built_in!["bupar", "easytpp", "frigate", "kasteren", "meds", "openhab", "pyadlml", "rtl_433", "xes-csv", "zigbee2mqtt",];

/// A file of a mapping.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct MappingFile {
    format: u32,
    /// What it is for, for people.
    #[serde(rename = "doc")]
    _doc: IgnoredAny,
    /// As after `--columns`.
    columns: String,
    /// Types by the value of a column, the first that fits.
    #[serde(default)]
    types: Vec<TypeRuleFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct TypeRuleFile {
    column: String,
    is: String,
    r#type: String,
}

impl ColumnMap {
    /// The built-in mapping of this name, or the mapping in this file.
    ///
    /// # Errors
    /// [`EventError::UnknownMapping`] where there is neither, and what is wrong with the file.
    pub fn named(name: &str) -> Result<Self, EventError> {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
        let path = Path::new(name);
        let text = match built_in {
            Some((_, text)) => (*text).to_owned(),
            None if path.exists() => fs_err::read_to_string(path)?,
            None => {
                let known = Self::names().collect::<Vec<_>>().join(", ");
                return Err(EventError::UnknownMapping { name: name.into(), known });
            }
        };
        let file: MappingFile =
            toml::from_str(&text).map_err(|source| EventError::Settings { path: path.to_owned(), source })?;
        Self::of_file(file).map_err(|source| EventError::Columns { path: path.to_owned(), source })
    }

    /// The names of the built-in mappings.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    fn of_file(file: MappingFile) -> Result<Self, ColumnMapError> {
        let MappingFile { format, _doc, columns, types } = file;
        if format != 1 {
            return Err(ColumnMapError::Format { got: format });
        }
        let mut map: Self = columns.parse()?;
        for TypeRuleFile { column: name, is, r#type } in types {
            map.rules.push(TypeRule { column: column(&name)?, value: is, kind: r#type });
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::ColumnMap;

    #[test]
    fn every_built_in_mapping_is_sound() {
        for name in ColumnMap::names() {
            ColumnMap::named(name).unwrap_or_else(|error| panic!("{name}: {error:?}"));
        }
    }
}
