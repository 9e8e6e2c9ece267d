//! The desk for programs: JSON over HTTP, and the Model Context Protocol at `/mcp`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use serde::Serialize;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::desk::{
    AlertsAsked, ContextAsked, CountAsked, Desk, EmbeddingsAsked, ExplainAsked, SearchAsked, SimilarAsked,
};
use crate::error::ServeError;
use crate::mcp::Agent;
use crate::metrics::Metrics;
use crate::tokens::Tokens;
use crate::{openapi, page};

/// Questions that are answered at once; more are told to come again.
const N_AT_ONCE: usize = 64;

/// Wrong tokens that are told so at once; more have to wait longer.
const N_WRONG_AT_ONCE: usize = 16;

/// Until a wrong token is told that it is one: nobody tries many.
const WRONG_TOKEN_PAUSE: Duration = Duration::from_millis(500);

/// Bodies are no longer than this, in bytes.
const MAX_BODY: usize = 1 << 20;

#[derive(Clone)]
struct Shared {
    desk: Arc<Desk>,
    places: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    /// None where only this machine is answered.
    tokens: Option<Arc<Tokens>>,
    wrong: Arc<Semaphore>,
}

/// Serves the desk at an address until the process is asked to end (SIGINT, SIGTERM): questions that were asked before are
/// answered. `listening` is told the address, with its port.
///
/// With tokens every question needs one (`Authorization: Bearer TOKEN`), on this machine too.
///
/// # Errors
/// [`ServeError::Open`] for an address that other machines reach, without tokens.
pub fn serve_http(
    desk: Arc<Desk>,
    address: SocketAddr,
    tokens: Option<Tokens>,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    if !address.ip().is_loopback() && tokens.is_none() {
        return Err(ServeError::Open { address });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        listening(listener.local_addr()?);
        Ok(axum::serve(listener, router(desk, tokens)).with_graceful_shutdown(asked_to_end()).await?)
    })
}

/// Waits until the process is asked to end.
async fn asked_to_end() {
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

fn router(desk: Arc<Desk>, tokens: Option<Tokens>) -> Router {
    let agent = Arc::clone(&desk);
    let mut config = StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    if tokens.is_some() {
        // Whoever has a token may call this machine by any name.
        config.allowed_hosts = Vec::new();
    }
    let mcp: StreamableHttpService<Agent, LocalSessionManager> =
        StreamableHttpService::new(move || Ok(Agent::new(Arc::clone(&agent))), Arc::default(), config);
    let shared = Shared {
        desk,
        places: Arc::new(Semaphore::new(N_AT_ONCE)),
        metrics: Arc::default(),
        tokens: tokens.map(Arc::new),
        wrong: Arc::new(Semaphore::new(N_WRONG_AT_ONCE)),
    };
    let with_token = Router::new()
        .route("/v1/store", get(store))
        .route("/v1/search", post(search))
        .route("/v1/similar", post(similar))
        .route("/v1/context", post(context))
        .route("/v1/count", post(count))
        .route("/v1/explain", post(explain))
        .route("/v1/alerts", post(alerts))
        .route("/v1/embeddings", post(embeddings))
        .route("/metrics", get(metrics))
        .nest_service("/mcp", mcp)
        .layer(middleware::from_fn_with_state(shared.clone(), only_with_token));
    Router::new()
        .route("/", get(|| async { page::file("text/html", page::HTML) }))
        .route("/page.css", get(|| async { page::file("text/css", page::CSS) }))
        .route("/page.js", get(|| async { page::file("text/javascript", page::SCRIPT) }))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/v1/openapi.json", get(|| async { Json(openapi::document()) }))
        .merge(with_token)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(shared.clone(), only_from_here))
        .layer(middleware::from_fn_with_state(shared.clone(), counted))
        .with_state(shared)
}

/// Counts answers by route and status.
async fn counted(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    // Paths that nobody serves are one: counts are kept for as long as the server runs.
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    shared.metrics.count(&route, response.status().as_u16());
    response
}

/// Whoever asks has a token, where the server wants one; who asked what is logged, and the token never.
async fn only_with_token(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let Some(tokens) = &shared.tokens else { return next.run(request).await };
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.strip_prefix("Bearer "));
    if let Some(name) = token.and_then(|token| tokens.name_of(token)).map(str::to_owned) {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = next.run(request).await;
        tracing::info!("{name}: {method} {path} {}", response.status().as_u16());
        return response;
    }
    if token.is_some() {
        let Ok(_place) = shared.wrong.clone().try_acquire_owned() else {
            return later(refused(StatusCode::TOO_MANY_REQUESTS, "token", "too many wrong tokens"));
        };
        tokio::time::sleep(WRONG_TOKEN_PAUSE).await;
    }
    let mut response = refused(StatusCode::UNAUTHORIZED, "token", "this server wants `Authorization: Bearer TOKEN`");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    response
}

/// A page of another site may not ask. Without tokens names that point here (DNS rebinding) are turned away too.
async fn only_from_here(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_welcome = if shared.tokens.is_some() { is_of_own_page(headers) } else { is_from_here(headers) };
    if is_welcome {
        return next.run(request).await;
    }
    refused(StatusCode::FORBIDDEN, "host", "this server answers to its own page, and to no page of another site")
}

/// No browser, or a page of the host that is asked.
fn is_of_own_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let authority = |origin: &str| origin.split_once("://").map(|(_, authority)| authority.to_owned());
    text(header::ORIGIN).is_none_or(|origin| authority(origin).as_deref() == text(header::HOST))
}

fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_local = |authority: &str| {
        let host = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let host = host.map_or(authority, |(host, _)| host);
        ["localhost", "127.0.0.1", "[::1]"].contains(&host)
    };
    let is_own = |origin: &str| origin.split_once("://").is_some_and(|(_, authority)| is_local(authority));
    text(header::HOST).is_some_and(is_local) && text(header::ORIGIN).is_none_or(is_own)
}

async fn metrics(State(shared): State<Shared>) -> String {
    let n_now = N_AT_ONCE - shared.places.available_permits();
    let desk = Arc::clone(&shared.desk);
    let n_events = tokio::task::spawn_blocking(move || desk.n_events()).await.ok().flatten();
    shared.metrics.to_text(n_events, n_now)
}

/// Whether the store can be read.
async fn ready(State(shared): State<Shared>) -> Response {
    let desk = Arc::clone(&shared.desk);
    match tokio::task::spawn_blocking(move || desk.n_events()).await {
        Ok(Some(_)) => "ok\n".into_response(),
        _ => refused(StatusCode::SERVICE_UNAVAILABLE, "store", "the store cannot be read now"),
    }
}

async fn store(State(shared): State<Shared>) -> Response {
    answer(shared, Desk::describe).await
}

/// A route that asks with a body of JSON.
macro_rules! asking {
    ($($name:ident($asked:ty);)*) => {
        $(async fn $name(State(shared): State<Shared>, asked: Result<Json<$asked>, JsonRejection>) -> Response {
            match asked {
                Ok(Json(asked)) => answer(shared, move |desk| desk.$name(&asked)).await,
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
}

/// Asks on a thread for work that computes.
async fn answer<T: Serialize + Send + 'static>(
    Shared { desk, places, .. }: Shared,
    question: impl FnOnce(&Desk) -> Result<T, ServeError> + Send + 'static,
) -> Response {
    let Ok(place) = places.try_acquire_owned() else {
        return later(refused(StatusCode::TOO_MANY_REQUESTS, "busy", "too many questions at once"));
    };
    let answered = tokio::task::spawn_blocking(move || {
        let answer = question(&desk);
        drop(place);
        answer
    });
    match answered.await {
        Ok(Ok(answer)) => Json(answer).into_response(),
        Ok(Err(error)) if error.is_of_question() => refused(StatusCode::BAD_REQUEST, "question", &error.to_string()),
        Ok(Err(error)) => {
            tracing::error!("{error}");
            refused(StatusCode::SERVICE_UNAVAILABLE, "store", "the store cannot be read now")
        }
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the question could not be answered"),
    }
}

/// To be asked again in a second.
fn later(mut response: Response) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    response
}

fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"error": {"code": code, "message": message}}))).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{is_from_here, is_of_own_page};

    #[test]
    fn a_name_that_points_here_and_a_foreign_page_are_turned_away() {
        // With a token any name of the machine will do, and still no page of another site.
        for (host, origin, want, with_token) in [
            ("127.0.0.1:8321", None, true, true),
            ("localhost:8321", Some("http://localhost:8321"), true, true),
            ("[::1]:8321", None, true, true),
            ("building.example:8321", None, false, true),
            ("building.example:8321", Some("https://building.example:8321"), false, true),
            ("127.0.0.1.evil.example", None, false, true),
            ("localhost:8321", Some("https://evil.example"), false, false),
            ("localhost:8321", Some("null"), false, false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
            }
            assert_eq!(is_from_here(&headers), want, "{host} {origin:?}");
            assert_eq!(is_of_own_page(&headers), with_token, "{host} {origin:?}");
        }
        assert!(!is_from_here(&HeaderMap::new()));
    }
}
