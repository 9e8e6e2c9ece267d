//! `cargo xtask reproduce`: makes the tables of the docs again, each by its commands.

use std::path::Path;
use std::process::Command;

use anyhow::bail;

use crate::process;

const HELP: &str = "\
cargo xtask reproduce: make the tables of the docs again, from nothing

  cargo xtask reproduce hospital           docs/case-study.md: twenty hospitals, three seeds (10 minutes)
  cargo xtask reproduce warehouse          docs/results.md, simulated warehouses (10 minutes)
  cargo xtask reproduce hospital --out DIR

Without --out everything is written below target/reproduce/NAME, which must not be there yet.
";

/// A recipe: its name, and commands of the program in which `{out}` stands for the folder.
struct Recipe {
    name: &'static str,
    commands: &'static [&'static str],
}

const RECIPES: [Recipe; 2] = [
    Recipe {
        name: "hospital",
        commands: &[
            "simulate --scenario hospital --sites 20 --days 90 --seed 3 --out {out}/data",
            "pretrain --data {out}/data --config xtask/experiments/hospital.toml --out {out}/memory",
            "finetune --task fall-risk --labels 8000 --seed 0 --from {out}/memory --data {out}/data --out {out}/falls-0",
            "finetune --task fall-risk --labels 8000 --seed 1 --from {out}/memory --data {out}/data --out {out}/falls-1",
            "finetune --task fall-risk --labels 8000 --seed 2 --from {out}/memory --data {out}/data --out {out}/falls-2",
            "eval --run {out}/falls-1 --data {out}/data",
            "eval --run {out}/falls-2 --data {out}/data",
            "eval --run {out}/falls-0 --data {out}/data --skeptic",
        ],
    },
    Recipe {
        name: "warehouse",
        commands: &[
            "demo --out {out}/demo",
            "eval --run {out}/demo/classifier --from {out}/demo/pretrained --data {out}/demo/data",
        ],
    },
];

/// Runs a recipe; each command is built with the features that it needs.
///
/// # Errors
/// A name that is no recipe, a folder that is there, and a command that fails.
pub(crate) fn run(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    let (name, out) = match words {
        ["--help" | "-h"] => {
            process::print(HELP);
            return Ok(());
        }
        [name] => (*name, root.join("target/reproduce").join(name)),
        [name, "--out", out] => (*name, Path::new(out).to_owned()),
        _ => bail!("`cargo xtask reproduce --help` says what it takes"),
    };
    let Some(recipe) = RECIPES.iter().find(|recipe| recipe.name == name) else {
        let names: Vec<&str> = RECIPES.iter().map(|recipe| recipe.name).collect();
        bail!("nothing is called `{name}`; there are {}", names.join(", "));
    };
    if out.exists() {
        bail!("`{}` is there already: remove it, or name another folder by --out", out.display());
    }
    let xtask = std::env::current_exe()?;
    for command in recipe.commands {
        let words = command.split(' ').map(|word| word.replace("{out}", &out.to_string_lossy()));
        process::run(Command::new(&xtask).current_dir(root).args(words))?;
    }
    Ok(())
}
