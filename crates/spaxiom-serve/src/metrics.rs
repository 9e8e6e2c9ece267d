//! What was asked, for Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

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
