//! The explorer page: files in the program, which need no other server.

use axum::Router;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Nothing is loaded from elsewhere, no script and no style stands in the page, and no other page may show it.
const POLICY: &str =
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html";
const CSS: &str = "text/css";
const SCRIPT: &str = "text/javascript";

/// Every file: its address, its kind and its text.
const FILES: [(&str, &str, &str); 11] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/page/page.css", CSS, include_str!("page/page.css")),
    ("/page/page.js", SCRIPT, include_str!("page/page.js")),
    ("/page/net.js", SCRIPT, include_str!("page/net.js")),
    ("/page/colors.js", SCRIPT, include_str!("page/colors.js")),
    ("/page/episodes.js", SCRIPT, include_str!("page/episodes.js")),
    ("/page/plan.js", SCRIPT, include_str!("page/plan.js")),
    ("/page/map.js", SCRIPT, include_str!("page/map.js")),
    ("/page/timeline.js", SCRIPT, include_str!("page/timeline.js")),
    ("/page/uplot.js", SCRIPT, include_str!("page/vendor/uplot.js")),
    ("/page/uplot.css", CSS, include_str!("page/vendor/uplot.css")),
];

/// Routes to all files of the page.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    FILES.into_iter().fold(Router::new(), |router, (path, kind, text)| {
        router.route(path, get(move || async move { file(kind, text) }))
    })
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, format!("{kind}; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-cache".to_owned()),
    ];
    (headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use super::FILES;

    /// What a first look at the page loads, without what it asks for.
    #[test]
    fn the_page_is_smaller_than_400_kb() {
        let n_bytes: usize = FILES.iter().map(|(_, _, text)| text.len()).sum();
        assert!(n_bytes < 400_000, "{n_bytes}");
    }

    #[test]
    fn every_file_that_a_script_imports_is_served() {
        let served: Vec<&str> = FILES.iter().map(|(path, ..)| *path).collect();
        for (path, _, text) in FILES {
            for import in text.lines().filter_map(|line| line.strip_prefix("import ")) {
                let name = import.split('"').nth(1).unwrap_or_default().trim_start_matches("./");
                assert!(served.contains(&format!("/page/{name}").as_str()), "{path} imports `{name}`");
            }
        }
    }
}
