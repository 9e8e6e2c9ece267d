//! `serve`: questions about a store, from agents and programs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use spaxiom_embedding::{Run, SiteMap, Sites};
use spaxiom_serve::{Desk, serve_http, serve_mcp};

use crate::args::{BackendArgs, StoreArgs};
use crate::exit::{Exit, WrongUse};
use crate::{clock, output};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask serve --run runs/warehouse --store stores/warehouse\n  \
    curl -s localhost:8321/v1/search -H 'content-type: application/json' -d '{\"text\": \"queues in loading zones\"}'\n  \
    spaxiom-embed serve --run runs/warehouse --store stores/warehouse --mcp stdio\n\n\
    docs/agents.md says how to connect an agent.")]
pub(crate) struct ServeArgs {
    /// Run that filled the store
    #[arg(long)]
    pub(crate) run: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    /// Address of this machine; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8321", conflicts_with = "mcp")]
    pub(crate) listen: SocketAddr,
    /// Serve one agent over standard input and output instead
    #[arg(long, value_name = "TRANSPORT")]
    pub(crate) mcp: Option<Transport>,
    /// Site map (TOML) of sites that training did not have: their clocks, and what zones are for
    #[arg(long, value_name = "FILE")]
    pub(crate) site_map: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) backend: BackendArgs,
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
    let run = Run::open(&args.run)?;
    let engine = args.backend.engine_for(&run)?;
    let mut pipeline = args.store.place()?.pipeline(&run, engine.as_ref())?;
    if let Some(path) = &args.site_map {
        pipeline = pipeline.with_sites(&Sites::new(&SiteMap::load(path)?, None));
    }
    let desk = Arc::new(Desk::new(pipeline, &args.run.display().to_string(), clock::utc)?);
    if args.mcp == Some(Transport::Stdio) {
        serve_mcp(desk)?;
        return Ok(Exit::Done);
    }
    let listening = |address: SocketAddr| {
        output::text(&format!("http://{address}\n"));
        tracing::info!("a page for people; agents connect to http://{address}/mcp; Ctrl-C ends");
    };
    serve_http(desk, args.listen, listening)?;
    Ok(Exit::Done)
}
