//! What happens when the program is stopped in the middle.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::{WORLD, json, program};

fn started(words: &[&str]) -> Child {
    Command::new(program()).args(words).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn ctrl_c_writes_a_checkpoint_and_the_resumed_run_ends_with_the_same_weights() {
    let world = &*WORLD;
    let run = world.path("interrupted");
    let words =
        ["pretrain", "--config", &world.experiment(), "--data", &world.data(), "--out", &run, "--max-steps", "200"];
    let mut child = started(&words);
    // The first evaluation is logged after five steps.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("validation loss")).unwrap().unwrap();
    signal(&child, "-INT");
    lines.for_each(drop);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let resumed = json(&["pretrain", "--data", &world.data(), "--resume", &run]);
    let whole = world.path("uninterrupted");
    let whole = json(&[
        "pretrain",
        "--config",
        &world.experiment(),
        "--data",
        &world.data(),
        "--out",
        &whole,
        "--max-steps",
        "200",
    ]);
    assert_eq!(resumed["weights"], whole["weights"]);
}

/// Runs the program where no file can grow past so many blocks of 512 bytes: as on a disk that is full.
fn with_full_disk(n_blocks: u32, words: &[&str]) -> Output {
    let limited = format!("trap '' XFSZ; ulimit -f {n_blocks}; exec \"$0\" \"$@\"");
    Command::new("sh").args(["-c", &limited]).arg(program()).args(words).output().unwrap()
}

#[test]
fn a_full_disk_leaves_the_checkpoint_that_was_there() {
    let world = &*WORLD;
    let (run, data) = (world.path("full-disk"), world.data());
    json(&["pretrain", "--config", &world.experiment(), "--data", &data, "--out", &run, "--max-steps", "5"]);
    let checkpoint = format!("{run}/checkpoint/last.safetensors");
    let before = fs_err::read(&checkpoint).unwrap();
    let resume = ["pretrain", "--data", &data, "--resume", &run, "--max-steps", "10"];
    let full = with_full_disk(u32::try_from(before.len() / 1024).unwrap(), &resume);
    assert_eq!(full.status.code(), Some(1), "{}", String::from_utf8_lossy(&full.stderr));
    let text = String::from_utf8_lossy(&full.stderr).into_owned();
    assert!(text.contains("last.safetensors") && !text.contains("panicked"), "{text}");
    assert_eq!(fs_err::read(&checkpoint).unwrap(), before);
    json(&resume);
}

#[test]
fn a_full_disk_during_a_build_loses_nothing() {
    let world = &*WORLD;
    let (whole, full) = (world.path("store-of-empty-disk"), world.path("store-of-full-disk"));
    let (run, data) = (world.run(), world.data());
    let words = |store| ["index", "build", "--store", store, "--run", &run, "--data", &data];
    let n_events = json(&words(&whole))["new"].as_u64().unwrap();
    let output = with_full_disk(1_000, &words(&full));
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("what was committed before is kept") && !text.contains("panicked"), "{text}");
    let n_left = json(&words(&full))["new"].as_u64().unwrap();
    assert!(n_left <= n_events);
    let events = fs_err::read_to_string(format!("{data}/events.jsonl")).unwrap();
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    let ids: Vec<String> = events.lines().step_by(400).map(id).collect();
    assert_eq!(searches(&whole, &ids), searches(&full, &ids));
}

/// Ids and similarities of the nearest events of a few stored ones.
fn searches(store: &str, ids: &[String]) -> Vec<Value> {
    let run = WORLD.run();
    let search = |id: &String| json(&["search", "--store", store, "--run", &run, "--id", id])["hits"].clone();
    ids.iter().map(search).collect()
}

#[test]
fn a_build_that_was_killed_and_run_again_gives_the_same_search_results() {
    let world = &*WORLD;
    let whole = world.path("store-whole");
    let build = |store: &str| -> Vec<String> {
        ["index", "build", "--store", store, "--run", &world.run(), "--data", &world.data()].map(String::from).to_vec()
    };
    let words = |build: &[String]| build.iter().map(String::as_str).collect::<Vec<_>>().join("\n");
    let whole_words = words(&build(&whole));
    let n_events = json(&whole_words.split('\n').collect::<Vec<_>>())["new"].as_u64().unwrap();
    // A kill may come before the first batch is wholly written, which then is none; so there is more than one try.
    let mut tries = (0..10).map(|attempt| {
        let killed = world.path(&format!("store-killed-{attempt}"));
        let killed_words = words(&build(&killed));
        let killed_words: Vec<&str> = killed_words.split('\n').collect();
        let mut child = started(&killed_words);
        // Kill it as soon as something is stored: the write-ahead log grows with the first batch.
        let log = format!("{killed}/store.sqlite-wal");
        let is_stored = |_| {
            std::thread::sleep(Duration::from_millis(1));
            fs_err::metadata(&log).is_ok_and(|file| file.len() >= 100_000)
        };
        assert!((0..60_000).any(is_stored), "nothing was stored within a minute");
        signal(&child, "-KILL");
        child.wait().unwrap();
        let n_added = json(&killed_words)["new"].as_u64().unwrap();
        (killed, n_added)
    });
    let (killed, n_added) = tries.find(|(_, n_added)| *n_added < n_events).expect("a batch was stored before a kill");
    assert!(0 < n_added, "none of {n_events} was left to add");
    let events = fs_err::read_to_string(format!("{}/events.jsonl", world.data())).unwrap();
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    let ids: Vec<String> = events.lines().step_by(400).map(id).collect();
    assert_eq!(searches(&whole, &ids), searches(&killed, &ids));
}
