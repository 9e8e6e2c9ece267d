//! `index`: events into a store, and what a store needs.

mod args;
mod build;
mod exchange;
mod kind;
mod upkeep;

pub(crate) use self::args::{IndexAction, IndexAddArgs, IndexArgs, IndexBuildArgs};
pub(crate) use self::kind::{IndexFlags, KindChoice};
use crate::exit::Exit;

pub(crate) fn run(args: &IndexArgs, json: bool) -> anyhow::Result<Exit> {
    match &args.action {
        IndexAction::Build(args) => build::build(args, json),
        IndexAction::Add(args) => build::add(args, json),
        IndexAction::Delete(args) => upkeep::delete(args, json),
        IndexAction::Compact(args) => upkeep::compact(args, json),
        IndexAction::Stats(args) => upkeep::stats(args, json),
        IndexAction::Verify(args) => upkeep::verify(args, json),
        IndexAction::Snapshot(args) => upkeep::snapshot(args, json),
        IndexAction::Restore(args) => upkeep::restore(args, json),
        IndexAction::Export(args) => exchange::export(args, json),
        IndexAction::Import(args) => exchange::import(args, json),
    }
}
