//! Steps of pretraining over given windows, so that they can be timed.

use std::path::Path;

use spaxiom_event::EventSequence;
use spaxiom_objective::{Example, InOrder, Observer, Trainer, TrainingSet};
use spaxiom_token::{EventSpan, TokenSequence, Tokenizer};

use crate::config::RunConfig;
use crate::engine::{Engine, ModelShape, TrainingInput};
use crate::error::EmbeddingError;
use crate::train::pretexts;

/// Trains for `config.train.max_steps` steps on the windows, over and over, and drops what was learnt.
///
/// A step takes `config.train.batch_size` windows of about one length. The observer is told of every step; `scratch` is a file that may be overwritten.
///
/// # Errors
/// As [`crate::pretrain`].
pub fn training_steps(
    config: &RunConfig,
    tokenizer: &Tokenizer,
    windows: &[EventSequence],
    engine: &dyn Engine,
    observer: &mut dyn Observer,
    scratch: &Path,
) -> Result<(), EmbeddingError> {
    config.check()?;
    let tokens: Vec<_> = windows.iter().map(|window| tokenizer.tokenize(window)).collect();
    let example = |(tokens, events)| {
        let tokens: &TokenSequence = tokens;
        Example { events: Some(EventSpan::whole(events)), ..Example::new(tokens.window(0, tokens.n_positions())) }
    };
    let examples: Vec<Example<'_>> = tokens.iter().zip(windows).map(example).collect();
    let few = config.train.batch_size.min(examples.len());
    let (train, validation) = (InOrder::new(&examples), &examples[..few]);
    let pretexts = pretexts(config, tokenizer)?;
    let trainer = Trainer::new(config.train.clone())?;
    let input = TrainingInput {
        trainer: &trainer,
        data: TrainingSet::new(&train, validation),
        resume: None,
        checkpoint_path: scratch,
        observer,
        seed: config.train.seed,
    };
    engine.pretrain(&ModelShape::new(config.encoder.clone(), tokenizer), &pretexts, input)?;
    Ok(())
}
