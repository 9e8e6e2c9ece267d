//! The desk for agents: seven tools, two prompts, by the Model Context Protocol.

use std::fmt::Write;
use std::sync::Arc;

use rmcp::handler::server::router::prompt::PromptRouter;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{
    CallToolResult, ContentBlock, Implementation, PromptMessage, Role, ServerCapabilities, ServerConfig,
};
use rmcp::{ServerHandler, ServiceExt, prompt, prompt_handler, prompt_router, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::desk::{AlertsAsked, ContextAsked, CountAsked, Desk, ExplainAsked, SearchAsked, SimilarAsked};
use crate::error::ServeError;

const INSTRUCTIONS: &str = "A store of events from sensors in buildings, each as a vector of its moment: what happened up to then. \
Begin with describe_store; names of types, zones and sites must be ones that it lists. search_events finds moments by words, by an event, or by limits; \
find_similar finds moments like a stored one, and every hit says what followed it. A similarity means something above usual_similarity.p99. \
Times are on the clock of the site. Nothing can be changed.";

/// What an agent talks to.
#[derive(Clone)]
pub struct Agent {
    desk: Arc<Desk>,
    tool_router: ToolRouter<Self>,
    prompt_router: PromptRouter<Self>,
}

/// A moment that somebody asks about.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Before {
    /// What happened, in words, or the id of an event
    what: String,
}

/// A stretch of time.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct Shift {
    /// The site
    site: String,
    /// Its beginning (RFC 3339)
    from: String,
    /// Its end
    to: String,
}

#[tool_router(router = tool_router)]
impl Agent {
    /// Over this desk.
    #[must_use]
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk, tool_router: Self::tool_router(), prompt_router: Self::prompt_router() }
    }

    /// Asks on a thread for work that computes.
    ///
    /// Answers have no schema of their own: the definitions of tools are read in every conversation, and names say enough.
    async fn ask<T: Serialize + Send + 'static>(
        &self,
        question: impl FnOnce(&Desk) -> Result<T, ServeError> + Send + 'static,
    ) -> CallToolResult {
        let desk = Arc::clone(&self.desk);
        let refused = |text: String| CallToolResult::error(vec![ContentBlock::text(text)]);
        match tokio::task::spawn_blocking(move || question(&desk)).await {
            Ok(Ok(answer)) => {
                CallToolResult::structured(serde_json::to_value(answer).expect("an answer has string keys"))
            }
            Ok(Err(error)) => refused(told(&error)),
            Err(_) => refused("the question could not be answered".into()),
        }
    }

    #[tool(
        description = "What the store holds: sites, types of events, zones, the span of time, clocks",
        annotations(read_only_hint = true)
    )]
    async fn describe_store(&self) -> CallToolResult {
        self.ask(Desk::describe).await
    }

    #[tool(
        description = "Find moments by words, by an event as JSON, or by types, zones, sites and times",
        annotations(read_only_hint = true)
    )]
    async fn search_events(&self, Parameters(asked): Parameters<SearchAsked>) -> CallToolResult {
        self.ask(move |desk| desk.search(&asked)).await
    }

    #[tool(
        description = "Find moments like that of a stored event: when was it like this before, and what followed?",
        annotations(read_only_hint = true)
    )]
    async fn find_similar(&self, Parameters(asked): Parameters<SimilarAsked>) -> CallToolResult {
        self.ask(move |desk| desk.similar(&asked)).await
    }

    #[tool(description = "The events before and after a stored event at its site", annotations(read_only_hint = true))]
    async fn get_context(&self, Parameters(asked): Parameters<ContextAsked>) -> CallToolResult {
        self.ask(move |desk| desk.context(&asked)).await
    }

    #[tool(description = "Count events by type, zone, site or hour of the day", annotations(read_only_hint = true))]
    async fn count_events(&self, Parameters(asked): Parameters<CountAsked>) -> CallToolResult {
        self.ask(move |desk| desk.count(&asked)).await
    }

    #[tool(
        description = "Why two stored events are alike: what both have, what the similarity rests on, what followed",
        annotations(read_only_hint = true)
    )]
    async fn explain_match(&self, Parameters(asked): Parameters<ExplainAsked>) -> CallToolResult {
        self.ask(move |desk| desk.explain(&asked)).await
    }

    #[tool(description = "Alerts of the stream that fills the store", annotations(read_only_hint = true))]
    async fn list_alerts(&self, Parameters(asked): Parameters<AlertsAsked>) -> CallToolResult {
        self.ask(move |desk| desk.alerts(&asked)).await
    }
}

#[prompt_router]
#[expect(clippy::unused_self, missing_docs, reason = "the macros want methods, and write items of their own")]
impl Agent {
    /// When did something like this happen before?
    #[prompt(description = "When did something like this happen before, and what came of it?")]
    fn happened_before(&self, Parameters(Before { what }): Parameters<Before>) -> Vec<PromptMessage> {
        let text = format!(
            "When did something like this happen before, and what came of it: {what}\n\
             Find the moment (search_events, or find_similar if this is an id), then moments like it at other times. \
             Say how often it happened, what followed each time, and how sure that is: compare similarities with what is usual."
        );
        vec![PromptMessage::new_text(Role::User, text)]
    }

    /// What happened in a shift?
    #[prompt(description = "What happened in a shift, and what of it was unusual?")]
    fn shift_recap(&self, Parameters(Shift { site, from, to }): Parameters<Shift>) -> Vec<PromptMessage> {
        let text = format!(
            "Recap what happened at {site} from {from} to {to}: count_events by type and by zone, list_alerts since then, \
             and search_events within these limits for what stands out. Say what differs from the same hours of other days."
        );
        vec![PromptMessage::new_text(Role::User, text)]
    }
}

#[tool_handler(router = self.tool_router)]
#[prompt_handler(router = self.prompt_router)]
impl ServerHandler for Agent {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_prompts().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("spaxiom", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }
}

/// What went wrong, with its causes, for somebody who can ask again.
fn told(error: &ServeError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let _ = write!(text, "; {error}");
        cause = error.source();
    }
    text
}

/// Serves one agent over standard input and output, until it hangs up.
///
/// # Errors
/// A pipe that breaks before anybody has said hello.
pub fn serve_mcp(desk: Arc<Desk>) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let failed = |error: String| ServeError::Io(std::io::Error::other(error));
        let service =
            Agent::new(desk).serve(rmcp::transport::stdio()).await.map_err(|error| failed(error.to_string()))?;
        service.waiting().await.map_err(|error| failed(error.to_string()))?;
        Ok(())
    })
}
