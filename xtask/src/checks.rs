//! `cargo xtask check`: everything short of the tests, cheapest first.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::{cycles, docs, layers, lengths, process};

/// A tool that is no part of the Rust distribution.
struct Tool {
    program: &'static str,
    package: &'static str,
    version: &'static str,
}

const TYPOS: Tool = Tool { program: "typos", package: "typos-cli", version: "1.52.0" };
const DENY: Tool = Tool { program: "cargo-deny", package: "cargo-deny", version: "0.20.2" };

/// Runs all checks and stops at the first that fails.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    process::cargo(root, &["fmt", "--all", "--check"])?;
    let typos = tool(root, &TYPOS)?;
    process::run(Command::new(typos).current_dir(root).args(["--config", ".typos.toml"]))?;
    fail_on("the layers of docs/architecture.md", &layers::violations(root)?)?;
    fail_on("names in the documents", &docs::violations(root)?)?;
    fail_on("files that import each other in a circle", &cycles::violations(root)?)?;
    fail_on("files above 500 lines", &lengths::violations(root)?)?;
    // With CUDA, which compiles where there is none: a generic model is checked on every backend.
    let features = ["--features", "spaxiom-cli/cuda,spaxiom-encoder/wgpu"];
    process::cargo(
        root,
        &[&["clippy", "--workspace", "--all-targets"][..], &features, &["--", "--deny", "warnings"]].concat(),
    )?;
    deny(root)?;
    let mut doc = Command::new(process::cargo_path());
    doc.current_dir(root).args(["doc", "--workspace", "--no-deps", "--document-private-items"]);
    process::run(doc.env("RUSTDOCFLAGS", "--deny warnings"))?;
    // What a crate needs must lie in its folder; nothing is compiled here.
    process::cargo(root, &["package", "--workspace", "--no-verify", "--allow-dirty", "--quiet"])
}

fn fail_on(what: &str, violations: &[String]) -> anyhow::Result<()> {
    process::say(&format!("$ {what}"));
    if violations.is_empty() {
        return Ok(());
    }
    bail!("{what}:\n  {}", violations.join("\n  "))
}

/// Licenses, bans and sources always; advisories where their database can be reached.
fn deny(root: &Path) -> anyhow::Result<()> {
    let deny = tool(root, &DENY)?;
    let command = |words: &[&str]| {
        let mut command = Command::new(&deny);
        // A database behind a closed network is given up on, not waited for.
        command.current_dir(root).env("GIT_HTTP_LOW_SPEED_LIMIT", "1").env("GIT_HTTP_LOW_SPEED_TIME", "20").args(words);
        command
    };
    process::run(&mut command(&["--config", ".config/deny.toml", "check", "licenses", "bans", "sources"]))?;
    let fetched = command(&["--config", ".config/deny.toml", "fetch", "db"]).output().context("cargo-deny")?;
    if !fetched.status.success() {
        process::say("advisories: skipped, their database cannot be reached from here");
        return Ok(());
    }
    process::run(&mut command(&["--config", ".config/deny.toml", "check", "--disable-fetch", "advisories"]))
}

/// The path of a tool; in CI it is installed into `target/tools`.
fn tool(root: &Path, tool: &Tool) -> anyhow::Result<PathBuf> {
    let Tool { program, package, version } = tool;
    let tools = root.join("target/tools");
    let installed = tools.join("bin").join(program);
    if installed.exists() {
        return Ok(installed);
    }
    if process::output(program, &["--version"]).is_some() {
        return Ok(PathBuf::from(program));
    }
    if process::variable("CI").is_none() {
        bail!("`{program}` is missing: type `cargo install --locked --root target/tools {package}@{version}`");
    }
    let package = format!("{package}@{version}");
    // They run for seconds: building them without optimization saves minutes of each CI run.
    process::cargo(root, &["install", "--locked", "--debug", "--quiet", "--root", "target/tools", &package])?;
    Ok(installed)
}
