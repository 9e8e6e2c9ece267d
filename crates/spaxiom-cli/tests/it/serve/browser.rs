//! A browser that does what a person does: Chromium, told by `WebDriver` (<https://www.w3.org/TR/webdriver2/>).

#![expect(clippy::disallowed_methods, reason = "waits for a while")]

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A page is there by then, or not at all.
const LONGEST: Duration = Duration::from_secs(30);

/// The member under which an element stands in an answer.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub(super) struct Browser {
    driver: Child,
    session: String,
    agent: ureq::Agent,
    _profile: TempDir,
}

/// A browser; none where there is no `chromedriver`, which fails in CI.
pub(super) fn start() -> Option<Browser> {
    // Free when it is asked for, and most likely a moment later.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut driver = Command::new("chromedriver");
    driver.arg(format!("--port={port}")).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(driver) = driver.spawn() else {
        crate::skipped("the explorer in a browser; install the packages `chromium` and `chromium-driver`");
        return None;
    };
    let profile = TempDir::new().unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let words = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"];
    let quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    let folder = format!("--user-data-dir={}", profile.path().display());
    let words: Vec<&str> = words.into_iter().chain(quiet).chain([folder.as_str()]).collect();
    let asked = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": words}}}});
    let begun = Instant::now();
    let session = loop {
        let answer = agent.post(format!("http://127.0.0.1:{port}/session")).send_json(&asked);
        if let Ok(mut answer) = answer {
            let answer: Value = answer.body_mut().read_json().unwrap();
            break answer["value"]["sessionId"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        }
        assert!(begun.elapsed() < LONGEST, "chromedriver does not answer");
        std::thread::sleep(Duration::from_millis(50));
    };
    Some(Browser { driver, session: format!("http://127.0.0.1:{port}/session/{session}"), agent, _profile: profile })
}

impl Browser {
    fn tell(&self, path: &str, what: &Value) -> Value {
        let mut answer = self.agent.post(format!("{}{path}", self.session)).send_json(what).unwrap();
        let answer: Value = answer.body_mut().read_json().unwrap();
        assert!(answer["value"]["error"].is_null(), "{path} {what}: {answer}");
        answer["value"].clone()
    }

    /// Opens an address in a window of so many pixels.
    pub(super) fn open(&self, address: &str, (width, height): (u32, u32)) {
        self.tell("/window/rect", &json!({"width": width, "height": height}));
        self.tell("/url", &json!({"url": address}));
    }

    /// What a script returns.
    pub(super) fn run(&self, script: &str) -> Value {
        self.tell("/execute/sync", &json!({"script": script, "args": []}))
    }

    fn element(&self, css: &str) -> String {
        let found = self.tell("/element", &json!({"using": "css selector", "value": css}));
        format!("/element/{}", found[ELEMENT].as_str().unwrap())
    }

    pub(super) fn click(&self, css: &str) {
        self.tell(&format!("{}/click", self.element(css)), &json!({}));
    }

    pub(super) fn type_into(&self, css: &str, text: &str) {
        self.tell(&format!("{}/value", self.element(css)), &json!({"text": text}));
    }

    /// The text of the first element, as it is shown.
    pub(super) fn text(&self, css: &str) -> String {
        let text = self.run(&format!("return document.querySelector(`{css}`)?.innerText ?? ''"));
        text.as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn is_shown(&self, css: &str) -> bool {
        self.wait(css, || {
            self.run(&format!("return document.querySelector(`{css}`)?.checkVisibility() ?? false")) == true
        });
        true
    }

    /// How many elements there are.
    pub(super) fn count(&self, css: &str) -> usize {
        let count = self.run(&format!("return document.querySelectorAll(`{css}`).length")).as_u64().unwrap();
        usize::try_from(count).unwrap()
    }

    /// Clicks at a place of an element, in pixels from its middle.
    pub(super) fn click_at(&self, css: &str, [x, y]: [i64; 2]) {
        self.run(&format!("document.querySelector(`{css}`).scrollIntoView({{block: 'center'}})"));
        let element = self.element(css);
        let origin = json!({ELEMENT: element.trim_start_matches("/element/")});
        let actions = json!([
            {"type": "pointerMove", "duration": 0, "origin": origin, "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]);
        self.tell("/actions", &json!({"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]}));
    }

    /// Presses at one place of an element and lets go at another, in pixels from its middle.
    pub(super) fn drag(&self, css: &str, from: i64, to: i64) {
        self.run(&format!("document.querySelector(`{css}`).scrollIntoView({{block: 'center'}})"));
        let element = self.element(css);
        let origin = json!({ELEMENT: element.trim_start_matches("/element/")});
        let actions = json!([
            {"type": "pointerMove", "duration": 0, "origin": origin, "x": from, "y": 0},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerMove", "duration": 200, "origin": origin, "x": to, "y": 0},
            {"type": "pointerUp", "button": 0},
        ]);
        self.tell("/actions", &json!({"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]}));
    }

    /// Waits until something is so.
    pub(super) fn wait(&self, what: &str, is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < LONGEST, "{what} did not come: {}", self.text("body"));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Keeps a picture of the window.
    pub(super) fn picture(&self, path: &Path) {
        let mut answer = self.agent.get(format!("{}/screenshot", self.session)).call().unwrap();
        let answer: Value = answer.body_mut().with_config().limit(64 << 20).read_json().unwrap();
        let bytes = BASE64_STANDARD.decode(answer["value"].as_str().unwrap()).unwrap();
        fs_err::write(path, bytes).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.agent.delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
