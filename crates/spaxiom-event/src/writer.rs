//! Writers: events to JSON lines, CloudEvents or Parquet.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};
use spaxiom_file::NewFile;

use crate::error::EventError;
use crate::event::Event;
use crate::source::{SOURCE_PREFIX, SPEC_VERSION, TYPE_PREFIX};

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Target {
    /// One canonical event per line; the endings .gz and .zst compress
    Jsonl,
    /// One CloudEvent 1.0 per line; the endings .gz and .zst compress
    #[cfg_attr(feature = "clap", value(name = "cloudevents"))]
    CloudEvents,
    /// Apache Parquet, compressed with zstd
    #[cfg(feature = "parquet")]
    Parquet,
}

/// Writes events to a file, which appears under its name once it is whole.
///
/// The endings `.gz` and `.zst` compress text.
pub struct EventWriter {
    path: PathBuf,
    out: Out,
}

enum Out {
    Jsonl(Box<dyn Sink>),
    CloudEvents(Box<dyn Sink>),
    #[cfg(feature = "parquet")]
    Parquet(Box<crate::parquet::ParquetEvents<Box<dyn Sink>>>),
}

/// Bytes that end: compressed streams have a last block.
trait Sink: Write + Send {
    fn end(self: Box<Self>) -> io::Result<()>;
}

/// Bytes that somebody else takes: standard output, a socket.
struct Plain<W: Write>(BufWriter<W>);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write + Send> Sink for Plain<W> {
    fn end(mut self: Box<Self>) -> io::Result<()> {
        self.0.flush()
    }
}

impl Sink for BufWriter<NewFile> {
    fn end(self: Box<Self>) -> io::Result<()> {
        self.into_inner().map_err(io::IntoInnerError::into_error)?.commit()
    }
}

impl Sink for GzEncoder<BufWriter<NewFile>> {
    fn end(self: Box<Self>) -> io::Result<()> {
        Box::new(self.finish()?).end()
    }
}

impl Sink for zstd::Encoder<'static, BufWriter<NewFile>> {
    fn end(self: Box<Self>) -> io::Result<()> {
        Box::new(self.finish()?).end()
    }
}

impl EventWriter {
    /// Begins a file; until [`EventWriter::finish`] it has a name of its own, with the ending `.partial`.
    ///
    /// The folder is made where it is missing.
    pub fn create(path: &Path, target: Target) -> Result<Self, EventError> {
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let sink = match target {
            Target::Jsonl | Target::CloudEvents => compressed(path)?,
            // A table compresses its columns itself.
            #[cfg(feature = "parquet")]
            Target::Parquet => Box::new(BufWriter::new(NewFile::create(path)?)),
        };
        Ok(Self { path: path.to_owned(), out: Out::new(sink, target)? })
    }

    /// Writes to what takes bytes; without compression of text.
    pub fn to(out: impl Write + Send + 'static, target: Target) -> Result<Self, EventError> {
        let sink = Box::new(Plain(BufWriter::new(out)));
        Ok(Self { path: "-".into(), out: Out::new(sink, target)? })
    }

    /// Writes one event.
    pub fn write(&mut self, event: &Event) -> Result<(), EventError> {
        match &mut self.out {
            Out::Jsonl(sink) => write_line(sink, event)?,
            Out::CloudEvents(sink) => write_line(sink, &cloud_event(event)?)?,
            #[cfg(feature = "parquet")]
            Out::Parquet(parquet) => parquet.write(event)?,
        }
        Ok(())
    }

    /// Writes the beginning of an event's line, as a network that breaks off leaves it; a table has no lines, and nothing is written.
    ///
    /// `at` is the share of the line that is left, 0 to 1. Gives whether something was written.
    pub fn write_broken(&mut self, event: &Event, at: f64) -> Result<bool, EventError> {
        match &mut self.out {
            Out::Jsonl(sink) => write_part(sink, event, at)?,
            Out::CloudEvents(sink) => write_part(sink, &cloud_event(event)?, at)?,
            #[cfg(feature = "parquet")]
            Out::Parquet(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Ends the file and gives it its name; a file that was there is replaced only now.
    pub fn finish(self) -> Result<(), EventError> {
        match self.out {
            Out::Jsonl(sink) | Out::CloudEvents(sink) => sink.end()?,
            #[cfg(feature = "parquet")]
            Out::Parquet(parquet) => parquet.finish()?.end()?,
        }
        Ok(())
    }
}

impl std::fmt::Debug for EventWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventWriter").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Writes the beginning of an event's canonical line: the share `at` of it, 0 to 1.
pub fn write_broken_line(mut out: impl Write, event: &Event, at: f64) -> Result<(), EventError> {
    Ok(write_part(&mut out, event, at)?)
}

/// Writes events as canonical JSON lines.
pub fn write_jsonl<'a>(mut out: impl Write, events: impl IntoIterator<Item = &'a Event>) -> Result<(), EventError> {
    for event in events {
        write_line(&mut out, event)?;
    }
    Ok(())
}

impl Out {
    fn new(sink: Box<dyn Sink>, target: Target) -> Result<Self, EventError> {
        Ok(match target {
            Target::Jsonl => Self::Jsonl(sink),
            Target::CloudEvents => Self::CloudEvents(sink),
            #[cfg(feature = "parquet")]
            Target::Parquet => Self::Parquet(Box::new(crate::parquet::ParquetEvents::new(sink)?)),
        })
    }
}

fn compressed(path: &Path) -> Result<Box<dyn Sink>, EventError> {
    let file = BufWriter::new(NewFile::create(path)?);
    Ok(match path.extension().and_then(std::ffi::OsStr::to_str) {
        Some("gz") => Box::new(GzEncoder::new(file, flate2::Compression::default())),
        Some("zst") => Box::new(zstd::Encoder::new(file, zstd::DEFAULT_COMPRESSION_LEVEL)?),
        _ => Box::new(file),
    })
}

fn write_line(out: &mut impl Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a line")]
fn write_part(out: &mut impl Write, value: &impl serde::Serialize, at: f64) -> io::Result<()> {
    let text = serde_json::to_string(value)?;
    let end = text.floor_char_boundary((text.len() as f64 * at.clamp(0.0, 1.0)) as usize);
    out.write_all(&text.as_bytes()[..end])?;
    out.write_all(b"\n")
}

/// Context attributes hold what every consumer may see; all else, the subject's id above all, is in `data`.
fn cloud_event(event: &Event) -> io::Result<Value> {
    let Value::Object(mut data) = serde_json::to_value(event)? else {
        unreachable!("an event is written as an object")
    };
    let mut take = |name: &str| data.remove(name).unwrap_or(Value::Null);
    let (id, kind, time, site) = (take("id"), take("type"), take("time"), take("site_id"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut envelope = Map::new();
    let mut put = |name: &str, value: Value| envelope.insert(name.into(), value);
    put("specversion", SPEC_VERSION.into());
    put("source", format!("{SOURCE_PREFIX}{}", text(&site)).into());
    put("type", format!("{TYPE_PREFIX}{}", text(&kind)).into());
    put("id", id);
    put("time", time);
    put("siteid", site);
    if let Some(zone) = data.get("zone").cloned() {
        put("subject", zone);
    }
    put("datacontenttype", json!("application/json"));
    put("data", Value::Object(data));
    Ok(Value::Object(envelope))
}
