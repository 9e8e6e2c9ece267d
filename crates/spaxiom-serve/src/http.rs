//! The desk for programs: JSON over HTTP, and the Model Context Protocol at `/mcp`.

mod answer;
mod guard;
mod ingest;
mod live;
mod shared;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde_json::json;
use tokio::sync::watch;

use self::answer::{answer, refused};
use self::shared::Shared;
use crate::desk::{
    AlertsAsked, ContextAsked, CountAsked, Desk, EmbeddingsAsked, ExplainAsked, LayoutAsked, PlanAsked, SearchAsked,
    SimilarAsked,
};
use crate::error::ServeError;
use crate::mcp::Agent;
use crate::tokens::{Asker, Right, Tokens};
use crate::writer::Writer;
use crate::{openapi, page};

/// Bodies are no longer than this, in bytes: of questions, and of events.
const MAX_BODY: usize = 1 << 20;
const MAX_EVENTS: usize = 4 << 20;

/// Until connections are cut that do not end by themselves, once the server is asked to end.
const LONGEST_END: Duration = Duration::from_secs(8);

/// A server: its desk, who may ask, and what writes.
pub struct Server {
    /// Answers questions.
    pub desk: Desk,
    /// With tokens every question needs one (`Authorization: Bearer TOKEN`), on this machine too.
    pub tokens: Option<Tokens>,
    /// Without it nothing can be written.
    pub writer: Option<Writer>,
}

/// Serves at an address until the process is asked to end (SIGINT, SIGTERM): what was asked before is answered,
/// and what was taken in is durable. `listening` is told the address, with its port.
///
/// # Errors
/// [`ServeError::Open`] for an address that other machines reach, without tokens.
pub fn serve_http(server: Server, address: SocketAddr, listening: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    let Server { desk, tokens, writer } = server;
    if !address.ip().is_loopback() && tokens.is_none() {
        return Err(ServeError::Open { address });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (end, ending) = watch::channel(false);
    let shared = Shared::new(desk, tokens, writer, ending);
    let writer = shared.writer.clone();
    let served = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        listening(listener.local_addr()?);
        tokio::spawn(live::follow(shared.desk.clone(), shared.news.clone(), shared.ending.clone()));
        let mut ended = shared.ending.clone();
        let served = axum::serve(listener, router(shared)).with_graceful_shutdown(asked_to_end(end));
        tokio::select! {
            served = served.into_future() => served,
            () = async { drop(ended.wait_for(|is_ending| *is_ending).await); tokio::time::sleep(LONGEST_END).await } => Ok(()),
        }
    });
    if let Some(writer) = writer {
        writer.close();
    }
    // Work that nobody waits for any more does not hold the process.
    runtime.shutdown_background();
    Ok(served?)
}

/// Waits until the process is asked to end, and tells whoever waits for that; a second time ends it at once.
async fn asked_to_end(end: watch::Sender<bool>) {
    asked_once().await;
    tracing::info!("ending: what was asked is answered; a second signal ends at once");
    let _ = end.send(true);
    tokio::spawn(async {
        asked_once().await;
        std::process::exit(130);
    });
}

async fn asked_once() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            },
            Err(_) => drop(interrupted.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupted.await);
}

fn router(shared: Shared) -> Router {
    let (desk, writer) = (shared.desk.clone(), shared.writer.clone());
    let mut config = StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    if shared.tokens.is_some() {
        // Whoever has a token may call this machine by any name.
        config.allowed_hosts = Vec::new();
    }
    let mcp: StreamableHttpService<Agent, LocalSessionManager> =
        StreamableHttpService::new(move || Ok(Agent::new(desk.clone(), writer.clone())), Arc::default(), config);
    let with = |right| middleware::from_fn_with_state(right, guard::only_with_right);
    let reading = Router::new()
        .route("/v1/store", get(store))
        .route("/v1/search", post(search))
        .route("/v1/similar", post(similar))
        .route("/v1/context", post(context))
        .route("/v1/count", post(count))
        .route("/v1/explain", post(explain))
        .route("/v1/alerts", post(alerts))
        .route("/v1/embeddings", post(embeddings))
        .route("/v1/layout", post(layout))
        .route("/v1/plan", post(plan))
        .route("/v1/labels", get(labels))
        .route("/metrics", get(metrics))
        .nest_service("/mcp", mcp)
        .layer(middleware::from_fn(guard::in_time))
        // It goes on for as long as somebody listens.
        .route("/v1/stream", get(live::listen))
        .layer(with(Right::Read));
    let ingesting = Router::new()
        .route("/v1/events", post(ingest::events))
        .layer(DefaultBodyLimit::max(MAX_EVENTS))
        .layer(middleware::from_fn(guard::in_time))
        .layer(with(Right::Ingest));
    let acknowledging = Router::new()
        .route("/v1/acknowledge", post(ingest::acknowledge))
        .route("/v1/label", post(ingest::label))
        .layer(middleware::from_fn(guard::in_time))
        .layer(with(Right::Acknowledge));
    let with_token = Router::new()
        .merge(reading)
        .merge(acknowledging)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .merge(ingesting)
        .route("/v1/me", get(me))
        .layer(middleware::from_fn_with_state(shared.clone(), guard::only_with_token));
    Router::new()
        .merge(page::router())
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/v1/openapi.json", get(|| async { Json(openapi::document()) }))
        .merge(with_token)
        .layer(middleware::from_fn_with_state(shared.clone(), guard::only_from_here))
        .layer(middleware::from_fn_with_state(shared.clone(), guard::counted))
        .with_state(shared)
}

async fn metrics(State(shared): State<Shared>) -> String {
    let n_now = shared.n_answering();
    let desk = shared.desk.clone();
    let n_events = tokio::task::spawn_blocking(move || desk.n_events()).await.ok().flatten();
    let written = shared.writer.as_ref().map(|writer| writer.to_text()).unwrap_or_default();
    shared.metrics.to_text(n_events, n_now) + &written
}

/// Whether the store can be read, and written where it is; and whether the server is not about to end.
async fn ready(State(shared): State<Shared>) -> Response {
    let unready = |code, message| refused(StatusCode::SERVICE_UNAVAILABLE, code, message);
    if *shared.ending.borrow() {
        return unready("ending", "the server is ending");
    }
    if shared.writer.as_ref().is_some_and(|writer| writer.is_failing()) {
        return unready("store", "the store cannot be written now");
    }
    let desk = shared.desk.clone();
    match tokio::task::spawn_blocking(move || desk.n_events()).await {
        Ok(Some(_)) => "ok\n".into_response(),
        _ => unready("store", "the store cannot be read now"),
    }
}

/// Who asks, and what that is good for here.
async fn me(State(shared): State<Shared>, Extension(asker): Extension<Asker>) -> Response {
    let is_good = |right: &&Right| asker.may(**right) && (**right == Right::Read || shared.writer.is_some());
    let rights: Vec<&str> = Right::ALL.iter().filter(is_good).map(|right| right.as_str()).collect();
    Json(json!({"name": asker.name(), "rights": rights, "sites": *asker.sites()})).into_response()
}

/// A route that asks for the same every time.
macro_rules! asking_nothing {
    ($($name:ident($question:path);)*) => {
        $(async fn $name(State(shared): State<Shared>, Extension(asker): Extension<Asker>) -> Response {
            let desk = shared.desk.for_sites(asker.sites());
            answer(shared, desk, $question).await
        })*
    };
}

asking_nothing! {
    store(Desk::describe);
    labels(Desk::labels);
}

/// A route that asks with a body of JSON.
macro_rules! asking {
    ($($name:ident($asked:ty);)*) => {
        $(async fn $name(
            State(shared): State<Shared>,
            Extension(asker): Extension<Asker>,
            asked: Result<Json<$asked>, JsonRejection>,
        ) -> Response {
            match asked {
                Ok(Json(asked)) => {
                    let desk = shared.desk.for_sites(asker.sites());
                    answer(shared, desk, move |desk| desk.$name(&asked)).await
                }
                Err(rejection) => refused(rejection.status(), "body", &rejection.body_text()),
            }
        })*
    };
}

asking! {
    search(SearchAsked);
    similar(SimilarAsked);
    context(ContextAsked);
    count(CountAsked);
    explain(ExplainAsked);
    alerts(AlertsAsked);
    embeddings(EmbeddingsAsked);
    layout(LayoutAsked);
    plan(PlanAsked);
}
