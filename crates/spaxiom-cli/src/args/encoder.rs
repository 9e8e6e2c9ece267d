//! Names of encoders on the command line, and the name of none.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use spaxiom_embedding::{EncoderKind, RunConfig};

const MEMORY: &str = "memory";

/// An encoder, or a memory alone.
#[derive(Debug, Clone, Copy)]
pub(crate) enum EncoderChoice {
    Memory,
    Learned(EncoderKind),
}

#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct EncoderArgs {
    /// Encoder [default: transformer, or what the experiment file says]
    #[arg(long, value_parser = encoder_parser(), help_heading = "Model")]
    pub(crate) encoder: Option<EncoderChoice>,
}

impl EncoderArgs {
    /// The configuration with the encoder that was asked for.
    pub(crate) fn applied(self, config: RunConfig) -> RunConfig {
        match self.encoder {
            Some(EncoderChoice::Memory) => config.with_memory_alone(),
            Some(EncoderChoice::Learned(kind)) => config.with_encoder(kind),
            None => config,
        }
    }
}

fn encoder_parser() -> impl TypedValueParser<Value = EncoderChoice> {
    let learned = EncoderKind::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let memory = PossibleValue::new(MEMORY).help("No encoder: vectors are a memory alone, and nothing is trained");
    PossibleValuesParser::new(learned.chain([memory])).try_map(|name| {
        if name == MEMORY {
            Ok(EncoderChoice::Memory)
        } else {
            EncoderKind::from_str(&name, false).map(EncoderChoice::Learned)
        }
    })
}
