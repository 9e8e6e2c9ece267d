//! The layers: which crate may depend on which, and what it must never name.

use std::path::Path;

use anyhow::Context;

/// One row of the table in `docs/architecture.md`.
struct Layer {
    name: &'static str,
    /// Crates of ours that it may depend on.
    may: &'static [&'static str],
    /// Crates of ours that its tests may use besides.
    tests: &'static [&'static str],
    /// Packages that it must not depend on; its tests may.
    never: &'static [&'static str],
}

const ASYNC: &str = "tokio";

/// The table. It is law: a new edge here is a change of the architecture. A crate of the table may be yet to come.
const LAYERS: [Layer; 15] = [
    Layer { name: "spaxiom-file", may: &[], tests: &[], never: &["burn", "faiss", ASYNC] },
    Layer { name: "spaxiom-event", may: &["spaxiom-file"], tests: &[], never: &["burn", "faiss", ASYNC] },
    Layer { name: "spaxiom-token", may: &["spaxiom-event"], tests: &[], never: &["burn", "faiss", "fs-err"] },
    Layer { name: "spaxiom-sim", may: &["spaxiom-event", "spaxiom-eval"], tests: &[], never: &["burn", "faiss"] },
    Layer { name: "spaxiom-eval", may: &[], tests: &[], never: &["burn", "faiss"] },
    Layer { name: "spaxiom-encoder", may: &["spaxiom-token"], tests: &["spaxiom-event"], never: &["faiss"] },
    Layer {
        name: "spaxiom-objective",
        may: &["spaxiom-file", "spaxiom-token", "spaxiom-encoder"],
        tests: &["spaxiom-event"],
        never: &["faiss"],
    },
    Layer { name: "spaxiom-index", may: &["spaxiom-file"], tests: &[], never: &["burn", ASYNC] },
    Layer {
        name: "spaxiom-embedding",
        may: &[
            "spaxiom-file",
            "spaxiom-event",
            "spaxiom-token",
            "spaxiom-eval",
            "spaxiom-encoder",
            "spaxiom-objective",
            "spaxiom-index",
        ],
        tests: &["spaxiom-sim"],
        never: &["anyhow", "clap", "faiss", ASYNC],
    },
    Layer {
        name: "spaxiom-bench",
        may: &[
            "spaxiom-file",
            "spaxiom-event",
            "spaxiom-token",
            "spaxiom-sim",
            "spaxiom-eval",
            "spaxiom-encoder",
            "spaxiom-objective",
            "spaxiom-index",
            "spaxiom-embedding",
        ],
        tests: &[],
        never: &["faiss"],
    },
    Layer {
        name: "spaxiom-stream",
        may: &["spaxiom-event", "spaxiom-embedding"],
        tests: &["spaxiom-sim"],
        never: &["burn", "faiss"],
    },
    Layer { name: "spaxiom-postgres", may: &["spaxiom-index"], tests: &[], never: &["burn", "faiss"] },
    Layer {
        name: "spaxiom-serve",
        may: &["spaxiom-embedding", "spaxiom-stream"],
        tests: &["spaxiom-sim"],
        never: &["burn", "faiss"],
    },
    Layer {
        name: "spaxiom-cli",
        may: &[
            "spaxiom-embedding",
            "spaxiom-sim",
            "spaxiom-bench",
            "spaxiom-stream",
            "spaxiom-postgres",
            "spaxiom-serve",
        ],
        tests: &[],
        never: &["burn", "faiss"],
    },
    Layer { name: "xtask", may: &[], tests: &[], never: &["burn", "faiss"] },
];

/// Every edge of a manifest that is not in the table.
pub(crate) fn violations(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for folder in crate_folders(root)? {
        let manifest = root.join(&folder).join("Cargo.toml");
        let text = fs_err::read_to_string(&manifest)?;
        let manifest: toml::Table = text.parse().with_context(|| manifest.display().to_string())?;
        violations.extend(of_manifest(&folder, &manifest));
    }
    Ok(violations)
}

/// The names of all crates, as their folders are named.
pub(crate) fn crate_names(root: &Path) -> anyhow::Result<Vec<String>> {
    let folders = crate_folders(root)?.into_iter();
    Ok(folders.map(|folder| folder.trim_start_matches("crates/").to_owned()).collect())
}

pub(crate) fn crate_folders(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut folders = vec!["xtask".to_owned()];
    for entry in fs_err::read_dir(root.join("crates")).context("the folder `crates`")? {
        folders.push(format!("crates/{}", entry?.file_name().to_string_lossy()));
    }
    folders.sort();
    Ok(folders)
}

fn of_manifest(folder: &str, manifest: &toml::Table) -> Vec<String> {
    let name = manifest.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
    let Some(name) = name.filter(|name| folder.ends_with(name)) else {
        return vec![format!("{folder}: the crate has to be called as its folder")];
    };
    let Some(layer) = LAYERS.iter().find(|layer| layer.name == name) else {
        return vec![format!("{name}: is no layer of the table")];
    };
    let dependencies = |of: &str| {
        let table = manifest.get(of).and_then(toml::Value::as_table);
        table.into_iter().flat_map(toml::Table::keys).cloned().collect::<Vec<_>>()
    };
    let of_crate = dependencies("dependencies").into_iter().filter_map(|dependency| violation(layer, &dependency));
    let of_tests = dependencies("dev-dependencies").into_iter().filter_map(|dependency| {
        let is_allowed = layer.may.contains(&dependency.as_str()) || layer.tests.contains(&dependency.as_str());
        let is_wrong = dependency.starts_with("spaxiom-") && !is_allowed;
        is_wrong.then(|| format!("tests of {name} must not depend on {dependency}"))
    });
    of_crate.chain(of_tests).collect()
}

fn violation(layer: &Layer, dependency: &str) -> Option<String> {
    let Layer { name, may, tests: _, never } = layer;
    if dependency.starts_with("spaxiom-") && !may.contains(&dependency) {
        return Some(format!("{name} must not depend on {dependency}"));
    }
    let is_of = |family: &&&str| dependency == **family || dependency.starts_with(&format!("{family}-"));
    never.iter().find(is_of).map(|family| format!("{name} must not name {family}, but depends on {dependency}"))
}

#[cfg(test)]
mod tests {
    use super::{of_manifest, violations};

    #[test]
    fn every_manifest_keeps_to_the_table() {
        let violations = violations(&crate::root()).expect("the manifests can be read");
        assert_eq!(violations, Vec::<String>::new());
    }

    #[test]
    fn an_edge_that_is_not_in_the_table_is_found() {
        let check = |dependency: &str, want: &[&str]| {
            let text = format!("[package]\nname = \"spaxiom-index\"\n[dependencies]\n{dependency} = \"1\"\n");
            let manifest = text.parse().expect("TOML");
            assert_eq!(of_manifest("crates/spaxiom-index", &manifest), want, "{dependency}");
        };
        check("faiss-sys", &[]);
        check("spaxiom-event", &["spaxiom-index must not depend on spaxiom-event"]);
        check("burn", &["spaxiom-index must not name burn, but depends on burn"]);
        check("burn-flex", &["spaxiom-index must not name burn, but depends on burn-flex"]);
    }

    #[test]
    fn tests_have_edges_of_their_own() {
        let check = |dependency: &str, want: &[&str]| {
            let text = format!("[package]\nname = \"spaxiom-embedding\"\n[dev-dependencies]\n{dependency} = \"1\"\n");
            let manifest = text.parse().expect("TOML");
            assert_eq!(of_manifest("crates/spaxiom-embedding", &manifest), want, "{dependency}");
        };
        check("spaxiom-sim", &[]);
        check("anyhow", &[]);
        check("spaxiom-cli", &["tests of spaxiom-embedding must not depend on spaxiom-cli"]);
        let text = "[package]\nname = \"spaxiom-embedding\"\n[dependencies]\nspaxiom-sim = \"1\"\n";
        let manifest = text.parse().expect("TOML");
        let want = ["spaxiom-embedding must not depend on spaxiom-sim"];
        assert_eq!(of_manifest("crates/spaxiom-embedding", &manifest), want);
    }
}
