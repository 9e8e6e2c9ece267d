//! What is new, as it comes: server-sent events of what is added to the store, and of alerts.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};
use spaxiom_embedding::StoreAdded;
use spaxiom_stream::AlertState;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};

use super::answer::{later, refused};
use super::shared::{News, Shared};
use crate::desk::Desk;
use crate::error::ServeError;
use crate::tokens::Asker;

/// Between two looks at the store, while anybody listens.
const LOOK: Duration = Duration::from_millis(250);

/// Looks at the store from one look at its alerts to the next.
const LOOK_AT_ALERTS: u32 = 4;

/// Events that are read at once.
const PAGE: u32 = 1_000;

/// What is listened for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Listening {
    /// Types of events, with commas between them; all without one.
    types: String,
}

/// Looks at the store for those who listen, until the server ends. One looks for all of them, whoever writes the store.
pub(super) async fn follow(desk: Desk, news: broadcast::Sender<News>, mut ending: watch::Receiver<bool>) {
    let mut seen = Seen::default();
    loop {
        tokio::select! {
            _ = ending.changed() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        if news.receiver_count() == 0 {
            seen = Seen::default();
            continue;
        }
        let desk = desk.clone();
        let Ok((found, after)) = tokio::task::spawn_blocking(move || {
            let found = seen.look(&desk);
            (found, seen)
        })
        .await
        else {
            return;
        };
        seen = after;
        match found {
            Ok(found) => found.into_iter().for_each(|found| drop(news.send(found))),
            Err(error) => tracing::warn!("the store is not followed now: {error}"),
        }
    }
}

/// What was told before.
#[derive(Debug, Default)]
struct Seen {
    last: Option<u64>,
    alerts: Option<HashMap<String, AlertState>>,
    n_looks: u32,
}

impl Seen {
    fn look(&mut self, desk: &Desk) -> Result<Vec<News>, ServeError> {
        let mut news = Vec::new();
        let newest = desk.store().last_added()?;
        // Where rows were numbered anew, what comes is followed from there on.
        match self.last.filter(|last| *last <= newest) {
            Some(last) if last < newest => {
                let added = desk.store().added_after(last, PAGE)?;
                self.last = Some(added.last().map_or(newest, |added| added.number));
                news.push(News::Added(last, added.into()));
            }
            Some(_) => {}
            None => {
                // Whoever began to listen before this look reads what it has missed.
                self.last = Some(newest);
                news.push(News::Added(newest, Arc::default()));
            }
        }
        self.n_looks += 1;
        if self.alerts.is_none() || self.n_looks.is_multiple_of(LOOK_AT_ALERTS) {
            let book = desk.book()?;
            // At first those that are open: one may have begun between the first listener and this look.
            let is_new = |id: &str, state: AlertState| match &self.alerts {
                Some(known) => known.get(id).is_none_or(|known| *known != state),
                None => state != AlertState::Resolved,
            };
            let changed = book.alerts().filter(|alert| is_new(&alert.id, alert.state));
            let rows = desk.rows_of(changed)?;
            news.extend((!rows.is_empty()).then(|| News::Alerts(rows.into())));
            let known = book.alerts().map(|alert| (alert.id.clone(), alert.state));
            self.alerts = Some(known.collect());
        }
        Ok(news)
    }
}

/// What one listener has heard, and what waits for it.
struct Listener {
    asker: Asker,
    desk: Desk,
    types: Vec<String>,
    news: broadcast::Receiver<News>,
    ending: watch::Receiver<bool>,
    last: u64,
    /// Whether something was missed that the store still has.
    is_behind: bool,
    ready: VecDeque<Event>,
    _place: OwnedSemaphorePermit,
}

/// Server-sent events: `event`, whose id says where to go on after a break (`Last-Event-ID`), and `alert`.
pub(super) async fn listen(
    State(shared): State<Shared>,
    Extension(asker): Extension<Asker>,
    asked: Result<Query<Listening>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(Query(Listening { types })) = asked else {
        return refused(StatusCode::BAD_REQUEST, "query", "`types` is all that can be listened for");
    };
    let Ok(place) = shared.listeners.clone().try_acquire_owned() else {
        return later(refused(StatusCode::TOO_MANY_REQUESTS, "busy", "too many listen"));
    };
    let given = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.parse().ok());
    let (news, desk) = (shared.news.subscribe(), shared.desk.clone());
    let newest = tokio::task::spawn_blocking(move || desk.store().last_added()).await;
    let Some(newest) = newest.ok().and_then(Result::ok) else {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "store", "the store cannot be read now");
    };
    // Rows may have been numbered anew since.
    let last = given.unwrap_or(newest).min(newest);
    let listener = Listener {
        desk: shared.desk.clone(),
        asker,
        types: types.split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect(),
        news,
        ending: shared.ending.clone(),
        last,
        is_behind: last < newest,
        ready: VecDeque::new(),
        _place: place,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        listener.next().await.map(|event| (Ok::<_, Infallible>(event), listener))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

impl Listener {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.is_behind {
                self.catch_up().await?;
                continue;
            }
            let news = tokio::select! {
                _ = self.ending.changed() => return None,
                news = self.news.recv() => news,
            };
            match news {
                Ok(News::Added(after, added)) if self.last >= after => self.take(&added),
                // Something before it was missed.
                Ok(News::Added(..)) | Err(broadcast::error::RecvError::Lagged(_)) => self.is_behind = true,
                Ok(News::Alerts(alerts)) => {
                    let own = alerts.iter().filter(|alert| self.asker.may_see(&alert.site));
                    self.ready.extend(own.map(|alert| Event::default().event("alert").data(json!(alert).to_string())));
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }

    /// Reads what was missed from the store, a page at a time.
    async fn catch_up(&mut self) -> Option<()> {
        let (desk, last) = (self.desk.clone(), self.last);
        let added = tokio::task::spawn_blocking(move || desk.store().added_after(last, PAGE)).await.ok()?.ok()?;
        self.is_behind = added.len() == PAGE as usize;
        self.take(&added);
        Some(())
    }

    fn take(&mut self, added: &[StoreAdded]) {
        for StoreAdded { number, site, metadata } in added {
            if *number <= self.last {
                continue;
            }
            self.last = *number;
            let is_wanted = self.types.is_empty() || {
                let event: Value = serde_json::from_str(metadata).unwrap_or_default();
                self.types.iter().any(|kind| event["type"] == kind.as_str())
            };
            if is_wanted && self.asker.may_see(site) {
                self.ready.push_back(Event::default().event("event").id(number.to_string()).data(metadata));
            }
        }
    }
}
