//! `spaxiom-embed`: experience embeddings from the command line.
//!
//! Takes words, files and the environment; everything below takes values.
//! Data goes to stdout, progress and logs to stderr.
//! Exit codes: 0 done, 1 failed, 2 wrong use, 3 done but some input was rejected, 130 stopped by Ctrl-C.

mod args;
mod commands;
mod exit;
mod input;
mod observer;
mod output;
mod stop;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::exit::Exit;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    output::start_logging(cli.verbose);
    let result = check_processor().and_then(|()| run(&cli));
    match result {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::error(&error);
            exit::of_error(&error).into()
        }
    }
}

fn run(cli: &Cli) -> anyhow::Result<Exit> {
    let json = cli.json;
    match &cli.command {
        Command::Simulate(args) => commands::simulate::run(args, json),
        Command::Check(args) => commands::check::run(args, json),
        Command::Convert(args) => commands::convert::run(args, json),
        Command::Pretrain(args) => commands::train::pretrain(args, json),
        Command::Finetune(args) => commands::train::finetune(args, json),
        Command::Index(args) => commands::index::run(args, json),
        Command::Search(args) => commands::search::run(args, json),
        Command::Eval(args) => commands::eval::run(args, json),
        Command::Ablate(args) => commands::ablate::run(args, json),
        Command::Bench(args) => commands::bench::run(args, json),
        Command::Demo(args) => commands::demo::run(args, json),
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
