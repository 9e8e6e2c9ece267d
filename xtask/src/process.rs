//! Running other programs, and talking about it.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};

/// A line to stderr.
pub(crate) fn say(text: &str) {
    // There is nowhere left to report that stderr is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Text to stdout.
pub(crate) fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Runs cargo in the workspace and fails where it fails.
pub(crate) fn cargo(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    run(Command::new(cargo_path()).current_dir(root).args(words))
}

/// Runs a command and fails where it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let text = described(command);
    say(&format!("$ {text}"));
    let status = command.status().with_context(|| format!("`{text}` cannot be started"))?;
    if !status.success() {
        bail!("`{text}` failed ({status})");
    }
    Ok(())
}

/// What a command prints, or none where it cannot be started or fails.
pub(crate) fn output(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program can be started, whatever it says.
pub(crate) fn is_program(path: &str) -> bool {
    Command::new(path).arg("-h").output().is_ok()
}

/// The cargo that runs this program.
pub(crate) fn cargo_path() -> OsString {
    variable("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A variable of the environment.
#[expect(clippy::disallowed_methods, reason = "a program may read the environment; here is the one place")]
pub(crate) fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

fn described(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
