//! Tests of the program `spaxiom-embed` as a user runs it: words in, text and exit codes out.
#![allow(clippy::unwrap_used, clippy::float_cmp, reason = "a test may panic, and compares what has to be equal")]

mod cases;
mod commands;
mod partitions;
mod serve;
mod signals;
mod store;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

/// Simulated data and a run of a few steps, made once for all tests.
struct World {
    folder: TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let world = World { folder: TempDir::new().unwrap() };
    let simulate = ["simulate", "--scenario", "warehouse", "--sites", "2", "--days", "5", "--out"];
    done(&[&simulate[..], &[&world.data()]].concat());
    fs_err::write(world.folder.path().join("experiment.toml"), EXPERIMENT).unwrap();
    let pretrain = ["pretrain", "--config", &world.experiment(), "--data", &world.data(), "--out", &world.run()];
    done(&pretrain);
    world
});

/// An encoder that trains in a second.
const EXPERIMENT: &str = "
[encoder]
d-model = 16
n-layers = 1
d-feed-forward = 32
max-len = 8
[tokenizer]
cell-buckets = 32
[train]
max-steps = 10
evaluate-every = 5
";

impl World {
    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn data(&self) -> String {
        self.path("data")
    }

    fn experiment(&self) -> String {
        self.path("experiment.toml")
    }

    fn run(&self) -> String {
        self.path("run")
    }
}

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_spaxiom-embed"))
}

fn output(words: &[&str]) -> Output {
    Command::new(program()).args(words).env_remove("RUST_LOG").output().unwrap()
}

/// Runs the program with text on its standard input.
fn fed(words: &[&str], text: &str) -> Output {
    let mut child = Command::new(program())
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Runs the program, wants it to succeed, and gives what it printed.
fn done(words: &[&str]) -> String {
    let output = output(words);
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the program with `--json` and gives the document.
fn json(words: &[&str]) -> Value {
    serde_json::from_str(&done(&[words, &["--json"]].concat())).unwrap()
}

/// Runs the program and wants this exit code and these words on stderr.
fn fails(words: &[&str], code: i32, want: &str) {
    let output = output(words);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{words:?}: {text}");
    assert!(text.contains(want), "{words:?}\n  gave: {text}\n  want: {want}");
    assert!(!text.contains("panicked"), "{text}");
}

/// Says what a test leaves out where something is missing, to `cargo xtask test`, which counts it; in CI nothing may be missing.
#[expect(clippy::disallowed_methods, reason = "a test that is skipped says so where it is told to")]
fn skipped(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "{what}");
    left_out(what);
}

/// The same for what is left out in CI too: data that are no part of the project.
#[expect(clippy::disallowed_methods, reason = "a test that is skipped says so where it is told to")]
fn left_out(what: &str) {
    if let Some(skipped) = std::env::var_os("SPAXIOM_SKIPPED") {
        let mut file = fs_err::OpenOptions::new().create(true).append(true).open(skipped).unwrap();
        writeln!(file, "{what}").unwrap();
    }
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs_err::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
