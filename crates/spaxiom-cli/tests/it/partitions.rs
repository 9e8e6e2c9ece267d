//! Several streams on one PostgreSQL, each with its part of the sites by a NATS server: all of them end again and again.
#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "waits for a while, and longer where it is told to")]

#[path = "../../../spaxiom-postgres/tests/it/server.rs"]
mod postgres;

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use async_nats::jetstream;
use chrono::DateTime;
use serde_json::Value;
use spaxiom_embedding::{Store, VectorStore};
use spaxiom_postgres::PostgresStore;
use tempfile::TempDir;

use crate::{WORLD, done, program, written};

/// All parts are there by then.
const LONGEST: Duration = Duration::from_secs(400);

/// What `cargo xtask soak --streams` sets.
const SOAK: &str = "SPAXIOM_SOAK";

/// Two partitions: the server maps `events.SITE` to `part.P.SITE`.
const MAPPING: &str = r#"mappings = { "events.*": "part.{{partition(2,1)}}.{{wildcard(1)}}" }"#;

struct Nats {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Nats {
    /// None where there is no NATS, which fails in CI.
    fn start() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        written(folder.path(), "nats.conf", MAPPING);
        if let Some(process) = Self::process(folder.path(), port) {
            return Some(Self { folder, port, process });
        }
        crate::skipped("streams of partitions; install the package `nats-server`");
        None
    }

    fn process(folder: &Path, port: u16) -> Option<Child> {
        let start = |program: &str| {
            let mut command = Command::new(program);
            command.args(["-js", "-a", "127.0.0.1", "-p", &port.to_string()]).arg("-sd").arg(folder);
            command.arg("-c").arg(folder.join("nats.conf")).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        };
        let process = start("nats-server").or_else(|| start("/usr/sbin/nats-server"))?;
        (0..200).find(|_| {
            thread::sleep(Duration::from_millis(25));
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Some(process)
    }

    fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = Self::process(self.folder.path(), self.port).unwrap();
    }

    /// Publishes events by their sites; gives how many came into each partition.
    fn publish(&self, events: &[Value]) -> [u64; 2] {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = async_nats::connect(format!("nats://127.0.0.1:{}", self.port)).await.unwrap();
            let context = jetstream::new(client);
            let subjects = vec!["part.>".into()];
            let config = jetstream::stream::Config { name: "EVENTS".into(), subjects, ..Default::default() };
            let mut stream = context.create_stream(config).await.unwrap();
            for event in events {
                let subject = format!("events.{}", event["site_id"].as_str().unwrap());
                context.publish(subject, event.to_string().into()).await.unwrap().await.unwrap();
            }
            let mut counts = [0; 2];
            for (at, count) in counts.iter_mut().enumerate() {
                let filtered =
                    jetstream::consumer::pull::Config { filter_subject: format!("part.{at}.>"), ..Default::default() };
                *count = stream.create_consumer(filtered).await.unwrap().info().await.unwrap().num_pending;
            }
            assert_eq!(stream.info().await.unwrap().state.messages, events.len() as u64);
            counts
        })
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A stream over one partition.
fn worker(nats: &Nats, store: &str, partition: usize) -> Child {
    let source = format!("nats://127.0.0.1:{}/EVENTS/part.{partition}.>", nats.port);
    let client = format!("worker-{partition}");
    let words = ["stream", "--run", &WORLD.run(), "--store", store, "--source", &source, "--client", &client];
    let mut command = Command::new(program());
    command.args(words).args(["--commit-events", "16"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Every vector of some sites by site and id.
fn vectors(store: &dyn VectorStore, sites: &[String]) -> BTreeMap<(String, String), Vec<f32>> {
    let records = sites.iter().flat_map(|site| store.records_between(site, i64::MIN, i64::MAX, u32::MAX).unwrap());
    records.map(|record| ((record.site, record.id), record.vector)).collect()
}

#[test]
fn streams_of_partitions_that_are_killed_lose_nothing_and_change_no_vector() {
    let (Some(mut nats), Some(database)) = (Nats::start(), postgres::Server::start()) else { return };
    let folder = TempDir::new().unwrap();
    // Events of two sites, under the names of several.
    let (n_names, n_each, least_kills) = if std::env::var_os(SOAK).is_some() { (8, 12_499, 20) } else { (6, 1_500, 4) };
    let lines = fs_err::read_to_string(format!("{}/events.jsonl", WORLD.data())).unwrap();
    let mut events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    events.sort_by_key(|event| DateTime::parse_from_rfc3339(event["time"].as_str().unwrap()).unwrap());
    let sites: Vec<String> = (0..n_names).map(|site| format!("site-{site}")).collect();
    let mut renamed = Vec::new();
    for event in &events[..n_each] {
        for site in &sites {
            let mut event = event.clone();
            event["site_id"] = site.as_str().into();
            renamed.push(event);
        }
    }
    let counts = nats.publish(&renamed);
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");

    let address = database.address("shared");
    let store = address.to_string();
    let mut workers = [0, 1].map(|partition| worker(&nats, &store, partition));
    let (begun, mut n_kills) = (Instant::now(), 0);
    let n_stored = || PostgresStore::open(&address).and_then(|store| store.stats()).map_or(0, |stats| stats.n_vectors);
    while n_stored() < renamed.len() {
        assert!(begun.elapsed() < LONGEST, "{} of {} after {n_kills} kills", n_stored(), renamed.len());
        thread::sleep(Duration::from_millis(600));
        let partition = n_kills % 2;
        workers[partition].kill().unwrap();
        workers[partition].wait().unwrap();
        n_kills += 1;
        match n_kills % 5 {
            2 => nats.restart(),
            3 => {
                database.down();
                database.up();
            }
            _ => {}
        }
        workers[partition] = worker(&nats, &store, partition);
    }
    for mut worker in workers {
        worker.kill().unwrap();
        worker.wait().unwrap();
    }
    let undisturbed = folder.path().join("undisturbed");
    let lines: Vec<String> = renamed.iter().map(Value::to_string).collect();
    let source = written(folder.path(), "events.jsonl", &lines.join("\n"));
    done(&["stream", "--run", &WORLD.run(), "--store", undisturbed.to_str().unwrap(), "--source", &source]);
    let want = vectors(&Store::open(&undisturbed).unwrap(), &sites);
    let got = vectors(&PostgresStore::open(&address).unwrap(), &sites);
    assert_eq!((got.len(), want.len()), (renamed.len(), renamed.len()));
    let n_others = want.iter().filter(|(id, vector)| got.get(*id) != Some(vector)).count();
    assert_eq!(n_others, 0, "vectors differ after {n_kills} kills");
    println!("{} events, {n_kills} kills, {:.0} s", got.len(), begun.elapsed().as_secs_f64());
    assert!(n_kills >= least_kills, "only {n_kills} kills");
}
