//! Inputs after situations that users of such tools reported in public: `tests/cases`, a folder for each.
//!
//! What comes out is compared, not how; messages have to name what helps.

mod homes;
mod json;
mod tables;
mod times;

use std::path::Path;

use serde_json::Value;

use crate::output;

/// The path of an input.
fn case(name: &str) -> String {
    let path = Path::new("tests/cases").join(name);
    assert!(path.exists(), "no case `{name}`");
    path.to_str().unwrap().to_owned()
}

/// The events of an input, as `convert` writes them to standard output, and the exit code.
fn converted(name: &str, words: &[&str]) -> (Vec<Value>, i32) {
    let path = case(name);
    let output = output(&[&["convert", &path, "--to", "jsonl", "--out", "-"], words].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    (text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), output.status.code().unwrap())
}

/// Wants events with these members, in order, and this exit code.
fn gives(name: &str, words: &[&str], code: i32, want: &[&str]) {
    let (events, got_code) = converted(name, words);
    let short = |event: &Value| {
        let time = event["time"].as_str().unwrap();
        let mut parts = vec![event["type"].as_str().unwrap().to_owned()];
        parts.extend(event["zone"].as_str().map(str::to_owned));
        parts.push(time.rsplit_once('T').unwrap().1.trim_end_matches('Z').to_owned());
        parts.extend(event["attrs"].as_object().into_iter().flatten().map(|(name, value)| format!("{name}={value}")));
        parts.join(" ")
    };
    let got: Vec<String> = events.iter().map(short).collect();
    assert_eq!(got, want, "{name} {words:?}");
    assert_eq!(got_code, code, "{name} {words:?}");
}

/// The report of `check`, and its exit code.
fn checked(name: &str, words: &[&str]) -> (Value, i32) {
    let output = output(&[&["check", &case(name), "--json"], words].concat());
    let document = serde_json::from_slice(&output.stdout);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    (document.unwrap_or_else(|_| panic!("{name} {words:?}: {told}")), output.status.code().unwrap())
}

/// Wants so many events and rejected lines.
fn counts(name: &str, words: &[&str], n_events: u64, n_rejected: u64) {
    let (report, code) = checked(name, words);
    assert_eq!((&report["events"], &report["rejected"]), (&n_events.into(), &n_rejected.into()), "{name} {words:?}");
    assert_eq!(code, if n_rejected > 0 { 3 } else { 0 }, "{name} {words:?}");
}

/// Wants a message of `check` on either output, and an exit code that is not 0.
fn told(name: &str, words: &[&str], want: &[&str]) {
    let output = output(&[&["check", &case(name)], words].concat());
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_ne!(output.status.code(), Some(0), "{name} {words:?}");
    for want in want {
        assert!(text.contains(want), "{name} {words:?}\n  gave: {text}\n  want: {want}");
    }
}

/// Wants a finding of this kind that says these words.
fn finds(name: &str, words: &[&str], kind: &str, want: &[&str]) {
    let (report, _) = checked(name, words);
    let findings = report["findings"].as_array().unwrap();
    let of_kind = findings.iter().filter(|finding| finding["kind"] == kind);
    let texts: Vec<String> = of_kind.map(|finding| format!("{} {}", finding["detail"], finding["advice"])).collect();
    let text = texts.join("\n");
    for want in want {
        assert!(text.contains(want), "{name} {words:?}\n  gave: {findings:?}\n  want: {kind} {want}");
    }
}
