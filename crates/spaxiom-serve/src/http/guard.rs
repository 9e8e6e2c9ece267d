//! Who is answered: whoever has a token, and pages of this server alone.

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Duration;

use super::answer::{later, refused};
use super::shared::Shared;
use crate::tokens::{Asker, Right};

/// Until a wrong token is told that it is one: nobody tries many.
const WRONG_TOKEN_PAUSE: Duration = Duration::from_millis(500);

/// A question takes no longer than this, with the time that its body takes to come.
const LONGEST: Duration = Duration::from_secs(30);

/// Counts answers by route and status.
pub(super) async fn counted(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    // Paths that nobody serves are one: counts are kept for as long as the server runs.
    let route = request.extensions().get::<MatchedPath>().map_or("other", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    shared.metrics.count(&route, response.status().as_u16());
    response
}

/// Ends what takes too long.
pub(super) async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(LONGEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => refused(StatusCode::REQUEST_TIMEOUT, "time", "the question took longer than 30 seconds"),
    }
}

/// Whoever asks has a token, where the server wants one; who asked what is logged, and the token never.
pub(super) async fn only_with_token(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let Some(tokens) = &shared.tokens else {
        request.extensions_mut().insert(Asker::local());
        return next.run(request).await;
    };
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| value.strip_prefix("Bearer "));
    if let Some(asker) = token.and_then(|token| tokens.asker(token)).cloned() {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let name = asker.name().to_owned();
        request.extensions_mut().insert(asker);
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

/// Whoever asks has the right to.
pub(super) async fn only_with_right(State(right): State<Right>, request: Request, next: Next) -> Response {
    if request.extensions().get::<Asker>().is_some_and(|asker| asker.may(right)) {
        return next.run(request).await;
    }
    let message = format!("this token is not for that: `{}` is none of its rights", right.as_str());
    refused(StatusCode::FORBIDDEN, "right", &message)
}

/// A page of another site may not ask. Without tokens names that point here (DNS rebinding) are turned away too.
pub(super) async fn only_from_here(State(shared): State<Shared>, request: Request, next: Next) -> Response {
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
