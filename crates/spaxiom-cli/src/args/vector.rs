//! Names of parts of vectors on the command line.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use spaxiom_embedding::VectorName;

pub(crate) fn vector_parser() -> impl TypedValueParser<Value = VectorName> {
    let value = |name: VectorName| {
        PossibleValue::new(name.as_str()).help(match name {
            VectorName::Both => "Encoder and memory",
            VectorName::Encoder => "What the encoder makes of the last events alone",
            VectorName::Memory => "What the memory holds of everything before alone",
        })
    };
    let known = "one of the possible values";
    PossibleValuesParser::new(VectorName::ALL.map(value)).map(move |name| VectorName::from_name(&name).expect(known))
}
