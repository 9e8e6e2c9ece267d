//! A server as an agent uses it: by the Model Context Protocol over pipes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout};

use serde_json::{Value, json};

use super::started;
use crate::store::STORE;

/// An agent at the other end of two pipes.
struct Agent {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    n_asked: u64,
}

impl Agent {
    fn hello() -> Self {
        let mut child = started(&STORE, &["--mcp", "stdio"]);
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut agent = Self { child, input, output, n_asked: 0 };
        let client =
            json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let hello = agent.ask("initialize", &client);
        assert_eq!(hello["serverInfo"]["name"], "spaxiom");
        assert!(hello["instructions"].as_str().unwrap().contains("describe_store"));
        agent.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        agent
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.input, "{message}").unwrap();
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.n_asked += 1;
        self.say(&json!({"jsonrpc": "2.0", "id": self.n_asked, "method": method, "params": params}));
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the server hung up");
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == self.n_asked {
                assert!(message["error"].is_null(), "{message}");
                return message["result"].clone();
            }
        }
    }

    /// What a tool answers; the text of its error where it refuses.
    fn call(&mut self, tool: &str, arguments: &Value) -> Result<Value, String> {
        let result = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        if result["isError"] == true {
            return Err(result["content"][0]["text"].as_str().unwrap().to_owned());
        }
        Ok(result["structuredContent"].clone())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn an_agent_finds_out_what_there_is_when_it_was_so_before_and_what_followed() {
    let mut agent = Agent::hello();
    let tools = agent.ask("tools/list", &json!({}));
    // Definitions are read by a model in every conversation.
    assert!(tools.to_string().len() < 8_000, "{}", tools.to_string().len());
    let names: Vec<&str> =
        tools["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), 7, "{names:?}");
    assert!(!tools.to_string().contains("\"null\""), "a list of types is more than some clients read");
    let store = agent.call("describe_store", &json!({})).unwrap();
    assert_eq!(store["sites"], json!(["warehouse-00", "warehouse-01"]));
    let queues = agent.call("search_events", &json!({"text": "queues in the morning", "k": 2})).unwrap();
    assert!(queues["interpreted_query"].as_str().unwrap().contains("QueueFormed"), "{queues}");
    let id = queues["hits"][0]["id"].as_str().unwrap();
    let similar = agent.call("find_similar", &json!({"event_id": id, "k": 3})).unwrap();
    assert_eq!(similar["hits"].as_array().unwrap().len(), 3);
    assert!(similar["hits"][0]["followed"].is_array() && similar["provenance"]["usual_similarity"]["p99"].is_f64());
    let other = similar["hits"][0]["id"].as_str().unwrap();
    assert!(agent.call("explain_match", &json!({"event_a": id, "event_b": other})).unwrap()["parts"].is_array());
    assert_eq!(agent.call("get_context", &json!({"event_id": id})).unwrap()["before"].as_array().unwrap().len(), 20);
    let count = agent.call("count_events", &json!({"by": "hour", "types": ["QueueFormed"]})).unwrap();
    assert_eq!(count["counts"].as_array().unwrap().len(), 24);
    assert_eq!(agent.call("list_alerts", &json!({})).unwrap()["total"], 0);
    // A wrong name says which there are, so that an agent can ask again.
    let error = agent.call("search_events", &json!({"types": ["QueueFormd"]})).unwrap_err();
    assert!(error.contains("QueueFormed"), "{error}");
    let resources = agent.ask("resources/list", &json!({}));
    assert_eq!(resources["resources"].as_array().unwrap().len(), 2);
    let templates = agent.ask("resources/templates/list", &json!({}));
    assert_eq!(templates["resourceTemplates"][0]["uriTemplate"], "spaxiom://event/{id}");
    let mut read = |uri: &str| {
        let read = agent.ask("resources/read", &json!({"uri": uri}));
        serde_json::from_str::<Value>(read["contents"][0]["text"].as_str().unwrap()).unwrap()
    };
    assert_eq!(read("spaxiom://store")["sites"], store["sites"]);
    assert!(read("spaxiom://schema")["type"].as_array().unwrap().contains(&json!("QueueFormed")));
    assert_eq!(read(&format!("spaxiom://event/{id}"))["event"]["id"], id);
    let prompts = agent.ask("prompts/list", &json!({}));
    assert_eq!(prompts["prompts"].as_array().unwrap().len(), 2);
    let prompt = agent.ask("prompts/get", &json!({"name": "happened_before", "arguments": {"what": "a jam"}}));
    assert!(prompt["messages"][0]["content"]["text"].as_str().unwrap().contains("a jam"));
}
