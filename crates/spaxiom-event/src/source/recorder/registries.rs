//! Areas and names of entities, out of the folder `.storage` of Home Assistant.

use std::collections::HashMap;
use std::path::Path;

use serde::Deserialize;

use crate::error::EventError;

/// The area and the name of each entity, as far as somebody gave it one.
#[derive(Debug, Default)]
pub(super) struct Registries {
    areas: HashMap<String, String>,
    names: HashMap<String, String>,
}

#[derive(Deserialize)]
struct File<T> {
    data: T,
}

#[derive(Deserialize)]
struct Entities {
    entities: Vec<Entity>,
}

#[derive(Deserialize)]
struct Entity {
    #[serde(rename = "entity_id")]
    id: String,
    area_id: Option<String>,
    device_id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct Devices {
    devices: Vec<Device>,
}

#[derive(Deserialize)]
struct Device {
    id: String,
    area_id: Option<String>,
}

#[derive(Deserialize)]
struct Areas {
    areas: Vec<Area>,
}

#[derive(Deserialize)]
struct Area {
    id: String,
    name: String,
}

impl Registries {
    /// Those beside a database; none where there is no such folder.
    pub(super) fn beside(database: &Path) -> Result<Self, EventError> {
        let folder = database.with_file_name(".storage");
        let Some(Entities { entities }) = read(&folder.join("core.entity_registry"))? else {
            return Ok(Self::default());
        };
        let devices =
            read::<Devices>(&folder.join("core.device_registry"))?.map(|file| file.devices).unwrap_or_default();
        let areas = read::<Areas>(&folder.join("core.area_registry"))?.map(|file| file.areas).unwrap_or_default();
        let area_of_device: HashMap<String, String> =
            devices.into_iter().filter_map(|device| Some((device.id, device.area_id?))).collect();
        let names_of_areas: HashMap<String, String> = areas.into_iter().map(|area| (area.id, area.name)).collect();
        let mut registries = Self::default();
        for Entity { id, area_id, device_id, name } in entities {
            let area = area_id.or_else(|| area_of_device.get(&device_id?).cloned());
            if let Some(area) = area {
                let name = names_of_areas.get(&area).cloned().unwrap_or(area);
                registries.areas.insert(id.clone(), name);
            }
            registries.names.extend(name.map(|name| (id, name)));
        }
        Ok(registries)
    }

    /// The area of an entity, or that of its device.
    pub(super) fn area(&self, entity: &str) -> Option<&str> {
        self.areas.get(entity).map(String::as_str)
    }

    /// The name that somebody gave an entity.
    pub(super) fn name(&self, entity: &str) -> Option<&str> {
        self.names.get(entity).map(String::as_str)
    }
}

fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, EventError> {
    if !path.exists() {
        return Ok(None);
    }
    let text = fs_err::read_to_string(path)?;
    let file: File<T> =
        serde_json::from_str(&text).map_err(|source| EventError::Registry { path: path.to_owned(), source })?;
    Ok(Some(file.data))
}
