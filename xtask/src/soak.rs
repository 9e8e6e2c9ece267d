//! `cargo xtask soak`: stores and streams under kills and failing disks.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::{prerequisites, process};

const HELP: &str = "\
cargo xtask soak: kill a process that writes a store, again and again, and check that nothing acknowledged was lost

  cargo xtask soak                    200 kills, about a minute
  cargo xtask soak --rounds 2000
  cargo xtask soak --streams          100,000 events by NATS to two streams on one PostgreSQL, all of which are killed
  cargo xtask soak --faults           the same while syncs, writes and renames fail at random (needs Debian's fiu-utils)
";

/// What fails at random under `--faults`, as libfiu names it.
const FAULTS: [&str; 6] = [
    "enable_random name=posix/io/sync/fdatasync,probability=0.05",
    "enable_random name=posix/io/sync/fsync,probability=0.05",
    // 28 is ENOSPC: a disk that is full.
    "enable_random name=posix/io/rw/pwrite,probability=0.02,failinfo=28",
    "enable_random name=posix/io/rw/write,probability=0.02,failinfo=28",
    "enable_random name=posix/io/dir/rename,probability=0.1",
    "enable_random name=posix/io/oc/ftruncate,probability=0.1",
];

/// Runs the rounds.
///
/// # Errors
/// A store that has lost something, and words that nobody knows.
pub(crate) fn run(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    let (rounds, with_faults) = match words {
        ["--streams"] => return streams(root),
        ["--help"] => {
            process::print(HELP);
            return Ok(());
        }
        [] => ("200", false),
        ["--rounds", rounds] => (*rounds, false),
        ["--faults"] => ("200", true),
        ["--rounds", rounds, "--faults"] | ["--faults", "--rounds", rounds] => (*rounds, true),
        _ => bail!("`cargo xtask soak --help` says what it takes"),
    };
    if !with_faults {
        return kills(root, rounds, &[]);
    }
    for fault in FAULTS {
        process::say(fault);
        kills(root, rounds, &["fiu-run", "-x", "-c", fault])?;
    }
    Ok(())
}

/// The test of streams that are killed, with more of everything.
///
/// # Errors
/// A stream that has lost something.
fn streams(root: &Path) -> anyhow::Result<()> {
    prerequisites::ensure_peers(root)?;
    let test = "streams_of_partitions_that_are_killed_lose_nothing_and_change_no_vector";
    let mut command = Command::new("cargo");
    command.current_dir(root).args(["test", "--quiet", "--workspace", "--", test]);
    process::run(command.env("SPAXIOM_SOAK", "large"))
}

/// Kills writers of a store, each behind `wrapper`.
///
/// # Errors
/// A store that has lost something.
fn kills(root: &Path, rounds: &str, wrapper: &[&str]) -> anyhow::Result<()> {
    let soak = ["run", "--quiet", "--package", "spaxiom-index", "--example", "soak", "--", rounds, "1"];
    process::cargo(root, &[&soak[..], wrapper].concat())
}
