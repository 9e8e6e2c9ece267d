//! `cargo xtask reproduce`: make the tables of docs/results.md again, each by its command. Nothing is built yet.

use anyhow::bail;

use crate::process;

const HELP: &str = "\
cargo xtask reproduce: make the tables of docs/results.md again, each by its command

There is nothing to run yet: docs/results.md names the command of each table.
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
    bail!("`reproduce` has nothing to run yet; `cargo xtask reproduce --help` says what it will do")
}
