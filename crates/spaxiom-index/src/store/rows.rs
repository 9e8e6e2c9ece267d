//! All SQL of the store.

use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params, params_from_iter};

use crate::error::IndexError;
use crate::settings::KindRecord;
use crate::store::filter::Filter;
use crate::store::header::{Meta, StoreHeader};
use crate::store::record::{Presence, Record};
use crate::vector_index::IdSet;
use crate::vectors::VectorId;

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
        vector BLOB NOT NULL,
        UNIQUE (site, id)
    ) STRICT;
    CREATE INDEX events_id ON events (id);
    CREATE INDEX events_type ON events (type, time_ns);
    CREATE INDEX events_zone ON events (zone, time_ns);
    CREATE INDEX events_time ON events (time_ns);
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

/// Creates the tables in one transaction that no other process can interleave with.
pub(super) fn create_if_absent(
    connection: &mut Connection,
    format: u32,
    header: &StoreHeader,
    kind: &KindRecord,
) -> Result<(), IndexError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if is_created(&transaction)? {
        return Ok(());
    }
    let id: String = transaction.query_row("SELECT lower(hex(randomblob(8)))", [], |row| row.get(0))?;
    let meta = [
        ("format", serde_json::to_string(&format)?),
        ("id", serde_json::to_string(&id)?),
        ("header", serde_json::to_string(header)?),
        ("kind", serde_json::to_string(kind)?),
    ];
    transaction.execute_batch(SCHEMA)?;
    for (key, value) in meta {
        transaction.execute("INSERT INTO meta VALUES (?1, ?2)", params![key, value])?;
    }
    Ok(transaction.commit()?)
}

/// The metadata of the store if it has this format; that of another format is not parsed.
pub(super) fn describe(connection: &Connection, want: u32) -> Result<Meta, IndexError> {
    let value = |key: &str| -> Result<String, IndexError> {
        Ok(connection.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))?)
    };
    let found: u32 = serde_json::from_str(&value("format")?)?;
    if found != want {
        return Err(IndexError::Format { found, want });
    }
    Ok(Meta {
        id: serde_json::from_str(&value("id")?)?,
        header: serde_json::from_str(&value("header")?)?,
        kind: serde_json::from_str(&value("kind")?)?,
    })
}

pub(super) fn set_kind(connection: &Connection, kind: &KindRecord) -> Result<(), IndexError> {
    connection.execute("UPDATE meta SET value = ?1 WHERE key = 'kind'", [serde_json::to_string(kind)?])?;
    Ok(())
}

pub(super) fn insert(connection: &mut Connection, records: &[Record]) -> Result<usize, IndexError> {
    let transaction = connection.transaction()?;
    let mut n_new = 0;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT OR IGNORE INTO events (site, id, type, zone, time_ns, metadata, vector)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for record in records {
            let Record { id, site, kind, zone, time_ns, metadata, vector } = record;
            let vector: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
            n_new += insert.execute(params![site, id, kind, zone, time_ns, metadata, vector])?;
        }
    }
    transaction.commit()?;
    Ok(n_new)
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
    let n: i64 = connection.query_row("SELECT count(*) FROM events", [], |row| row.get(0))?;
    Ok(usize::try_from(n).expect("a count is not negative"))
}

/// Number of rows up to and including `row`.
pub(super) fn count_up_to(connection: &Connection, row: i64) -> Result<usize, IndexError> {
    let n: i64 = connection.query_row("SELECT count(*) FROM events WHERE row <= ?1", [row], |row| row.get(0))?;
    Ok(usize::try_from(n).expect("a count is not negative"))
}

/// Number of vectors of another dimension, or with a value that is not finite.
pub(super) fn n_bad_vectors(connection: &Connection, dim: usize) -> Result<usize, IndexError> {
    let mut n_bad = 0;
    let mut select = connection.prepare("SELECT vector FROM events")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let is_good = bytes.len() == 4 * dim && floats(bytes).iter().all(|value| value.is_finite());
        n_bad += usize::from(!is_good);
    }
    Ok(n_bad)
}

pub(super) fn integrity(connection: &Connection) -> Result<String, IndexError> {
    Ok(connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?)
}

/// The row of an id, at one site or at any.
pub(super) fn find(connection: &Connection, site: Option<&str>, id: &str) -> Result<Option<VectorId>, IndexError> {
    let mut select = connection
        .prepare_cached("SELECT row FROM events WHERE id = ?1 AND (?2 IS NULL OR site = ?2) ORDER BY row LIMIT 1")?;
    Ok(select.query_row(params![id, site], |row| row.get(0).map(VectorId)).optional()?)
}

pub(super) fn get(connection: &Connection, id: VectorId) -> Result<Record, IndexError> {
    let mut select = connection
        .prepare_cached("SELECT id, site, type, zone, time_ns, metadata, vector FROM events WHERE row = ?1")?;
    Ok(select.query_row([id.0], record)?)
}

/// What was added of the last `limit` events of a site from `from_ns` to before `to_ns`, in order of time.
pub(super) fn metadata_between(
    connection: &Connection,
    site: &str,
    from_ns: i64,
    to_ns: i64,
    limit: u32,
) -> Result<Vec<String>, IndexError> {
    let mut select = connection.prepare_cached(
        "SELECT metadata FROM events WHERE site = ?1 AND time_ns >= ?2 AND time_ns < ?3 ORDER BY time_ns DESC, row DESC LIMIT ?4",
    )?;
    let rows = select.query_map((site, from_ns, to_ns, limit), |row| row.get(0))?;
    let mut newest_first = rows.collect::<Result<Vec<String>, _>>()?;
    newest_first.reverse();
    Ok(newest_first)
}

/// Whether any record has this value; `column` is a column of the schema.
pub(super) fn has(connection: &Connection, column: &'static str, value: &str) -> Result<bool, IndexError> {
    let sql = format!("SELECT EXISTS (SELECT 1 FROM events WHERE {column} = ?1)");
    Ok(connection.query_row(&sql, [value], |row| row.get(0))?)
}

/// The first distinct values of a column in ascending order.
pub(super) fn values(connection: &Connection, column: &'static str, limit: u32) -> Result<Vec<String>, IndexError> {
    let sql = format!("SELECT DISTINCT {column} FROM events WHERE {column} IS NOT NULL ORDER BY 1 LIMIT ?1");
    let mut select = connection.prepare(&sql)?;
    let values = select.query_map([limit], |row| row.get(0))?;
    Ok(values.collect::<Result<_, _>>()?)
}

fn record(row: &Row<'_>) -> rusqlite::Result<Record> {
    Ok(Record {
        id: row.get(0)?,
        site: row.get(1)?,
        kind: row.get(2)?,
        zone: row.get(3)?,
        time_ns: row.get(4)?,
        metadata: row.get(5)?,
        vector: floats(row.get_ref(6)?.as_blob()?),
    })
}

/// All vectors after a row, in the order of their rows.
pub(super) fn vectors_after(
    connection: &Connection,
    dim: usize,
    after: i64,
) -> Result<(Vec<VectorId>, Vec<f32>), IndexError> {
    let n = count(connection)?;
    let (mut ids, mut vectors) = (Vec::with_capacity(n), Vec::with_capacity(n * dim));
    each_vector(connection, &Filter::default(), after, |row, vector| {
        ids.push(VectorId(row));
        vectors.extend_from_slice(vector);
    })?;
    Ok((ids, vectors))
}

/// The rows up to and including `last` that pass `filter`.
pub(super) fn ids_up_to(connection: &Connection, filter: &Filter, last: i64) -> Result<IdSet, IndexError> {
    let (conditions, values) = conditions(filter);
    let sql = format!("SELECT row FROM events WHERE row <= ?{conditions} ORDER BY row");
    let mut select = connection.prepare_cached(&sql)?;
    let values = std::iter::once(Value::from(last)).chain(values);
    let ids = select.query_map(params_from_iter(values), |row| row.get(0).map(VectorId))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Visits the rows after `after` that pass `filter`, in order.
pub(super) fn each_vector(
    connection: &Connection,
    filter: &Filter,
    after: i64,
    mut visit: impl FnMut(i64, &[f32]),
) -> Result<(), IndexError> {
    let (conditions, values) = conditions(filter);
    let sql = format!("SELECT row, vector FROM events WHERE row > ?{conditions} ORDER BY row");
    let mut select = connection.prepare_cached(&sql)?;
    let values = std::iter::once(Value::from(after)).chain(values);
    let mut rows = select.query(params_from_iter(values))?;
    while let Some(row) = rows.next()? {
        let vector = floats(row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?);
        visit(row.get(0)?, &vector);
    }
    Ok(())
}

/// The conditions of a filter as SQL after another condition, and the values that they bind.
fn conditions(filter: &Filter) -> (String, Vec<Value>) {
    let Filter { kind, zone, site, from_ns, to_ns } = filter;
    let text = |value: &Option<String>| value.clone().map(Value::from);
    let conditions = [
        ("type = ?", text(kind)),
        ("zone = ?", text(zone)),
        ("site = ?", text(site)),
        ("time_ns >= ?", from_ns.map(Value::from)),
        ("time_ns < ?", to_ns.map(Value::from)),
    ];
    let (mut sql, mut values) = (String::new(), Vec::new());
    for (condition, value) in conditions {
        if let Some(value) = value {
            sql.push_str(" AND ");
            sql.push_str(condition);
            values.push(value);
        }
    }
    (sql, values)
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}
