//! A report as a page: one HTML file with plots as SVG, which needs a browser and no network.

mod bars;
mod curves;
mod html;
mod map;
mod matrix;
mod plot;
mod timeline;

use std::fmt::Write;

pub(crate) use self::bars::{Bar, bars};
pub(crate) use self::curves::{Axis, Curve, Line, curves};
pub(crate) use self::html::{details, escaped, facts, side_by_side, table};
pub(crate) use self::map::map;
pub(crate) use self::matrix::matrix;
pub(crate) use self::timeline::{Moment, timeline};

/// How a page looks: one column, figures on white cards, and the same on paper.
const STYLE: &str = include_str!("page/style.css");

/// A page that is put together section by section.
pub(crate) struct Page {
    title: String,
    lead: String,
    body: String,
}

impl Page {
    /// A page with its title and its summary in a sentence or two.
    pub(crate) fn new(title: &str, lead: &str) -> Self {
        Self { title: escaped(title), lead: escaped(lead), body: String::new() }
    }

    /// Adds a section: its heading, a line on how to read it, and HTML; nothing where there is no content.
    pub(crate) fn push(&mut self, heading: &str, note: &str, content: &str) {
        if content.is_empty() {
            return;
        }
        let note = if note.is_empty() { String::new() } else { format!("<p class=\"note\">{}</p>", escaped(note)) };
        let _ = writeln!(self.body, "<section><h2>{}</h2>{note}{content}</section>", escaped(heading));
    }

    pub(crate) fn to_html(&self) -> String {
        let Self { title, lead, body } = self;
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
             <style>{STYLE}</style></head>\n<body><main><h1>{title}</h1><p class=\"lead\">{lead}</p>\n{body}</main></body></html>\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    #[test]
    fn a_page_needs_no_network_and_shows_what_was_meant_as_text() {
        let mut page = Page::new("a <b> & c", "Says \"less\" than <i>.");
        page.push("Figures", "one < two", "<p>ok</p>");
        page.push("Nothing", "is said of what is not there", "");
        let html = page.to_html();
        assert!(html.contains("<title>a &lt;b&gt; &amp; c</title>") && html.contains("one &lt; two"), "{html}");
        assert!(!html.contains("Nothing") && !html.contains("http"), "{html}");
    }
}
