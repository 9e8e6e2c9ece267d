//! A server under load: questions at a fixed rate, events that come meanwhile, and connections that say nothing.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use serde_json::{Value, json};
use spaxiom_embedding::{Dataset, Event, ReadOptions, write_jsonl};

use crate::folder::Folder;
use crate::options::BenchOptions;
use crate::row::BenchRow;
use crate::timing::now;

/// Questions in a second, and threads that ask them.
const RATE: f64 = 50.0;
const N_ASKERS: usize = 8;

/// Events in a second while questions are asked, and of one body.
const INGEST_RATE: f64 = 2_000.0;
const BODY_EVENTS: usize = 100;

/// Connections that say nothing.
const N_IDLE: usize = 1_000;

/// Times that the data come again later, event by event.
const N_AGAIN: i32 = 2;

/// Measures a server over a store of a GRU `small` with memory.
pub(crate) fn serve(options: &BenchOptions, folder: &Folder) -> anyhow::Result<Vec<BenchRow>> {
    let place = &folder.path;
    let data = match &options.data {
        Some(data) => data.clone(),
        None => simulated(options, place)?,
    };
    let parts = Parts::of(&data, place)?;
    let (run, store) = (place.join("serve-run"), place.join("serve-store"));
    if !run.exists() {
        let words = ["pretrain", "--preset", "small", "--encoder", "gru", "--max-steps", "20", "--data"];
        done(options, &words, &[&parts.earlier, Path::new("--out"), &run])?;
    }
    let _ = fs_err::remove_dir_all(&store);
    done(
        options,
        &["index", "build", "--data"],
        &[&parts.earlier, Path::new("--run"), &run, Path::new("--store"), &store],
    )?;
    let server = Server::start(options, &run, &store)?;
    let mut rows = Vec::new();
    let mut row = |workload: &str, unit, ours| {
        rows.push(BenchRow {
            workload: format!("serve {workload}"),
            unit,
            ours,
            peer: None,
            ratio: None,
            runs: 1,
            threads: options.threads,
            peer_name: None,
        });
    };
    let secs = options.secs;
    row("events in the store", "events", server.ask("GET", "/v1/store", "")?["events"].as_f64().unwrap_or(0.0));
    row("memory at first", "MiB", server.memory_mib()?);

    let by_id = |at: usize| json!({"event_id": parts.ids[(at * 7_919) % parts.ids.len()], "k": 10}).to_string();
    let alone = server.load("/v1/similar", RATE, secs, &by_id)?;
    row("by id, p50", "ms", percentile(&alone, 50));
    row("by id, p99", "ms", percentile(&alone, 99));
    let by_event = |at: usize| json!({"event_json": parts.later[(at * 101) % parts.later.len()], "k": 10}).to_string();
    let events = server.load("/v1/search", RATE / 5.0, secs, &by_event)?;
    row("by event, p50", "ms", percentile(&events, 50));
    row("by event, p99", "ms", percentile(&events, 99));

    // A site of which no state is kept is read from the store, once.
    let first = server.paced("/v1/events", 1.0, 0.0, &|_| parts.later[0].clone())?;
    row("first event of a site, until durable", "ms", first[0]);

    let idle: Vec<TcpStream> = (0..N_IDLE).map(|_| TcpStream::connect(&server.place)).collect::<Result<_, _>>()?;
    let n_bodies = AtomicUsize::new(0);
    let body = |at: usize| {
        n_bodies.fetch_max(at + 1, Ordering::Relaxed);
        parts.later[(at * BODY_EVENTS) % parts.later.len()..]
            .iter()
            .take(BODY_EVENTS)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n")
    };
    let (while_ingesting, bodies) = thread::scope(|scope| {
        let asking = scope.spawn(|| server.load("/v1/similar", RATE, secs, &by_id));
        // One after the other: the events of a site come in their order.
        let bodies = server.paced("/v1/events", INGEST_RATE / BODY_EVENTS as f64, secs, &body);
        (asking.join().expect("no asker panics"), bodies)
    });
    let (while_ingesting, bodies) = (while_ingesting?, bodies?);
    row("events in while asked", "events/s", bodies.len() as f64 * BODY_EVENTS as f64 / secs);
    row("events in, until durable and found, p99", "ms", percentile(&bodies, 99));
    row("by id while events come, p50", "ms", percentile(&while_ingesting, 50));
    row("by id while events come, p99", "ms", percentile(&while_ingesting, 99));
    row("connections that say nothing", "open", idle.len() as f64);
    drop(idle);

    let first = n_bodies.load(Ordering::Relaxed);
    let begun = now();
    let mut n_given = 0;
    while begun.elapsed().as_secs_f64() < secs && (first + n_given + 10) * BODY_EVENTS < parts.later.len() {
        let from = (first + n_given) * BODY_EVENTS;
        let lines = &parts.later[from..(from + 10 * BODY_EVENTS).min(parts.later.len())];
        server.ask("POST", "/v1/events", &lines.join("\n"))?;
        n_given += 10;
    }
    row("events in, nothing else", "events/s", (n_given * BODY_EVENTS) as f64 / begun.elapsed().as_secs_f64());
    row("memory at last", "MiB", server.memory_mib()?);
    Ok(rows)
}

/// About as many events as ten days of the home Aruba.
fn simulated(options: &BenchOptions, place: &Path) -> anyhow::Result<PathBuf> {
    let out = place.join("serve-data");
    if !out.exists() {
        let words = ["simulate", "--scenario", "warehouse", "--sites", "6", "--days", "11", "--out"];
        done(options, &words, &[&out])?;
    }
    Ok(out)
}

/// Data that is in the store, and lines that come later.
struct Parts {
    earlier: PathBuf,
    ids: Vec<String>,
    later: Vec<String>,
}

impl Parts {
    fn of(data: &Path, place: &Path) -> anyhow::Result<Self> {
        let dataset = Dataset::load(data, &ReadOptions::default())?;
        let mut events: Vec<Event> = dataset.sequences().flat_map(|sequence| sequence.events().to_vec()).collect();
        events.sort_by_key(|event| event.time);
        let earlier = place.join("serve-earlier.jsonl");
        write_jsonl(&mut fs_err::File::create(&earlier)?, &events)?;
        let ids = events.iter().map(|event| event.id.to_string()).collect();
        let first = events.first().context("data with an event")?.time;
        let span = events.last().map_or(first, |last| last.time) - first + TimeDelta::seconds(1);
        let later = (0..N_AGAIN).flat_map(|again| {
            let later = move |event: &Event| Event {
                id: format!("{}-{again}", event.id).into(),
                time: event.time + span * (again + 1),
                ..event.clone()
            };
            events.iter().map(later).collect::<Vec<Event>>()
        });
        let line = |event: &Event| serde_json::to_string(event).context("an event as JSON");
        let later = later.map(|event| line(&event)).collect::<Result<_, _>>()?;
        Ok(Self { earlier, ids, later })
    }
}

/// Runs the program and wants it to succeed.
fn done(options: &BenchOptions, words: &[&str], paths: &[&Path]) -> anyhow::Result<()> {
    let output = Command::new(&options.program).args(words).args(paths).output().context("a process of its own")?;
    ensure!(output.status.success(), "{words:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A server in a process of its own.
struct Server {
    child: Child,
    place: String,
    agent: ureq::Agent,
}

impl Server {
    fn start(options: &BenchOptions, run: &Path, store: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(&options.program);
        command.args(["serve", "--allow-write", "--listen", "127.0.0.1:0", "--run"]).arg(run).arg("--store").arg(store);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().context("a server")?;
        let mut address = String::new();
        BufReader::new(child.stdout.take().context("what the server says")?).read_line(&mut address)?;
        let place = address.trim().strip_prefix("http://").context("the address of the server")?.to_owned();
        let config =
            ureq::Agent::config_builder().max_idle_connections_per_host(2 * N_ASKERS).http_status_as_error(false);
        Ok(Self { child, place, agent: config.build().into() })
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
        let url = format!("http://{}{path}", self.place);
        let mut answer = match method {
            "GET" => self.agent.get(url).call()?,
            _ => self.agent.post(url).content_type("application/json").send(body)?,
        };
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string()?;
        ensure!(answer.status().is_success(), "{path}: {} {text}", answer.status());
        Ok(serde_json::from_str(&text)?)
    }

    /// Milliseconds of questions at a fixed rate, from when each was due: a slow answer does not make the next one later.
    fn load(
        &self,
        path: &str,
        rate: f64,
        secs: f64,
        body: &(impl Fn(usize) -> String + Sync),
    ) -> anyhow::Result<Vec<f64>> {
        let times = thread::scope(|scope| {
            let askers: Vec<_> = (0..N_ASKERS)
                .map(|own| scope.spawn(move || self.every(path, rate, secs, (own, N_ASKERS), body)))
                .collect();
            askers.into_iter().map(|asker| asker.join().expect("no asker panics")).collect::<anyhow::Result<Vec<_>>>()
        })?;
        Ok(times.concat())
    }

    /// The same, one question after the other.
    fn paced(&self, path: &str, rate: f64, secs: f64, body: &impl Fn(usize) -> String) -> anyhow::Result<Vec<f64>> {
        self.every(path, rate, secs, (0, 1), body)
    }

    fn every(
        &self,
        path: &str,
        rate: f64,
        secs: f64,
        (first, step): (usize, usize),
        body: &impl Fn(usize) -> String,
    ) -> anyhow::Result<Vec<f64>> {
        let begun: Instant = now();
        let mut times = Vec::new();
        for at in (first..).step_by(step) {
            let due = Duration::from_secs_f64(at as f64 / rate);
            if due.as_secs_f64() > secs {
                break;
            }
            let text = body(at);
            thread::sleep(due.saturating_sub(begun.elapsed()));
            self.ask("POST", path, &text)?;
            times.push(1e3 * begun.elapsed().saturating_sub(due).as_secs_f64());
        }
        Ok(times)
    }

    /// What the process has resident.
    fn memory_mib(&self) -> anyhow::Result<f64> {
        let status = fs_err::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("`VmRSS` of the server")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>().context("`VmRSS` in kB")? / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Of a hundred so many are below.
fn percentile(times: &[f64], percent: usize) -> f64 {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() * percent / 100).or(times.last()).copied().unwrap_or(f64::NAN)
}
