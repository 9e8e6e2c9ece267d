//! A whole file of events in memory, in order of time, with its labels and its bad lines.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use chrono::{DateTime, Utc};

use crate::error::{EventError, Rejected};
use crate::event::Event;
use crate::ids::SiteId;
use crate::label::LabelSpan;
use crate::source::{ActivityMark, EventReader, Format, MarkEdge};

/// What a file of events holds.
#[derive(Debug, Default)]
pub struct EventLog {
    /// In order of time; events of one instant stay in the order of the file.
    pub events: Vec<Event>,
    /// Activities that the file itself marks (CASAS); empty for other formats.
    pub spans: Vec<LabelSpan>,
    /// Lines that are no events.
    pub rejected: Vec<Rejected>,
    /// Marks without a partner.
    pub unpaired: Vec<UnpairedMark>,
}

/// A begin that never ended, or an end that never began; it makes no span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{activity}` {missing} at {time} has no partner", missing = match edge { MarkEdge::Begin => "begin", MarkEdge::End => "end" })]
pub struct UnpairedMark {
    /// The name of the activity.
    pub activity: String,
    /// The edge that is there.
    pub edge: MarkEdge,
    /// When.
    pub time: DateTime<Utc>,
}

/// Reads a file; without a `format` the first line tells it.
///
/// # Errors
/// [`EventError::Empty`] for a file without any line, [`EventError::UnknownFormat`] where the first line tells nothing.
/// Bad lines are no error: they are in [`EventLog::rejected`].
pub fn read_log(path: &Path, format: Option<Format>) -> Result<EventLog, EventError> {
    let mut input = BufReader::new(fs_err::File::open(path)?);
    let Some(first_line) = first_line(&mut input)? else {
        return Err(EventError::Empty { path: path.to_owned() });
    };
    let format = format
        .or_else(|| Format::detect(&String::from_utf8_lossy(first_line.get_ref())))
        .ok_or_else(|| EventError::UnknownFormat { path: path.to_owned() })?;
    read_all(EventReader::new(first_line.chain(input), format))
}

/// Writes events as canonical JSON lines.
pub fn write_jsonl<'a>(mut out: impl Write, events: impl IntoIterator<Item = &'a Event>) -> Result<(), EventError> {
    for event in events {
        serde_json::to_writer(&mut out, event).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Everything up to and including the first line that is not blank.
fn first_line(input: &mut impl BufRead) -> Result<Option<std::io::Cursor<Vec<u8>>>, EventError> {
    let mut bytes = Vec::new();
    while bytes.iter().all(u8::is_ascii_whitespace) {
        if input.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(std::io::Cursor::new(bytes)))
}

fn read_all(reader: EventReader<impl BufRead>) -> Result<EventLog, EventError> {
    let mut log = EventLog::default();
    let mut pairs = MarkPairs::default();
    for record in reader {
        match record? {
            Ok(record) => {
                if let Some(mark) = record.mark {
                    pairs.push(&record.event.site_id, mark);
                }
                log.events.push(record.event);
            }
            Err(rejected) => log.rejected.push(rejected),
        }
    }
    log.events.sort_by_key(|event| event.time);
    (log.spans, log.unpaired) = pairs.finish();
    Ok(log)
}

/// Joins begins and ends to spans.
#[derive(Default)]
struct MarkPairs {
    open: BTreeMap<(SiteId, String), DateTime<Utc>>,
    spans: Vec<LabelSpan>,
    unpaired: Vec<UnpairedMark>,
}

impl MarkPairs {
    fn push(&mut self, site_id: &SiteId, mark: ActivityMark) {
        let ActivityMark { activity, edge, time } = mark;
        let key = (site_id.clone(), activity.clone());
        match edge {
            MarkEdge::Begin => {
                if let Some(time) = self.open.insert(key, time) {
                    self.unpaired.push(UnpairedMark { activity, edge, time });
                }
            }
            MarkEdge::End => match self.open.remove(&key) {
                Some(start) => self.spans.push(LabelSpan {
                    site_id: site_id.clone(),
                    episode_id: format!("{site_id}-{}", self.spans.len()),
                    label: activity,
                    start,
                    end: time,
                }),
                None => self.unpaired.push(UnpairedMark { activity, edge, time }),
            },
        }
    }

    fn finish(mut self) -> (Vec<LabelSpan>, Vec<UnpairedMark>) {
        let never_ended =
            self.open.into_iter().map(|((_, activity), time)| UnpairedMark { activity, edge: MarkEdge::Begin, time });
        self.unpaired.extend(never_ended);
        self.unpaired.sort_by_key(|mark| mark.time);
        (self.spans, self.unpaired)
    }
}
