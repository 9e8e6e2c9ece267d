//! `search`: an event, a time or examples to the moments nearest to it.

mod args;
mod table;
mod text;
mod unusual;

use anyhow::Context;
use serde_json::json;
use spaxiom_embedding::{
    Dataset, EmbeddingPipeline, Event, Explained, Filter, IndexState, Moment, Query, ReadOptions, Run, SearchResult,
    StoreSearch, VectorStore,
};

pub(crate) use self::args::{QueryArgs, SearchArgs};
pub(crate) use self::table::table;
use crate::exit::{Exit, WrongUse};
use crate::output;

/// How long a moment is that `--at` names by its beginning.
const MOMENT_NS: i64 = 15 * 60 * 1_000_000_000;

pub(crate) fn run(args: &SearchArgs, json: bool) -> anyhow::Result<Exit> {
    let filter = filter(args)?;
    if let Some(words) = &args.query.text {
        return text::run(words, args, args.store.place()?.open()?.as_ref(), &filter, json);
    }
    if args.query.unusual {
        return unusual::run(args, args.store.place()?.open()?.as_ref(), &filter, json);
    }
    let hits = if let Some(run) = &args.run {
        let run = Run::open(run)?;
        let engine = args.backend.engine_for(&run)?;
        let pipeline = args.store.place()?.pipeline(&run, engine.as_ref())?;
        if let [a, b] = args.query.explain.as_slice() {
            return explain(&pipeline, a, b, json);
        }
        Found { store: pipeline.store(), pipeline: Some(&pipeline), args, filter: &filter }.hits()?
    } else {
        let store = args.store.place()?.open()?;
        Found { store: store.as_ref(), pipeline: None, args, filter: &filter }.hits()?
    };
    if json {
        output::json(&json!({"hits": hits}))?;
    } else {
        output::text(&table(&hits));
    }
    Ok(Exit::Done)
}

/// A search with everything that was said about it.
struct Found<'a> {
    store: &'a dyn VectorStore,
    /// None without the run that filled the store.
    pipeline: Option<&'a EmbeddingPipeline>,
    args: &'a SearchArgs,
    filter: &'a Filter,
}

impl Found<'_> {
    fn hits(&self) -> anyhow::Result<Vec<SearchResult>> {
        let QueryArgs { event, id, text: _, unusual: _, at, like, vector_file, explain: _ } = &self.args.query;
        if let Some(event) = event {
            let event =
                Event::from_json(event).context("`--event` wants a JSON object with `type`, `time` and `site_id`")?;
            let pipeline = self.pipeline.context("`--event` needs `--run`")?;
            let context = context(self.args, pipeline, &event)?;
            let explained = self.args.evidence.then(|| pipeline.explained(&event, &context));
            return self.search(Query::Event { event: &event, context: &context }, explained);
        }
        if let Some(id) = id {
            let explain = |pipeline: &EmbeddingPipeline| pipeline.explained_id(id);
            let explained = if self.args.evidence { Some(explain(self.with_run()?)?) } else { None };
            return self.search(Query::Id(id), explained);
        }
        if self.args.evidence {
            return Err(WrongUse(
                "`--evidence` needs one event to compare with: name it by `--event` or `--id`".into(),
            )
            .into());
        }
        if let [site, time] = at.as_slice() {
            let from_ns = self.nanoseconds("--at", site, time)?;
            let to_ns = match &self.args.until {
                Some(until) => self.nanoseconds("--until", site, until)?,
                None => from_ns.saturating_add(MOMENT_NS),
            };
            return self.search(Query::Span { site, from_ns, to_ns }, None);
        }
        if let Some(path) = vector_file {
            let text = fs_err::read_to_string(path)?;
            let vector: Vec<f32> =
                serde_json::from_str(&text).context("`--vector-file` wants a JSON array of numbers")?;
            return self.search(Query::Vector(&vector), None);
        }
        let [like, unlike] = [like, &self.args.unlike].map(|ids| ids.iter().map(String::as_str).collect::<Vec<_>>());
        self.search(Query::Examples { like: &like, unlike: &unlike }, None)
    }

    fn with_run(&self) -> anyhow::Result<&EmbeddingPipeline> {
        let wrong = || WrongUse("`--evidence` needs `--run`, which encodes the query without its parts".into());
        Ok(self.pipeline.ok_or_else(wrong)?)
    }

    fn search(&self, query: Query<'_>, explained: Option<Explained>) -> anyhow::Result<Vec<SearchResult>> {
        let Self { store, pipeline, args, filter } = *self;
        let mut hits = match (pipeline, args.all) {
            (Some(pipeline), true) => pipeline.search_all(query, args.k, filter)?,
            (Some(pipeline), false) => pipeline.search(query, args.k, filter)?,
            (None, true) => StoreSearch::new(store).search_all(query, args.k, filter)?,
            (None, false) => StoreSearch::new(store).search(query, args.k, filter)?,
        };
        if store.index_state() == IndexState::None && store.stats()?.index.name() != "exact" {
            tracing::info!(
                "the index is missing or of other settings: every vector was compared; `index compact` builds it"
            );
        }
        if let Some(explained) = explained {
            let pipeline = self.with_run()?;
            for hit in &mut hits {
                hit.evidence = Some(pipeline.evidence(&explained, &hit.site, &hit.id)?);
            }
        }
        Ok(hits)
    }

    /// A time with an offset, or on the clock of a site.
    fn nanoseconds(&self, flag: &str, site: &str, text: &str) -> anyhow::Result<i64> {
        let wrong = || {
            let want = "a time such as `2025-01-20T10:00` or `2025-01-20T10:00:00Z`";
            WrongUse(format!("`{flag}` wants {want}, got `{text}`"))
        };
        let clock = self.store.time_zones()?.get(site).copied().unwrap_or(chrono_tz::UTC);
        Ok(Moment::parse(text).ok_or_else(wrong)?.nanoseconds(clock))
    }
}

fn explain(pipeline: &EmbeddingPipeline, a: &str, b: &str, json: bool) -> anyhow::Result<Exit> {
    let site = pipeline.store().get(b)?.with_context(|| format!("no event `{b}` in the store"))?.site;
    let evidence = pipeline.evidence(&pipeline.explained_id(a)?, &site, b)?;
    if json {
        output::json(&evidence)?;
    } else {
        output::text(&table::evidence(&evidence));
    }
    Ok(Exit::Done)
}

/// What was before an event: from a file, or from the store.
fn context(args: &SearchArgs, pipeline: &EmbeddingPipeline, event: &Event) -> anyhow::Result<Vec<Event>> {
    let (events, from) = match &args.context {
        Some(path) => {
            let data = Dataset::load(path, &ReadOptions::default())?;
            let own = data.sequences().find(|sequence| *sequence.site_id() == event.site_id);
            let own = own.with_context(|| format!("no event of the site `{}` in {}", event.site_id, path.display()))?;
            (own.filtered(|other| other.time <= event.time).events().to_vec(), "file")
        }
        None => (pipeline.stored_context(event)?, "store"),
    };
    if events.is_empty() {
        let vectors = pipeline.vectors();
        let part = match (vectors.encoder(), vectors.memory()) {
            (Some(_), Some(_)) => "by its encoder alone",
            _ => "as the first event of its site",
        };
        tracing::info!(
            "nothing is known of what was before this event: it is compared {part}; `--context FILE` tells it"
        );
    } else {
        tracing::info!("context: {} events of `{}` from the {from}", events.len(), event.site_id);
    }
    Ok(events)
}

fn filter(args: &SearchArgs) -> anyhow::Result<Filter> {
    let SearchArgs { kind, zone, site, from, to, .. } = args;
    let (from_ns, to_ns) = (
        from.as_deref().map(|time| nanoseconds("--from", time)).transpose()?,
        to.as_deref().map(|time| nanoseconds("--to", time)).transpose()?,
    );
    if let (Some(from_ns), Some(to_ns), Some(from), Some(to)) = (from_ns, to_ns, from, to)
        && from_ns > to_ns
    {
        return Err(WrongUse(format!("`--from` {from} lies after `--to` {to}")).into());
    }
    let named = [kind.clone().map(Filter::kind), zone.clone().map(Filter::zone), site.clone().map(Filter::site)];
    let filter = args.condition.as_deref().map(condition).transpose()?.unwrap_or_default();
    Ok(named.into_iter().flatten().fold(filter, Filter::and).and(Filter::between(from_ns, to_ns)))
}

/// The filter that `--where` says.
pub(crate) fn condition(text: &str) -> anyhow::Result<Filter> {
    Ok(Filter::parse(text).map_err(|error| WrongUse(format!("`--where`: {error}")))?)
}

fn nanoseconds(flag: &str, text: &str) -> anyhow::Result<i64> {
    let event = json!({"type": "Time", "time": text}).to_string();
    let event = Event::from_json(&event).with_context(|| format!("`{flag}`"))?;
    event.time.timestamp_nanos_opt().with_context(|| format!("`{flag}` is out of range"))
}
