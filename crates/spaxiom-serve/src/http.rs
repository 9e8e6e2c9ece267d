//! The desk for programs: JSON over HTTP, and the Model Context Protocol at `/mcp`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
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

use crate::desk::{AlertsAsked, ContextAsked, CountAsked, Desk, ExplainAsked, SearchAsked, SimilarAsked};
use crate::error::ServeError;
use crate::mcp::Agent;
use crate::page;

/// Questions that are answered at once; more are told to come again.
const N_AT_ONCE: usize = 64;

#[derive(Clone)]
struct Shared {
    desk: Arc<Desk>,
    places: Arc<Semaphore>,
}

/// Serves the desk at an address of this machine until the process is asked to end (SIGINT, SIGTERM): questions that
/// were asked before are answered. `listening` is told the address, with its port.
///
/// # Errors
/// [`ServeError::Open`] for an address that other machines reach.
pub fn serve_http(desk: Arc<Desk>, address: SocketAddr, listening: impl FnOnce(SocketAddr)) -> Result<(), ServeError> {
    if !address.ip().is_loopback() {
        return Err(ServeError::Open { address });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        listening(listener.local_addr()?);
        Ok(axum::serve(listener, router(desk)).with_graceful_shutdown(asked_to_end()).await?)
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

fn router(desk: Arc<Desk>) -> Router {
    let agent = Arc::clone(&desk);
    let config = StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
    let mcp: StreamableHttpService<Agent, LocalSessionManager> =
        StreamableHttpService::new(move || Ok(Agent::new(Arc::clone(&agent))), Arc::default(), config);
    Router::new()
        .route("/", get(|| async { page::file("text/html", page::HTML) }))
        .route("/page.css", get(|| async { page::file("text/css", page::CSS) }))
        .route("/page.js", get(|| async { page::file("text/javascript", page::SCRIPT) }))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/v1/store", get(store))
        .route("/v1/search", post(search))
        .route("/v1/similar", post(similar))
        .route("/v1/context", post(context))
        .route("/v1/count", post(count))
        .route("/v1/explain", post(explain))
        .route("/v1/alerts", post(alerts))
        .nest_service("/mcp", mcp)
        .layer(middleware::from_fn(only_from_here))
        .with_state(Shared { desk, places: Arc::new(Semaphore::new(N_AT_ONCE)) })
}

/// A page of another site may not ask: names that point here (DNS rebinding) and foreign origins are turned away.
async fn only_from_here(request: Request, next: Next) -> Response {
    if is_from_here(request.headers()) {
        return next.run(request).await;
    }
    refused(StatusCode::FORBIDDEN, "host", "this server answers to `localhost` and `127.0.0.1` alone")
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
}

/// Asks on a thread for work that computes.
async fn answer<T: Serialize + Send + 'static>(
    Shared { desk, places }: Shared,
    question: impl FnOnce(&Desk) -> Result<T, ServeError> + Send + 'static,
) -> Response {
    let Ok(place) = places.try_acquire_owned() else {
        let mut response = refused(StatusCode::TOO_MANY_REQUESTS, "busy", "too many questions at once");
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
        return response;
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

fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(json!({"error": {"code": code, "message": message}}))).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::is_from_here;

    #[test]
    fn a_name_that_points_here_and_a_foreign_page_are_turned_away() {
        for (host, origin, want) in [
            ("127.0.0.1:8321", None, true),
            ("localhost", Some("http://localhost:8321"), true),
            ("[::1]:8321", None, true),
            ("evil.example:8321", None, false),
            ("127.0.0.1.evil.example", None, false),
            ("localhost:8321", Some("https://evil.example"), false),
            ("localhost:8321", Some("null"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
            }
            assert_eq!(is_from_here(&headers), want, "{host} {origin:?}");
        }
        assert!(!is_from_here(&HeaderMap::new()));
    }
}
