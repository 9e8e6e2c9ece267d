//! Files of a crate that import each other in a circle.
//!
//! A path between files counts wherever it stands: in `use`, in an expression, in a macro.
//! `mod` and re-exports (`pub use`) do not count: a path through them leads to the file that has the item.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;
use syn::visit::Visit;

use crate::sources;

/// A module by its names from the root of the crate on; the root itself has none.
type Module = Vec<String>;

/// Every circle of every crate, as `crate: a.rs -> b.rs -> a.rs`.
///
/// # Errors
/// A file that cannot be read or parsed.
pub(crate) fn violations(root: &Path) -> anyhow::Result<Vec<String>> {
    let mut violations = Vec::new();
    for (name, src) in sources::crates(root)? {
        let mut texts = BTreeMap::new();
        for path in sources::files(&src, "rs")? {
            let file = path.strip_prefix(&src).unwrap_or(&path).display().to_string();
            texts.insert(file, fs_err::read_to_string(&path)?);
        }
        violations.extend(circles(&texts)?.into_iter().map(|circle| format!("{name}: {circle}")));
    }
    Ok(violations)
}

/// The circles among files, given by their path and text.
fn circles(texts: &BTreeMap<String, String>) -> anyhow::Result<Vec<String>> {
    let mut files = BTreeMap::new();
    for (path, text) in texts {
        let parsed = syn::parse_file(text).with_context(|| path.clone())?;
        let mut paths = Paths::default();
        paths.visit_file(&parsed);
        files.insert(module_of(path), File { path: path.clone(), paths });
    }
    let edges: BTreeMap<&Module, BTreeSet<Module>> =
        files.iter().map(|(module, file)| (module, targets(module, file, &files))).collect();
    let mut circles: Vec<(BTreeSet<&str>, String)> = Vec::new();
    for start in files.keys() {
        let Some(circle) = shortest_circle(start, &edges) else { continue };
        let names: Vec<&str> = circle.iter().map(|module| files[module].path.as_str()).collect();
        let set: BTreeSet<&str> = names.iter().copied().collect();
        if !circles.iter().any(|(known, _)| *known == set) {
            circles.push((set, [&names[..], &names[..1]].concat().join(" -> ")));
        }
    }
    Ok(circles.into_iter().map(|(_, text)| text).collect())
}

struct File {
    path: String,
    paths: Paths,
}

/// The module of a file below `src`.
fn module_of(path: &str) -> Module {
    let names = path.trim_end_matches(".rs").split('/').map(String::from);
    let mut module: Module = names.collect();
    if module.last().is_some_and(|name| ["lib", "main", "mod"].contains(&name.as_str())) {
        module.pop();
    }
    module
}

/// What a file names.
#[derive(Default)]
struct Paths {
    /// Paths that are used, name by name.
    used: Vec<Vec<String>>,
    /// The names that it hands on, and where they come from.
    exported: BTreeMap<String, Vec<String>>,
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        // What only tests use is no part of the crate.
        if !is_test(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if is_test(&item.attrs) {
            return;
        }
        let mut paths = Vec::new();
        flatten(&item.tree, &mut Vec::new(), &mut paths);
        if matches!(item.vis, syn::Visibility::Inherited) {
            self.used.extend(paths.into_iter().map(|(_, path)| path));
        } else {
            self.exported.extend(paths);
        }
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {
        // `pub(crate)` names no file.
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.used.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        // The words of a macro are no syntax yet: only whole paths are told.
        let text = item.tokens.to_string().replace(' ', "");
        for root in ["crate::", "super::"] {
            let after = text.match_indices(root).map(|(at, _)| &text[at..]);
            let path = |text: &str| {
                let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
                text[..end.unwrap_or(text.len())].split("::").map(String::from).collect()
            };
            self.used.extend(after.map(path));
        }
        syn::visit::visit_macro(self, item);
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_cfg = attribute.path().is_ident("cfg");
        is_cfg
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test") || path.is_ident("doctest"))
    })
}

/// The paths of a tree of `use`, each with the name that it gives.
fn flatten(tree: &syn::UseTree, before: &mut Vec<String>, found: &mut Vec<(String, Vec<String>)>) {
    match tree {
        syn::UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, found);
            before.pop();
        }
        syn::UseTree::Name(name) if name.ident == "self" => {
            found.push((before.last().cloned().unwrap_or_default(), before.clone()));
        }
        syn::UseTree::Name(name) => {
            let name = name.ident.to_string();
            found.push((name.clone(), [before.as_slice(), &[name]].concat()));
        }
        syn::UseTree::Rename(rename) => {
            let path = [before.as_slice(), &[rename.ident.to_string()]].concat();
            found.push((rename.rename.to_string(), path));
        }
        syn::UseTree::Glob(_) => found.push((String::new(), before.clone())),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, before, found)),
    }
}

/// The other files that the paths of a file lead to.
fn targets(module: &Module, file: &File, files: &BTreeMap<Module, File>) -> BTreeSet<Module> {
    let led = file.paths.used.iter().filter_map(|path| resolve(module, path, files, 0));
    led.filter(|target| target != module).collect()
}

/// Re-exports that a path is followed through.
const MOST_STEPS: usize = 8;

/// The file that has the item of a path; none outside the crate.
fn resolve(module: &Module, path: &[String], files: &BTreeMap<Module, File>, n_steps: usize) -> Option<Module> {
    let (mut at, mut rest) = match path.first()?.as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (module.clone(), &path[1..]),
        "super" => {
            let n_up = path.iter().take_while(|name| *name == "super").count();
            (module[..module.len().checked_sub(n_up)?].to_vec(), &path[n_up..])
        }
        // A child by its name alone, but no item of another crate.
        _ => (module.clone(), path),
    };
    let is_from_here = !["crate", "self", "super"].contains(&path[0].as_str());
    while let [name, after @ ..] = rest {
        let child = [at.as_slice(), std::slice::from_ref(name)].concat();
        if !files.contains_key(&child) {
            break;
        }
        (at, rest) = (child, after);
    }
    if is_from_here && at == *module {
        return None;
    }
    let exported = rest.first().and_then(|name| files.get(&at)?.paths.exported.get(name));
    if let (Some(exported), true) = (exported, n_steps < MOST_STEPS) {
        let path = [exported.as_slice(), &rest[1..]].concat();
        if let Some(found) = resolve(&at, &path, files, n_steps + 1) {
            return Some(found);
        }
    }
    files.contains_key(&at).then_some(at)
}

/// A shortest way from a file back to itself.
fn shortest_circle(start: &Module, edges: &BTreeMap<&Module, BTreeSet<Module>>) -> Option<Vec<Module>> {
    let mut ways: Vec<Vec<Module>> = vec![vec![start.clone()]];
    let mut seen: BTreeSet<Module> = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for next in way.last().and_then(|last| edges.get(last)).into_iter().flatten() {
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    longer.push([way.as_slice(), std::slice::from_ref(next)].concat());
                }
            }
        }
        ways = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{circles, violations};

    fn check(files: &[(&str, &str)], want: &[&str]) {
        let texts = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        assert_eq!(circles(&texts).expect("Rust"), want);
    }

    #[test]
    fn no_files_import_each_other_in_a_circle() {
        assert_eq!(violations(&crate::root()).expect("the sources can be read"), Vec::<String>::new());
    }

    #[test]
    fn a_circle_is_found_wherever_its_paths_stand() {
        let root = ("lib.rs", "mod a; mod b; mod c;");
        check(
            &[root, ("a.rs", "use crate::b::B; struct A;"), ("b.rs", "struct B(crate::a::A);")],
            &["a.rs -> b.rs -> a.rs"],
        );
        check(
            &[root, ("a.rs", "use super::b::f;"), ("b.rs", "fn f() { log!(\"{}\", crate::a::NAME) }")],
            &["a.rs -> b.rs -> a.rs"],
        );
        check(&[root, ("a.rs", "use crate::b::B;"), ("b.rs", "use crate::c::C;"), ("c.rs", "struct C;")], &[]);
    }

    #[test]
    fn a_path_through_a_re_export_leads_to_the_item() {
        let root = ("lib.rs", "mod a; mod room; pub use crate::room::Thing;");
        let room = ("room.rs", "mod thing; mod user; pub(crate) use self::thing::Thing; pub use self::user::User;");
        let thing = ("room/thing.rs", "pub struct Thing;");
        check(
            &[root, room, thing, ("a.rs", "pub struct A;"), ("room/user.rs", "use super::Thing; use crate::a::A;")],
            &[],
        );
        let back = ("room/thing.rs", "use crate::room::User; pub struct Thing;");
        check(
            &[root, room, back, ("a.rs", ""), ("room/user.rs", "use super::Thing;")],
            &["room/thing.rs -> room/user.rs -> room/thing.rs"],
        );
    }

    #[test]
    fn a_parent_that_uses_its_child_and_is_used_by_it_is_a_circle() {
        let child = ("a/child.rs", "use super::Options;");
        check(
            &[("lib.rs", "mod a;"), ("a.rs", "mod child; struct Options; fn f() { child::run() }"), child],
            &["a.rs -> a/child.rs -> a.rs"],
        );
    }

    #[test]
    fn tests_do_not_count() {
        let a = ("a.rs", "use crate::b::B; struct A;");
        check(
            &[("lib.rs", "mod a; mod b;"), a, ("b.rs", "struct B; #[cfg(test)] mod tests { use crate::a::A; }")],
            &[],
        );
    }
}
