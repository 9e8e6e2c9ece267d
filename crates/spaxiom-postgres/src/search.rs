//! What is nearest.

use spaxiom_index::{Filter, Hit, IndexError};
use tokio_postgres::types::ToSql;

use crate::condition::{Condition, Param};
use crate::rows::{COLUMNS, half, record};
use crate::store::PostgresStore;

/// Up to so many records that pass a filter are compared one by one: a graph would walk past most of what it finds.
const N_COMPARED: i64 = 50_000;

/// Candidates beside those that are wanted, which are ranked by the query in full precision.
const N_BESIDE: usize = 32;

/// Neighbors that a graph looks at, for each that is wanted, and at least.
const PER_HIT: usize = 8;
const LEAST_EF: usize = 200;

/// The most that pgvector takes.
const MOST_EF: usize = 1_000;

impl PostgresStore {
    pub(crate) fn nearest(&self, vector: &[f32], k: usize, filter: &Filter) -> Result<Vec<Hit>, IndexError> {
        let want = self.header.dim;
        if vector.len() != want {
            return Err(IndexError::Dimension { want, got: vector.len() });
        }
        if k == 0 {
            return Ok(Vec::new());
        }
        let mut query = vector.to_vec();
        spaxiom_index::normalize(&mut query, want);
        let clocks = self.clocks()?;
        let has_graph = self.has_index()? && self.passes_more_than(&Condition::new(filter, &clocks, 1), N_COMPARED)?;
        let condition = Condition::new(filter, &clocks, 2);
        let mut hits = self.candidates(&query, k, &condition, has_graph)?;
        // A graph gives fewer than there are where it has looked at as many as it may.
        if has_graph && hits.len() < k {
            hits = self.candidates(&query, k, &condition, false)?;
        }
        hits.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        hits.truncate(k);
        Ok(hits)
    }

    /// Two parameters stand before those of the condition.
    fn candidates(
        &self,
        query: &[f32],
        k: usize,
        Condition { sql, params }: &Condition,
        by_graph: bool,
    ) -> Result<Vec<Hit>, IndexError> {
        let schema = &self.schema;
        // A sum is no order that an index has: every record that passes is compared.
        let order = if by_graph { "vector <#> $1" } else { "(vector <#> $1) + 0, seq" };
        let select = format!("select {COLUMNS} from {schema}.records where {sql} order by {order} limit $2");
        let vector = half(query);
        let limit = i64::try_from(k.saturating_add(N_BESIDE)).unwrap_or(i64::MAX);
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![&vector, &limit];
        all.extend(params.iter().map(Param::as_sql));
        let ef = (PER_HIT * k).clamp(LEAST_EF, MOST_EF);
        let rows = self.connections.run(async |client| {
            let transaction = client.transaction().await?;
            if by_graph {
                let set = format!(
                    "set local hnsw.ef_search = {ef}; set local hnsw.iterative_scan = 'relaxed_order';
                    set local enable_seqscan = off"
                );
                transaction.batch_execute(&set).await?;
            }
            let rows = transaction.query(&select, &all).await?;
            transaction.commit().await?;
            Ok(rows)
        })?;
        let hit = |row: &tokio_postgres::Row| {
            let record = record(row);
            let similarity = record.vector.iter().zip(query).map(|(a, b)| a * b).sum();
            Hit { similarity, record }
        };
        Ok(rows.iter().map(hit).collect())
    }

    /// One parameter stands before those of the condition.
    fn passes_more_than(&self, Condition { sql, params }: &Condition, n: i64) -> Result<bool, IndexError> {
        let limit = n + 1;
        let mut all: Vec<&(dyn ToSql + Sync)> = vec![&limit];
        all.extend(params.iter().map(Param::as_sql));
        let count =
            format!("select count(*) from (select 1 from {}.records where {sql} limit $1) passing", self.schema);
        let row = self.connections.run(async |client| client.query_one(&count, &all).await)?;
        Ok(row.get::<_, i64>(0) > n)
    }

    /// Whether there is a graph that is whole.
    pub(crate) fn has_index(&self) -> Result<bool, IndexError> {
        let name = format!("{}.records_graph", self.schema);
        let row = self.connections.run(async |client| {
            let sql = "select coalesce((select indisvalid from pg_index where indexrelid = to_regclass($1)), false)";
            client.query_one(sql, &[&name]).await
        })?;
        Ok(row.get(0))
    }
}
