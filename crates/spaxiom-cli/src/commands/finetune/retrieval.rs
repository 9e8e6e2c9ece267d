//! `finetune --task retrieval`.

use anyhow::Context;
use spaxiom_embedding::{Flow, Run, TextJob, TextSummary, TextTrainOptions, fit_text};

use super::args::FinetuneArgs;
use crate::exit::Exit;
use crate::{observer, output, stop};

/// Steps between lines of the log, where there is no terminal.
const TOLD_EVERY: u64 = 100;

pub(super) fn run(args: &FinetuneArgs, json: bool) -> anyhow::Result<Exit> {
    let FinetuneArgs { task: _, from, config, data, train, fall_risk: _, backend } = args;
    let from = Run::open(from.as_deref().context("`--from` names the run to start from")?)?;
    let mut options = match config {
        Some(path) => toml::from_str(&fs_err::read_to_string(path)?)
            .with_context(|| format!("`{}` has the settings of `finetune --task retrieval`", path.display()))?,
        None => TextTrainOptions::default(),
    };
    options.max_steps = train.max_steps.unwrap_or(options.max_steps);
    let engine = backend.engine_for(&from)?;
    let data = data.load()?;
    let folder = train.folder();
    let n_steps = usize::try_from(options.max_steps)?;
    let job = TextJob { options, seed: train.seed.unwrap_or(0), data: &data, from: &from, run: &folder };
    let bar = observer::counter("finetune", n_steps);
    stop::listen();
    let trained = fit_text(job, engine.as_ref(), &mut |step, loss| {
        bar.set_position(step);
        bar.set_message(format!("loss {loss:.3}"));
        if bar.is_hidden() && step % TOLD_EVERY == 0 {
            tracing::info!("step {step}: loss {loss:.3}");
        }
        if stop::asked() { Flow::Stop } else { Flow::Continue }
    });
    stop::listen_no_more();
    let summary = trained?;
    bar.finish_and_clear();
    if json {
        output::json(&summary)?;
    } else {
        output::text(&text(&folder.path().display().to_string(), &summary));
    }
    // What was learned up to then is kept, and can be used.
    Ok(if stop::asked() { Exit::Interrupted } else { Exit::of_rejected(data.n_rejected() as u64, false) })
}

fn text(path: &str, summary: &TextSummary) -> String {
    let TextSummary { n_events, n_types, causes, steps, loss } = summary;
    let causes = if causes.is_empty() {
        "no labels, so no causes".to_owned()
    } else {
        format!("texts name {}", causes.join(", "))
    };
    format!(
        "{path}: a text encoder, trained in {steps} steps on texts about {n_events} events of {n_types} types; {causes}\n\
        loss {loss:.3} nats; `eval` compares it with the filter alone, `search --text` ranks by it\n"
    )
}
