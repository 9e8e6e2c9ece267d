//! Names of objectives on the command line.

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use spaxiom_embedding::ObjectiveName;

/// Objectives that are trained together.
#[derive(Debug, Clone)]
pub(crate) struct Objectives(pub(crate) Vec<ObjectiveName>);

/// Objectives joined by +.
pub(crate) fn objectives(text: &str) -> Result<Objectives, String> {
    text.split('+').map(objective).collect::<Result<_, _>>().map(Objectives)
}

/// The objectives of pretraining: those that need no labels.
pub(crate) fn objective_parser() -> impl TypedValueParser<Value = ObjectiveName> {
    PossibleValuesParser::new(values()).try_map(|name| objective(&name))
}

fn objective(name: &str) -> Result<ObjectiveName, String> {
    let found = ObjectiveName::from_str(name, false).ok().filter(|name| !name.needs_classes());
    found.ok_or_else(|| {
        let known: Vec<String> = values().iter().map(|value| value.get_name().to_owned()).collect();
        format!("no objective is called `{name}`; there are {}", known.join(", "))
    })
}

fn values() -> Vec<PossibleValue> {
    let all = ObjectiveName::ALL.iter().filter(|name| !name.needs_classes());
    all.filter_map(ValueEnum::to_possible_value).collect()
}
