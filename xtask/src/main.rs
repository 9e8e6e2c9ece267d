//! `cargo xtask`: set-up, checks and tests of the project, and the program with the right features.
//!
//! Knows no tensor and no index: it makes sure that what the build needs is there, and hands the words on.

mod backends;
mod checks;
mod docs;
mod layers;
mod prerequisites;
mod process;
mod program;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Words that `spaxiom-embed` understands.
const PROGRAM: [&str; 11] =
    ["simulate", "check", "convert", "pretrain", "finetune", "index", "search", "eval", "ablate", "bench", "demo"];

const HELP: &str = "\
cargo xtask: experience embeddings, from a fresh machine on

  cargo xtask demo                 the whole way once, on simulated events (minutes)
  cargo xtask test                 all tests
  cargo xtask test-backends        the encoders on wgpu, and that cuda compiles (--cuda: on CUDA too)
  cargo xtask check                format, spelling, layers, lints, licences, docs
  cargo xtask setup                install what the build needs (done by all others too)

and every command of spaxiom-embed, with the same words:

  cargo xtask simulate|convert|pretrain|finetune|index|search|eval|ablate|bench ... [--help]
  cargo xtask check FILE...        read events and count them
";

/// Wrong use.
#[derive(Debug)]
struct UnknownCommand(String);

impl std::fmt::Display for UnknownCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unknown command `{}`; `cargo xtask --help` lists all", self.0)
    }
}

impl std::error::Error for UnknownCommand {}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            process::say(&format!("error: {error:#}"));
            // As the program: 2 for words that nobody knows, 1 for everything else.
            if error.is::<UnknownCommand>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn run(words: &[String]) -> anyhow::Result<()> {
    let root = root();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["help" | "--help" | "-h"] => process::print(HELP),
        ["setup"] => prerequisites::ensure()?,
        ["check"] => {
            prerequisites::ensure()?;
            checks::run(&root)?;
        }
        ["test-backends"] => backends::test(&root, false)?,
        ["test-backends", "--cuda"] => backends::test(&root, true)?,
        ["test", rest @ ..] => {
            prerequisites::ensure()?;
            process::cargo(&root, &[&["test", "--workspace"], rest].concat())?;
        }
        [word, ..] if PROGRAM.contains(word) => {
            prerequisites::ensure()?;
            return program::replace_by(&root, words);
        }
        [word, ..] => return Err(UnknownCommand((*word).to_owned()).into()),
    }
    Ok(())
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}
