//! `cargo xtask`: set-up, checks and tests of the project, and the program with the right features.
//!
//! Knows no tensor and no index: it makes sure that what the build needs is there, and hands the words on.

mod backends;
mod checks;
mod cycles;
mod docs;
mod layers;
mod lengths;
mod prerequisites;
mod process;
mod program;
mod reproduce;
mod soak;
mod sources;
mod testing;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask: experience embeddings, from a fresh machine on

Start here:
  cargo xtask demo                 run every command once, on simulated events (minutes)
  cargo xtask setup                install what the build needs (every other command does so too)

Develop:
  cargo xtask check                format, spelling, layers, cycles, lints, licenses, docs, packages
  cargo xtask test                 run all tests and examples (--all-backends: the encoders on wgpu too)
  cargo xtask test-backends        test the encoders on wgpu (--cuda: on CUDA too)
  cargo xtask soak                 kill a writing store again and again (--faults: on a failing disk too)
  cargo xtask reproduce NAME       make the tables of the docs again: hospital, warehouse, homes

Every other word is a command of spaxiom-embed, which is built first:
  cargo xtask check FILE...        read events, validate and count them
";

/// Wrong use.
#[derive(Debug)]
struct UnknownCommand {
    word: String,
    /// The command that looks most like it.
    like: Option<String>,
}

impl std::fmt::Display for UnknownCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unknown command `{}`", self.word)?;
        if let Some(like) = &self.like {
            write!(f, "; did you mean `{like}`")?;
        }
        f.write_str("; `cargo xtask --help` lists all")
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
        [] | ["help" | "--help" | "-h"] => help(&root)?,
        ["setup"] => prerequisites::ensure()?,
        ["check"] => {
            prerequisites::ensure()?;
            checks::run(&root)?;
        }
        ["test-backends"] => backends::test(&root, false)?,
        ["test-backends", "--cuda"] => backends::test(&root, true)?,
        ["test", "--all-backends"] => {
            prerequisites::ensure()?;
            prerequisites::ensure_lightgbm()?;
            backends::prepare()?;
            testing::run(&root, &[], &[backends::WGPU])?;
        }
        ["test", rest @ ..] => {
            prerequisites::ensure()?;
            prerequisites::ensure_lightgbm()?;
            testing::run(&root, rest, &[])?;
        }
        ["soak", rest @ ..] => soak::run(&root, rest)?,
        ["reproduce", rest @ ..] => reproduce::run(&root, rest)?,
        [word, ..] => {
            // Before anything is built.
            require_known(word, &program::commands(&root)?)?;
            prerequisites::ensure()?;
            if program::needs_lightgbm(words) {
                prerequisites::ensure_lightgbm()?;
            }
            return program::replace_by(&root, words);
        }
    }
    Ok(())
}

/// The help, with the commands of the program.
fn help(root: &Path) -> anyhow::Result<()> {
    process::print(HELP);
    process::print(&format!("  cargo xtask {} ... [--help]\n", program::commands(root)?.join("|")));
    Ok(())
}

fn require_known(word: &str, program: &[String]) -> Result<(), UnknownCommand> {
    if program.iter().any(|command| command == word) || word == "--version" {
        return Ok(());
    }
    let all = program.iter().map(String::as_str).chain(words::OWN);
    let nearest = all.map(|command| (distance(word, command), command)).min();
    let like = nearest.filter(|(distance, _)| *distance <= 2).map(|(_, command)| command.to_owned());
    Err(UnknownCommand { word: word.to_owned(), like })
}

/// Letters to be inserted, removed or exchanged (Levenshtein 1966).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, from) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, to) in b.bytes().enumerate() {
            let exchanged = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = exchanged.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// The folder of the workspace.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace").to_owned()
}

#[cfg(test)]
mod tests {
    use super::require_known;

    #[test]
    fn a_mistyped_word_is_told_the_command_that_it_looks_like() {
        let program = ["pretrain", "search"].map(String::from);
        let check = |word: &str, want: &str| {
            assert_eq!(require_known(word, &program).expect_err("an unknown word").to_string(), want);
        };
        check("pretrian", "unknown command `pretrian`; did you mean `pretrain`; `cargo xtask --help` lists all");
        check("tests", "unknown command `tests`; did you mean `test`; `cargo xtask --help` lists all");
        check("dance", "unknown command `dance`; `cargo xtask --help` lists all");
        assert!(require_known("search", &program).is_ok());
    }
}
