//! The recorder database of Home Assistant, `home-assistant_v2.db` (SQLite, schema 43 and later).
//!
//! It is opened read-only and read page by page in the order of its rows, so that Home Assistant may go on writing.
//! Areas and names are those of the folder `.storage` beside it.

mod registries;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::{Map, Value};

use self::registries::Registries;
use super::home_assistant::{Change, States};
use super::parser::{ParsedBlock, take_parsed};
use super::record::Parsed;
use crate::error::{EventError, LineError, Rejected};
use crate::json;
use crate::normalizer::Normalizer;

/// The oldest schema whose tables these are.
const OLDEST_SCHEMA: i64 = 43;

/// Rows that are read at a time.
const PAGE_ROWS: u32 = 4096;

/// Sets of attributes that are kept; a home has a few thousand.
const N_ATTRIBUTES: usize = 16_384;

/// How long to wait for Home Assistant to finish writing.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads states page by page.
pub(super) struct Recorder {
    connection: Connection,
    query: String,
    entities: HashMap<i64, Arc<str>>,
    attributes: HashMap<i64, Option<Arc<Map<String, Value>>>>,
    registries: Registries,
    states: States,
    /// The row that was read last.
    last_id: i64,
    is_done: bool,
}

/// A row of `states`.
struct StateRow {
    id: i64,
    metadata_id: Option<i64>,
    state: Option<String>,
    changed: Option<f64>,
    updated: Option<f64>,
    attributes_id: Option<i64>,
    context: Option<Vec<u8>>,
    parent: Option<Vec<u8>>,
}

impl Recorder {
    pub(super) fn open(path: &Path) -> Result<Self, EventError> {
        let wrong = |source| EventError::Database { path: path.to_owned(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(path, flags).map_err(wrong)?;
        connection.busy_timeout(PATIENCE).map_err(wrong)?;
        check_schema(&connection, path)?;
        let query = query(&connection).map_err(wrong)?;
        Ok(Self {
            entities: entities(&connection).map_err(wrong)?,
            registries: Registries::beside(path)?,
            query,
            connection,
            attributes: HashMap::new(),
            states: States::default(),
            last_id: i64::MIN,
            is_done: false,
        })
    }

    /// The events of the next page, or none at the end.
    pub(super) fn next_rows(&mut self, normalizer: &Normalizer) -> Option<ParsedBlock> {
        if self.is_done {
            return None;
        }
        let mut block = ParsedBlock::default();
        let rows = match self.page() {
            Ok(rows) => rows,
            Err(error) => {
                self.is_done = true;
                let reason = LineError::BreaksOff(std::io::Error::other(error));
                #[expect(clippy::cast_sign_loss, reason = "rows are counted from 1")]
                let line = self.last_id.max(0) as u64;
                block.records.push(Err(Rejected { line, offset: 0, reason, raw: String::new() }));
                return Some(block);
            }
        };
        self.is_done = rows.len() < PAGE_ROWS as usize;
        for row in &rows {
            let parsed = self.parse(row, normalizer);
            #[expect(clippy::cast_sign_loss, reason = "rows are counted from 1")]
            let line = row.id.max(0) as u64;
            let ParsedBlock { records, tally } = &mut block;
            let raw = || format!("state_id {}, state `{}`", row.id, row.state.as_deref().unwrap_or_default());
            take_parsed(parsed, line, tally, &mut |record| {
                records.push(record.map_err(|reason| Rejected { line, offset: 0, reason, raw: raw() }));
            });
        }
        Some(block)
    }

    fn page(&mut self) -> rusqlite::Result<Vec<StateRow>> {
        let mut statement = self.connection.prepare_cached(&self.query)?;
        let rows = statement.query_map((self.last_id, PAGE_ROWS), StateRow::new)?;
        let rows: Vec<StateRow> = rows.collect::<Result<_, _>>()?;
        self.last_id = rows.last().map_or(self.last_id, |row| row.id);
        // Entities that came while the file was read.
        if rows.iter().any(|row| row.metadata_id.is_some_and(|id| !self.entities.contains_key(&id))) {
            self.entities = entities(&self.connection)?;
        }
        Ok(rows)
    }

    fn parse(&mut self, row: &StateRow, normalizer: &Normalizer) -> Result<Parsed, LineError> {
        let entity = row.metadata_id.and_then(|id| self.entities.get(&id)).cloned();
        let entity = entity.ok_or(LineError::Missing { field: "metadata_id" })?;
        // Without a state the entity was removed.
        let Some(state) = row.state.as_deref() else { return Ok(Parsed::Skipped("entity removed")) };
        let time = row.changed.or(row.updated).ok_or(LineError::Missing { field: "last_updated_ts" })?;
        let attributes = self.attributes(row.attributes_id)?;
        let (context, parent) = (row.context.as_deref().and_then(ulid), row.parent.as_deref().and_then(ulid));
        self.states.take(
            Change {
                entity: &entity,
                state,
                old: None,
                attributes: attributes.as_deref(),
                time: instant(time)
                    .ok_or_else(|| LineError::Time { field: "last_updated_ts", got: time.to_string() })?,
                context: context.as_deref(),
                parent: parent.as_deref(),
                zone: self.registries.area(&entity),
                sensor_name: self.registries.name(&entity),
            },
            normalizer,
        )
    }

    fn attributes(&mut self, id: Option<i64>) -> Result<Option<Arc<Map<String, Value>>>, LineError> {
        let Some(id) = id else { return Ok(None) };
        if let Some(attributes) = self.attributes.get(&id) {
            return Ok(attributes.clone());
        }
        let broken = |error| LineError::BreaksOff(std::io::Error::other(error));
        let mut statement = self
            .connection
            .prepare_cached("SELECT shared_attrs FROM state_attributes WHERE attributes_id = ?1")
            .map_err(broken)?;
        let mut rows = statement.query([id]).map_err(broken)?;
        let text: Option<String> = match rows.next().map_err(broken)? {
            Some(row) => row.get(0).map_err(broken)?,
            None => None,
        };
        let attributes =
            text.map(|text| json::object(&text).map(|(attributes, _)| Arc::new(attributes))).transpose()?;
        if self.attributes.len() >= N_ATTRIBUTES {
            self.attributes.clear();
        }
        self.attributes.insert(id, attributes.clone());
        Ok(attributes)
    }
}

impl StateRow {
    fn new(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            metadata_id: row.get(1)?,
            state: row.get(2)?,
            changed: row.get(3)?,
            updated: row.get(4)?,
            attributes_id: row.get(5)?,
            context: row.get(6)?,
            parent: row.get(7)?,
        })
    }
}

/// Fails for a database of something else, and for tables of an older kind.
fn check_schema(connection: &Connection, path: &Path) -> Result<(), EventError> {
    let wrong = |source| EventError::Database { path: path.to_owned(), source };
    let tables = columns(connection, "states").map_err(wrong)?;
    if tables.is_empty() {
        return Err(EventError::NoRecorder { path: path.to_owned() });
    }
    let version: rusqlite::Result<Option<i64>> =
        connection.query_row("SELECT MAX(schema_version) FROM schema_changes", [], |row| row.get(0));
    let is_old = matches!(version, Ok(Some(version)) if version < OLDEST_SCHEMA);
    if is_old || !tables.iter().any(|column| column == "metadata_id") {
        let found = version.ok().flatten();
        return Err(EventError::OldRecorder { path: path.to_owned(), found, oldest: OLDEST_SCHEMA });
    }
    Ok(())
}

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

/// The states behind a row, those that are missing in this schema as null.
fn query(connection: &Connection) -> rusqlite::Result<String> {
    let known = columns(connection, "states")?;
    let wanted = [
        "state_id",
        "metadata_id",
        "state",
        "last_changed_ts",
        "last_updated_ts",
        "attributes_id",
        "context_id_bin",
        "context_parent_id_bin",
    ];
    let column = |name: &str| if known.iter().any(|known| known == name) { name.to_owned() } else { "NULL".to_owned() };
    let columns = wanted.map(column).join(", ");
    Ok(format!("SELECT {columns} FROM states WHERE state_id > ?1 ORDER BY state_id LIMIT ?2"))
}

fn entities(connection: &Connection) -> rusqlite::Result<HashMap<i64, Arc<str>>> {
    let mut statement = connection.prepare_cached("SELECT metadata_id, entity_id FROM states_meta")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?)))?;
    let mut entities = HashMap::new();
    for row in rows {
        let (id, entity) = row?;
        entities.extend(entity.map(|entity| (id, Arc::from(entity))));
    }
    Ok(entities)
}

/// Seconds since 1970 to the microsecond, as Home Assistant has them.
fn instant(secs: f64) -> Option<DateTime<Utc>> {
    crate::time::from_epoch_secs(secs)
}

/// The text of a context's id, as the websocket and the REST interface have it (ULID, Crockford's base 32).
fn ulid(bytes: &[u8]) -> Option<String> {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let number = u128::from_be_bytes(bytes.try_into().ok()?);
    Some((0..26).rev().map(|place| DIGITS[(number >> (5 * place)) as usize & 31] as char).collect())
}
