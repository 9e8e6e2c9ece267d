//! Pages as a browser shows them.

use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Opens a page without a network and gives it as the browser has laid it out; none where there is no browser, which fails in CI.
///
/// `cargo xtask test` counts what is skipped: its name is appended to the file `SPAXIOM_SKIPPED`.
#[expect(clippy::disallowed_methods, reason = "a test that is skipped says so where it is told to")]
pub(crate) fn opened(page: &Path) -> Option<String> {
    let profile = tempfile::TempDir::new().unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"])
        .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1200,900", "--dump-dom"])
        .arg(format!("file://{}", page.display()))
        .output();
    if let Ok(output) = output {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return Some(String::from_utf8(output.stdout).unwrap());
    }
    assert!(std::env::var_os("CI").is_none(), "there is no `chromium` to open {} in", page.display());
    if let Some(skipped) = std::env::var_os("SPAXIOM_SKIPPED") {
        let mut file = fs_err::OpenOptions::new().create(true).append(true).open(skipped).unwrap();
        writeln!(file, "a page in a browser; install the package `chromium`").unwrap();
    }
    None
}

/// Opens a page and looks for its figures by their titles, and for the headings of its sections.
pub(crate) fn check(page: &Path, figures: &[&str], headings: &[&str]) {
    let text = fs_err::read_to_string(page).unwrap();
    assert!(!text.contains("http://") || text.matches("http://").count() == text.matches("http://www.w3.org").count());
    let Some(shown) = opened(page) else { return };
    for figure in figures {
        assert!(shown.contains(&format!("aria-label=\"{figure}")), "no figure `{figure}` in {}", page.display());
    }
    for heading in headings {
        assert!(shown.contains(&format!("<h2>{heading}</h2>")), "no section `{heading}` in {}", page.display());
    }
    assert!(!shown.contains("NaN"), "{}", page.display());
}
