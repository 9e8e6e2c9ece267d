//! `serve`: questions about a store, from agents, programs and people; and events into it.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use spaxiom_embedding::{EmbeddingPipeline, ReadOptions, Run, Sites};
use spaxiom_serve::{Asker, Desk, Right, Server, Tokens, Writer, WriterOptions, serve_http, serve_mcp};
use spaxiom_stream::StreamOptions;

use crate::args::{AlertArgs, BackendArgs, ReadArgs, StorePlace, Unechoed, open_sinks};
use crate::exit::{Exit, WrongUse};
use crate::{clock, output};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask serve --run runs/warehouse --store stores/warehouse\n  \
    curl -s localhost:8321/v1/search -H 'content-type: application/json' -d '{\"text\": \"queues in loading zones\"}'\n  \
    cargo xtask serve --run runs/warehouse --store stores/live --allow-write --alerts stdout\n  \
    curl -s localhost:8321/v1/events --data-binary @today.jsonl\n  \
    spaxiom-embed serve --run runs/warehouse --store stores/warehouse --mcp stdio\n\n  \
    spaxiom-embed serve --new-token gateway --rights read,ingest --sites dc-4 >> tokens.toml\n  \
    cargo xtask serve --run runs/warehouse --store stores/warehouse --listen 0.0.0.0:8321 --tokens tokens.toml\n\n\
    docs/server.md has the routes, docs/agents.md says how to connect an agent.")]
pub(crate) struct ServeArgs {
    /// Run that filled the store
    #[arg(long, required_unless_present = "new_token")]
    pub(crate) run: Option<PathBuf>,
    /// Folder of the store, or `postgres://USER@HOST/DATABASE?schema=NAME`
    #[arg(long, value_name = "STORE", required_unless_present = "new_token")]
    pub(crate) store: Option<Unechoed<StorePlace>>,
    /// Address to listen on; one that other machines reach needs --tokens, and port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8321", conflicts_with = "mcp")]
    pub(crate) listen: SocketAddr,
    /// Who may ask, and what: a file with a section for each, made of what --new-token prints
    #[arg(long, value_name = "FILE", conflicts_with = "mcp")]
    pub(crate) tokens: Option<PathBuf>,
    /// Take events in, acknowledge alerts and keep labels; the store is made where there is none
    #[arg(long)]
    pub(crate) allow_write: bool,
    /// Serve one agent over standard input and output instead
    #[arg(long, value_name = "TRANSPORT")]
    pub(crate) mcp: Option<Transport>,
    /// Print a new token for somebody of this name, and the lines for the file of tokens, and end
    #[arg(long, value_name = "NAME", conflicts_with_all = ["run", "tokens", "mcp"], help_heading = "Tokens")]
    pub(crate) new_token: Option<String>,
    /// What the new token is good for, with commas between
    #[arg(long, value_name = "RIGHTS", requires = "new_token", value_delimiter = ',', value_parser = rights(), default_value = "read", help_heading = "Tokens")]
    pub(crate) rights: Vec<Right>,
    /// The sites that the new token is for, with commas between [default: all]
    #[arg(long, value_name = "SITES", requires = "new_token", value_delimiter = ',', help_heading = "Tokens")]
    pub(crate) sites: Vec<String>,
    #[command(flatten)]
    pub(crate) alerts: AlertArgs,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
}

/// Rights by their names.
fn rights() -> impl TypedValueParser<Value = Right> {
    PossibleValuesParser::new(Right::ALL.map(Right::as_str)).map(|name| {
        Right::ALL.into_iter().find(|right| right.as_str() == name).expect("the names are those of the rights")
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Transport {
    /// Lines of JSON on standard input and output
    Stdio,
}

pub(crate) fn run(args: &ServeArgs, json: bool) -> anyhow::Result<Exit> {
    if json {
        return Err(WrongUse("`--json` does nothing for `serve`, whose answers are JSON: leave it out".into()).into());
    }
    if let Some(name) = &args.new_token {
        return new_token(name, &args.rights, &args.sites);
    }
    let (Some(path), Some(store)) = (&args.run, &args.store) else {
        return Err(WrongUse("`serve` needs `--run` and `--store`".into()).into());
    };
    if args.alerts.is_given() && !args.allow_write {
        return Err(WrongUse("alerts come of events that are taken in: add `--allow-write`".into()).into());
    }
    let tokens = args.tokens.as_deref().map(Tokens::load).transpose()?;
    let read = args.read.options()?;
    let (run, place) = (Run::open(path)?, store.get("--store")?);
    let sites = read.site_map.as_ref().map(|map| Sites::new(map, read.time_zone));
    let (pipeline, writer) = if args.allow_write {
        let (pipeline, writer) = writing(args, &run, place, &read, sites.as_ref())?;
        (pipeline, Some(writer))
    } else {
        (place.pipeline(&run, args.backend.engine_for(&run)?.as_ref())?, None)
    };
    let pipeline = match &sites {
        Some(sites) => pipeline.with_sites(sites),
        None => pipeline,
    };
    let map = read.site_map.unwrap_or_default();
    let desk = Desk::new(pipeline, &path.display().to_string(), map, clock::utc)?;
    if args.mcp == Some(Transport::Stdio) {
        serve_mcp(desk, writer)?;
        return Ok(Exit::Done);
    }
    let listening = |address: SocketAddr| {
        output::text(&format!("http://{address}\n"));
        tracing::info!("a page for people; agents connect to http://{address}/mcp; Ctrl-C ends");
    };
    serve_http(Server { desk, tokens, writer }, args.listen, listening)?;
    Ok(Exit::Done)
}

/// A pipeline that asks, and a thread that writes into the same store with a pipeline of its own.
fn writing(
    args: &ServeArgs,
    run: &Run,
    place: &StorePlace,
    read: &ReadOptions,
    sites: Option<&Sites>,
) -> anyhow::Result<(EmbeddingPipeline, Writer)> {
    let (pipeline, risk) = place.go_on(run, args.backend.engine_for(run)?.as_ref(), sites)?;
    let asking = EmbeddingPipeline::over(run, pipeline.shared_store(), args.backend.engine_for(run)?.as_ref())?;
    let (addresses, password, client) = (args.alerts.addresses()?, args.alerts.password()?, place.client());
    let mut open = move || open_sinks(&addresses, &client, password.as_deref());
    // What cannot be opened at all is told before anybody is served.
    let mut first = Some(open()?);
    let writer = Writer::start(WriterOptions {
        pipeline,
        risk,
        stream: StreamOptions { rules: Some(args.alerts.rules()?), ..StreamOptions::default() },
        sinks: Box::new(move || first.take().map_or_else(&mut open, Ok)),
        read: ReadOptions { threads: Some(1), ..read.clone() },
        now: clock::utc,
    })?;
    Ok((asking, writer))
}

/// A token that nobody guesses, and the lines that let it in.
fn new_token(name: &str, rights: &[Right], sites: &[String]) -> anyhow::Result<Exit> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(WrongUse("`--new-token` wants a name of letters, digits, `-` and `_`".into()).into());
    }
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).context("random bytes of the system")?;
    let token = bytes.iter().fold(String::new(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    });
    output::text(&Tokens::entry(&Asker::new(name, rights, sites), &token));
    tracing::info!("the token of `{name}`, which is kept nowhere: {token}");
    Ok(Exit::Done)
}
