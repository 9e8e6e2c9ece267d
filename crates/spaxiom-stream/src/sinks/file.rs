//! Alerts as JSON lines, printed or appended to a file.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use serde::Deserialize;

use super::sink::Sink;
use crate::alerts::Notice;
use crate::error::StreamError;

/// Prints every notice.
pub(super) struct Printed(pub(super) Box<dyn FnMut(&str) + Send>);

impl Sink for Printed {
    fn send(&mut self, notices: &[Notice]) -> Result<(), StreamError> {
        for notice in notices {
            (self.0)(&line(notice));
        }
        Ok(())
    }
}

/// Appends every notice once: those that the file has are not written again.
pub(super) struct Appended {
    file: fs_err::File,
    /// Number of the last notice in the file.
    last: u64,
}

/// What is read of a line.
#[derive(Deserialize)]
struct Numbered {
    number: u64,
}

impl Appended {
    pub(super) fn open(path: &Path) -> Result<Self, StreamError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs_err::create_dir_all(folder)?;
        }
        let mut file = fs_err::OpenOptions::new().create(true).append(true).read(true).open(path)?;
        let (mut last, mut is_whole) = (0, true);
        for line in BufReader::new(&mut file).lines() {
            // A kill may have cut the last line.
            let found = serde_json::from_str::<Numbered>(&line?).ok();
            is_whole = found.is_some();
            last = found.map_or(last, |found| found.number.max(last));
        }
        if !is_whole {
            file.write_all(b"\n")?;
        }
        Ok(Self { file, last })
    }
}

impl Sink for Appended {
    fn send(&mut self, notices: &[Notice]) -> Result<(), StreamError> {
        for notice in notices.iter().filter(|notice| notice.number > self.last) {
            self.file.write_all(format!("{}\n", line(notice)).as_bytes())?;
        }
        self.file.sync_data()?;
        self.last = notices.last().map_or(self.last, |notice| notice.number.max(self.last));
        Ok(())
    }
}

fn line(notice: &Notice) -> String {
    serde_json::to_string(notice).expect("a notice has string keys and finite numbers only")
}

#[cfg(test)]
pub(crate) mod tests {
    use chrono::DateTime;

    use super::{Appended, Sink};
    use crate::alerts::{Alert, AlertKind, AlertState, Notice};

    pub(crate) fn notice(number: u64) -> Notice {
        let time = DateTime::from_timestamp(1_000, 0).unwrap();
        let alert = Alert {
            id: format!("risk/s/a/{number}"),
            kind: AlertKind::Risk,
            state: AlertState::Firing,
            site: "s".into(),
            zone: None,
            subject: Some("a".into()),
            score: 0.5,
            text: "at risk".into(),
            event_id: None,
            since: time,
            last: time,
            resolved: None,
            outcome: None,
        };
        Notice { number, alert }
    }

    #[test]
    fn a_file_has_every_notice_once_also_after_a_kill() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("new/alerts.jsonl");
        Appended::open(&path).unwrap().send(&[notice(1), notice(2)]).unwrap();
        let mut text = fs_err::read_to_string(&path).unwrap();
        text.truncate(text.len() - 10);
        fs_err::write(&path, &text).unwrap();
        let mut again = Appended::open(&path).unwrap();
        again.send(&[notice(1), notice(2), notice(3)]).unwrap();
        again.send(&[notice(3), notice(4)]).unwrap();
        let text = fs_err::read_to_string(&path).unwrap();
        let whole = text.lines().filter_map(|line| serde_json::from_str::<Notice>(line).ok());
        assert_eq!(whole.map(|notice| notice.number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }
}
