//! Where text goes: data to stdout, everything else to stderr.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// Logs to stderr; `RUST_LOG` says more exactly than `--verbose` what.
pub(crate) fn start_logging(verbose: bool) {
    // The library of the Model Context Protocol tells of every greeting.
    let default = if verbose { "debug" } else { "info,rmcp=warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .without_time()
        .init();
}

/// An error with its causes, one line each.
pub(crate) fn error(error: &anyhow::Error) {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        let _ = writeln!(text, "  because {cause}");
    }
    // There is nowhere left to report that stderr is closed.
    let _ = std::io::stderr().write_all(escaped(&text).as_bytes());
}

/// Whether text goes to stderr, because stdout is for one document.
static TO_STDERR: AtomicBool = AtomicBool::new(false);

/// From now on text goes to stderr, so that nothing but one JSON document comes to stdout.
pub(crate) fn text_to_stderr() {
    TO_STDERR.store(true, Ordering::Relaxed);
}

/// Text to stdout; a reader that has gone away is not an error.
///
/// What the data say goes to a terminal: nothing in it may steer that.
pub(crate) fn text(text: &str) {
    let text = escaped(text);
    let _ = if TO_STDERR.load(Ordering::Relaxed) {
        std::io::stderr().write_all(text.as_bytes())
    } else {
        std::io::stdout().write_all(text.as_bytes())
    };
}

/// Text with control characters and marks of direction spelled out, but for ends of lines and tabs.
fn escaped(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let spelled = |c: char| if steers(c) { c.escape_unicode().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(spelled).collect())
}

/// One JSON document to stdout.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(value).context("the result as JSON")?;
    // A reader that has gone away is not an error.
    let _ = std::io::stdout().write_all(format!("{document}\n").as_bytes());
    Ok(())
}
