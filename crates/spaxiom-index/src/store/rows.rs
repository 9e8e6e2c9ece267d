//! All SQL of the store.

use std::collections::BTreeMap;
use std::path::Path;

use chrono_tz::Tz;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use crate::error::IndexError;
use crate::filter::{Column, Columns};
use crate::id_set::IdSet;
use crate::settings::KindRecord;
use crate::store::header::Meta;
use crate::store::record::{Added, Presence, Record};

/// Rows are numbered from 0 on in the order in which they were added; a number is the place of the vector in its file.
const SCHEMA: &str = "
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE events (
        row INTEGER PRIMARY KEY,
        site TEXT NOT NULL,
        id TEXT NOT NULL,
        type TEXT NOT NULL,
        zone TEXT,
        time_ns INTEGER NOT NULL,
        metadata TEXT NOT NULL,
        UNIQUE (site, id)
    ) STRICT;
    CREATE INDEX events_id ON events (id);
    CREATE INDEX events_site_time ON events (site, time_ns);
    CREATE TABLE deleted (number INTEGER PRIMARY KEY AUTOINCREMENT, row INTEGER NOT NULL) STRICT;
    CREATE TABLE sites (site TEXT PRIMARY KEY, time_zone TEXT NOT NULL) STRICT;
";

pub(super) fn connect(path: &Path) -> Result<Connection, IndexError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    Ok(connection)
}

/// Whether the tables exist.
pub(super) fn is_created(connection: &Connection) -> Result<bool, IndexError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta')";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// A transaction that no other process can interleave with.
pub(super) fn write(connection: &mut Connection) -> Result<Transaction<'_>, IndexError> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

/// Creates the tables of an empty store with this id.
pub(super) fn create(transaction: &Transaction<'_>, meta: &Meta, format: u32) -> Result<(), IndexError> {
    transaction.execute_batch(SCHEMA)?;
    describe_as(transaction, meta, format)
}

/// Replaces what a store says of itself.
fn describe_as(transaction: &Transaction<'_>, meta: &Meta, format: u32) -> Result<(), IndexError> {
    let Meta { id, header, kind } = meta;
    let rows = [
        ("format", serde_json::to_string(&format)?),
        ("id", serde_json::to_string(id)?),
        ("header", serde_json::to_string(header)?),
        ("kind", serde_json::to_string(kind)?),
        ("generation", "1".into()),
        ("n_rows", "0".into()),
    ];
    for (key, value) in rows {
        transaction.execute("INSERT OR REPLACE INTO meta VALUES (?1, ?2)", params![key, value])?;
    }
    Ok(())
}

pub(super) fn random_id(connection: &Connection) -> Result<String, IndexError> {
    Ok(connection.query_row("SELECT lower(hex(randomblob(8)))", [], |row| row.get(0))?)
}

fn value(connection: &Connection, key: &str) -> Result<String, IndexError> {
    let mut select = connection.prepare_cached("SELECT value FROM meta WHERE key = ?1")?;
    Ok(select.query_row([key], |row| row.get(0))?)
}

fn set_value(connection: &Connection, key: &str, value: &str) -> Result<(), IndexError> {
    let mut update = connection.prepare_cached("UPDATE meta SET value = ?2 WHERE key = ?1")?;
    update.execute([key, value])?;
    Ok(())
}

pub(super) fn format(connection: &Connection) -> Result<u32, IndexError> {
    Ok(serde_json::from_str(&value(connection, "format")?)?)
}

/// What the store says of itself.
pub(super) fn describe(connection: &Connection) -> Result<Meta, IndexError> {
    Ok(Meta {
        id: serde_json::from_str(&value(connection, "id")?)?,
        header: serde_json::from_str(&value(connection, "header")?)?,
        kind: serde_json::from_str(&value(connection, "kind")?)?,
    })
}

pub(super) fn set_kind(connection: &Connection, kind: &KindRecord) -> Result<(), IndexError> {
    set_value(connection, "kind", &serde_json::to_string(kind)?)
}

/// Changes whenever another connection has committed something.
pub(super) fn version(connection: &Connection) -> Result<i64, IndexError> {
    let mut select = connection.prepare_cached("PRAGMA data_version")?;
    Ok(select.query_row([], |row| row.get(0))?)
}

/// How far the rows of a store go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    /// Counts compactions, which number all rows anew.
    pub(super) generation: u64,
    /// The number that the next row gets.
    pub(super) n_rows: usize,
    /// The last row of the table of deletions.
    pub(super) last_deletion: i64,
}

pub(super) fn extent(connection: &Connection) -> Result<Extent, IndexError> {
    let mut select = connection.prepare_cached("SELECT coalesce(max(number), 0) FROM deleted")?;
    Ok(Extent {
        generation: serde_json::from_str(&value(connection, "generation")?)?,
        n_rows: serde_json::from_str(&value(connection, "n_rows")?)?,
        last_deletion: select.query_row([], |row| row.get(0))?,
    })
}

pub(super) fn set_n_rows(transaction: &Transaction<'_>, n_rows: usize) -> Result<(), IndexError> {
    set_value(transaction, "n_rows", &n_rows.to_string())
}

/// The rows that were deleted after a deletion.
pub(super) fn deleted_after(connection: &Connection, last: i64) -> Result<Vec<usize>, IndexError> {
    let mut select = connection.prepare_cached("SELECT row FROM deleted WHERE number > ?1")?;
    let rows = select.query_map([last], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Inserts a record as this row; false if its site and id are there.
pub(super) fn insert(transaction: &Transaction<'_>, row: usize, record: &Record) -> Result<bool, IndexError> {
    let mut insert = transaction.prepare_cached(
        "INSERT OR IGNORE INTO events (row, site, id, type, zone, time_ns, metadata) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let Record { id, site, kind, zone, time_ns, metadata, vector: _ } = record;
    Ok(insert.execute(params![row, site, id, kind, zone, time_ns, metadata])? == 1)
}

/// Deletes a record by site and id; false if there is none.
pub(super) fn delete(transaction: &Transaction<'_>, site: &str, id: &str) -> Result<bool, IndexError> {
    let mut delete = transaction.prepare_cached("DELETE FROM events WHERE site = ?1 AND id = ?2 RETURNING row")?;
    let row: Option<i64> = delete.query_row([site, id], |row| row.get(0)).optional()?;
    let Some(row) = row else { return Ok(false) };
    note_deleted(transaction, row)?;
    Ok(true)
}

/// Deletes a record by its row; false if there is none.
pub(super) fn delete_row(transaction: &Transaction<'_>, row: i64) -> Result<bool, IndexError> {
    let is_there = transaction.prepare_cached("DELETE FROM events WHERE row = ?1")?.execute([row])? == 1;
    if is_there {
        note_deleted(transaction, row)?;
    }
    Ok(is_there)
}

fn note_deleted(transaction: &Transaction<'_>, row: i64) -> Result<(), IndexError> {
    transaction.prepare_cached("INSERT INTO deleted (row) VALUES (?1)")?.execute([row])?;
    Ok(())
}

/// The rows that have a record, in ascending order.
pub(super) fn all_rows(connection: &Connection) -> Result<Vec<usize>, IndexError> {
    let mut select = connection.prepare("SELECT row FROM events ORDER BY row")?;
    let rows = select.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Numbers the records anew from 0 on; `old` are their rows in ascending order.
pub(super) fn renumber(transaction: &Transaction<'_>, old: &[usize], generation: u64) -> Result<(), IndexError> {
    let mut update = transaction.prepare_cached("UPDATE events SET row = ?2 WHERE row = ?1")?;
    // A new number is never above the old one, so that in ascending order each is free.
    for (new, old) in old.iter().enumerate().filter(|(new, old)| new != *old) {
        update.execute([old, &new])?;
    }
    transaction.execute("DELETE FROM deleted", [])?;
    set_value(transaction, "generation", &generation.to_string())?;
    set_n_rows(transaction, old.len())
}

/// Whether a record of this site and id is there, and whether it has this metadata.
pub(super) fn compare(connection: &Connection, site: &str, id: &str, metadata: &str) -> Result<Presence, IndexError> {
    let mut select = connection.prepare_cached("SELECT metadata = ?3 FROM events WHERE site = ?1 AND id = ?2")?;
    let mut rows = select.query(params![site, id, metadata])?;
    Ok(match rows.next()? {
        None => Presence::Missing,
        Some(row) if row.get(0)? => Presence::Same,
        Some(_) => Presence::Different,
    })
}

pub(super) fn count(connection: &Connection) -> Result<usize, IndexError> {
    Ok(connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?)
}

/// Rows that have both a record and a deletion, or neither: none in a store that is sound.
pub(super) fn n_misplaced(connection: &Connection) -> Result<usize, IndexError> {
    let sql = "SELECT (SELECT count(*) FROM events) + (SELECT count(DISTINCT row) FROM deleted)
               - (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'n_rows')";
    let difference: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    Ok(usize::try_from(difference.abs()).unwrap_or(usize::MAX))
}

/// Writes what a program keeps beside the records; an empty value is removed.
pub(super) fn keep(transaction: &Transaction<'_>, kept: &BTreeMap<String, Vec<u8>>) -> Result<(), IndexError> {
    if kept.is_empty() {
        return Ok(());
    }
    // Stores of builds before have no such table, and builds before read stores that have it.
    transaction.execute_batch(
        "CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
    )?;
    let mut insert = transaction.prepare_cached("INSERT OR REPLACE INTO kept VALUES (?1, ?2)")?;
    let mut delete = transaction.prepare_cached("DELETE FROM kept WHERE name = ?1")?;
    for (name, value) in kept {
        if value.is_empty() {
            delete.execute([name])?
        } else {
            insert.execute(params![name, value])?
        };
    }
    Ok(())
}

/// What is kept under names that begin so.
pub(super) fn kept(connection: &Connection, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, IndexError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'kept')";
    if !connection.query_row(sql, [], |row| row.get::<_, bool>(0))? {
        return Ok(BTreeMap::new());
    }
    let mut select = connection.prepare_cached("SELECT name, value FROM kept WHERE substr(name, 1, ?2) = ?1")?;
    let rows = select.query_map(params![prefix, prefix.chars().count()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn integrity(connection: &Connection) -> Result<String, IndexError> {
    Ok(connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?)
}

/// The row of an id: of one site, or the first of any.
pub(super) fn find(connection: &Connection, site: Option<&str>, id: &str) -> Result<Option<usize>, IndexError> {
    let mut select = connection
        .prepare_cached("SELECT row FROM events WHERE id = ?1 AND (?2 IS NULL OR site = ?2) ORDER BY row LIMIT 1")?;
    Ok(select.query_row(params![id, site], |row| row.get(0)).optional()?)
}

/// The record of a row, without its vector.
pub(super) fn get(connection: &Connection, row: usize) -> Result<Option<Record>, IndexError> {
    let mut select =
        connection.prepare_cached("SELECT id, site, type, zone, time_ns, metadata FROM events WHERE row = ?1")?;
    Ok(select.query_row([row], record).optional()?)
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        id: row.get(0)?,
        site: row.get(1)?,
        kind: row.get(2)?,
        zone: row.get(3)?,
        time_ns: row.get(4)?,
        metadata: row.get(5)?,
        vector: Vec::new(),
    })
}

/// Row and metadata of what a site has from `from_ns` to before `to_ns`, the last `limit` of it, in order of time.
pub(super) fn between(
    connection: &Connection,
    site: &str,
    from_ns: i64,
    to_ns: i64,
    limit: u32,
) -> Result<Vec<(usize, String)>, IndexError> {
    let mut select = connection.prepare_cached(
        "SELECT row, metadata FROM events WHERE site = ?1 AND time_ns >= ?2 AND time_ns < ?3
         ORDER BY time_ns DESC, row DESC LIMIT ?4",
    )?;
    let rows = select.query_map((site, from_ns, to_ns, limit), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut newest_first = rows.collect::<Result<Vec<_>, _>>()?;
    newest_first.reverse();
    Ok(newest_first)
}

/// What was added after the record of this number, the oldest first.
pub(super) fn added_after(connection: &Connection, number: u64, limit: u32) -> Result<Vec<Added>, IndexError> {
    let mut select = connection
        .prepare_cached("SELECT row + 1, site, metadata FROM events WHERE row >= ?1 ORDER BY row LIMIT ?2")?;
    let first = i64::try_from(number).unwrap_or(i64::MAX);
    let rows = select
        .query_map((first, limit), |row| Ok(Added { number: row.get(0)?, site: row.get(1)?, metadata: row.get(2)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The first and the last time of a site, in nanoseconds since 1970; none for one without records.
pub(super) fn span(connection: &Connection, site: &str) -> Result<Option<[i64; 2]>, IndexError> {
    let mut select = connection.prepare_cached("SELECT min(time_ns), max(time_ns) FROM events WHERE site = ?1")?;
    let [first, last]: [Option<i64>; 2] = select.query_row([site], |row| Ok([row.get(0)?, row.get(1)?]))?;
    Ok(first.zip(last).map(|(first, last)| [first, last]))
}

/// Whether any record has this value; `column` is a column of the schema.
pub(super) fn has(connection: &Connection, column: &'static str, value: &str) -> Result<bool, IndexError> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM events WHERE {column} = ?1)");
    Ok(connection.query_row(&sql, [value], |row| row.get(0))?)
}

/// Distinct values of a column in ascending order.
pub(super) fn values(connection: &Connection, column: &'static str) -> Result<Vec<String>, IndexError> {
    let sql = format!("SELECT DISTINCT {column} FROM events WHERE {column} IS NOT NULL ORDER BY 1");
    let mut select = connection.prepare(&sql)?;
    let values = select.query_map([], |row| row.get(0))?;
    Ok(values.collect::<Result<_, _>>()?)
}

/// Names of the attributes of the last records: members of the metadata, and of the object `attrs` in it.
pub(super) fn attributes(connection: &Connection) -> Result<Vec<String>, IndexError> {
    let sql = "WITH last AS (SELECT metadata FROM events ORDER BY row DESC LIMIT 1000)
               SELECT key FROM last, json_each(metadata) WHERE key <> 'attrs'
               UNION SELECT key FROM last, json_each(metadata, '$.attrs') ORDER BY 1";
    let mut select = connection.prepare(sql)?;
    let values = select.query_map([], |row| row.get(0))?;
    Ok(values.collect::<Result<_, _>>()?)
}

/// Extends the columns that every record has by the rows below `n_rows` that they lack.
pub(super) fn extend(connection: &Connection, columns: &mut Columns, n_rows: usize) -> Result<(), IndexError> {
    let mut select = connection.prepare_cached(
        "SELECT row, type, zone, site, time_ns FROM events WHERE row >= ?1 AND row < ?2 ORDER BY row",
    )?;
    let mut rows = select.query([columns.n_rows(), n_rows])?;
    while let Some(row) = rows.next()? {
        let text = |column| -> Result<Option<&str>, IndexError> {
            Ok(row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)?)
        };
        let (kind, zone, site) = (text(1)?.unwrap_or_default(), text(2)?, text(3)?.unwrap_or_default());
        columns.push(row.get(0)?, kind, zone, site, row.get(4)?);
    }
    columns.pad(n_rows);
    Ok(())
}

/// Extends the column of an attribute, a path of names, by the rows below `n_rows` that it lacks.
pub(super) fn extend_attribute(
    connection: &Connection,
    name: &str,
    column: &mut Column,
    n_rows: usize,
) -> Result<(), IndexError> {
    let path = format!(".\"{}\"", name.replace('.', "\".\""));
    let mut select = connection.prepare_cached(
        "SELECT row, coalesce(metadata -> ('$' || ?3), metadata -> ('$.attrs' || ?3)) FROM events
         WHERE row >= ?1 AND row < ?2 ORDER BY row",
    )?;
    let mut rows = select.query(params![column.len(), n_rows, path])?;
    while let Some(row) = rows.next()? {
        let number: usize = row.get(0)?;
        (column.len()..number).for_each(|_| column.push(None));
        let text = row.get_ref(1)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        column.push(text.map(serde_json::from_str).transpose()?.as_ref());
    }
    (column.len()..n_rows).for_each(|_| column.push(None));
    Ok(())
}

/// Records the clocks of sites.
pub(super) fn set_time_zones(connection: &mut Connection, zones: &[(String, String)]) -> Result<(), IndexError> {
    let transaction = write(connection)?;
    for (site, zone) in zones {
        transaction.execute("INSERT OR REPLACE INTO sites VALUES (?1, ?2)", [site, zone])?;
    }
    Ok(transaction.commit()?)
}

/// Keeps what a layout is made of.
pub(super) fn set_layout(connection: &Connection, layout: &str) -> Result<(), IndexError> {
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('layout', ?1)", [layout])?;
    Ok(())
}

pub(super) fn layout(connection: &Connection) -> Result<Option<String>, IndexError> {
    let mut select = connection.prepare_cached("SELECT value FROM meta WHERE key = 'layout'")?;
    Ok(select.query_row([], |row| row.get(0)).optional()?)
}

/// The clocks of sites; one that this build does not know is left out.
pub(super) fn time_zones(connection: &Connection) -> Result<BTreeMap<String, Tz>, IndexError> {
    let mut select = connection.prepare_cached("SELECT site, time_zone FROM sites")?;
    let zones = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    let zones = zones.collect::<Result<Vec<_>, _>>()?.into_iter();
    Ok(zones.filter_map(|(site, zone)| Some((site, zone.parse().ok()?))).collect())
}

/// The rows below `n_rows` without a record.
pub(super) fn dead(connection: &Connection) -> Result<IdSet, IndexError> {
    let mut dead = IdSet::default();
    for row in deleted_after(connection, 0)? {
        dead.insert(row);
    }
    Ok(dead)
}

/// Makes a store of format 2, which kept vectors in its database, one of `format`; gives every vector to `take`.
pub(super) fn migrate(
    transaction: &Transaction<'_>,
    format: u32,
    mut take: impl FnMut(usize, Vec<f32>) -> Result<(), IndexError>,
) -> Result<(), IndexError> {
    let meta = describe(transaction)?;
    transaction.execute_batch(
        "ALTER TABLE events RENAME TO old; ALTER TABLE meta RENAME TO old_meta;
         DROP INDEX events_id; DROP INDEX events_type; DROP INDEX events_zone; DROP INDEX events_time;",
    )?;
    create(transaction, &meta, format)?;
    let n_rows = {
        let mut select =
            transaction.prepare("SELECT id, site, type, zone, time_ns, metadata, vector FROM old ORDER BY row")?;
        let mut rows = select.query([])?;
        let mut n_rows = 0;
        while let Some(row) = rows.next()? {
            insert(transaction, n_rows, &record(row)?)?;
            let bytes = row.get_ref(6)?.as_blob().map_err(rusqlite::Error::from)?;
            take(n_rows, bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())?;
            n_rows += 1;
        }
        n_rows
    };
    set_n_rows(transaction, n_rows)?;
    Ok(transaction.execute_batch("DROP TABLE old; DROP TABLE old_meta;")?)
}
