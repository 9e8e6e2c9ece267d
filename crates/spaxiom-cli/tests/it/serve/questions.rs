//! A server as a program asks it.

use serde_json::json;

use super::Server;
use crate::WORLD;
use crate::fails;
use crate::store::STORE;

#[test]
fn a_program_asks_by_http_and_a_termination_ends_it() {
    let server = Server::start(&STORE, &[]);
    let (status, store) = server.get("/v1/store");
    assert_eq!((status, &store["sites"]), (200, &json!(["warehouse-00", "warehouse-01"])));
    let (status, found) = server.post("/v1/search", r#"{"text": "doors that opened at night", "k": 2}"#);
    assert_eq!((status, found["hits"].as_array().map(Vec::len)), (200, Some(2)), "{found}");
    for (path, body, want, word) in [
        ("/v1/search", "{", 400, "body"),
        ("/v1/search", r#"{"txt": "doors"}"#, 422, "txt"),
        ("/v1/search", r#"{"types": ["DoorFell"]}"#, 400, "DoorOpened"),
        ("/v1/similar", r#"{"event_id": "nobody"}"#, 400, "nobody"),
        ("/v1/events", "{}", 403, "--allow-write"),
        ("/v1/acknowledge", r#"{"alert_id": "a"}"#, 403, "--allow-write"),
        ("/v1/label", r#"{"event_id": "a", "hit_id": "b", "verdict": "good"}"#, 403, "--allow-write"),
    ] {
        let (status, error) = server.post(path, body);
        assert!(status == want && error["error"].to_string().contains(word), "{path} {body}: {status} {error}");
    }
    assert_eq!(server.get("/v1/me").1["rights"], json!(["read"]));
    // A page that points a name of its own here.
    let rebound = server.agent.get(server.url("/v1/store")).header("Host", "evil.example").call().unwrap();
    assert_eq!(rebound.status().as_u16(), 403);
    let mcp = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
    let request = server.agent.post(server.url("/mcp")).header("Accept", "application/json, text/event-stream");
    let mut answer = request.content_type("application/json").send(mcp.to_string()).unwrap();
    assert_eq!(answer.body_mut().read_json::<serde_json::Value>().unwrap()["result"]["serverInfo"]["name"], "spaxiom");
    assert!(server.terminate().success());
}

#[test]
fn an_address_that_others_reach_is_refused() {
    let words = ["serve", "--run", &WORLD.run(), "--store", &STORE, "--listen", "0.0.0.0:0"];
    fails(&words, 1, "can be reached from other machines");
    let words = ["serve", "--run", &WORLD.run(), "--store", &STORE, "--alerts", "stdout"];
    fails(&words, 2, "--allow-write");
}
