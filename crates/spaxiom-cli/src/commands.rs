//! The commands: one file each, with the words and the work of a command, and one row each in the table.

mod ablate;
mod bench;
mod check;
mod convert;
mod demo;
mod embed;
mod eval;
mod finetune;
mod index;
mod predict;
mod pretrain;
mod search;
mod serve;
mod simulate;
mod stream;

use clap::Subcommand;

use crate::exit::Exit;

macro_rules! commands {
    ($($(#[doc = $doc:literal])* $name:ident($module:ident::$args:ident);)*) => {
        #[derive(Debug, Subcommand)]
        pub(crate) enum Command {
            $($(#[doc = $doc])* $name($module::$args),)*
        }

        impl Command {
            /// Does the work of the command; `json` asks for one JSON document on stdout.
            pub(crate) fn run(&self, json: bool) -> anyhow::Result<Exit> {
                match self {
                    $(Self::$name(args) => $module::run(args, json),)*
                }
            }
        }
    };
}

commands! {
    /// Simulate buildings with hidden causes
    Simulate(simulate::SimulateArgs);
    /// Read events, validate them, count them and report bad lines
    Check(check::CheckArgs);
    /// Read events in one format and write them in another
    Convert(convert::ConvertArgs);
    /// Train an encoder without labels
    Pretrain(pretrain::PretrainArgs);
    /// Train a pretrained encoder for a task with labels
    Finetune(finetune::FinetuneArgs);
    /// Write the vectors of events to a file
    Embed(embed::EmbedArgs);
    /// Predict the next events of a site, and event counts for the next minutes
    Predict(predict::PredictArgs);
    /// Embed events into a store and index them
    Index(index::IndexArgs);
    /// Find the events nearest to one
    Search(search::SearchArgs);
    /// Take events in as they come, and send alerts
    Stream(stream::StreamArgs);
    /// Answer questions about a store: a page for people, MCP for agents, HTTP for programs
    Serve(serve::ServeArgs);
    /// Compare a run with controls on sites and days that training never saw
    Eval(eval::EvalArgs);
    /// Pretrain with several sets of objectives and seeds, and compare frozen vectors with the untrained encoder
    Ablate(ablate::AblateArgs);
    /// Time this program, beside the Python programs that do the same work
    Bench(bench::BenchArgs);
    /// Run everything once: simulate, check, pretrain, finetune, index, search, eval
    Demo(demo::DemoArgs);
}
