//! Reading records, names and figures.

use std::collections::{BTreeMap, HashMap};

use chrono_tz::Tz;
use spaxiom_index::{
    Added, Field, Filter, IndexError, KindRecord, KindSettings, Presence, Record, Sample, StoreBytes, StoreNames,
    StoreStats,
};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::condition::{Condition, Param, has_attribute};
use crate::rows::{COLUMNS, record};
use crate::store::PostgresStore;

/// Records whose attributes are listed, the last ones.
const N_LAST: i64 = 1_000;

impl PostgresStore {
    fn rows(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, IndexError> {
        self.connections.run(async |client| client.query(sql, params).await)
    }

    fn texts(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<String>, IndexError> {
        Ok(self.rows(sql, params)?.iter().map(|row| row.get(0)).collect())
    }

    pub(crate) fn one(&self, condition: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Option<Record>, IndexError> {
        let sql = format!("select {COLUMNS} from {}.records where {condition} order by seq limit 1", self.schema);
        Ok(self.rows(&sql, params)?.first().map(record))
    }

    pub(crate) fn read_kept(&self, prefix: &str) -> Result<BTreeMap<String, Vec<u8>>, IndexError> {
        let sql = format!("select name, value from {}.kept where starts_with(name, $1)", self.schema);
        Ok(self.rows(&sql, &[&prefix])?.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    pub(crate) fn clocks(&self) -> Result<BTreeMap<String, Tz>, IndexError> {
        let rows = self.rows(&format!("select site, time_zone from {}.sites", self.schema), &[])?;
        // A name that another build wrote and this one does not know shows UTC.
        let clock = |row: &Row| Some((row.get::<_, String>(0), row.get::<_, &str>(1).parse::<Tz>().ok()?));
        Ok(rows.iter().filter_map(clock).collect())
    }

    pub(crate) fn presence(&self, site: &str, records: &[(&str, &str)]) -> Result<Vec<Presence>, IndexError> {
        let ids: Vec<&str> = records.iter().map(|(id, _)| *id).collect();
        let sql = format!("select id, metadata from {}.records where site = $1 and id = any($2)", self.schema);
        let rows = self.rows(&sql, &[&site, &ids])?;
        let known: HashMap<&str, &str> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let presence = |(id, metadata): &(&str, &str)| match known.get(id) {
            None => Presence::Missing,
            Some(known) if known == metadata => Presence::Same,
            Some(_) => Presence::Different,
        };
        Ok(records.iter().map(presence).collect())
    }

    /// These columns of the last records of a site in a span of time, in order of time.
    pub(crate) fn between(
        &self,
        columns: &str,
        site: &str,
        [from_ns, to_ns]: [i64; 2],
        limit: u32,
    ) -> Result<Vec<Row>, IndexError> {
        let sql = format!(
            "select {columns} from (
                select * from {}.records where site = $1 and time_ns >= $2 and time_ns < $3
                order by time_ns desc, seq desc limit $4
            ) last order by time_ns, seq",
            self.schema
        );
        self.rows(&sql, &[&site, &from_ns, &to_ns, &i64::from(limit)])
    }

    pub(crate) fn first_and_last(&self, site: &str) -> Result<Option<[i64; 2]>, IndexError> {
        let sql = format!("select min(time_ns), max(time_ns) from {}.records where site = $1", self.schema);
        let rows = self.rows(&sql, &[&site])?;
        let [first, last] = [0, 1].map(|at| rows[0].get::<_, Option<i64>>(at));
        Ok(first.zip(last).map(|(first, last)| [first, last]))
    }

    pub(crate) fn last_number(&self) -> Result<u64, IndexError> {
        let rows = self.rows(&format!("select coalesce(max(seq), 0) from {}.records", self.schema), &[])?;
        Ok(u64::try_from(rows[0].get::<_, i64>(0)).unwrap_or(0))
    }

    /// Numbers are given before a commit: what several writers add at the same time may be passed over.
    pub(crate) fn numbered_after(&self, number: u64, limit: u32) -> Result<Vec<Added>, IndexError> {
        let sql =
            format!("select seq, site, metadata from {}.records where seq > $1 order by seq limit $2", self.schema);
        let first = i64::try_from(number).unwrap_or(i64::MAX);
        let added = |row: &Row| Added {
            number: u64::try_from(row.get::<_, i64>(0)).unwrap_or(0),
            site: row.get(1),
            metadata: row.get(2),
        };
        Ok(self.rows(&sql, &[&first, &i64::from(limit)])?.iter().map(added).collect())
    }

    pub(crate) fn spread(&self, n: usize, filter: &Filter) -> Result<Sample, IndexError> {
        let clocks = self.clocks()?;
        let Condition { sql, params } = Condition::new(filter, &clocks, 0);
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(Param::as_sql).collect();
        let schema = &self.schema;
        let count = self.rows(&format!("select count(*) from {schema}.records where {sql}"), &params)?;
        let n_passing = usize::try_from(count[0].get::<_, i64>(0)).unwrap_or(0);
        if n == 0 || n_passing == 0 {
            return Ok(Sample { records: Vec::new(), n_passing });
        }
        let step = i64::try_from(n_passing.div_ceil(n)).unwrap_or(i64::MAX);
        let limit = i64::try_from(n).unwrap_or(i64::MAX);
        let Condition { sql, params } = Condition::new(filter, &clocks, 2);
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![&step, &limit];
        all.extend(params.iter().map(Param::as_sql));
        let select = format!(
            "select {COLUMNS} from (
                select *, row_number() over (order by seq) - 1 as place from {schema}.records where {sql}
            ) passing where place % $1 = 0 order by seq limit $2"
        );
        Ok(Sample { records: self.rows(&select, &all)?.iter().map(record).collect(), n_passing })
    }

    pub(crate) fn all_names(&self) -> Result<StoreNames, IndexError> {
        Ok(StoreNames {
            types: self.values("kind")?,
            zones: self.values("zone")?,
            sites: self.values("site")?,
            attributes: self.attributes()?,
        })
    }

    fn values(&self, column: &str) -> Result<Vec<String>, IndexError> {
        // From one name to the next by the index, where `distinct` would read every record.
        let sql = format!(
            "with recursive names as (
                (select {column} as name from {0}.records where {column} is not null order by {column} limit 1)
                union all
                select (select {column} from {0}.records where {column} > name order by {column} limit 1)
                from names where name is not null
            ) select name from names where name is not null order by name collate \"C\"",
            self.schema
        );
        self.texts(&sql, &[])
    }

    fn attributes(&self) -> Result<Vec<String>, IndexError> {
        let sql = format!(
            "with last as (
                select metadata::jsonb as event from {}.records order by seq desc limit $1
            ), keys as (
                select jsonb_object_keys(event) as name from last where jsonb_typeof(event) = 'object'
                union select jsonb_object_keys(event -> 'attrs') from last where jsonb_typeof(event -> 'attrs') = 'object'
            ) select name from keys where name <> 'attrs' order by name collate \"C\"",
            self.schema
        );
        self.texts(&sql, &[&N_LAST])
    }

    pub(crate) fn require_names(&self, filter: &Filter) -> Result<(), IndexError> {
        for leaf in filter.leaves() {
            match leaf {
                Filter::Is { field, values } => {
                    let column = match field {
                        Field::Type => "kind",
                        Field::Zone => "zone",
                        Field::Site => "site",
                    };
                    let sql = format!(
                        "select name from unnest($1::text[]) with ordinality as wanted(name, place)
                        where not exists (select 1 from {}.records where {column} = name) order by place limit 1",
                        self.schema
                    );
                    if let Some(got) = self.texts(&sql, &[values])?.first() {
                        return Err(IndexError::nothing_passes(field.as_str(), got, self.values(column)?));
                    }
                }
                Filter::Attribute { name, .. } => {
                    let Condition { sql, params } = has_attribute(name);
                    let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(Param::as_sql).collect();
                    let sql = format!("select 1 from {}.records where {sql} limit 1", self.schema);
                    if self.rows(&sql, &params)?.is_empty() {
                        return Err(IndexError::nothing_passes("attribute", name, self.attributes()?));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    pub(crate) fn figures(&self) -> Result<StoreStats, IndexError> {
        let (schema, has_graph) = (&self.schema, self.has_index()?);
        let graph = if has_graph {
            format!("pg_relation_size('{schema}.records_graph'::regclass)")
        } else {
            "0::bigint".into()
        };
        let sql = format!(
            "select (select count(*) from {schema}.records), pg_total_relation_size('{schema}.records'::regclass), {graph}"
        );
        let rows = self.rows(&sql, &[])?;
        let [n, all, graph] = [0, 1, 2].map(|at| u64::try_from(rows[0].get::<_, i64>(at)).unwrap_or(0));
        let n_vectors = usize::try_from(n).unwrap_or(usize::MAX);
        let vectors = n * (2 * self.header.dim as u64);
        Ok(StoreStats {
            n_vectors,
            n_indexed: if has_graph { n_vectors } else { 0 },
            n_dead: 0,
            index: KindRecord::new(if has_graph { "pgvector-hnsw" } else { "exact" }, KindSettings::default()),
            header: self.header.clone(),
            n_bytes: StoreBytes { database: all.saturating_sub(graph + vectors), vectors, index: graph },
        })
    }
}
