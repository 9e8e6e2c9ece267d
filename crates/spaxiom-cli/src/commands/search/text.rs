//! `search --text`: what was understood of a text, and what was found for it.

use std::fmt::Write;

use anyhow::Context;
use chrono::{NaiveDateTime, TimeZone};
use serde_json::json;
use spaxiom_embedding::{
    Filter, Moment, Names, Reading, Relaxed, Run, SiteMap, Sites, StoreSearch, TextHits, TextQuery, TextSearch,
    TextVectors, Unread, VectorStore,
};

use super::args::SearchArgs;
use super::table::table;
use crate::exit::{Exit, WrongUse};
use crate::{clock, output};

/// Values of a condition that a person is shown, at most.
const N_SHOWN: usize = 4;

/// Reads the text, searches, and prints both.
pub(super) fn run(
    text: &str,
    args: &SearchArgs,
    store: &dyn VectorStore,
    filter: &Filter,
    json: bool,
) -> anyhow::Result<Exit> {
    if args.evidence || args.all {
        let flag = if args.evidence { "--evidence" } else { "--all" };
        return Err(WrongUse(format!("`{flag}` does nothing for `--text`: leave it out")).into());
    }
    let run = args.run.as_deref().map(Run::open).transpose()?;
    let sites = run.as_ref().map(|run| run.tokenizer().known_sites().clone()).unwrap_or_default();
    let sites = match &args.site_map {
        Some(path) => sites.and(&Sites::new(&SiteMap::load(path).context("`--site-map`")?, None)),
        None => sites,
    };
    let query = TextQuery::read(text, &Names::of_store(store, &sites)?, now(args, store)?);
    let vector = run.map(|run| vector(text, args, &run)).transpose()?.flatten();
    if !json {
        output::text(&interpreted(&query, !args.no_filter, vector.is_some()));
    }
    let search = TextSearch { query: &query, filter, is_filtered: !args.no_filter, vector: vector.as_deref() };
    let found = StoreSearch::new(store).search_text(&search, args.k)?;
    let TextHits { n_passing, hits, relax } = &found;
    if json {
        let ranked_by = if vector.is_some() { "vector of the text" } else { "most typical" };
        let found = json!({
            "interpreted": query, "ranked_by": ranked_by, "n_passing": n_passing, "relax": relax, "hits": hits
        });
        output::json(&found)?;
        return Ok(Exit::Done);
    }
    let mut text = format!("{n_passing} events pass\n");
    for Relaxed { words, n_passing } in relax {
        let _ = writeln!(text, "  without `{words}` {n_passing} would");
    }
    if !hits.is_empty() {
        text.push_str(&table(hits));
    }
    output::text(&text);
    Ok(Exit::Done)
}

/// The vector of the text, where the run has a text encoder for the vectors of the store.
fn vector(text: &str, args: &SearchArgs, run: &Run) -> anyhow::Result<Option<Vec<f32>>> {
    if !TextVectors::is_in(run.path()) {
        return Ok(None);
    }
    let pipeline = args.store.place()?.pipeline(run, args.backend.engine_for(run)?.as_ref())?;
    let vector = pipeline.text_vector(text)?;
    if vector.is_none() {
        tracing::warn!("texts of this run have vectors of another width than the store: the most typical come first");
    }
    Ok(vector)
}

/// The time that `yesterday` is the day before of, on the clock that all sites have, or UTC.
fn now(args: &SearchArgs, store: &dyn VectorStore) -> anyhow::Result<NaiveDateTime> {
    let zones = store.time_zones()?;
    let first = zones.values().next().copied().unwrap_or(chrono_tz::UTC);
    let zone = if zones.values().all(|zone| *zone == first) { first } else { chrono_tz::UTC };
    let Some(now) = &args.now else { return Ok(zone.from_utc_datetime(&clock::utc().naive_utc()).naive_local()) };
    let wrong = || WrongUse(format!("`--now` wants a time such as `2025-01-20T10:00`, got `{now}`"));
    let ns = Moment::parse(now).ok_or_else(wrong)?.nanoseconds(zone);
    Ok(zone.from_utc_datetime(&chrono::DateTime::from_timestamp_nanos(ns).naive_utc()).naive_local())
}

/// What was understood, word for word.
fn interpreted(query: &TextQuery, is_filtered: bool, has_vector: bool) -> String {
    let TextQuery { filter: _, preferred: _, readings, unread } = query;
    let mut text = String::new();
    for Reading { words, means, is_hard } in readings {
        let how = match (*is_hard, is_filtered) {
            (true, true) => "only",
            (true, false) => "like",
            (false, _) => "rather",
        };
        let _ = writeln!(text, "{how:<6} {:<40} `{words}`", shortened(means));
    }
    for Unread { word, like } in unread {
        let like = if like.is_empty() { String::new() } else { format!("; did you mean {}?", like.join(", ")) };
        let what = if has_vector { "ranking only" } else { "not understood" };
        let _ = writeln!(text, "       {what}: `{word}`{like}");
    }
    text
}

/// A condition with a few of its values, where it has many.
fn shortened(filter: &Filter) -> String {
    if let Filter::Is { field, values } = filter
        && values.len() > N_SHOWN
    {
        let n_more = values.len() - N_SHOWN;
        return format!("{} in ({}, and {n_more} more)", field.as_str(), values[..N_SHOWN].join(", "));
    }
    filter.to_string()
}
