//! What may be asked, as an OpenAPI document.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::desk::{
    AckAsked, AlertsAsked, ContextAsked, CountAsked, EmbeddingsAsked, ExplainAsked, LabelAsked, LayoutAsked, PlanAsked,
    SearchAsked, SimilarAsked,
};

/// OpenAPI 3.1 of all routes that programs ask.
pub(crate) fn document() -> Value {
    let mut paths = Map::new();
    paths.insert("/v1/store".into(), json!({"get": operation("What the store holds", None)}));
    paths.insert("/v1/search".into(), asking::<SearchAsked>("Moments by words, by an event, or by limits"));
    paths.insert("/v1/similar".into(), asking::<SimilarAsked>("Moments like a stored one"));
    paths.insert("/v1/context".into(), asking::<ContextAsked>("What was before and after an event"));
    paths.insert("/v1/count".into(), asking::<CountAsked>("Events by type, zone, site, hour, weekday or day"));
    paths.insert("/v1/explain".into(), asking::<ExplainAsked>("Why two events are alike"));
    paths.insert("/v1/alerts".into(), asking::<AlertsAsked>("Alerts of the stream"));
    paths.insert("/v1/layout".into(), asking::<LayoutAsked>("Moments on a map"));
    paths.insert("/v1/plan".into(), asking::<PlanAsked>("The floor plan of a site"));
    paths.insert("/v1/acknowledge".into(), asking::<AckAsked>("Acknowledge an alert"));
    paths.insert("/v1/label".into(), asking::<LabelAsked>("Say whether a hit is like what was asked for"));
    paths.insert("/v1/labels".into(), json!({"get": operation("What people said of hits", None)}));
    paths.insert("/v1/me".into(), json!({"get": operation("What the token is good for", None)}));
    paths.insert("/v1/events".into(), json!({"post": ingest()}));
    paths.insert("/v1/stream".into(), json!({"get": stream()}));
    paths.insert("/v1/embeddings".into(), asking::<EmbeddingsAsked>("Vectors of texts, in the shape of OpenAI"));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "spaxiom-embed serve",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "When did something like this happen before, and what came of it?",
        },
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    })
}

/// Events, one JSON object per line.
fn ingest() -> Value {
    let mut ingest = operation("Store events, one JSON object per line; answered once they are durable", None);
    let lines = json!({"schema": {"type": "string", "examples": [
        "{\"type\": \"DoorOpened\", \"time\": \"2025-01-06T09:00:00Z\", \"site_id\": \"dc-4\", \"zone\": \"dock_2\"}"
    ]}});
    ingest["requestBody"] = json!({"required": true, "content": {
        "application/x-ndjson": lines,
        "application/json": {"schema": {"type": "object"}},
    }});
    ingest["responses"]["207"] = json!({"description": "some lines are no events", "content": {"application/json": {"schema": {"type": "object"}}}});
    ingest
}

/// Server-sent events.
fn stream() -> Value {
    let mut stream = operation("New events and alerts as they come (server-sent events)", None);
    stream["parameters"] = json!([{"name": "types", "in": "query", "description": "types of events, with commas", "schema": {"type": "string"}}]);
    stream["responses"]["200"] =
        json!({"description": "events", "content": {"text/event-stream": {"schema": {"type": "string"}}}});
    stream
}

fn asking<T: JsonSchema>(summary: &str) -> Value {
    // Without `$schema` and definitions of their own: the types are flat.
    let generator = SchemaSettings::draft2020_12().with(|settings| settings.meta_schema = None).into_generator();
    let schema = generator.into_root_schema_for::<T>();
    json!({"post": operation(summary, Some(schema.to_value()))})
}

fn operation(summary: &str, body: Option<Value>) -> Value {
    let refused =
        |what: &str| json!({"description": what, "content": {"application/json": {"schema": {"type": "object"}}}});
    let mut operation = json!({
        "summary": summary,
        "responses": {
            "200": {"description": "the answer", "content": {"application/json": {"schema": {"type": "object"}}}},
            "400": refused("a question that cannot be asked so"),
            "401": refused("no token, or a wrong one"),
            "403": refused("another site's page, or a token without the right"),
            "408": refused("it took too long"),
            "413": refused("a body that is too long"),
            "415": refused("a body that is no JSON by its type"),
            "422": refused("a body of other members"),
            "429": refused("too many questions at once"),
            "503": refused("the store cannot be read now"),
        },
    });
    if let Some(schema) = body {
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::document;

    #[test]
    fn every_question_has_a_schema_of_its_own() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.len(), 16);
        let search = &paths["/v1/search"]["post"]["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(search["properties"]["text"]["type"], "string");
        assert!(!document.to_string().contains("$ref"), "types are flat");
    }
}
