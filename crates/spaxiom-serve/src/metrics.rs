//! Figures for Prometheus: of what was asked, and of any program.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::get;

use crate::error::ServeError;

/// Serves what `text` gives at `/metrics` of an address, on a thread of its own; gives the address, with its port.
///
/// # Errors
/// An address that cannot be listened on.
pub fn serve_metrics(
    address: SocketAddr,
    text: impl Fn() -> String + Send + Sync + 'static,
) -> Result<SocketAddr, ServeError> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    let own = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let text = Arc::new(text);
    let router = Router::new().route("/metrics", get(move || async move { text() }));
    std::thread::spawn(move || {
        runtime.block_on(async {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => drop(axum::serve(listener, router).await),
                Err(error) => tracing::error!("metrics: {error}"),
            }
        });
    });
    Ok(own)
}

/// Answers by route and status.
#[derive(Debug, Default)]
pub(crate) struct Metrics(Mutex<BTreeMap<(String, u16), u64>>);

impl Metrics {
    pub(crate) fn count(&self, route: &str, status: u16) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((route.to_owned(), status)).or_default() += 1;
    }

    /// In the text format of Prometheus, beside how many events the store has and how many questions are being answered.
    pub(crate) fn to_text(&self, n_events: Option<usize>, n_now: usize) -> String {
        let mut text = String::from(
            "# HELP spaxiom_http_requests_total Answers by route and status.\n# TYPE spaxiom_http_requests_total counter\n",
        );
        for ((route, status), n) in &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = writeln!(text, "spaxiom_http_requests_total{{route=\"{route}\",status=\"{status}\"}} {n}");
        }
        let _ = writeln!(
            text,
            "# HELP spaxiom_questions_now Questions that are being answered.\n# TYPE spaxiom_questions_now gauge\n\
            spaxiom_questions_now {n_now}"
        );
        if let Some(n) = n_events {
            let _ = writeln!(
                text,
                "# HELP spaxiom_store_events Events in the store.\n# TYPE spaxiom_store_events gauge\nspaxiom_store_events {n}"
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn answers_are_counted_by_route_and_status() {
        let metrics = Metrics::default();
        metrics.count("/v1/search", 200);
        metrics.count("/v1/search", 200);
        metrics.count("/v1/search", 401);
        let text = metrics.to_text(Some(7), 1);
        assert!(text.contains("spaxiom_http_requests_total{route=\"/v1/search\",status=\"200\"} 2\n"), "{text}");
        assert!(text.contains("status=\"401\"} 1\n") && text.ends_with("spaxiom_store_events 7\n"), "{text}");
        assert!(text.lines().all(|line| line.starts_with('#') || line.split(' ').count() == 2), "{text}");
    }
}
