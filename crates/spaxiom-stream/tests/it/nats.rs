//! A real server of NATS: nothing is lost when this program or the server ends, and nothing is stored twice.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::jetstream;
use spaxiom_embedding::ReadOptions;
use spaxiom_stream::{AlertAddress, NatsPublisher, NatsSubject, SourceAddress, StreamOptions, Worker};
use tempfile::TempDir;

use crate::mqtt::payloads;
use crate::{Until, WORLD, stream, vectors};

/// A server on a free port, with the stream `EVENTS` of the subjects `b.>`.
struct Server {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Server {
    /// None where there is no NATS, which fails in CI and is counted by `cargo xtask test` elsewhere.
    #[expect(clippy::disallowed_methods, reason = "a test that is skipped says so where it is told to")]
    fn start() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if let Some(process) = run(&folder, port) {
            return Some(Self { folder, port, process });
        }
        assert!(std::env::var_os("CI").is_none(), "there is no `nats-server`");
        if let Some(skipped) = std::env::var_os("SPAXIOM_SKIPPED") {
            let mut file = fs_err::OpenOptions::new().create(true).append(true).open(skipped).unwrap();
            writeln!(file, "{}; install the package `nats-server`", std::thread::current().name().unwrap()).unwrap();
        }
        None
    }

    /// Kills it and starts it again.
    fn restart(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.process = run(&self.folder, self.port).unwrap();
    }

    /// Returns when the server has all of them.
    fn publish(&self, payloads: &[String]) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = async_nats::connect(format!("nats://127.0.0.1:{}", self.port)).await.unwrap();
            let context = jetstream::new(client);
            let config =
                jetstream::stream::Config { name: "EVENTS".into(), subjects: vec!["b.>".into()], ..Default::default() };
            context.get_or_create_stream(config).await.unwrap();
            for payload in payloads {
                let told = context.publish("b.dock.events", payload.clone().into()).await.unwrap();
                told.await.unwrap();
            }
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(folder: &TempDir, port: u16) -> Option<Child> {
    let start = |program: &str| {
        Command::new(program)
            .args(["-js", "-a", "127.0.0.1", "-p", &port.to_string(), "-sd"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()
    };
    let process = start("nats-server").or_else(|| start("/usr/sbin/nats-server"))?;
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(process);
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("nats-server does not listen");
}

#[test]
fn nothing_is_lost_when_the_stream_or_the_server_ends() {
    let Some(mut server) = Server::start() else { return };
    let folder = TempDir::new().unwrap();
    let events = &WORLD.events[..600];
    let store = folder.path().join("store");
    let source: SourceAddress = format!("nats://127.0.0.1:{}/EVENTS/b.*.events", server.port).parse().unwrap();
    let options = || StreamOptions { commit_events: 16, ..StreamOptions::default() };
    server.publish(&payloads(&events[..200]));
    let first = {
        let pipeline = WORLD.pipeline(&store);
        let mut feed = source.open("test", None, None, ReadOptions::default()).unwrap();
        let mut worker = Worker::new(&pipeline, None, options(), Vec::new()).unwrap();
        worker.run(&mut feed, &mut Until::durable(100)).unwrap()
    };
    assert!((100..=200).contains(&first.new), "{first:?}");
    // While nobody listens the server keeps what comes, also over its own end.
    server.publish(&payloads(&events[200..400]));
    server.restart();
    let second = stream(&source, &store, options(), Vec::new(), 400 - first.new);
    assert_eq!(first.new + second.new, 400, "{second:?}");
    // The server ends while the stream goes on.
    let third = {
        let pipeline = WORLD.pipeline(&store);
        let mut feed = source.open("test", None, None, ReadOptions::default()).unwrap();
        server.restart();
        server.publish(&payloads(&events[400..]));
        let mut worker = Worker::new(&pipeline, None, options(), Vec::new()).unwrap();
        worker.run(&mut feed, &mut Until::durable(200)).unwrap()
    };
    assert_eq!(third.new, 200, "{third:?}");
    let path = folder.path().join("events.jsonl");
    fs_err::write(&path, payloads(events).join("\n")).unwrap();
    let undisturbed = folder.path().join("undisturbed");
    stream(&SourceAddress::File(path), &undisturbed, StreamOptions::default(), Vec::new(), 600);
    assert!(vectors(&store) == vectors(&undisturbed));
}

/// What is published is there once, however often it is sent, and a subject that no stream has is said.
#[test]
fn what_is_published_is_there_once() {
    let Some(server) = Server::start() else { return };
    server.publish(&[]);
    let subject = |name: &str| format!("nats://127.0.0.1:{}/{name}", server.port).parse::<NatsSubject>().unwrap();
    let publisher = NatsPublisher::connect(&subject("b.alerts"), "test", None).unwrap();
    for (id, payload) in [("1", "one"), ("2", "two"), ("1", "one")] {
        publisher.publish(id, payload.into()).unwrap();
    }
    let said = NatsPublisher::connect(&subject("nobody"), "test", None).unwrap().publish("1", Vec::new());
    assert!(said.unwrap_err().to_string().contains("nobody"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let n_messages = runtime.block_on(async {
        let client = async_nats::connect(format!("nats://127.0.0.1:{}", server.port)).await.unwrap();
        jetstream::new(client).get_stream("EVENTS").await.unwrap().info().await.unwrap().state.messages
    });
    assert_eq!(n_messages, 2);
    // Notices of alerts go the same way.
    let address: AlertAddress = format!("nats://127.0.0.1:{}/b.alerts", server.port).parse().unwrap();
    let mut sink = address.open("test", None, Box::new(|_| ())).unwrap();
    sink.send(&[]).unwrap();
}

#[test]
fn a_server_or_a_stream_that_is_not_there_is_said() {
    let away: SourceAddress = "nats://me:secret@127.0.0.1:1/EVENTS".parse().unwrap();
    let said = away.open("test", None, None, ReadOptions::default()).err().unwrap().to_string();
    assert!(said.contains("127.0.0.1:1") && !said.contains("secret"), "{said}");
    let Some(server) = Server::start() else { return };
    let other: SourceAddress = format!("nats://127.0.0.1:{}/OTHER", server.port).parse().unwrap();
    let said = other.open("test", None, None, ReadOptions::default()).err().unwrap().to_string();
    assert!(said.contains("stream not found"), "{said}");
}
