//! What happens when something goes wrong, or somebody wants it to.

#![expect(clippy::disallowed_methods, reason = "what takes too long is trouble too")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;

use super::Server;
use super::writing::{lines, number, store_in};
use crate::store::STORE;
use crate::{WORLD, done, json as run_json, program, written};

/// Bodies that are no questions are told so, and the server answers the next one.
#[test]
fn no_body_brings_it_down() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&store_in(&folder), &["--allow-write"]);
    assert_eq!(server.post("/v1/events", lines()[..100].join("\n")).0, 200);
    let routes = [
        "search",
        "similar",
        "context",
        "count",
        "explain",
        "alerts",
        "embeddings",
        "layout",
        "plan",
        "acknowledge",
        "label",
        "events",
    ];
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(200_000), close.repeat(200_000));
    let bodies = [
        String::new(),
        "null".into(),
        "[]".into(),
        "{}".into(),
        "\"\"".into(),
        "{\"k\": -1}".into(),
        "{\"k\": 1e400}".into(),
        "{\"text\": \"\\ud800\"}".into(),
        "\u{0}".into(),
        deep("[", "]"),
        deep("{\"a\":", "}"),
        format!("{{\"text\": \"{}\"}}", "queue ".repeat(20_000)),
        format!("{{\"event_id\": \"{}\"}}", "x".repeat(100_000)),
        "{\"types\": [\"' or 1=1 --\"]}".into(),
        "{\"event_id\": \"../../etc/passwd\", \"site\": \"..\"}".into(),
        "{\"by\": \"zone\", \"from\": \"99999999-01-01\", \"to\": \"-1\"}".into(),
    ];
    for route in routes {
        for body in &bodies {
            let (status, answer) = server.post(&format!("/v1/{route}"), body);
            let body = body.chars().take(60).collect::<String>();
            assert!(status < 500, "{route} {body}: {status} {answer}");
        }
        let mut not_utf8 = server.agent.post(server.url(&format!("/v1/{route}"))).content_type("application/json");
        not_utf8 = not_utf8.header("Accept", "*/*");
        assert!(not_utf8.send([0xff, 0xfe, 0x00].as_slice()).unwrap().status().as_u16() < 500, "{route}");
    }
    for path in
        ["/../../etc/passwd", "/page/../../Cargo.toml", "/page/%2e%2e/%2e%2e/etc/passwd", "/v1//store", "/nothing"]
    {
        assert_eq!(
            raw(&server, &format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")),
            "404",
            "{path}"
        );
    }
    assert_eq!(server.get("/v1/store").0, 200);
}

/// The status of an answer to bytes as they are.
fn raw(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.address.trim_start_matches("http://")).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// Clients that say nothing, half of something, or hang up in the middle keep nobody waiting.
#[test]
fn slow_and_broken_clients_keep_nobody_waiting() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(&store_in(&folder), &["--allow-write"]);
    let place = server.address.trim_start_matches("http://");
    let head = "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n\r\n{\"type\"";
    let idle: Vec<TcpStream> = (0..200)
        .map(|at| {
            let mut stream = TcpStream::connect(place).unwrap();
            stream.write_all(&head.as_bytes()[..at * head.len() / 200]).unwrap();
            stream
        })
        .collect();
    let begun = Instant::now();
    assert_eq!(server.post("/v1/events", lines()[..50].join("\n")).0, 200);
    assert_eq!(server.get("/v1/store").1["events"], 50);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(idle);
    // What was cut off in the middle is not there.
    assert_eq!(server.get("/v1/store").1["events"], 50);
}

/// Nobody can try many tokens: wrong ones wait for half a second, and only so many at once.
#[test]
fn wrong_tokens_are_slow_and_right_ones_are_not() {
    let folder = TempDir::new().unwrap();
    let made = crate::output(&["serve", "--new-token", "own"]);
    let said = String::from_utf8(made.stderr).unwrap();
    let token = said.split_whitespace().find(|word| word.len() == 64).unwrap().to_owned();
    let file = written(folder.path(), "tokens.toml", &String::from_utf8(made.stdout).unwrap());
    let mut server = Server::start(&STORE, &["--tokens", &file]);
    server.token = Some(token);
    let url = server.url("/v1/store");
    let begun = Instant::now();
    let attackers: Vec<_> = (0..8)
        .map(|at| {
            let (agent, url) = (server.agent.clone(), url.clone());
            thread::spawn(move || {
                let mut told = [0; 2];
                for guess in 0..40 {
                    let guess = format!("Bearer {at}-{guess}");
                    let status = agent.get(&url).header("Authorization", guess).call().unwrap().status().as_u16();
                    told[usize::from(status == 429)] += 1;
                    assert!(status == 401 || status == 429, "{status}");
                    if begun.elapsed() > Duration::from_secs(3) {
                        break;
                    }
                }
                told
            })
        })
        .collect();
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let asked = Instant::now();
        assert_eq!(server.get("/v1/me").0, 200);
        slowest = slowest.max(asked.elapsed());
    }
    let told: u32 = attackers.into_iter().map(|attacker| attacker.join().unwrap()[0]).sum();
    // Sixteen at once, each for half a second.
    assert!(told <= 16 * 2 * 5, "{told} guesses were judged in {:?}", begun.elapsed());
    assert!(slowest < Duration::from_millis(500), "{slowest:?}");
}

/// Asked to end while events come in: every line that was answered is there, and it ends within ten seconds.
#[test]
fn a_termination_under_load_loses_nothing_that_was_answered() {
    let folder = TempDir::new().unwrap();
    let store = store_in(&folder);
    let server = Server::start(&store, &["--allow-write"]);
    let lines = lines();
    let writers: Vec<_> = lines
        .chunks(lines.len() / 4)
        .map(|own| {
            let (agent, url, own) = (server.agent.clone(), server.url("/v1/events"), own.to_vec());
            thread::spawn(move || {
                let mut n_stored = 0;
                for part in own.chunks(10) {
                    let Ok(mut answer) = agent.post(&url).send(part.join("\n").as_bytes()) else { break };
                    if answer.status().as_u16() != 200 {
                        break;
                    }
                    let answer: serde_json::Value = answer.body_mut().read_json().unwrap();
                    n_stored += answer["new"].as_u64().unwrap() + answer["late"].as_u64().unwrap();
                }
                n_stored
            })
        })
        .collect();
    thread::sleep(Duration::from_millis(700));
    let begun = Instant::now();
    assert!(server.terminate().success());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let n_answered: u64 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    let n_stored = run_json(&["index", "stats", "--store", &store])["n_vectors"].as_u64().unwrap();
    // One part of each writer may have been stored without an answer.
    assert!(n_answered > 0 && n_stored >= n_answered && n_stored <= n_answered + 40, "{n_stored} for {n_answered}");
}

/// On a full disk nothing is taken in, and what is there is still found; with room again it goes on.
#[test]
fn a_full_disk_is_told_and_reads_go_on() {
    let folder = TempDir::new().unwrap();
    let store = store_in(&folder);
    // No file grows past a megabyte: as on a disk that is full.
    let limited = "trap '' XFSZ; ulimit -S -f 2000; exec \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limited]).arg(program());
    command.args(["serve", "--run", &WORLD.run(), "--store", &store, "--allow-write", "--listen", "127.0.0.1:0"]);
    let server = Server::of(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let lines = lines();
    let mut n_stored = 0usize;
    let refusal = lines.chunks(200).find_map(|part| {
        let (status, answer) = server.post("/v1/events", part.join("\n"));
        if status == 200 {
            n_stored += number(&answer["new"]);
        }
        (status != 200).then_some((status, answer))
    });
    let (status, answer) = refusal.unwrap();
    assert!(status == 503 && answer.to_string().contains("cannot be written now"), "{status} {answer}");
    assert_eq!(server.text("/readyz").0, 503);
    assert!(server.text("/metrics").1.contains("spaxiom_ingest_failing 1"));
    let (status, found) = server.post("/v1/search", r#"{"types": ["DoorOpened"], "k": 3}"#);
    assert_eq!((status, found["hits"].as_array().map(Vec::len)), (200, Some(3)), "{found}");
    assert_eq!(server.get("/v1/store").1["events"], n_stored);
    // With room again it is ready by itself.
    let room = ["--fsize=unlimited", "--pid", &server.child.id().to_string()];
    assert!(Command::new("prlimit").args(room).status().unwrap().success());
    let begun = Instant::now();
    while server.text("/readyz").0 != 200 {
        assert!(begun.elapsed() < Duration::from_secs(20), "it is not ready again");
        thread::sleep(Duration::from_millis(100));
    }
    let (status, answer) = server.post("/v1/events", lines[..n_stored + 200].join("\n"));
    assert_eq!((status, &answer["known"]), (200, &json!(n_stored)), "{}", answer["new"]);
}

/// A store that is compacted, and one whose index is damaged, answers as before.
#[test]
fn a_store_that_is_compacted_or_whose_index_is_damaged_is_still_served() {
    let folder = TempDir::new().unwrap();
    let store = store_in(&folder);
    let words = ["--store", &store, "--run", &WORLD.run(), "--data", &WORLD.data(), "--kind", "rabitq"];
    done(&[&["index", "build"], &words[..]].concat());
    for file in fs_err::read_dir(&store).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "rabitq") {
            fs_err::write(&path, "no index").unwrap();
        }
    }
    let server = Server::start(&store, &["--allow-write"]);
    let question = r#"{"types": ["DoorOpened"], "k": 5}"#;
    let (_, before) = server.post("/v1/search", question);
    assert_eq!(before["hits"].as_array().unwrap().len(), 5);
    done(&["index", "delete", "--store", &store, "--where", "type = QueueFormed"]);
    done(&["index", "compact", "--store", &store]);
    let (status, after) = server.post("/v1/search", question);
    assert_eq!((status, after["hits"].as_array().map(Vec::len), &after["total"]), (200, Some(5), &before["total"]));
    assert_eq!(server.post("/v1/events", lines()[..10].join("\n")).0, 200);
}
