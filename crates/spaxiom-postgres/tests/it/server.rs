//! A PostgreSQL of the test's own, on a free port, in a folder of its own.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use spaxiom_postgres::PostgresAddress;
use tempfile::TempDir;

/// The user `nobody`: a server refuses to run as root.
const NOBODY: u32 = 65_534;

/// A server; it ends with the test.
pub(crate) struct Server {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
}

impl Server {
    /// A server with pgvector; none where no PostgreSQL with it is here, which is said, and fails in CI.
    #[expect(clippy::disallowed_methods, reason = "a test that is skipped says so where it is told to")]
    pub(crate) fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            assert!(std::env::var_os("CI").is_none(), "there is no PostgreSQL with pgvector");
            if let Some(skipped) = std::env::var_os("SPAXIOM_SKIPPED") {
                let mut file = fs_err::OpenOptions::new().create(true).append(true).open(skipped).unwrap();
                let name = std::thread::current().name().unwrap().to_owned();
                writeln!(file, "{name}; CI=true cargo xtask test installs a PostgreSQL with pgvector").unwrap();
            }
            return None;
        };
        // Sockets have short paths.
        let folder = TempDir::with_prefix_in("pg", "/tmp").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut server = Self { programs, folder, port };
        if is_root() {
            std::os::unix::fs::chown(server.folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
            server.within_reach();
        }
        server.run("initdb", &["--auth=trust", "--username=spaxiom", "--no-sync", "-D", &server.data()]);
        server.up();
        Some(server)
    }

    /// Copies the programs where another user may not enter the folders above them.
    fn within_reach(&mut self) {
        let mut look = Command::new(self.programs.join("initdb"));
        look.arg("--version").uid(NOBODY).gid(NOBODY).stdout(Stdio::null());
        if look.status().is_ok_and(|status| status.success()) {
            return;
        }
        let copy = self.folder.path().join("install");
        let copied = Command::new("cp").arg("-r").arg(self.programs.parent().unwrap()).arg(&copy).status().unwrap();
        assert!(copied.success());
        self.programs = copy.join("bin");
    }

    pub(crate) fn up(&self) {
        let options = format!("-p {} -c listen_addresses=127.0.0.1 -c fsync=off -k {}", self.port, self.path());
        let log = format!("{}/log", self.path());
        self.run("pg_ctl", &["start", "--wait", "-D", &self.data(), "-l", &log, "-o", &options]);
    }

    /// Ends at once, as a machine that loses its power does.
    pub(crate) fn down(&self) {
        self.run("pg_ctl", &["stop", "-m", "immediate", "-D", &self.data()]);
    }

    pub(crate) fn address(&self, schema: &str) -> PostgresAddress {
        format!("postgres://spaxiom@127.0.0.1:{}/postgres?schema={schema}", self.port).parse().unwrap()
    }

    fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    fn data(&self) -> String {
        format!("{}/data", self.path())
    }

    fn run(&self, program: &str, words: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command.args(words).current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{program} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = Command::new(self.programs.join("pg_ctl"));
        stop.args(["stop", "-m", "immediate", "-D", &self.data()]).stdout(Stdio::null()).stderr(Stdio::null());
        if is_root() {
            stop.uid(NOBODY).gid(NOBODY);
        }
        let _ = stop.status();
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs_err::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// The folder with `initdb` of a PostgreSQL that has pgvector: of the tools of `cargo xtask test`, or of the system.
#[expect(clippy::disallowed_methods, reason = "a test looks for a server where it is told to")]
fn programs() -> Option<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/postgres");
    let mut folders = vec![PathBuf::from("/usr/lib/postgresql")];
    folders.extend(std::env::var_os("SPAXIOM_POSTGRES").map(PathBuf::from));
    folders.push(tools);
    let mut found: Vec<PathBuf> = folders.iter().flat_map(|folder| installed(folder, 6)).collect();
    found.sort();
    found.pop()
}

/// Folders `bin` below this one with a server that has pgvector.
fn installed(folder: &Path, depth: u32) -> Vec<PathBuf> {
    let is_one = || {
        let beside = |path: &str| folder.parent().is_some_and(|parent| parent.join(path).exists());
        let extensions = ["share/extension/vector.control", "share/postgresql/extension/vector.control"];
        folder.join("initdb").exists() && extensions.iter().any(|path| beside(path))
    };
    if is_one() {
        return vec![folder.to_owned()];
    }
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.map(|entry| entry.path()).filter(|path| depth > 0 && path.is_dir());
    folders.flat_map(|path| installed(&path, depth - 1)).collect()
}
