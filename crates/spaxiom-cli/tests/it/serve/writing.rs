//! Events, acknowledgements and labels that a server takes in.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::thread;

use chrono::DateTime;
use serde_json::{Value, json};
use spaxiom_embedding::{IndexError, Store};
use tempfile::TempDir;

use super::Server;
use crate::{WORLD, done, json as run_json, written};

/// The lines of the world's events, in order of time.
pub(super) fn lines() -> Vec<String> {
    let text = fs_err::read_to_string(format!("{}/events.jsonl", WORLD.data())).unwrap();
    let time = |line: &&str| {
        let event: Value = serde_json::from_str(line).unwrap();
        DateTime::parse_from_rfc3339(event["time"].as_str().unwrap()).unwrap()
    };
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_by_key(time);
    lines.into_iter().map(str::to_owned).collect()
}

/// A count.
pub(super) fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

/// Where a test's own store is.
pub(super) fn store_in(folder: &TempDir) -> String {
    folder.path().join("store").to_str().unwrap().to_owned()
}

/// Every vector of a store by its id.
fn vectors(store: &str) -> BTreeMap<String, Vec<f32>> {
    let mut vectors = BTreeMap::new();
    let store = Store::open(Path::new(store)).unwrap();
    store
        .for_each(|record| {
            vectors.insert(record.id, record.vector);
            Ok::<(), IndexError>(())
        })
        .unwrap();
    vectors
}

/// What comes by HTTP is what would have come by a stream: the same vectors, and each line is answered.
#[test]
fn events_are_stored_once_and_every_line_is_answered() {
    let folder = TempDir::new().unwrap();
    let store = store_in(&folder);
    let lines = &lines()[..600];
    let server = Server::start(&store, &["--allow-write"]);
    for part in lines.chunks(100) {
        let (status, answer) = server.post("/v1/events", part.join("\n"));
        assert_eq!((status, &answer["new"]), (200, &json!(part.len())), "{answer}");
    }
    let body = format!("{}\n\nnot json\n{{\"type\": \"DoorOpened\"}}\n", lines[3]);
    let (status, answer) = server.post("/v1/events", body);
    assert_eq!((status, &answer["known"], &answer["rejected"]), (207, &json!(1), &json!(2)), "{answer}");
    let fates: Vec<_> = answer["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (&line["line"], line["status"].as_str().unwrap()))
        .collect();
    assert_eq!(fates, [(&json!(1), "known"), (&json!(3), "rejected"), (&json!(4), "rejected")]);
    assert!(answer["lines"][2]["reason"].as_str().unwrap().contains("time"), "{answer}");
    let (status, answer) = server.post("/v1/events", vec![b'x'; (4 << 20) + 1]);
    assert!(status == 413 && answer["error"]["message"].as_str().unwrap().contains("in several"), "{answer}");
    assert!(server.text("/metrics").1.contains("spaxiom_ingest_new_total 600"));
    assert!(server.terminate().success());

    let streamed = folder.path().join("streamed").to_str().unwrap().to_owned();
    let source = written(folder.path(), "events.jsonl", &lines.join("\n"));
    done(&["stream", "--run", &WORLD.run(), "--store", &streamed, "--source", &source]);
    assert!(vectors(&store) == vectors(&streamed), "vectors differ");
}

/// Killed in the middle: whatever was answered is there.
#[test]
fn every_acknowledged_line_outlives_a_kill() {
    let folder = TempDir::new().unwrap();
    let store = store_in(&folder);
    let lines = lines();
    let mut acknowledged = 0;
    for round in 0..3 {
        let mut server = Server::start(&store, &["--allow-write"]);
        let mut parts = lines[acknowledged..].chunks(20);
        for _ in 0..5 + round {
            acknowledged += number(&server.post("/v1/events", parts.next().unwrap().join("\n")).1["new"]);
        }
        // The next one is under way.
        let (agent, url, body) = (server.agent.clone(), server.url("/v1/events"), parts.next().unwrap().join("\n"));
        let sending = thread::spawn(move || drop(agent.post(url).send(body.as_bytes())));
        server.child.kill().unwrap();
        server.child.wait().unwrap();
        sending.join().unwrap();
        let stored = number(&run_json(&["index", "stats", "--store", &store])["n_vectors"]);
        assert!(stored == acknowledged || stored == acknowledged + 20, "{stored} of {acknowledged}");
        acknowledged = stored;
    }
}

/// Whoever listens is told what is new, by whichever way it came, and goes on after a break where it left off.
#[test]
fn whoever_listens_is_told_what_is_new() {
    let folder = TempDir::new().unwrap();
    let store = store_in(&folder);
    let server = Server::start(&store, &["--allow-write"]);
    let lines = &lines()[..60];
    let heard = |last: &str, n: usize, then: &mut dyn FnMut()| {
        let answer = server.agent.get(server.url("/v1/stream")).header("Last-Event-ID", last).call().unwrap();
        then();
        let mut events = Vec::new();
        let mut id = String::new();
        for line in BufReader::new(answer.into_body().into_reader()).lines() {
            let line = line.unwrap();
            if let Some(number) = line.strip_prefix("id: ") {
                number.clone_into(&mut id);
            }
            if let Some(event) = line.strip_prefix("data: ") {
                events.push(serde_json::from_str::<Value>(event).unwrap()["id"].as_str().unwrap().to_owned());
            }
            if events.len() == n && !id.is_empty() && line.is_empty() {
                break;
            }
        }
        (events, id)
    };
    let ids = |lines: &[String]| -> Vec<String> {
        lines
            .iter()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(server.post("/v1/events", lines[..20].join("\n")).0, 200);
    let (events, last) = heard("5", 15, &mut || {});
    assert_eq!((events, last.as_str()), (ids(&lines[5..20]), "20"), "what was missed is read from the store");
    let mut send = || assert_eq!(server.post("/v1/events", lines[20..].join("\n")).0, 200);
    let (events, _) = heard(&last, 40, &mut send);
    assert_eq!(events, ids(&lines[20..]));
    // A server that somebody listens to ends all the same.
    let answer = server.agent.get(server.url("/v1/stream")).call().unwrap();
    assert!(server.terminate().success());
    drop(answer);
}

/// Rules under which every moment is like an example.
const RULES: &str = "
[[trigger]]
name = \"again\"
event = \"EVENT\"
similarity = -1.0
clear = -1.0
types = []
";

/// An alert is acknowledged with what it was, and a hit is labeled; both are in the store after a restart.
#[test]
fn what_people_say_of_alerts_and_hits_is_kept() {
    let folder = TempDir::new().unwrap();
    let store = store_in(&folder);
    let lines = lines();
    let first: Value = serde_json::from_str(&lines[0]).unwrap();
    let id = first["id"].as_str().unwrap();
    let server = Server::start(&store, &["--allow-write"]);
    assert_eq!(server.post("/v1/events", lines[..50].join("\n")).0, 200);
    assert!(server.terminate().success());
    let rules = written(folder.path(), "rules.toml", &RULES.replace("EVENT", id));
    let alerts = format!("file:{}/alerts.jsonl", folder.path().display());
    let server = Server::start(&store, &["--allow-write", "--alert-rules", &rules, "--alerts", &alerts]);
    assert_eq!(server.post("/v1/events", lines[50..100].join("\n")).0, 200);
    let (_, fired) = server.post("/v1/alerts", r#"{"state": "firing"}"#);
    let alert = fired["alerts"][0]["id"].as_str().unwrap();
    let acknowledge = |id: &str, outcome: &str| {
        server.post("/v1/acknowledge", json!({"alert_id": id, "outcome": outcome}).to_string())
    };
    assert_eq!(acknowledge(alert, "maybe").0, 400);
    assert_eq!(acknowledge("none", "true").0, 400);
    assert_eq!(acknowledge(alert, "false").0, 200);
    let label = |verdict: &str| {
        let second: Value = serde_json::from_str(&lines[1]).unwrap();
        server.post("/v1/label", json!({"event_id": id, "hit_id": second["id"], "verdict": verdict}).to_string())
    };
    assert_eq!((label("good").0, label("fine").0), (200, 422));
    assert!(server.terminate().success());
    let told = fs_err::read_to_string(folder.path().join("alerts.jsonl")).unwrap();
    assert!(told.contains("acknowledged"), "{told}");

    let server = Server::start(&store, &[]);
    let (_, alerts) = server.post("/v1/alerts", "{}");
    let alert = alerts["alerts"].as_array().unwrap().iter().find(|row| row["id"] == alert).unwrap();
    assert_eq!((&alert["state"], &alert["outcome"]), (&json!("acknowledged"), &json!("false")), "{alert}");
    let (_, labels) = server.get("/v1/labels");
    assert_eq!((&labels["total"], &labels["labels"][0]["verdict"]), (&json!(1), &json!("good")), "{labels}");
    let outcome = &labels["outcomes"][0];
    assert_eq!((&outcome["alert-id"], &outcome["outcome"]), (&alert["id"], &json!("false")), "{labels}");
}
