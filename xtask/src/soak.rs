//! `cargo xtask soak`: run streams and stores for hours under load, kills and full disks. Nothing is built yet.

use anyhow::bail;

use crate::process;

const HELP: &str = "\
cargo xtask soak: run streams and stores for hours under load, kills and full disks

There is nothing to run yet: the streaming pipeline comes first.
";

/// Prints the help, or says that there is nothing to run.
///
/// # Errors
/// Without `--help`: nothing is built yet.
pub(crate) fn run(words: &[&str]) -> anyhow::Result<()> {
    if words.contains(&"--help") {
        process::print(HELP);
        return Ok(());
    }
    bail!("`soak` has nothing to run yet; `cargo xtask soak --help` says what it will do")
}
