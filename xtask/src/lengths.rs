//! Files that are too long, unless their header says why.

use std::path::Path;

use crate::sources;

/// Lines of a source file at most.
const MOST_LINES: usize = 500;

/// What the line of the header begins with that gives the reason.
const REASON: &str = "//! Long because ";

/// Every source file that is too long and does not say why.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn violations(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for (_, src) in sources::crates(root)? {
        for path in sources::files(&src, "rs")? {
            let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            violations.extend(violation(&name, &fs_err::read_to_string(&path)?));
        }
    }
    Ok(violations)
}

fn violation(name: &str, text: &str) -> Option<String> {
    let n_lines = text.lines().count();
    let says_why = text.lines().take_while(|line| line.starts_with("//!")).any(|line| line.starts_with(REASON));
    let is_wrong = n_lines > MOST_LINES && !says_why;
    is_wrong.then(|| format!("{name} has {n_lines} lines: split it, or say why in its header (`{REASON}...`)"))
}

#[cfg(test)]
mod tests {
    use super::{violation, violations};

    #[test]
    fn no_file_is_too_long_without_a_reason() {
        assert_eq!(violations(&crate::root()).expect("the sources can be read"), Vec::<String>::new());
    }

    #[test]
    fn a_long_file_has_to_say_why() {
        let long = "let x = 1;\n".repeat(501);
        assert!(violation("a.rs", &long).is_some_and(|text| text.starts_with("a.rs has 501 lines")));
        assert_eq!(violation("a.rs", &format!("//! A table.\n//! Long because it is a table.\n{long}")), None);
        assert_eq!(violation("a.rs", "let x = 1;\n"), None);
    }
}
