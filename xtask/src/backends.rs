//! The encoders on backends that a build holds only when it is asked for.

use std::path::Path;
use std::process::Command;

use crate::{prerequisites, process};

/// Runs the tests of the encoders on wgpu, over a software Vulkan where there is no GPU, and checks that CUDA compiles;
/// with `cuda` runs them there too.
///
/// # Errors
/// Where something is missing, or a test fails.
pub(crate) fn test(root: &Path, with_cuda: bool) -> anyhow::Result<()> {
    prerequisites::ensure_vulkan()?;
    tests(root, "wgpu")?;
    if with_cuda {
        return tests(root, "cuda");
    }
    process::cargo(root, &["check", "--package", "spaxiom-cli", "--features", "cuda"])
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
