//! Who is answered, and about what.

use serde_json::json;
use tempfile::TempDir;

use super::{Server, browser, started};
use crate::store::STORE;
use crate::{WORLD, done, fails, output, written};

/// A token and the lines that let it in.
fn new_token(name: &str, words: &[&str]) -> (String, String) {
    let made = output(&[&["serve", "--new-token", name], words].concat());
    let said = String::from_utf8(made.stderr).unwrap();
    let token = said.split_whitespace().find(|word| word.len() == 64).unwrap().to_owned();
    (token, String::from_utf8(made.stdout).unwrap())
}

/// With tokens an address that others reach is served, and nobody is answered without one.
#[test]
fn whoever_has_a_token_is_answered_and_nobody_else() {
    let folder = TempDir::new().unwrap();
    let (token, entry) = new_token("dashboard", &[]);
    assert!(entry.starts_with("[dashboard]\n") && !entry.contains(&token), "{entry}");
    fails(&["serve", "--new-token", "a b"], 2, "wants a name");
    fails(&["serve", "--new-token", "a", "--rights", "own"], 2, "acknowledge");
    let file = written(folder.path(), "tokens.toml", &entry);
    let empty = written(folder.path(), "empty.toml", "");
    let serve = ["serve", "--run", &WORLD.run(), "--store", &STORE];
    fails(&[&serve[..], &["--tokens", &empty]].concat(), 1, "--new-token NAME");

    let mut server = Server::of(started(&STORE, &["--listen", "0.0.0.0:0", "--tokens", &file]));
    for path in ["/v1/store", "/metrics"] {
        for (asked, want) in [(None, 401), (Some("wrong".to_owned()), 401), (Some(token.clone()), 200)] {
            server.token = asked;
            assert_eq!(server.text(path).0, want, "{path} {:?}", server.token);
        }
    }
    let from = |origin: &str| {
        let request = server.agent.get(server.url("/v1/store")).header("Authorization", format!("Bearer {token}"));
        request.header("Origin", origin).call().unwrap().status().as_u16()
    };
    assert_eq!((from("https://evil.example"), from(&server.address)), (403, 200));
    server.token = None;
    assert_eq!((server.text("/healthz").0, server.text("/readyz").0), (200, 200));
    assert_eq!(server.get("/v1/openapi.json").1["paths"].as_object().unwrap().len(), 16);
    server.token = Some(token);
    let (_, metrics) = server.text("/metrics");
    assert!(metrics.contains("spaxiom_http_requests_total{route=\"/v1/store\",status=\"401\"} 2"), "{metrics}");
    let (status, error) = server.post("/v1/embeddings", r#"{"input": "queues"}"#);
    assert!(status == 400 && error.to_string().contains("finetune --task retrieval"), "{error}");
    if let Some(browser) = browser::start() {
        browser.open(&server.address, (1200, 900));
        assert!(browser.is_shown("#enter"), "the page asks for a token");
        browser.type_into("#token", &server.token.clone().unwrap());
        browser.click("#enter button");
        browser.wait("the store", || browser.text("#store").contains("events of 2 sites"));
    }
}

/// Who asked for what is logged, and neither tokens nor events are.
#[test]
fn the_log_names_askers_and_says_nothing_of_events() {
    let folder = TempDir::new().unwrap();
    let (token, entry) = new_token("gateway", &["--rights", "read,ingest"]);
    let file = written(folder.path(), "tokens.toml", &entry);
    let log = folder.path().join("log");
    let store = folder.path().join("store").to_str().unwrap().to_owned();
    let words = ["serve", "--run", &WORLD.run(), "--store", &store, "--allow-write", "--tokens", &file];
    let mut command = std::process::Command::new(crate::program());
    command.args(words).args(["--listen", "127.0.0.1:0"]).env_remove("RUST_LOG");
    command.stdout(std::process::Stdio::piped()).stderr(fs_err::File::create(&log).unwrap().into_parts().0);
    let mut server = Server::of(command.spawn().unwrap());
    server.token = Some(token.clone());
    let event = r#"{"id": "e-secret", "type": "SecretType", "time": "2025-03-01T09:00:00Z", "site_id": "s", "entity_id": "p-secret"}"#;
    assert_eq!(server.post("/v1/events", event).0, 200);
    assert_eq!(server.post("/v1/context", r#"{"event_id": "e-secret"}"#).0, 200);
    assert_eq!(server.post("/v1/search", r#"{"text": "secret words"}"#).0, 400);
    server.token = Some("wrong-secret".into());
    assert_eq!(server.post("/v1/search", "{}").0, 401);
    assert!(server.terminate().success());
    let log = fs_err::read_to_string(log).unwrap();
    assert!(log.contains("gateway: POST /v1/events 200") && log.contains("gateway: POST /v1/search 400"), "{log}");
    assert!(!log.contains("secret") && !log.contains("SecretType") && !log.contains(&token), "{log}");
}

/// A token is for some rights and some sites, by every way that leads to the store.
#[test]
fn a_token_is_for_its_rights_and_its_sites_alone() {
    let folder = TempDir::new().unwrap();
    let store = folder.path().join("store").to_str().unwrap().to_owned();
    done(&["index", "build", "--store", &store, "--run", &WORLD.run(), "--data", &WORLD.data()]);
    let (reader, first) = new_token("reader", &["--sites", "warehouse-01"]);
    let (gateway, second) = new_token("gateway", &["--rights", "ingest", "--sites", "warehouse-01,new"]);
    let file = written(folder.path(), "tokens.toml", &(first + &second));
    let mut server = Server::start(&store, &["--tokens", &file, "--allow-write"]);

    server.token = Some(reader);
    let (_, described) = server.get("/v1/store");
    assert_eq!(described["sites"], json!(["warehouse-01"]));
    assert_eq!(server.get("/v1/me").1, json!({"name": "reader", "rights": ["read"], "sites": ["warehouse-01"]}));
    let (_, counted) = server.post("/v1/count", r#"{"by": "site"}"#);
    assert_eq!(counted["counts"].as_array().unwrap().len(), 1, "{counted}");
    assert_eq!((&counted["counts"][0]["name"], &counted["total"]), (&json!("warehouse-01"), &described["events"]));
    let (_, found) = server.post("/v1/search", r#"{"types": ["DoorOpened"], "k": 50}"#);
    assert!(found["hits"].as_array().unwrap().iter().all(|hit| hit["site"] == "warehouse-01"), "{found}");
    let (_, map) = server.post("/v1/layout", r#"{"n": 100}"#);
    assert_eq!(map["sites"], json!(["warehouse-01"]));
    assert!(server.post("/v1/search", r#"{"sites": ["warehouse-00"]}"#).1.to_string().contains("none of the sites"));

    // What another site has is not there, whoever asks for it.
    let everybody = Server::start(&store, &[]);
    let (_, other) = everybody.post("/v1/search", r#"{"types": ["DoorOpened"], "sites": ["warehouse-00"], "k": 1}"#);
    let (own, other) = (&found["hits"][0]["id"], &other["hits"][0]["id"]);
    for (path, body) in [
        ("/v1/context", json!({"event_id": other})),
        ("/v1/similar", json!({"event_id": other})),
        ("/v1/explain", json!({"event_a": own, "event_b": other})),
        ("/v1/layout", json!({"ids": [other]})),
        ("/v1/plan", json!({"site": "warehouse-00"})),
    ] {
        let (status, error) = server.post(path, body.to_string());
        assert_eq!(status, 400, "{path} {error}");
    }
    // Agents have no more than programs.
    let call = |name: &str, arguments: &serde_json::Value| {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}});
        let request = server.agent.post(server.url("/mcp")).header("Accept", "application/json, text/event-stream");
        let request = request.header("Authorization", server.authorization());
        let mut answer = request.content_type("application/json").send(call.to_string()).unwrap();
        answer.body_mut().read_json::<serde_json::Value>().unwrap()["result"].clone()
    };
    assert_eq!(call("describe_store", &json!({}))["structuredContent"]["sites"], json!(["warehouse-01"]));
    assert_eq!(call("get_context", &json!({"event_id": other}))["isError"], true);
    assert_eq!(call("ack_alert", &json!({"alert_id": "a"}))["isError"], true);

    for path in ["/v1/events", "/v1/acknowledge", "/v1/label"] {
        assert_eq!(server.post(path, "{}").0, 403, "{path}");
    }
    server.token = Some(gateway);
    assert_eq!((server.get("/v1/store").0, server.get("/v1/stream").0, server.text("/metrics").0), (403, 403, 403));
    let event = |site: &str| json!({"type": "DoorOpened", "time": "2025-03-01T09:00:00Z", "site_id": site}).to_string();
    let (status, answer) = server.post("/v1/events", [event("new"), event("warehouse-00")].join("\n"));
    assert_eq!((status, &answer["new"], &answer["rejected"]), (207, &json!(1), &json!(1)), "{answer}");
}
