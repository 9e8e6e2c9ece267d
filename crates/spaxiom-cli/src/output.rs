//! Where text goes: data to stdout, everything else to stderr.

use std::fmt::Write as _;
use std::io::Write;

use anyhow::Context;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// Logs to stderr; `RUST_LOG` says more exactly than `--verbose` what.
pub(crate) fn start_logging(verbose: bool) {
    let default = if verbose { "debug" } else { "info" };
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
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Text to stdout; a reader that has gone away is not an error.
pub(crate) fn text(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// One JSON document to stdout.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    let document = serde_json::to_string_pretty(value).context("the result as JSON")?;
    text(&format!("{document}\n"));
    Ok(())
}
