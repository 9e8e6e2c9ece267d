//! `cargo xtask reproduce`: makes the tables of the docs again, each by its commands.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::bail;

use crate::process;

const HELP: &str = "\
cargo xtask reproduce: make the tables of the docs again, from nothing

  cargo xtask reproduce hospital           docs/case-study.md: twenty hospitals, three seeds (10 minutes)
  cargo xtask reproduce warehouse          docs/results.md, simulated warehouses (10 minutes)
  cargo xtask reproduce homes --datasets DIR   docs/results.md, two real homes (25 minutes)
  cargo xtask reproduce hospital --out DIR

Without --out everything is written below target/reproduce/NAME, which must not be there yet.
The homes are no part of the project: DIR holds casas_aruba_10d and casas_al_smarthome, as CASAS gives them.
";

/// A recipe: its name, and commands of the program in which `{out}` stands for the folder, and `{datasets}` for that of the data.
struct Recipe {
    name: &'static str,
    commands: &'static [&'static str],
}

const RECIPES: [Recipe; 3] = [
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
    Recipe {
        name: "homes",
        commands: &[
            "demo --data {datasets}/casas_aruba_10d/data_aruba_formatted_10days.txt --format casas --out {out}/aruba",
            "eval --run {out}/aruba/pretrained --data {datasets}/casas_aruba_10d/data_aruba_formatted_10days.txt --format casas --skeptic",
            "pretrain --config xtask/experiments/al.toml --data {datasets}/casas_al_smarthome/data --format casas --out {out}/al",
            "eval --run {out}/al --data {datasets}/casas_al_smarthome/data --format casas --refit --probe-events 40000 --test-events 20000 --skeptic",
        ],
    },
];

/// Runs a recipe; each command is built with the features that it needs.
///
/// # Errors
/// A name that is no recipe, a folder that is there, and a command that fails.
pub(crate) fn run(root: &Path, words: &[&str]) -> anyhow::Result<()> {
    if let ["--help" | "-h"] = words {
        process::print(HELP);
        return Ok(());
    }
    let Asked { name, out, datasets } = asked(words)?;
    let Some(recipe) = RECIPES.iter().find(|recipe| recipe.name == name) else {
        let names: Vec<&str> = RECIPES.iter().map(|recipe| recipe.name).collect();
        bail!("nothing is called `{name}`; there are {}", names.join(", "));
    };
    let needs_data = recipe.commands.iter().any(|command| command.contains("{datasets}"));
    if needs_data != datasets.is_some() {
        let verb = if needs_data { "wants" } else { "has no use for" };
        bail!("`{name}` {verb} `--datasets DIR`");
    }
    let out = out.map_or_else(|| root.join("target/reproduce").join(name), PathBuf::from);
    if out.exists() {
        bail!("`{}` is there already: remove it, or name another folder by --out", out.display());
    }
    let xtask = std::env::current_exe()?;
    for command in recipe.commands {
        let datasets = datasets.unwrap_or_default();
        let filled = |word: &str| word.replace("{out}", &out.to_string_lossy()).replace("{datasets}", datasets);
        let words = command.split(' ').map(filled);
        process::run(Command::new(&xtask).current_dir(root).args(words))?;
    }
    Ok(())
}

/// The words of the command.
#[derive(Debug, PartialEq)]
struct Asked<'w> {
    name: &'w str,
    out: Option<&'w str>,
    datasets: Option<&'w str>,
}

fn asked<'w>(words: &[&'w str]) -> anyhow::Result<Asked<'w>> {
    let [name, rest @ ..] = words else { bail!("`cargo xtask reproduce --help` says what it takes") };
    let mut asked = Asked { name, out: None, datasets: None };
    for pair in rest.chunks(2) {
        match pair {
            ["--out", out] => asked.out = Some(out),
            ["--datasets", datasets] => asked.datasets = Some(datasets),
            _ => bail!("`{}` is not understood: `cargo xtask reproduce --help` says what it takes", pair[0]),
        }
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};

    #[test]
    fn flags_come_in_any_order_and_others_are_named() {
        let want = Asked { name: "homes", out: Some("o"), datasets: Some("d") };
        assert_eq!(asked(&["homes", "--datasets", "d", "--out", "o"]).expect("both are flags"), want);
        assert!(asked(&["homes", "--data", "d"]).expect_err("no flag").to_string().contains("`--data`"));
        assert!(asked(&["homes", "--out"]).is_err() && asked(&[]).is_err());
    }
}
