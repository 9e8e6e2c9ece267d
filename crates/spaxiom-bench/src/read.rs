//! Tables by their readers alone: Parquet, and the recorder database of Home Assistant.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use rusqlite::{Connection, params};
use spaxiom_embedding::{EventReader, EventWriter, ReadOptions, Target};

use crate::folder::Folder;
use crate::options::BenchOptions;
use crate::row::BenchRow;
use crate::timing::median_rate;

/// Entities of the synthetic home; every tenth is a thermometer, the others are switched on and off.
const N_ENTITIES: usize = 200;

/// Rows per second of each table.
pub(crate) fn read(options: &BenchOptions, folder: &Folder) -> anyhow::Result<Vec<BenchRow>> {
    let parquet = parquet(&folder.events(options.events)?)?;
    let recorder = recorder(&folder.path, options.events)?;
    let row = |name: &str, path: &Path, threads: u32| {
        let reading = ReadOptions { threads: Some(threads as usize), ..ReadOptions::default() };
        let ours = median_rate(options.runs, options.events, || {
            let n_events = EventReader::open(path, &reading)?.flatten().count();
            // The first state of a switch is no change.
            ensure!(n_events + N_ENTITIES >= options.events, "{n_events} of {} rows were read", options.events);
            Ok(())
        })?;
        let (peer, ratio, peer_name, workload) = (None, None, None, format!("read {name}"));
        anyhow::Ok(BenchRow { workload, unit: "rows/s", ours, peer, ratio, runs: options.runs, threads, peer_name })
    };
    let threads = options.threads;
    Ok(vec![row("Parquet", &parquet, threads)?, row("a recorder database", &recorder, 1)?])
}

/// The benchmark's events as Parquet.
fn parquet(events: &Path) -> anyhow::Result<PathBuf> {
    let path = events.with_extension("parquet");
    if !path.exists() {
        let mut writer = EventWriter::create(&path, Target::Parquet)?;
        for record in EventReader::open(events, &ReadOptions::default())?.flatten() {
            writer.write(&record.event)?;
        }
        writer.finish()?;
    }
    Ok(path)
}

/// A home with so many states, in tables as Home Assistant 2026.2 has them.
fn recorder(folder: &Path, n_states: usize) -> anyhow::Result<PathBuf> {
    let path = folder.join(format!("recorder_{n_states}.db"));
    if path.exists() {
        return Ok(path);
    }
    let mut connection = Connection::open(&path)?;
    connection.execute_batch(
        "CREATE TABLE schema_changes (change_id INTEGER PRIMARY KEY, schema_version INTEGER);
         INSERT INTO schema_changes VALUES (1, 53);
         CREATE TABLE states_meta (metadata_id INTEGER PRIMARY KEY, entity_id VARCHAR(255));
         CREATE TABLE state_attributes (attributes_id INTEGER PRIMARY KEY, hash BIGINT, shared_attrs TEXT);
         INSERT INTO state_attributes VALUES (1, 0, '{\"device_class\":\"motion\"}'),
            (2, 0, '{\"device_class\":\"temperature\",\"unit_of_measurement\":\"°C\"}');
         CREATE TABLE states (state_id INTEGER PRIMARY KEY, state VARCHAR(255), last_changed_ts FLOAT,
            last_updated_ts FLOAT, attributes_id INTEGER, context_id_bin BLOB, context_parent_id_bin BLOB,
            metadata_id INTEGER);",
    )?;
    let transaction = connection.transaction()?;
    {
        let mut meta = transaction.prepare("INSERT INTO states_meta VALUES (?1, ?2)")?;
        for entity in 0..N_ENTITIES {
            let kind = if entity % 10 == 0 { "sensor" } else { "binary_sensor" };
            meta.execute(params![i64::try_from(entity)?, format!("{kind}.number_{entity}")])?;
        }
        let mut insert = transaction.prepare("INSERT INTO states VALUES (?1, ?2, NULL, ?3, ?4, ?5, NULL, ?6)")?;
        for row in 0..n_states {
            let (entity, round) = (row % N_ENTITIES, row / N_ENTITIES);
            let is_sensor = entity % 10 == 0;
            let state = match (is_sensor, round % 2 == 0) {
                (true, _) => format!("{}.{}", 18 + round % 8, round % 10),
                (false, true) => "off".to_owned(),
                (false, false) => "on".to_owned(),
            };
            let secs = 1_756_677_600.0 + row as f64 * 0.5;
            let context = (row as u128).to_be_bytes();
            let attributes = if is_sensor { 2 } else { 1 };
            insert.execute(params![
                i64::try_from(row)? + 1,
                state,
                secs,
                attributes,
                context,
                i64::try_from(entity)?
            ])?;
        }
    }
    transaction.commit()?;
    Ok(path)
}
