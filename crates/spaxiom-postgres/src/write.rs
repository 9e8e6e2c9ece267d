//! Writing: batches by COPY into a table of the transaction, and from there into that of the records.

use std::collections::BTreeMap;

use deadpool_postgres::Object;
use futures_util::pin_mut;
use spaxiom_index::{BuildReport, Filter, IndexError, Put, Record};
use tokio_postgres::Transaction;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use crate::condition::{Condition, Param};
use crate::rows::{checked, half};
use crate::store::PostgresStore;

/// Links of a node of the graph, and neighbors that are looked at while it is built: pgvector's own.
const GRAPH: &str = "m = 16, ef_construction = 64";

impl PostgresStore {
    /// Adds records that are not there, and keeps values: both or neither.
    pub(crate) fn write_new(
        &self,
        records: Vec<Record>,
        kept: &BTreeMap<String, Vec<u8>>,
    ) -> Result<usize, IndexError> {
        let records = checked(records, self.header.dim)?;
        let schema = &self.schema;
        let (gone, values): (Vec<_>, Vec<_>) = kept.iter().partition(|(_, value)| value.is_empty());
        let gone: Vec<&String> = gone.into_iter().map(|(name, _)| name).collect();
        let (names, values): (Vec<&String>, Vec<&Vec<u8>>) = values.into_iter().unzip();
        self.connections.run(async |client| {
            let transaction = client.transaction().await?;
            let mut n_new = 0;
            if !records.is_empty() {
                self.copy(&transaction, &records).await?;
                let insert = format!(
                    "insert into {schema}.records (site, id, kind, zone, time_ns, metadata, vector)
                    select site, id, kind, zone, time_ns, metadata, vector from incoming order by n
                    on conflict (site, id) do nothing"
                );
                n_new = transaction.execute(&insert, &[]).await?;
            }
            if !names.is_empty() {
                let upsert = format!(
                    "insert into {schema}.kept select * from unnest($1::text[], $2::bytea[])
                    on conflict (name) do update set value = excluded.value"
                );
                transaction.execute(&upsert, &[&names, &values]).await?;
            }
            if !gone.is_empty() {
                transaction.execute(&format!("delete from {schema}.kept where name = any($1)"), &[&gone]).await?;
            }
            transaction.commit().await?;
            Ok(usize::try_from(n_new).unwrap_or(usize::MAX))
        })
    }

    /// Adds records; each takes the place of one with its site and id.
    pub(crate) fn write_over(&self, records: Vec<Record>) -> Result<Put, IndexError> {
        // The last of several with one id counts, as if they had come one after the other.
        let by_id: BTreeMap<(String, String), Record> =
            records.into_iter().map(|record| ((record.site.clone(), record.id.clone()), record)).collect();
        let records = checked(by_id.into_values().collect(), self.header.dim)?;
        let schema = &self.schema;
        let n = records.len();
        self.connections.run(async |client| {
            let transaction = client.transaction().await?;
            self.copy(&transaction, &records).await?;
            let delete =
                format!("delete from {schema}.records r using incoming i where r.site = i.site and r.id = i.id");
            let n_replaced = usize::try_from(transaction.execute(&delete, &[]).await?).unwrap_or(usize::MAX);
            let insert = format!(
                "insert into {schema}.records (site, id, kind, zone, time_ns, metadata, vector)
                select site, id, kind, zone, time_ns, metadata, vector from incoming order by n"
            );
            transaction.execute(&insert, &[]).await?;
            transaction.commit().await?;
            Ok(Put { n_new: n - n_replaced, n_replaced })
        })
    }

    /// Records into the table `incoming` of the transaction, in binary.
    async fn copy(&self, transaction: &Transaction<'_>, records: &[Record]) -> Result<(), tokio_postgres::Error> {
        let dim = self.header.dim;
        let create = format!(
            "create temp table if not exists incoming (
                n bigint, site text, id text, kind text, zone text, time_ns bigint, metadata text, vector halfvec({dim})
            ) on commit drop;"
        );
        transaction.batch_execute(&create).await?;
        let statement = transaction.prepare("select vector from incoming").await?;
        let halfvec = statement.columns()[0].type_().clone();
        let copy = "copy incoming (n, site, id, kind, zone, time_ns, metadata, vector) from stdin binary";
        let sink = transaction.copy_in(copy).await?;
        let types = [Type::INT8, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::INT8, Type::TEXT, halfvec];
        let writer = BinaryCopyInWriter::new(sink, &types);
        pin_mut!(writer);
        for (n, record) in (0i64..).zip(records) {
            let Record { id, site, kind, zone, time_ns, metadata, vector } = record;
            let vector = half(vector);
            let row: [&(dyn ToSql + Sync); 8] = [&n, site, id, kind, zone, time_ns, metadata, &vector];
            writer.as_mut().write(&row).await?;
        }
        writer.finish().await?;
        Ok(())
    }

    pub(crate) fn delete_ids(&self, site: &str, ids: &[&str]) -> Result<usize, IndexError> {
        let delete = format!("delete from {}.records where site = $1 and id = any($2)", self.schema);
        self.counted(&delete, &[&site, &ids])
    }

    pub(crate) fn delete_where(&self, filter: &Filter) -> Result<usize, IndexError> {
        let Condition { sql, params } = Condition::new(filter, &self.clocks()?, 0);
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(Param::as_sql).collect();
        self.counted(&format!("delete from {}.records where {sql}", self.schema), &params)
    }

    pub(crate) fn write_time_zones(&self, zones: &[(String, String)]) -> Result<(), IndexError> {
        for (_, zone) in zones {
            zone.parse::<chrono_tz::Tz>().map_err(|_| IndexError::Setting {
                name: "time zone",
                want: "a name such as `Europe/Berlin`",
                got: zone.clone(),
            })?;
        }
        // One row for each site: the last counts.
        let zones: BTreeMap<&String, &String> = zones.iter().map(|(site, zone)| (site, zone)).collect();
        let (sites, names): (Vec<&String>, Vec<&String>) = zones.into_iter().unzip();
        let upsert = format!(
            "insert into {}.sites select * from unnest($1::text[], $2::text[])
            on conflict (site) do update set time_zone = excluded.time_zone",
            self.schema
        );
        self.counted(&upsert, &[&sites, &names]).map(|_| ())
    }

    fn counted(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<usize, IndexError> {
        let n = self.connections.run(async |client: &mut Object| client.execute(sql, params).await)?;
        Ok(usize::try_from(n).unwrap_or(usize::MAX))
    }

    /// Builds the graph beside searches and writers; one that was left unfinished is removed first.
    pub(crate) fn build_graph(&self) -> Result<BuildReport, IndexError> {
        let schema = &self.schema;
        if !self.has_index()? {
            self.connections.run(async |client| {
                client.batch_execute(&format!("drop index concurrently if exists {schema}.records_graph")).await?;
                client
                    .batch_execute(&format!(
                        "create index concurrently records_graph on {schema}.records
                        using hnsw (vector halfvec_ip_ops) with ({GRAPH})"
                    ))
                    .await
            })?;
        }
        self.connections.run(async |client| {
            client.batch_execute(&format!("analyze {schema}.records")).await?;
            let sizes = format!(
                "select (select count(*) from {schema}.records), pg_relation_size('{schema}.records_graph'::regclass)"
            );
            let row = client.query_one(&sizes, &[]).await?;
            let [n, bytes] = [0, 1].map(|at| row.get::<_, i64>(at));
            Ok(BuildReport { n_vectors: usize::try_from(n).unwrap_or(0), n_bytes: u64::try_from(bytes).unwrap_or(0) })
        })
    }
}
