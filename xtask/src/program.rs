//! Builds `spaxiom-embed` with the features that the words ask for, and becomes it.

use std::path::Path;
use std::process::Command;

use crate::process;

/// Milliseconds until the program's allocator gives memory back to the system; -1 for never.
const KEEP_MEMORY: &str = "MIMALLOC_PURGE_DELAY";

/// Backends that are built only when they are asked for.
const OPTIONAL_BACKENDS: [&str; 3] = ["ndarray", "wgpu", "cuda"];

/// Replaces this process by the program, so that Ctrl-C and the exit code are the program's own.
///
/// # Errors
/// Where cargo cannot be started.
pub(crate) fn replace_by(root: &Path, words: &[String]) -> anyhow::Result<()> {
    if !root.join("target/debug/spaxiom-embed").exists() {
        process::say("the first build takes 10 to 25 minutes; every later one takes seconds");
    }
    let mut command = Command::new(process::cargo_path());
    command.args(["run", "--quiet", "--package", "spaxiom-cli"]);
    command.arg("--manifest-path").arg(root.join("Cargo.toml"));
    if let Some(feature) = feature(words) {
        command.args(["--features", feature]);
    }
    command.arg("--").args(words);
    if let Some(commit) = process::output("git", &["-C", &root.to_string_lossy(), "rev-parse", "HEAD"]) {
        command.env("SPAXIOM_COMMIT", commit.trim());
    }
    // Every step of training asks for the same memory again: given back to the system in between, it costs a sixth of the time.
    if std::env::var_os(KEEP_MEMORY).is_none() {
        command.env(KEEP_MEMORY, "-1");
    }
    become_it(&mut command)
}

/// The feature of `--backend NAME` or `--backend=NAME`.
fn feature(words: &[String]) -> Option<&'static str> {
    let after = |flag_idx: usize| words.get(flag_idx + 1).map(String::as_str);
    let name = words.iter().enumerate().find_map(|(i, word)| match word.as_str() {
        "--backend" => after(i),
        word => word.strip_prefix("--backend="),
    })?;
    OPTIONAL_BACKENDS.into_iter().find(|backend| *backend == name)
}

#[cfg(unix)]
fn become_it(command: &mut Command) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt;
    Err(anyhow::Error::new(command.exec()).context("cargo cannot be started"))
}

#[cfg(not(unix))]
fn become_it(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status()?;
    std::process::exit(status.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::feature;

    #[test]
    fn a_backend_on_the_command_line_becomes_a_feature() {
        let feature_of = |text: &str| feature(&text.split(' ').map(String::from).collect::<Vec<_>>());
        assert_eq!(feature_of("pretrain --backend wgpu --data d"), Some("wgpu"));
        assert_eq!(feature_of("pretrain --backend=cuda"), Some("cuda"));
        assert_eq!(feature_of("pretrain --backend flex"), None);
        assert_eq!(feature_of("pretrain --backend"), None);
    }
}
