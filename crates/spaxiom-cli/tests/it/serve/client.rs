//! Ten questions whose answers are known from the data, asked by the client that the authors of the protocol publish.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chrono::{TimeDelta, Timelike};
use serde_json::{Value, json};
use spaxiom_embedding::{Event, EventReader, ReadOptions};
use tempfile::TempDir;

use super::Server;
use crate::{done, program};

/// Python with the client; none where it is not installed, which fails in CI.
fn python() -> Option<PathBuf> {
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/agents/bin/python");
    if installed.exists() {
        return Some(installed);
    }
    crate::skipped("a client of the Model Context Protocol; CI installs the package `mcp` of Python");
    None
}

/// Answers to questions, each a tool and its arguments, and the tools that there are.
fn asked(python: &Path, target: &[&str], questions: &[(&str, Value)]) -> (Vec<Value>, Vec<String>) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/serve/client.py");
    let mut client = Command::new(python);
    client.arg(script).args(target).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut client = client.spawn().unwrap();
    client.stdin.take().unwrap().write_all(json!(questions).to_string().as_bytes()).unwrap();
    let output = client.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let tools = said["tools"].as_array().unwrap().iter().map(|tool| tool.as_str().unwrap().to_owned()).collect();
    (said["answers"].as_array().unwrap().clone(), tools)
}

/// A store of a memory without an encoder, over some data, and the events in it.
struct Known {
    _folder: TempDir,
    run: String,
    store: String,
    events: Vec<Event>,
}

impl Known {
    fn of(folder: TempDir, data: &Path) -> Self {
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (run, store, data) = (path("run"), path("store"), data.to_str().unwrap());
        done(&["pretrain", "--encoder", "memory", "--data", data, "--out", &run]);
        done(&["index", "build", "--run", &run, "--store", &store, "--data", data]);
        let file = Path::new(data);
        let file = if file.is_dir() { file.join("events.jsonl") } else { file.to_owned() };
        let reader = EventReader::open(&file, &ReadOptions::default()).unwrap();
        let mut events: Vec<Event> = reader.filter_map(|record| Some(record.ok()?.event)).collect();
        events.sort_by_key(|event| event.time);
        Self { _folder: folder, run, store, events }
    }

    fn count(&self, is_wanted: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|event| is_wanted(event)).count()
    }

    fn counts(&self, name: impl Fn(&Event) -> String) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for event in &self.events {
            *counts.entry(name(event)).or_default() += 1;
        }
        counts
    }

    /// Asks over pipes and over HTTP, and checks every answer.
    fn ask(&self, python: &Path) {
        let program = program();
        let pipes = ["stdio", program.to_str().unwrap(), "serve", "--run", &self.run, "--store", &self.store];
        let server = Server::of(
            Command::new(&program)
                .args(["serve", "--run", &self.run, "--store", &self.store, "--listen", "127.0.0.1:0"])
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        let mcp = server.url("/mcp");
        for target in [&[&pipes[..], &["--mcp", "stdio"]].concat()[..], &["http", &mcp]] {
            self.ask_by(python, target);
        }
    }

    fn ask_by(&self, python: &Path, target: &[&str]) {
        let middle = &self.events[self.events.len() / 2];
        let (kind, site) = (middle.kind.to_string(), middle.site_id.to_string());
        let zone = middle.zone.as_ref().unwrap().to_string();
        let day = middle.time.date_naive();
        let (from, to) = (day.to_string(), (day + TimeDelta::days(1)).to_string());
        let questions = [
            ("describe_store", json!({})),
            ("count_events", json!({"by": "type"})),
            ("count_events", json!({"by": "hour", "types": [kind]})),
            ("count_events", json!({"by": "day"})),
            ("count_events", json!({"by": "zone", "zones": [zone], "sites": [site], "from": from, "to": to})),
            ("get_context", json!({"event_id": middle.id.as_str(), "before": 3, "after": 3})),
            ("find_similar", json!({"event_id": middle.id.as_str(), "k": 5})),
            ("search_events", json!({"text": format!("{kind} between 8:00 and 12:00"), "k": 5})),
            ("search_events", json!({"types": ["Nothing"]})),
            ("list_alerts", json!({})),
        ];
        let (answers, tools) = asked(python, target, &questions);
        assert_eq!(tools.len(), 7, "nothing can be written: {tools:?}");
        let named = |answer: &Value| -> BTreeMap<String, usize> {
            let counts = answer["counts"].as_array().unwrap().iter();
            let count = |count: &Value| usize::try_from(count["count"].as_u64().unwrap()).unwrap();
            let counts = counts.map(|one| (one["name"].as_str().unwrap().to_owned(), count(one)));
            counts.filter(|(_, count)| *count > 0).collect()
        };
        assert_eq!(answers[0]["events"], self.events.len());
        assert_eq!(named(&answers[1]), self.counts(|event| event.kind.to_string()));
        let of_kind = |event: &Event| event.kind.as_str() == kind;
        let mut hours =
            self.counts(|event| if of_kind(event) { format!("{:02}:00", event.time.hour()) } else { String::new() });
        hours.remove("");
        assert_eq!(named(&answers[2]), hours);
        assert_eq!(named(&answers[3]), self.counts(|event| event.time.date_naive().to_string()));
        let is_here = |event: &Event| event.zone == middle.zone && event.site_id == middle.site_id;
        assert_eq!(answers[4]["total"], self.count(|event| is_here(event) && event.time.date_naive() == day));

        let own: Vec<&Event> = self.events.iter().filter(|event| event.site_id == middle.site_id).collect();
        let at = own.iter().position(|event| event.id == middle.id).unwrap();
        let ids = |rows: &Value| -> Vec<String> {
            rows.as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
        };
        let want = |events: &[&Event]| events.iter().map(|event| event.id.to_string()).collect::<Vec<_>>();
        assert_eq!(ids(&answers[5]["before"]), want(&own[at - 3..at]));
        assert_eq!(ids(&answers[5]["after"]), want(&own[at + 1..at + 4]));

        // Moments elsewhere, and what followed the first of them.
        let hits = answers[6]["hits"].as_array().unwrap();
        let hit = self.events.iter().find(|event| event.id.as_str() == hits[0]["id"].as_str().unwrap()).unwrap();
        assert!(hits.len() == 5 && hit.id != middle.id, "{hits:?}");
        let until = hit.time + TimeDelta::minutes(30);
        let followed = |event: &Event| event.site_id == hit.site_id && event.time > hit.time && event.time < until;
        for count in hits[0]["followed"].as_array().unwrap() {
            let name = count["name"].as_str().unwrap();
            assert_eq!(count["count"], self.count(|event| followed(event) && event.kind.as_str() == name), "{name}");
        }
        let in_hours = |event: &Event| of_kind(event) && (8..12).contains(&event.time.hour());
        assert_eq!(answers[7]["total"], self.count(in_hours), "{}", answers[7]["interpreted_query"]);
        assert!(answers[8]["error"].as_str().unwrap().contains(&kind), "{}", answers[8]);
        assert_eq!(answers[9]["total"], 0);
    }
}

#[test]
fn an_agent_answers_ten_questions_about_a_hospital() {
    let Some(python) = python() else { return };
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let simulate = ["simulate", "--scenario", "hospital", "--sites", "2", "--days", "5", "--out"];
    done(&[&simulate[..], &[data.to_str().unwrap()]].concat());
    Known::of(folder, &data).ask(&python);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "whoever has the data says where")]
fn an_agent_answers_ten_questions_about_a_home() {
    let Some(python) = python() else { return };
    let Some(datasets) = std::env::var_os("SPAXIOM_DATASETS") else {
        crate::left_out("questions of an agent about Aruba; `SPAXIOM_DATASETS` names the folder of its data");
        return;
    };
    let data = Path::new(&datasets).join("casas_aruba_10d/data_aruba_formatted_10days.txt");
    Known::of(TempDir::new().unwrap(), &data).ask(&python);
}
