//! Configurations of older formats.
//!
//! Format 3 had the settings of each objective in a section of its own and the weights in `[objectives]`;
//! since format 4 an objective is one section, `[objectives.NAME]`, with its weight.

use toml::{Table, Value};

/// The sections of format 3, and where their settings are now.
const MOVED: [(&str, &str); 7] = [
    ("masking", "mep"),
    ("next-event", "nep"),
    ("jigsaw", "jigsaw"),
    ("link-prediction", "link"),
    ("contrast", "info-nce"),
    ("triplet", "triplet"),
    ("classify", "classify"),
];

/// What to write instead, if an experiment file has a section of format 3.
pub(super) fn moved(written: &Table) -> Option<String> {
    let (old, new) = MOVED.into_iter().find(|(old, _)| written.contains_key(*old)).unzip();
    if let (Some(old), Some(new)) = (old, new) {
        return Some(format!("the settings of [{old}] are in [objectives.{new}] now"));
    }
    let objectives = written.get("objectives")?.as_table()?;
    let (name, weight) = objectives.iter().find(|(_, value)| value.is_float() || value.is_integer())?;
    Some(format!("an objective is a section: write [objectives.{name}] and below it weight = {weight}"))
}

/// An archived configuration in the form of this build.
pub(super) fn upgraded(mut config: Table) -> Table {
    if !MOVED.iter().any(|(old, _)| config.contains_key(*old)) {
        return config;
    }
    let mut sections: Vec<(&str, Table)> = Vec::new();
    for (old, new) in MOVED {
        if let Some(Value::Table(section)) = config.remove(old) {
            sections.push((new, section));
        }
    }
    let settings = |name: &str| sections.iter().find(|(of, _)| *of == name).map(|(_, section)| section.clone());
    // Node attributes were chosen by the ratio and the spans of masked events.
    let of_nodes = || {
        let masking = settings("mep")?;
        Some(masking.into_iter().filter(|(name, _)| name == "ratio" || name == "max-span").collect::<Table>())
    };
    let is_classifier = config.get("task").and_then(Value::as_str) == Some("classify");
    let weights = match config.remove("objectives") {
        _ if is_classifier => Table::from_iter([("classify".to_owned(), Value::Float(1.0))]),
        Some(Value::Table(weights)) => weights,
        _ => Table::from_iter([("mep".to_owned(), Value::Float(1.0))]),
    };
    let objectives = weights.into_iter().map(|(name, weight)| {
        let own = if name == "node" { of_nodes() } else { settings(&name) };
        let mut section = own.unwrap_or_default();
        section.insert("weight".into(), weight);
        (name, Value::Table(section))
    });
    let objectives = Value::Table(objectives.collect());
    config.insert("objectives".into(), objectives);
    config
}

#[cfg(test)]
mod tests {
    use super::{moved, upgraded};

    fn table(text: &str) -> toml::Table {
        toml::from_str(text).expect("a table of the test")
    }

    #[test]
    fn the_settings_of_each_objective_move_into_its_section() {
        let old = "task = 'pretrain'\n[objectives]\nmep = 1.0\nnode = 0.5\n[masking]\nratio = 0.3\nhidden = 0.8\n\
            replaced = 0.1\nmax-span = 2\n[contrast]\ntemperature = 0.1\n[classify]\nfocal-gamma = 0.0\n";
        let new = "task = 'pretrain'\n[objectives.mep]\nweight = 1.0\nratio = 0.3\nhidden = 0.8\nreplaced = 0.1\nmax-span = 2\n\
            [objectives.node]\nweight = 0.5\nratio = 0.3\nmax-span = 2\n";
        assert_eq!(upgraded(table(old)), table(new));
        assert_eq!(upgraded(table(new)), table(new));
    }

    #[test]
    fn a_classifier_has_its_own_objective_alone() {
        let old = "task = 'classify'\n[objectives]\nmep = 1.0\n[masking]\nratio = 0.3\n[classify]\nfocal-gamma = 2.0\n";
        let new = "task = 'classify'\n[objectives.classify]\nweight = 1.0\nfocal-gamma = 2.0\n";
        assert_eq!(upgraded(table(old)), table(new));
    }

    #[test]
    fn an_old_experiment_file_is_told_where_its_settings_are_now() {
        let check = |text: &str, want: Option<&str>| assert_eq!(moved(&table(text)).as_deref(), want, "{text}");
        check("[masking]\nratio = 0.3\n", Some("the settings of [masking] are in [objectives.mep] now"));
        check(
            "[objectives]\ninfo-nce = 0.5\n",
            Some("an objective is a section: write [objectives.info-nce] and below it weight = 0.5"),
        );
        check("[objectives.mep]\nweight = 2.0\n", None);
        check("preset = 'tiny'\n", None);
    }
}
