//! When was something like this?

use std::fmt::Write;

use spaxiom_embedding::{Event, Filter, Query, Relaxed, StoreSearch, TextHits, TextQuery, TextSearch};

use super::answers::{Counted, Found};
use super::asked::{SearchAsked, SimilarAsked};
use super::state::{Desk, Limits, wanted};
use crate::error::ServeError;

impl Desk {
    /// Moments like what a text says, like an event, or those that pass the limits.
    ///
    /// # Errors
    /// [`ServeError::Asked`] for neither a text nor an event nor a limit, or for more hits than are given.
    pub fn search(&self, asked: &SearchAsked) -> Result<Found, ServeError> {
        let SearchAsked { text, event_json, types, zones, sites, from, to, time_of_day, k, full } = asked;
        let filter = self.filter(&Limits { types, zones, sites, from, to, time_of_day })?;
        let k = wanted(*k)?;
        match (text.is_empty(), event_json.is_empty()) {
            (false, false) => Err(ServeError::Asked("ask by `text` or by `event_json`, not by both".into())),
            (false, true) => self.by_text(text, &filter, k, *full),
            (true, false) => self.by_event(event_json, &filter, k, *full),
            (true, true) if filter.is_all() => {
                Err(ServeError::Asked("say what to look for: `text`, `event_json`, or limits such as `types`".into()))
            }
            (true, true) => {
                let query = TextQuery { filter, preferred: Filter::All, readings: Vec::new(), unread: Vec::new() };
                self.asked(&query, &Filter::All, None, (k, *full))
            }
        }
    }

    /// Moments like that of a stored event.
    ///
    /// # Errors
    /// An event that is not there.
    pub fn similar(&self, asked: &SimilarAsked) -> Result<Found, ServeError> {
        let SimilarAsked { event_id, types, zones, sites, from, to, k, full } = asked;
        let filter = self.filter(&Limits { types, zones, sites, from, to, time_of_day: "" })?;
        let k = wanted(*k)?;
        self.record(event_id)?;
        let hits = StoreSearch::new(self.store()).search(Query::Id(event_id), k, &filter)?;
        let total = self.store().sample(0, &filter)?.n_passing;
        let how = format!("like the moment of {event_id}{}", limited(&filter));
        Ok(Found {
            interpreted_query: how,
            total,
            truncated: total > hits.len(),
            hits: self.hits(hits, *full)?,
            relax: Vec::new(),
            provenance: self.provenance()?,
        })
    }

    fn by_text(&self, text: &str, filter: &Filter, k: usize, is_full: bool) -> Result<Found, ServeError> {
        let vector = self.pipeline().text_vector(text)?;
        let query = TextQuery::read(text, &self.overview()?.names, self.local_now()?);
        self.asked(&query, filter, vector.as_deref(), (k, is_full))
    }

    /// The moments that a query names: the nearest to a vector first, or without one the most typical.
    fn asked(
        &self,
        query: &TextQuery,
        filter: &Filter,
        vector: Option<&[f32]>,
        (k, is_full): (usize, bool),
    ) -> Result<Found, ServeError> {
        let search = TextSearch { query, filter, is_filtered: true, vector };
        let TextHits { n_passing, hits, relax } = StoreSearch::new(self.store()).search_text(&search, k)?;
        let mut how = query.filter.clone().and(filter.clone()).to_string();
        if !query.preferred.is_all() {
            let _ = write!(how, "; rather {}", query.preferred);
        }
        for unread in &query.unread {
            let like = if unread.like.is_empty() {
                String::new()
            } else {
                format!(" (did you mean {}?)", unread.like.join(", "))
            };
            let what = if vector.is_some() { "ranking only" } else { "not understood" };
            let _ = write!(how, "; {what}: {}{like}", unread.word);
        }
        Ok(Found {
            interpreted_query: how,
            total: n_passing,
            truncated: n_passing > hits.len(),
            hits: self.hits(hits, is_full)?,
            relax: relax
                .into_iter()
                .map(|Relaxed { words, n_passing }| Counted { name: words, count: n_passing })
                .collect(),
            provenance: self.provenance()?,
        })
    }

    fn by_event(&self, text: &str, filter: &Filter, k: usize, is_full: bool) -> Result<Found, ServeError> {
        let event =
            Event::from_json(text).map_err(|error| ServeError::Asked(format!("`event_json` is no event: {error}")))?;
        if !self.knows(event.site_id.as_str()) {
            return Err(ServeError::Asked(format!("this token is not for the site `{}`", event.site_id)));
        }
        let pipeline = self.pipeline();
        let context = pipeline.stored_context(&event)?;
        let hits = pipeline.search(Query::Event { event: &event, context: &context }, k, filter)?;
        drop(pipeline);
        let total = self.store().sample(0, filter)?.n_passing;
        let how = format!("like this {} after {} events of its site{}", event.kind, context.len(), limited(filter));
        Ok(Found {
            interpreted_query: how,
            total,
            truncated: total > hits.len(),
            hits: self.hits(hits, is_full)?,
            relax: Vec::new(),
            provenance: self.provenance()?,
        })
    }
}

/// What hits have to pass beside being alike.
fn limited(filter: &Filter) -> String {
    if filter.is_all() { String::new() } else { format!(", where {filter}") }
}
