//! `search --unusual`: moments unlike those of other days.

use std::fmt::Write;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use spaxiom_embedding::{Filter, Nearest, StoreSearch, Unusual, VectorStore};

use super::args::SearchArgs;
use crate::exit::{Exit, WrongUse};
use crate::output;

/// Searches and prints.
pub(super) fn run(args: &SearchArgs, store: &dyn VectorStore, filter: &Filter, json: bool) -> anyhow::Result<Exit> {
    if args.evidence || args.all {
        let flag = if args.evidence { "--evidence" } else { "--all" };
        return Err(WrongUse(format!("`{flag}` does nothing for `--unusual`: leave it out")).into());
    }
    let style = ProgressStyle::with_template("look at events [{bar:30}] {pos}/{len} {eta} left")
        .expect("a constant template")
        .progress_chars("=> ");
    let bar = ProgressBar::new(0).with_style(style);
    let mut progress = |n_done: usize, n: usize| {
        bar.set_length(n as u64);
        bar.set_position(n_done as u64);
    };
    let found = StoreSearch::new(store).unusual(args.k, filter, args.look_at, &mut progress)?;
    bar.finish_and_clear();
    if json {
        output::json(&json!({"hits": found}))?;
    } else {
        output::text(&table(&found));
    }
    Ok(Exit::Done)
}

/// One line a moment: how unusual, what, where and when, and the nearest moment of another day.
fn table(found: &[Unusual]) -> String {
    if found.is_empty() {
        return "nothing has three other days to compare with\n".into();
    }
    let mut text =
        format!("{:>8}  {:<20} {:<14} {:<16} {:<30} nearest other day\n", "unusual", "type", "site", "zone", "time");
    for Unusual { unusual, hit, nearest: Nearest { id: _, time: nearest, similarity } } in found {
        let zone = hit.zone.as_deref().unwrap_or("-");
        let time = hit.local_time.as_deref().unwrap_or(&hit.time);
        let (kind, site) = (&hit.kind, &hit.site);
        let _ = writeln!(
            text,
            "{unusual:>8.3}  {kind:<20} {site:<14} {zone:<16} {time:<30} {nearest} ({similarity:.3})  {}",
            hit.id
        );
    }
    text
}
