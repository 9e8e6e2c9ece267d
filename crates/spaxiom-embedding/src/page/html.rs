//! Pieces of HTML.

use std::fmt::Write;

/// Text as it is meant, whatever characters it has.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Figures that a reader looks for first: what it is, and its value.
pub(crate) fn facts(facts: &[(&str, String)]) -> String {
    let fact =
        |(name, value): &(&str, String)| format!("<div><dt>{}</dt><dd>{}</dd></div>", escaped(name), escaped(value));
    format!("<dl>{}</dl>", facts.iter().map(fact).collect::<String>())
}

/// A table whose row `own` stands out; the first column is text, all others are numbers.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>], own: Option<usize>) -> String {
    let cells = |tag: &str, cells: &mut dyn Iterator<Item = &str>| {
        cells.fold(String::new(), |mut text, cell| {
            let _ = write!(text, "<{tag}>{}</{tag}>", escaped(cell));
            text
        })
    };
    let mut text = format!("<div class=\"scroll\"><table><tr>{}</tr>", cells("th", &mut header.iter().copied()));
    for (at, row) in rows.iter().enumerate() {
        let class = if own == Some(at) { " class=\"own\"" } else { "" };
        let _ = write!(text, "<tr{class}>{}</tr>", cells("td", &mut row.iter().map(String::as_str)));
    }
    text + "</table></div>"
}

/// Figures beside each other, as many as the window is wide.
pub(crate) fn side_by_side(figures: &[String]) -> String {
    if figures.iter().all(String::is_empty) {
        String::new()
    } else {
        format!("<div class=\"row\">{}</div>", figures.concat())
    }
}

/// Text of fixed width that is shown when it is asked for.
pub(crate) fn details(summary: &str, text: &str) -> String {
    format!("<details><summary>{}</summary><pre>{}</pre></details>", escaped(summary), escaped(text))
}
