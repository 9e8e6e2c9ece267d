//! A server as agents and programs use it: by the Model Context Protocol and by HTTP.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::store::STORE;
use crate::{WORLD, fails, program};

fn started(words: &[&str]) -> Child {
    let mut command = Command::new(program());
    command.args(["serve", "--run", &WORLD.run(), "--store", &STORE]).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// An agent at the other end of two pipes.
struct Agent {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    n_asked: u64,
}

impl Agent {
    fn hello() -> Self {
        let mut child = started(&["--mcp", "stdio"]);
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
    let prompts = agent.ask("prompts/list", &json!({}));
    assert_eq!(prompts["prompts"].as_array().unwrap().len(), 2);
    let prompt = agent.ask("prompts/get", &json!({"name": "happened_before", "arguments": {"what": "a jam"}}));
    assert!(prompt["messages"][0]["content"]["text"].as_str().unwrap().contains("a jam"));
}

/// A server on a free port, and its address.
fn listening() -> (Child, String) {
    let mut child = started(&["--listen", "127.0.0.1:0"]);
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (child, address.trim_end().to_owned())
}

/// The page as a browser shows it once its answers are there; none where there is no browser, which fails in CI.
#[expect(clippy::disallowed_methods, reason = "a test that is skipped says so where it is told to")]
fn opened(address: &str) -> Option<String> {
    let profile = tempfile::TempDir::new().unwrap();
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"])
        .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--virtual-time-budget=20000", "--window-size=1200,900", "--dump-dom", address])
        .output();
    if let Ok(output) = output {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return Some(String::from_utf8(output.stdout).unwrap());
    }
    assert!(std::env::var_os("CI").is_none(), "there is no `chromium` to open {address} in");
    if let Some(skipped) = std::env::var_os("SPAXIOM_SKIPPED") {
        let mut file = fs_err::OpenOptions::new().create(true).append(true).open(skipped).unwrap();
        writeln!(file, "the explorer in a browser; install the package `chromium`").unwrap();
    }
    None
}

#[test]
fn a_person_finds_moments_and_sees_two_beside_each_other() {
    let (mut child, address) = listening();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut page = agent.get(&address).call().unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'self'") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.body_mut().read_to_string().unwrap().contains("<script>"), "no script stands in the page");
    let question = r#"{"text": "queues", "k": 2}"#;
    let found = agent.post(format!("{address}/v1/search")).content_type("application/json").send(question).unwrap();
    let found: Value = found.into_body().read_json().unwrap();
    let [first, second] = [0, 1].map(|at| found["hits"][at]["id"].as_str().unwrap().to_owned());
    for (view, wanted) in [
        ("?q=queues", vec!["<td>warehouse-0", "type in (", "Similar"]),
        (&format!("?like={first}&hit={second}"), vec!["Two moments beside each other", "<circle", "Similarity 0."]),
        ("?q=unicorns", vec!["no word of the text names"]),
        ("?types=DoorOpened&sites=warehouse-01", vec!["Remove DoorOpened", "site = warehouse-01"]),
    ] {
        let Some(shown) = opened(&format!("{address}/{view}")) else { break };
        for wanted in wanted {
            assert!(shown.contains(wanted), "{view} does not show `{wanted}`: {shown}");
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_program_asks_by_http_and_a_termination_ends_it() {
    let (mut child, address) = listening();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let post = |path: &str, body: &str| {
        let mut answer = agent.post(format!("{address}{path}")).content_type("application/json").send(body).unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json::<Value>().unwrap())
    };
    let (status, store) = {
        let mut answer = agent.get(format!("{address}/v1/store")).call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json::<Value>().unwrap())
    };
    assert_eq!((status, &store["sites"]), (200, &json!(["warehouse-00", "warehouse-01"])));
    let (status, found) = post("/v1/search", r#"{"text": "doors that opened at night", "k": 2}"#);
    assert_eq!((status, found["hits"].as_array().map(Vec::len)), (200, Some(2)), "{found}");
    for (path, body, want, word) in [
        ("/v1/search", "{", 400, "body"),
        ("/v1/search", r#"{"txt": "doors"}"#, 422, "txt"),
        ("/v1/search", r#"{"types": ["DoorFell"]}"#, 400, "DoorOpened"),
        ("/v1/similar", r#"{"event_id": "nobody"}"#, 400, "nobody"),
    ] {
        let (status, error) = post(path, body);
        assert!(status == want && error["error"].to_string().contains(word), "{path} {body}: {status} {error}");
    }
    // A page that points a name of its own here.
    let rebound = agent.get(format!("{address}/v1/store")).header("Host", "evil.example").call().unwrap();
    assert_eq!(rebound.status().as_u16(), 403);
    let mcp = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let mut answer = agent
        .post(format!("{address}/mcp"))
        .header("Accept", "application/json, text/event-stream")
        .content_type("application/json")
        .send(mcp.to_string())
        .unwrap();
    assert_eq!(answer.body_mut().read_json::<Value>().unwrap()["result"]["serverInfo"]["name"], "spaxiom");
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn an_address_that_others_reach_is_refused() {
    let words = ["serve", "--run", &WORLD.run(), "--store", &STORE, "--listen", "0.0.0.0:0"];
    fails(&words, 1, "can be reached from other machines");
}

/// With tokens an address that others reach is served, and nobody is answered without one.
#[test]
fn whoever_has_a_token_is_answered_and_nobody_else() {
    let folder = tempfile::TempDir::new().unwrap();
    let made = crate::output(&["serve", "--new-token", "dashboard"]);
    let entry = String::from_utf8(made.stdout).unwrap();
    let said = String::from_utf8(made.stderr).unwrap();
    let token = said.split_whitespace().find(|word| word.len() == 64).unwrap();
    assert!(entry.starts_with("[dashboard]\n") && !entry.contains(token), "{entry}");
    fails(&["serve", "--new-token", "a b"], 2, "wants a name");
    let file = crate::written(folder.path(), "tokens.toml", &entry);
    let empty = crate::written(folder.path(), "empty.toml", "");
    let serve = ["serve", "--run", &WORLD.run(), "--store", &STORE];
    fails(&[&serve[..], &["--tokens", &empty]].concat(), 1, "--new-token NAME");

    let mut child = started(&["--listen", "0.0.0.0:0", "--tokens", &file]);
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    let address = address.trim_end().replace("0.0.0.0", "127.0.0.1");
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let get = |path: &str, token: Option<&str>, origin: Option<&str>| {
        let mut request = agent.get(format!("{address}{path}"));
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if let Some(origin) = origin {
            request = request.header("Origin", origin);
        }
        let mut answer = request.call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    };
    for path in ["/v1/store", "/metrics"] {
        assert_eq!(get(path, None, None).0, 401, "{path}");
        assert_eq!(get(path, Some("wrong"), None).0, 401, "{path}");
        assert_eq!(get(path, Some(token), None).0, 200, "{path}");
    }
    assert_eq!(get("/v1/store", Some(token), Some("https://evil.example")).0, 403);
    assert_eq!(get("/v1/store", Some(token), Some(&address)).0, 200);
    assert_eq!((get("/healthz", None, None).0, get("/readyz", None, None).0), (200, 200));
    let (_, metrics) = get("/metrics", Some(token), None);
    assert!(metrics.contains("spaxiom_http_requests_total{route=\"/v1/store\",status=\"401\"} 2"), "{metrics}");
    let document: Value = serde_json::from_str(&get("/v1/openapi.json", None, None).1).unwrap();
    assert_eq!(document["paths"].as_object().unwrap().len(), 8);
    let mut answer = agent
        .post(format!("{address}/v1/embeddings"))
        .header("Authorization", format!("Bearer {token}"))
        .send_json(json!({"input": "queues"}))
        .unwrap();
    let error = answer.body_mut().read_to_string().unwrap();
    assert!(answer.status().as_u16() == 400 && error.contains("finetune --task retrieval"), "{error}");
    if let Some(shown) = opened(&address) {
        assert!(shown.contains("<form id=\"enter\">"), "the page asks for a token: {shown}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}
