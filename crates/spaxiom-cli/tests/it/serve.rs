//! A server as agents, programs and people use it.
#![cfg(unix)]

mod agent;
mod browser;
mod client;
mod page;
mod questions;
mod tokens;
mod trouble;
mod writing;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::Value;

use crate::{WORLD, program};

/// Starts a server over a store of the world's run.
fn started(store: &str, words: &[&str]) -> Child {
    let mut command = Command::new(program());
    command.args(["serve", "--run", &WORLD.run(), "--store", store]).args(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// A server on a free port; it is killed at the end of a test.
struct Server {
    child: Child,
    address: String,
    agent: ureq::Agent,
    token: Option<String>,
}

impl Server {
    fn start(store: &str, words: &[&str]) -> Self {
        Self::of(started(store, &[&["--listen", "127.0.0.1:0"], words].concat()))
    }

    /// The server that a process serves.
    fn of(mut child: Child) -> Self {
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self { child, address: address.trim_end().replace("0.0.0.0", "127.0.0.1"), agent, token: None }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    fn authorization(&self) -> String {
        self.token.as_ref().map(|token| format!("Bearer {token}")).unwrap_or_default()
    }

    /// Status and text of an answer.
    fn text(&self, path: &str) -> (u16, String) {
        let mut answer = self.agent.get(self.url(path)).header("Authorization", self.authorization()).call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    /// Status and JSON of an answer.
    fn get(&self, path: &str) -> (u16, Value) {
        let (status, text) = self.text(path);
        (status, serde_json::from_str(&text).unwrap())
    }

    /// Status and JSON of an answer to a body.
    fn post(&self, path: &str, body: impl AsRef<[u8]>) -> (u16, Value) {
        let request = self.agent.post(self.url(path)).header("Authorization", self.authorization());
        let mut answer = request.content_type("application/json").send(body.as_ref()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Asks the process to end, and waits until it has.
    fn terminate(mut self) -> ExitStatus {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
