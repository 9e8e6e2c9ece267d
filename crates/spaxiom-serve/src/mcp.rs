//! The desk for agents: eight tools, two resources, two prompts, by the Model Context Protocol.

use std::fmt::Write;
use std::sync::Arc;

use axum::http::request::Parts;
use rmcp::handler::server::router::prompt::PromptRouter;
use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{
    CallToolResult, ContentBlock, Implementation, ListResourceTemplatesResult, ListResourcesResult,
    PaginatedRequestParams, PromptMessage, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult,
    Resource, ResourceContents, ResourceTemplate, Role, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{
    ErrorData, RoleServer, ServerHandler, ServiceExt, prompt, prompt_handler, prompt_router, tool, tool_handler,
    tool_router,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::desk::{AckAsked, AlertsAsked, ContextAsked, CountAsked, Desk, ExplainAsked, SearchAsked, SimilarAsked};
use crate::error::ServeError;
use crate::tokens::{Asker, Right};
use crate::writer::Writer;

const INSTRUCTIONS: &str = "A store of events from sensors in buildings, each as a vector of its moment: what happened up to then. \
Begin with describe_store; names of types, zones and sites must be ones that it lists. search_events finds moments by words, by an event, or by limits; \
find_similar finds moments like a stored one, and every hit says what followed it. A similarity means something above usual_similarity.p99. \
Times are on the clock of the site.";

/// What an agent talks to.
#[derive(Clone)]
pub struct Agent {
    desk: Desk,
    writer: Option<Arc<Writer>>,
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
    /// Over this desk; alerts can be acknowledged where there is a writer.
    #[must_use]
    pub fn new(desk: Desk, writer: Option<Arc<Writer>>) -> Self {
        let mut tool_router = Self::tool_router();
        if writer.is_none() {
            tool_router.remove_route("ack_alert");
        }
        Self { desk, writer, tool_router, prompt_router: Self::prompt_router() }
    }

    /// Asks on a thread for work that computes.
    ///
    /// Answers have no schema of their own: the definitions of tools are read in every conversation, and names say enough.
    async fn ask<T: Serialize + Send + 'static>(
        &self,
        asking: &Asking,
        question: impl FnOnce(&Desk) -> Result<T, ServeError> + Send + 'static,
    ) -> CallToolResult {
        let desk = self.desk.for_sites(asker(asking).sites());
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
    async fn describe_store(&self, asking: Asking) -> CallToolResult {
        self.ask(&asking, Desk::describe).await
    }

    #[tool(
        description = "Find moments by words, by an event as JSON, or by types, zones, sites and times",
        annotations(read_only_hint = true)
    )]
    async fn search_events(&self, Parameters(asked): Parameters<SearchAsked>, asking: Asking) -> CallToolResult {
        self.ask(&asking, move |desk| desk.search(&asked)).await
    }

    #[tool(
        description = "Find moments like that of a stored event: when was it like this before, and what followed?",
        annotations(read_only_hint = true)
    )]
    async fn find_similar(&self, Parameters(asked): Parameters<SimilarAsked>, asking: Asking) -> CallToolResult {
        self.ask(&asking, move |desk| desk.similar(&asked)).await
    }

    #[tool(description = "The events before and after a stored event at its site", annotations(read_only_hint = true))]
    async fn get_context(&self, Parameters(asked): Parameters<ContextAsked>, asking: Asking) -> CallToolResult {
        self.ask(&asking, move |desk| desk.context(&asked)).await
    }

    #[tool(description = "Count events by type, zone, site, hour, weekday or day", annotations(read_only_hint = true))]
    async fn count_events(&self, Parameters(asked): Parameters<CountAsked>, asking: Asking) -> CallToolResult {
        self.ask(&asking, move |desk| desk.count(&asked)).await
    }

    #[tool(
        description = "Why two stored events are alike: what both have, what the similarity rests on, what followed",
        annotations(read_only_hint = true)
    )]
    async fn explain_match(&self, Parameters(asked): Parameters<ExplainAsked>, asking: Asking) -> CallToolResult {
        self.ask(&asking, move |desk| desk.explain(&asked)).await
    }

    #[tool(description = "Alerts of the stream that fills the store", annotations(read_only_hint = true))]
    async fn list_alerts(&self, Parameters(asked): Parameters<AlertsAsked>, asking: Asking) -> CallToolResult {
        self.ask(&asking, move |desk| desk.alerts(&asked)).await
    }

    #[tool(
        description = "Tell everybody that somebody has an alert, and what it was once that is known",
        annotations(read_only_hint = false, destructive_hint = false)
    )]
    async fn ack_alert(&self, Parameters(asked): Parameters<AckAsked>, asking: Asking) -> CallToolResult {
        let refused = |text: String| CallToolResult::error(vec![ContentBlock::text(text)]);
        let asker = asker(&asking);
        let Some(writer) = self.writer.as_ref().filter(|_| asker.may(Right::Acknowledge)) else {
            return refused("this token is not for acknowledging alerts".into());
        };
        match writer.acknowledge(self.desk.for_sites(asker.sites()), asked).await {
            Ok(answer) => CallToolResult::structured(serde_json::to_value(answer).expect("an answer has string keys")),
            Err(refusal) => refused(refusal.to_string()),
        }
    }
}

/// What came with a question beside it.
type Asking = RequestContext<RoleServer>;

/// Who asks: whoever has the token of the request, or, over pipes, whoever started the server.
fn asker(asking: &Asking) -> Asker {
    let parts = asking.extensions.get::<Parts>();
    parts.map_or_else(Asker::local, |parts| {
        // A request that came past the guard has no rights at all.
        parts.extensions.get::<Asker>().cloned().unwrap_or_else(|| Asker::new("nobody", &[], &[]))
    })
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
        let capabilities = ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts().build();
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new("spaxiom", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Asking,
    ) -> Result<ListResourcesResult, ErrorData> {
        let resource = |(uri, name, description): (&str, &str, &str)| {
            Resource::new(uri, name).with_description(description).with_mime_type("application/json")
        };
        Ok(ListResourcesResult::with_all_items(RESOURCES.map(resource).to_vec()))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: Asking,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = ResourceTemplate::new(format!("{EVENT}{{id}}"), "event")
            .with_description("A stored event with what was before and after it")
            .with_mime_type("application/json");
        Ok(ListResourceTemplatesResult::with_all_items(vec![template]))
    }

    async fn read_resource(
        &self,
        ReadResourceRequestParams { uri, .. }: ReadResourceRequestParams,
        asking: Asking,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let desk = self.desk.for_sites(asker(&asking).sites());
        let (asked, none) = (uri.clone(), ErrorData::resource_not_found(format!("there is no `{uri}`"), None));
        let read = tokio::task::spawn_blocking(move || match asked.strip_prefix(EVENT) {
            Some(id) => {
                let asked = ContextAsked { event_id: id.to_owned(), before: 20, after: 5 };
                serde_json::to_value(desk.context(&asked).ok()?).ok()
            }
            None if asked == STORE => serde_json::to_value(desk.describe().ok()?).ok(),
            None if asked == SCHEMA => Some(schema(&desk)),
            None => None,
        });
        let text = read.await.ok().flatten().ok_or(none)?.to_string();
        Ok(ReadResourceResult::new(vec![ResourceContents::text(text, uri).with_mime_type("application/json")]).into())
    }
}

const STORE: &str = "spaxiom://store";
const SCHEMA: &str = "spaxiom://schema";
const EVENT: &str = "spaxiom://event/";

/// Address, name and description of what can be read.
const RESOURCES: [(&str, &str, &str); 2] = [
    (STORE, "store", "What the store holds: sites, types of events, zones, the span of time, clocks"),
    (SCHEMA, "schema", "The members of an event, and the types and attributes that this store has"),
];

/// What an event looks like in this store.
fn schema(desk: &Desk) -> Value {
    let (types, attributes) = desk.describe().map(|store| (store.types, store.attributes)).unwrap_or_default();
    json!({
        "id": "text, unique within its site",
        "type": types,
        "time": "RFC 3339",
        "end_time": "RFC 3339, for what lasts",
        "site_id": "text",
        "zone": "text",
        "x": "meters", "y": "meters", "z": "meters",
        "entity_id": "a pseudonym",
        "attrs": attributes,
        "confidence": "0 to 1",
        "severity": "text",
        "caused_by": "ids of events",
    })
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
pub fn serve_mcp(desk: Desk, writer: Option<Writer>) -> Result<(), ServeError> {
    let writer = writer.map(Arc::new);
    let agent = Agent::new(desk, writer.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let failed = |error: String| ServeError::Io(std::io::Error::other(error));
        let service = agent.serve(rmcp::transport::stdio()).await.map_err(|error| failed(error.to_string()))?;
        service.waiting().await.map_err(|error| failed(error.to_string()))?;
        if let Some(writer) = writer {
            tokio::task::spawn_blocking(move || writer.close()).await.map_err(|error| failed(error.to_string()))?;
        }
        Ok(())
    })
}
