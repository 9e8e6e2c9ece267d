//! The encoders on backends that a build holds only when it is asked for.

use std::path::Path;
use std::process::Command;

use crate::{prerequisites, process};

/// The feature with which the tests of the encoders run on wgpu too.
pub(crate) const WGPU: &str = "spaxiom-encoder/wgpu";

/// Makes ready what tests on wgpu need: a Vulkan, which is one of software where there is no GPU.
///
/// # Errors
/// Where it cannot be installed.
pub(crate) fn prepare() -> anyhow::Result<()> {
    prerequisites::ensure_vulkan()
}

/// Runs the tests of the encoders on wgpu; with `cuda` there too.
///
/// # Errors
/// Where something is missing, or a test fails.
pub(crate) fn test(root: &Path, with_cuda: bool) -> anyhow::Result<()> {
    prepare()?;
    tests(root, "wgpu")?;
    if with_cuda { tests(root, "cuda") } else { Ok(()) }
}

fn tests(root: &Path, feature: &str) -> anyhow::Result<()> {
    let mut command = Command::new(process::cargo_path());
    command.current_dir(root).args(["test", "--package", "spaxiom-encoder", "--features", feature, "--test", "it"]);
    command.arg(format!("backends::{feature}"));
    if process::variable("XDG_RUNTIME_DIR").is_none() {
        // Mesa's drivers want one.
        command.env("XDG_RUNTIME_DIR", std::env::temp_dir());
    }
    process::run(&mut command)
}
