//! `cargo xtask test`: all tests and examples, and how many of them there are.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::{prerequisites, process};

/// The crate whose examples are run.
const EXAMPLES: &str = "crates/spaxiom-embedding";

/// Tests by how they ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Counts {
    /// Adds what a line of cargo's output counts; other lines count nothing.
    fn add_line(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        let of = |what: &str| {
            let number = counts.split([';', '.']).find_map(|count| count.trim().strip_suffix(what));
            number.and_then(|number| number.trim().parse::<usize>().ok()).unwrap_or(0)
        };
        self.passed += of("passed");
        self.failed += of("failed");
        self.ignored += of("ignored");
    }
}

/// Runs all tests with cargo's words and these features, and the examples unless words were given.
///
/// A test that lacks its data or its browser appends its name and what is missing to the file `SPAXIOM_SKIPPED`, and counts as skipped.
///
/// # Errors
/// A test or an example that fails.
pub(crate) fn run(root: &Path, words: &[&str], features: &[&str]) -> anyhow::Result<()> {
    if process::variable("CI").is_some() {
        prerequisites::ensure_peers(root)?;
    }
    let skipped_path = root.join("target/skipped-tests");
    fs_err::create_dir_all(root.join("target"))?;
    fs_err::write(&skipped_path, "")?;
    let mut counts = Counts::default();
    let mut which = vec!["--workspace", "--no-fail-fast"];
    which.extend(features.iter().flat_map(|feature| ["--features", feature]));
    let mut has_passed = stream(root, &which, words, &skipped_path, &mut counts)?;
    if words.is_empty() {
        // A store without FAISS, and LightGBM for the commands that judge: both in one build, since both need the same.
        let others = ["--package", "spaxiom-index", "--package", "spaxiom-eval", "--no-default-features"];
        let others = [&others[..], &["--features", "spaxiom-eval/boosting", "--test", "it"]].concat();
        has_passed &= stream(root, &others, &[], &skipped_path, &mut counts)?;
    }
    let names = fs_err::read_to_string(&skipped_path)?;
    let skipped: BTreeSet<&str> = names.lines().collect();
    for name in &skipped {
        process::say(&format!("skipped: {name}"));
    }
    counts.passed -= skipped.len().min(counts.passed);
    if words.is_empty() && has_passed {
        for example in examples(root)? {
            process::run(&mut built(root, &example))?;
            counts.passed += 1;
        }
        process::run(built(root, "soak").args(["20", "1"]))?;
        counts.passed += 1;
    }
    let n_skipped = skipped.len() + counts.ignored;
    process::print(&format!("{} passed, {} failed, {n_skipped} skipped\n", counts.passed, counts.failed));
    if has_passed {
        return Ok(());
    }
    bail!("`cargo test` failed")
}

/// Passes the output of `cargo test` on and counts; whether it succeeded.
fn stream(root: &Path, which: &[&str], words: &[&str], skipped: &Path, counts: &mut Counts) -> anyhow::Result<bool> {
    let mut command = Command::new(process::cargo_path());
    command.current_dir(root).arg("test").args(which).args(words);
    command.env("SPAXIOM_SKIPPED", skipped).stdout(Stdio::piped());
    process::say(&format!("$ cargo test {}", which.join(" ")));
    let mut child = command.spawn().context("`cargo test` cannot be started")?;
    for line in BufReader::new(child.stdout.take().context("the output of `cargo test`")?).lines() {
        let line = line?;
        counts.add_line(&line);
        process::print(&format!("{line}\n"));
    }
    Ok(child.wait()?.success())
}

/// An example as the tests of the workspace have built it: `cargo run` would choose features for its package alone, and
/// build everything below it once more.
fn built(root: &Path, example: &str) -> Command {
    let target = process::variable("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let mut command = Command::new(target.join("debug/examples").join(example));
    command.current_dir(root);
    command
}

/// The names of the examples, in order.
fn examples(root: &Path) -> anyhow::Result<Vec<String>> {
    let folder = root.join(EXAMPLES).join("examples");
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let path: PathBuf = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn the_results_of_all_binaries_are_summed() {
        let mut counts = Counts::default();
        for line in [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test the_result ... ok",
        ] {
            counts.add_line(line);
        }
        assert_eq!(counts, Counts { passed: 15, failed: 2, ignored: 1 });
    }
}
