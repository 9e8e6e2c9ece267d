//! Bytes from a file, from standard input, plain or compressed.

use std::io::{self, Cursor, Read};
use std::path::Path;
use std::str::FromStr;

use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;
use flate2::read::MultiGzDecoder;

use super::head;

use crate::error::EventError;

/// How every Parquet file begins.
const PARQUET: &[u8] = b"PAR1";

/// Bytes that can be read once, on any thread.
pub(crate) type Input = Box<dyn Read + Send>;

/// How every SQLite database begins.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// How zip archives begin, an empty one too.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// Enough to tell how the columns of a table are written.
const SAMPLE_BYTES: usize = 64 * 1024;

/// The encoding of a text that is not UTF-8, by its name: `latin1`, `windows-1252`, `utf-16le`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextEncoding(&'static Encoding);

impl FromStr for TextEncoding {
    type Err = EventError;

    fn from_str(name: &str) -> Result<Self, EventError> {
        let known = Encoding::for_label(name.as_bytes()).map(Self);
        known.ok_or_else(|| EventError::UnknownEncoding { got: name.into() })
    }
}

/// What the first bytes of an input tell.
pub(super) enum Opened {
    /// Text, decompressed where it has to be.
    Text(Input),
    /// A Parquet file, which is read by seeking.
    Parquet,
    /// A SQLite database, which is read by queries.
    Sqlite,
}

/// Opens a file.
pub(super) fn open(path: &Path, encoding: Option<TextEncoding>) -> Result<Opened, EventError> {
    let mut file = fs_err::File::open(path)?;
    let magic = magic(&mut file)?;
    if magic.starts_with(PARQUET) {
        return Ok(Opened::Parquet);
    }
    if magic.starts_with(SQLITE) {
        return Ok(Opened::Sqlite);
    }
    if ZIP.iter().any(|zip| magic.starts_with(zip)) {
        return Err(EventError::Archive { path: path.to_owned() });
    }
    Ok(Opened::Text(decoded(&magic.clone(), Box::new(Cursor::new(magic).chain(file)), encoding)?))
}

/// Text out of bytes that cannot be looked at twice.
pub(super) fn stream(mut input: Input, encoding: Option<TextEncoding>) -> Result<Input, EventError> {
    let magic = magic(&mut input)?;
    if [PARQUET, SQLITE].iter().any(|table| magic.starts_with(table)) {
        return Err(EventError::TableStream);
    }
    if ZIP.iter().any(|zip| magic.starts_with(zip)) {
        return Err(EventError::Archive { path: "-".into() });
    }
    decoded(&magic.clone(), Box::new(Cursor::new(magic).chain(input)), encoding)
}

/// The first bytes of an input, as many as it takes to tell what it is.
fn magic(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut magic = Vec::with_capacity(SQLITE.len());
    input.take(SQLITE.len() as u64).read_to_end(&mut magic)?;
    Ok(magic)
}

/// Decompressed, and as UTF-8.
fn decoded(magic: &[u8], input: Input, encoding: Option<TextEncoding>) -> Result<Input, EventError> {
    let mut input: Input = match magic {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(input)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::new(input)?),
        _ => input,
    };
    // A damaged archive may fail here already: its reader tells so when it is asked again.
    let mut start = Vec::with_capacity(4);
    let error = (&mut input).take(4).read_to_end(&mut start).err();
    let encoding = encoding.map(|TextEncoding(encoding)| encoding).or_else(|| utf16(&start));
    let rest: Input = match error {
        Some(error) => Box::new(Cursor::new(start).chain(Broken(Some(error)))),
        None => Box::new(Cursor::new(start).chain(input)),
    };
    Ok(match encoding {
        Some(encoding) => {
            Box::new(DecodeReaderBytesBuilder::new().encoding(Some(encoding)).bom_override(true).build(rest))
        }
        None => rest,
    })
}

/// UTF-16 by its byte order mark, or by the zeros of its first two characters.
fn utf16(start: &[u8]) -> Option<&'static Encoding> {
    match *start {
        [0xff, 0xfe, ..] => Some(encoding_rs::UTF_16LE),
        [0xfe, 0xff, ..] => Some(encoding_rs::UTF_16BE),
        [first, 0, second, 0] if first != 0 && second != 0 => Some(encoding_rs::UTF_16LE),
        [0, first, 0, second] if first != 0 && second != 0 => Some(encoding_rs::UTF_16BE),
        _ => None,
    }
}

/// An input that breaks off.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// The first bytes of an input: at least one line that is not blank or one whole JSON object, and of a file a sample.
///
/// Gives them together with the error that came behind them, if any: what was read is not lost.
///
/// Of text `n_before` lines are left out, and those that begin with `#`.
pub(super) fn peek(
    input: &mut Input,
    max_bytes: usize,
    n_before: usize,
    is_file: bool,
) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::new();
    let mut chunk = vec![0; SAMPLE_BYTES];
    let n_wanted = if is_file { SAMPLE_BYTES.min(max_bytes) } else { 0 };
    while head.len() < n_wanted || (head.len() < max_bytes && !is_enough(&head, n_before)) {
        match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => head.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (head, Some(error)),
        }
    }
    (head, None)
}

fn is_enough(head: &[u8], n_before: usize) -> bool {
    let text = String::from_utf8_lossy(head);
    let text = head::without_marks(&text);
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    let has_line = whole.lines().filter(|line| !line.is_empty()).skip(n_before).any(|line| !line.starts_with('#'));
    has_line && (!head::is_json(text) || !head::is_document(text) || !head::objects(text).is_empty())
        || (!has_line && text.ends_with(['}', ']']) && !head::objects(text).is_empty())
}
