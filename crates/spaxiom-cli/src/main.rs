//! `spaxiom-embed`: experience embeddings from the command line.
//!
//! Takes words, files and the environment; everything below takes values.
//! Data goes to stdout, progress and logs to stderr.
//! Exit codes: 0 done, 1 failed, 2 wrong use, 3 done but some input was rejected, 130 stopped by Ctrl-C.

mod args;
mod clock;
mod commands;
mod exit;
mod input;
mod objectives;
mod observer;
mod output;
mod provenance;
mod stop;
mod unknown;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;

/// Experience embeddings: typed sensor events to vectors that can be searched, classified and evaluated.
#[derive(Debug, Parser)]
#[command(name = "spaxiom-embed", version)]
struct Cli {
    /// Print one JSON document to stdout instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Log more
    #[arg(short, long, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    output::start_logging(cli.verbose);
    let result = check_processor().and_then(|()| cli.command.run(cli.json));
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::error(&error);
            exit::of_error(&error).into()
        }
    }
}

/// FAISS is compiled for AVX2 on x86-64 Linux (`.cargo/config.toml`); without it the first search would die of an
/// illegal instruction.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn check_processor() -> anyhow::Result<()> {
    let there = [
        ("avx2", std::is_x86_feature_detected!("avx2")),
        ("fma", std::is_x86_feature_detected!("fma")),
        ("bmi2", std::is_x86_feature_detected!("bmi2")),
        ("f16c", std::is_x86_feature_detected!("f16c")),
    ];
    let missing: Vec<&str> = there.into_iter().filter(|(_, is_there)| !is_there).map(|(name, _)| name).collect();
    anyhow::ensure!(
        missing.is_empty(),
        "this processor lacks {}: build the program without `-march=x86-64-v3` in `.cargo/config.toml` and without this check",
        missing.join(", ")
    );
    Ok(())
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
#[expect(clippy::unnecessary_wraps, reason = "the same signature as on x86-64")]
fn check_processor() -> anyhow::Result<()> {
    Ok(())
}
