//! A real broker for a test: Mosquitto on a free port, in a folder of its own.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{Client, Event, MqttOptions};
use tempfile::TempDir;

pub(crate) struct Broker {
    folder: TempDir,
    port: u16,
    process: Child,
}

impl Broker {
    /// Starts one; none where there is no Mosquitto, which fails in CI and is counted by `cargo xtask test` elsewhere.
    #[expect(clippy::disallowed_methods, reason = "a test that is skipped says so where it is told to")]
    pub(crate) fn start() -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if let Some(process) = run(&folder, port) {
            return Some(Self { folder, port, process });
        }
        assert!(std::env::var_os("CI").is_none(), "there is no `mosquitto`");
        if let Some(skipped) = std::env::var_os("SPAXIOM_SKIPPED") {
            let mut file = fs_err::OpenOptions::new().create(true).append(true).open(skipped).unwrap();
            writeln!(file, "{}; install the package `mosquitto`", std::thread::current().name().unwrap()).unwrap();
        }
        None
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Kills it and starts it again; what it has to keep is in its folder.
    pub(crate) fn restart(&mut self) {
        // A broker that is asked to end writes down what nobody has acknowledged.
        let ended = Command::new("kill").arg(self.process.id().to_string()).status().unwrap();
        assert!(ended.success());
        self.process.wait().unwrap();
        self.process = run(&self.folder, self.port).unwrap();
    }

    /// Sends payloads to a topic; returns when the broker has them all.
    pub(crate) fn publish(&self, topic: &str, payloads: &[String]) {
        let options = MqttOptions::new("publisher", "127.0.0.1", self.port);
        let (client, mut connection) = Client::new(options, payloads.len() + 1);
        for payload in payloads {
            client.publish(topic, QoS::AtLeastOnce, false, payload.clone()).unwrap();
        }
        let mut n_acknowledged = 0;
        for event in connection.iter() {
            n_acknowledged += usize::from(matches!(event.unwrap(), Event::Incoming(Packet::PubAck(_))));
            if n_acknowledged == payloads.len() {
                return;
            }
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn run(folder: &TempDir, port: u16) -> Option<Child> {
    let place = folder.path().display();
    let settings = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {place}/\nuser root\n\
         max_queued_messages 0\nlog_dest none\n"
    );
    fs_err::write(folder.path().join("mosquitto.conf"), settings).unwrap();
    let program = ["mosquitto", "/usr/sbin/mosquitto"];
    let start = |program: &&str| {
        let mut command = Command::new(program);
        command.arg("-c").arg(folder.path().join("mosquitto.conf")).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().ok()
    };
    let process = program.iter().find_map(start)?;
    for _ in 0..100 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(process);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the broker does not listen on port {port}");
}
