//! Builds `spaxiom-embed` with the features that the words ask for, and becomes it.

use std::path::Path;
use std::process::Command;

use crate::process;

/// Milliseconds until the program's allocator gives memory back to the system; -1 for never.
const KEEP_MEMORY: &str = "MIMALLOC_PURGE_DELAY";

/// A flag, its value, and the cargo feature that a command with it needs: the one place that picks features.
const FEATURES: [(&str, &str, &str); 4] = [
    ("--backend", "ndarray", "ndarray"),
    ("--backend", "wgpu", "wgpu"),
    ("--backend", "cuda", "cuda"),
    ("--task", "fall-risk", BOOSTING),
];

/// A command, and the cargo feature that it is built with.
const COMMANDS: [(&str, &str); 2] = [("eval", BOOSTING), ("ablate", BOOSTING)];

/// The file of a run whose heads may be trees.
const HEADS: &str = "risk.json";

/// The feature that builds LightGBM.
const BOOSTING: &str = "boosting";

/// Whether these words need LightGBM.
pub(crate) fn needs_lightgbm(words: &[String]) -> bool {
    features(words).contains(&BOOSTING)
}

/// The commands of the program: the files in `commands/` of its crate.
///
/// # Errors
/// A folder that cannot be read.
pub(crate) fn commands(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut commands = Vec::new();
    for entry in fs_err::read_dir(root.join("crates/spaxiom-cli/src/commands"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            commands.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    commands.sort();
    Ok(commands)
}

/// Replaces this process by the program, so that Ctrl-C and the exit code are the program's own.
///
/// # Errors
/// Where cargo cannot be started.
pub(crate) fn replace_by(root: &Path, words: &[String]) -> anyhow::Result<()> {
    if !root.join("target/debug/spaxiom-embed").exists() {
        process::say("the first build takes 5 to 25 minutes, later ones seconds");
    }
    let mut command = Command::new(process::cargo_path());
    command.args(["run", "--quiet", "--package", "spaxiom-cli"]);
    command.arg("--manifest-path").arg(root.join("Cargo.toml"));
    for feature in features(words) {
        command.args(["--features", feature]);
    }
    command.arg("--").args(words);
    if let Some(commit) = process::output("git", &["-C", &root.to_string_lossy(), "rev-parse", "HEAD"]) {
        command.env("SPAXIOM_COMMIT", commit.trim());
    }
    // Every step of training asks for the same memory again: given back to the system in between, it costs a sixth of the time.
    if process::variable(KEEP_MEMORY).is_none() {
        command.env(KEEP_MEMORY, "-1");
    }
    become_it(&mut command)
}

/// The features of the command, of `--flag VALUE` and of `--flag=VALUE`.
fn features(words: &[String]) -> Vec<&'static str> {
    let has = |flag: &str, value: &str| {
        let apart = words.windows(2).any(|pair| pair[0] == flag && pair[1] == value);
        apart || words.iter().any(|word| *word == format!("{flag}={value}"))
    };
    let of_flags = FEATURES.into_iter().filter(|(flag, value, _)| has(flag, value)).map(|(_, _, feature)| feature);
    let command = words.first().map_or("", String::as_str);
    let of_command = COMMANDS.into_iter().filter(|(name, _)| *name == command).map(|(_, feature)| feature);
    // A stream of anything else is not worth minutes of building.
    let judges = command == "stream" && value(words, "--run").is_some_and(|run| Path::new(run).join(HEADS).exists());
    of_command.chain(judges.then_some(BOOSTING)).chain(of_flags).collect()
}

/// The value of `--flag VALUE` or `--flag=VALUE`.
fn value<'w>(words: &'w [String], flag: &str) -> Option<&'w str> {
    let apart = words.windows(2).find(|pair| pair[0] == flag).map(|pair| pair[1].as_str());
    apart.or_else(|| words.iter().find_map(|word| word.strip_prefix(flag)?.strip_prefix('=')))
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
    use super::{commands, features};

    #[test]
    fn a_backend_on_the_command_line_becomes_a_feature() {
        let features_of = |text: &str| features(&text.split(' ').map(String::from).collect::<Vec<_>>());
        assert_eq!(features_of("pretrain --backend wgpu --data d"), ["wgpu"]);
        assert_eq!(features_of("pretrain --backend=cuda"), ["cuda"]);
        assert_eq!(features_of("eval --backend wgpu"), ["boosting", "wgpu"]);
        assert!(features_of("pretrain --backend flex").is_empty());
        assert!(features_of("pretrain --backend").is_empty());
    }

    #[test]
    fn a_stream_that_judges_risks_is_built_with_trees() {
        let run = std::env::temp_dir().join(format!("spaxiom-heads-{}", std::process::id()));
        fs_err::create_dir_all(&run).expect("a folder for a moment");
        let stream = |flag: String| features(&["stream".to_owned(), flag]);
        let of_run = || stream(format!("--run={}", run.display()));
        assert!(of_run().is_empty());
        fs_err::write(run.join(super::HEADS), "{}").expect("a file for a moment");
        assert_eq!(of_run(), ["boosting"]);
        fs_err::remove_dir_all(&run).expect("it was just made");
        assert!(stream("--run".into()).is_empty());
    }

    #[test]
    fn the_commands_are_those_of_the_program() {
        let commands = commands(&crate::root()).expect("the folder of commands can be read");
        assert!(commands.iter().any(|command| command == "pretrain") && commands.len() >= 11, "{commands:?}");
    }
}
