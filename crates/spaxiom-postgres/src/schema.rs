//! The tables of a store.

use std::path::PathBuf;

use spaxiom_index::{IndexError, StoreHeader};

use crate::address::PostgresAddress;
use crate::connection::Connections;

/// The format that this build writes and reads.
const FORMAT: u32 = 1;

/// The oldest pgvector that searches on where a filter leaves too few.
const OLDEST: (u32, u32, u32) = (0, 8, 0);

/// Older ones damage graphs while rows are deleted (pgvector#959, #988, #990, #993).
const SAFE: (u32, u32, u32) = (0, 8, 4);

/// Widest vectors in half precision that pgvector can index.
const MAX_DIM: usize = 4_000;

/// Makes the tables where there are none.
///
/// The shard key of Citus, `site`, is part of the primary key, so that tables can be distributed by it.
pub(crate) fn create(connections: &Connections, schema: &str, header: &StoreHeader) -> Result<(), IndexError> {
    let StoreHeader { dim, tokenizer, encoder } = header;
    if *dim > MAX_DIM {
        return Err(IndexError::Setting { name: "vector", want: "at most 4000 values wide", got: dim.to_string() });
    }
    let sql = format!(
        "create extension if not exists vector;
        create schema if not exists {schema};
        create table if not exists {schema}.meta (key text primary key, value text not null);
        create table if not exists {schema}.records (
            site text not null, id text not null, seq bigint generated always as identity, kind text not null,
            zone text, time_ns bigint not null, metadata text not null, vector halfvec({dim}) not null,
            primary key (site, id)
        );
        alter table {schema}.records alter column vector set storage external;
        create index if not exists records_time on {schema}.records (site, time_ns);
        create index if not exists records_kind on {schema}.records (kind, time_ns);
        create index if not exists records_zone on {schema}.records (zone, time_ns);
        create index if not exists records_id on {schema}.records (id);
        create index if not exists records_seq on {schema}.records (seq);
        create table if not exists {schema}.kept (name text primary key, value bytea not null);
        create table if not exists {schema}.sites (site text primary key, time_zone text not null);"
    );
    let values = [
        ("format", FORMAT.to_string()),
        ("dim", dim.to_string()),
        ("tokenizer", tokenizer.clone()),
        ("encoder", encoder.clone()),
    ];
    connections.run(async |client| {
        let transaction = client.transaction().await?;
        // Two programs that begin at the same time make one store.
        transaction.execute("select pg_advisory_xact_lock(hashtext($1))", &[&schema]).await?;
        transaction.batch_execute(&sql).await?;
        for (key, value) in &values {
            let insert = format!("insert into {schema}.meta values ($1, $2) on conflict do nothing");
            transaction.execute(&insert, &[key, value]).await?;
        }
        transaction.commit().await
    })
}

/// What the tables say of themselves.
pub(crate) fn header(connections: &Connections, address: &PostgresAddress) -> Result<StoreHeader, IndexError> {
    let schema = &address.schema;
    let there = connections.run(async |client| {
        let row = client.query_one("select to_regclass($1) is not null", &[&format!("{schema}.meta")]).await?;
        Ok(row.get::<_, bool>(0))
    })?;
    if !there {
        return Err(IndexError::NoStore { path: PathBuf::from(address.to_string()) });
    }
    let rows =
        connections.run(async |client| client.query(&format!("select key, value from {schema}.meta"), &[]).await)?;
    let value = |key: &str| -> String {
        let row = rows.iter().find(|row| row.get::<_, &str>(0) == key);
        row.map(|row| row.get(1)).unwrap_or_default()
    };
    let found = value("format").parse().unwrap_or(0);
    if found != FORMAT {
        return Err(IndexError::Format { found, want: FORMAT });
    }
    Ok(StoreHeader { dim: value("dim").parse().unwrap_or(0), tokenizer: value("tokenizer"), encoder: value("encoder") })
}

/// Fails for a server or a pgvector that is too old; gives what is to be known of one that is not quite new.
pub(crate) fn check_versions(connections: &Connections) -> Result<Option<String>, IndexError> {
    let (server, installed, available) = connections.run(async |client| {
        let row = client
            .query_one(
                "select current_setting('server_version_num')::int,
                    (select extversion from pg_extension where extname = 'vector'),
                    (select default_version from pg_available_extensions where name = 'vector')",
                &[],
            )
            .await?;
        Ok((row.get::<_, i32>(0), row.get::<_, Option<String>>(1), row.get::<_, Option<String>>(2)))
    })?;
    if server < 150_000 {
        let got = (server / 10_000).to_string();
        return Err(IndexError::Setting { name: "PostgreSQL", want: "version 15 or newer", got });
    }
    let got = installed.or(available).unwrap_or_else(|| "none".into());
    let version = version(&got);
    if version < OLDEST {
        return Err(IndexError::Setting { name: "pgvector", want: "version 0.8.0 or newer", got });
    }
    let is_safe = version >= SAFE;
    Ok((!is_safe).then(|| format!("pgvector {got} may damage its graphs while records are deleted: 0.8.4 does not")))
}

fn version(text: &str) -> (u32, u32, u32) {
    let mut numbers = text.split('.').map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::{OLDEST, SAFE, version};

    #[test]
    fn versions_compare_as_numbers() {
        assert!(version("0.8.10") > SAFE && version("0.8.3") < SAFE && version("0.10.0") > SAFE);
        assert!(version("0.7.4") < OLDEST && version("none") < OLDEST);
    }
}
