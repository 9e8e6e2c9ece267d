//! `serve`: questions about a store, from agents and programs.

use std::fmt::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use spaxiom_embedding::{Run, SiteMap, Sites};
use spaxiom_serve::{Desk, Tokens, serve_http, serve_mcp};

use crate::args::{BackendArgs, StoreArgs};
use crate::exit::{Exit, WrongUse};
use crate::{clock, output};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask serve --run runs/warehouse --store stores/warehouse\n  \
    curl -s localhost:8321/v1/search -H 'content-type: application/json' -d '{\"text\": \"queues in loading zones\"}'\n  \
    spaxiom-embed serve --run runs/warehouse --store stores/warehouse --mcp stdio\n\n\
    spaxiom-embed serve --new-token dashboard >> tokens.toml\n  \
    cargo xtask serve --run runs/warehouse --store stores/warehouse --listen 0.0.0.0:8321 --tokens tokens.toml\n\n\
    docs/agents.md says how to connect an agent.")]
pub(crate) struct ServeArgs {
    /// Run that filled the store
    #[arg(long, required_unless_present = "new_token")]
    pub(crate) run: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: Option<StoreArgs>,
    /// Address to listen on; one that other machines reach needs `--tokens`, and port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8321", conflicts_with = "mcp")]
    pub(crate) listen: SocketAddr,
    /// Who may ask: a file with a section for each, made of what `--new-token` prints
    #[arg(long, value_name = "FILE", conflicts_with = "mcp")]
    pub(crate) tokens: Option<PathBuf>,
    /// Print a new token for somebody of this name, and the lines for the file of tokens, and end
    #[arg(long, value_name = "NAME", exclusive = true)]
    pub(crate) new_token: Option<String>,
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
    if let Some(name) = &args.new_token {
        return new_token(name);
    }
    let (Some(path), Some(store)) = (&args.run, &args.store) else {
        return Err(WrongUse("`serve` needs `--run` and `--store`".into()).into());
    };
    let tokens = args.tokens.as_deref().map(Tokens::load).transpose()?;
    let run = Run::open(path)?;
    let engine = args.backend.engine_for(&run)?;
    let mut pipeline = store.place()?.pipeline(&run, engine.as_ref())?;
    if let Some(path) = &args.site_map {
        pipeline = pipeline.with_sites(&Sites::new(&SiteMap::load(path)?, None));
    }
    let desk = Arc::new(Desk::new(pipeline, &path.display().to_string(), clock::utc)?);
    if args.mcp == Some(Transport::Stdio) {
        serve_mcp(desk)?;
        return Ok(Exit::Done);
    }
    let listening = |address: SocketAddr| {
        output::text(&format!("http://{address}\n"));
        tracing::info!("a page for people; agents connect to http://{address}/mcp; Ctrl-C ends");
    };
    serve_http(desk, args.listen, tokens, listening)?;
    Ok(Exit::Done)
}

/// A token that nobody guesses, and the lines that let it in.
fn new_token(name: &str) -> anyhow::Result<Exit> {
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
    output::text(&Tokens::entry(name, &token));
    tracing::info!("the token of `{name}`, which is kept nowhere: {token}");
    Ok(Exit::Done)
}
