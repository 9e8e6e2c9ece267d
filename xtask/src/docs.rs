//! Names in the documents that do not exist: crates, commands and tests drift unless something looks.

use std::path::Path;

use anyhow::Context;

use crate::words::OWN;
use crate::{layers, program, sources};

/// Prefixes of the project's name that are no crates.
const NO_CRATES: [&str; 1] = ["spaxiom-embed"];

/// Every crate, command and test that a document names and the project does not have.
pub(crate) fn violations(root: &Path) -> anyhow::Result<Vec<String>> {
    let crates = layers::crate_names(root)?;
    let (source, program) = (test_sources(root)?, program::commands(root)?);
    let mut violations = Vec::new();
    for path in documents(root)? {
        let text = fs_err::read_to_string(&path)?;
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let wrong_crates = names(&text).filter(|name| !crates.contains(name) && !NO_CRATES.contains(&name.as_str()));
        violations.extend(wrong_crates.map(|wrong| format!("{name}: there is no crate `{wrong}`")));
        let wrong_commands =
            commands(&text).filter(|word| !OWN.contains(word) && !program.iter().any(|command| command == word));
        violations.extend(wrong_commands.map(|wrong| format!("{name}: there is no `cargo xtask {wrong}`")));
        let wrong_tests = tests(&text).filter(|test| !source.contains(&format!("fn {test}(")));
        violations.extend(wrong_tests.map(|wrong| format!("{name}: there is no test `{wrong}`")));
    }
    Ok(violations)
}

/// Markdown of the project and of its crates, and what the help says.
fn documents(root: &Path) -> anyhow::Result<Vec<std::path::PathBuf>> {
    let mut documents = vec![root.join("README.md"), root.join("datasets/README.md")];
    documents.extend(sources::files(&root.join("docs"), "md")?);
    documents.extend(sources::files(&root.join("crates"), "md")?);
    documents.extend(sources::files(&root.join("crates/spaxiom-cli/src"), "rs")?);
    documents.sort();
    Ok(documents)
}

/// All integration tests, one text after the other.
fn test_sources(root: &Path) -> anyhow::Result<String> {
    let mut text = String::new();
    for name in layers::crate_names(root)? {
        for file in sources::files(&root.join("crates").join(name).join("tests/it"), "rs")? {
            text.push_str(&fs_err::read_to_string(file).context("a test")?);
        }
    }
    Ok(text)
}

/// Words in backticks that look like the name of a test: a sentence of lower-case words.
fn tests(text: &str) -> impl Iterator<Item = &str> {
    let is_name = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    text.split('`').skip(1).step_by(2).filter(is_name).filter(|word| word.matches('_').count() >= 4)
}

/// Words that look like one of our crates.
fn names(text: &str) -> impl Iterator<Item = String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    words.filter(|word| word.starts_with("spaxiom-") || word.starts_with("spaxiom_")).map(|word| word.replace('_', "-"))
}

/// Words after `cargo xtask`.
fn commands(text: &str) -> impl Iterator<Item = &str> {
    let after = text.split("cargo xtask ").skip(1);
    let word = |text: &'_ str| text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
    after.map(move |text| &text[..word(text)]).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{commands, names, tests, violations};

    /// Its doc test compiles there.
    #[test]
    fn the_rust_of_the_readme_is_that_of_the_crate_page() {
        let read = |path: &str| fs_err::read_to_string(crate::root().join(path)).expect("a file of ours");
        let readme = read("README.md");
        let (_, rust) = readme.split_once("```rust,no_run\n").expect("an example");
        let (rust, _) = rust.split_once("```").expect("its end");
        let page = read("crates/spaxiom-embedding/src/lib.rs");
        let page = page.lines().filter_map(|line| line.strip_prefix("//!"));
        let page: Vec<&str> = page.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
        assert!(page.join("\n").contains(rust), "{rust}");
    }

    #[test]
    fn documents_name_only_what_exists() {
        let violations = violations(&crate::root()).expect("the documents can be read");
        assert_eq!(violations, Vec::<String>::new());
    }

    #[test]
    fn names_and_commands_are_found_in_text() {
        let text = "see `spaxiom-event`, spaxiom_token::Tokenizer; type `cargo xtask demo` or `cargo xtask --help`";
        assert_eq!(names(text).collect::<Vec<_>>(), ["spaxiom-event", "spaxiom-token"]);
        assert_eq!(commands(text).collect::<Vec<_>>(), ["demo"]);
        let text = "`time_ns` and `a_test_has_a_long_name`, but not a_name_without_any_quotes";
        assert_eq!(tests(text).collect::<Vec<_>>(), ["a_test_has_a_long_name"]);
    }
}
