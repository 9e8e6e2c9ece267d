//! Queries to hits.

use spaxiom_event::Event;
use spaxiom_index::Filter;

use super::context::nanos;
use super::handle::EmbeddingPipeline;
use super::moments::Own;
use super::query::{Query, SearchResult};
use super::store_search::StoreSearch;
use crate::error::EmbeddingError;

impl EmbeddingPipeline {
    /// The `k` moments nearest to the query, each by its nearest event with the number of others.
    ///
    /// Events of a site within 15 minutes of a nearer hit are of its moment. The query's own moments are not among the hits.
    ///
    /// # Errors
    /// As of [`EmbeddingPipeline::search_all`].
    pub fn search(&self, query: Query<'_>, k: usize, filter: &Filter) -> Result<Vec<SearchResult>, EmbeddingError> {
        let (vector, own) = self.asked(query)?;
        StoreSearch::new(self.store()).moments(&vector, &own, k, filter)
    }

    /// The `k` events nearest to `event`, of which nothing before is known: only what its encoder says of it is compared.
    ///
    /// # Errors
    /// [`spaxiom_token::TokenError::Unknown`] for a type or zone that training never saw,
    /// [`spaxiom_index::IndexError::NothingPasses`] for a filter with a value that the store does not have.
    pub fn search_event(&self, event: &Event, k: usize, filter: &Filter) -> Result<Vec<SearchResult>, EmbeddingError> {
        self.search_all(Query::Event { event, context: &[] }, k, filter)
    }

    /// The `k` events nearest to the one with this id, which is not among them.
    ///
    /// # Errors
    /// [`EmbeddingError::NoSuchEvent`] where the store has no such event.
    pub fn search_id(&self, id: &str, k: usize, filter: &Filter) -> Result<Vec<SearchResult>, EmbeddingError> {
        self.search_all(Query::Id(id), k, filter)
    }

    /// The `k` events nearest to the query; what it is made of is not among them.
    ///
    /// # Errors
    /// As of [`EmbeddingPipeline::search_event`] and [`StoreSearch::search`].
    pub fn search_all(&self, query: Query<'_>, k: usize, filter: &Filter) -> Result<Vec<SearchResult>, EmbeddingError> {
        let (vector, own) = self.asked(query)?;
        StoreSearch::new(self.store()).events(&vector, &own, k, filter)
    }

    /// The vector of a query, and what it is made of.
    fn asked(&self, query: Query<'_>) -> Result<(Vec<f32>, Own), EmbeddingError> {
        let Query::Event { event, context } = query else { return StoreSearch::new(self.store()).asked(query) };
        self.tokenizer().require_known(event)?;
        let own = Own::of_event(event.site_id.as_str(), event.id.as_str(), nanos(event.time));
        Ok((self.vector_after(event, context), own))
    }
}
