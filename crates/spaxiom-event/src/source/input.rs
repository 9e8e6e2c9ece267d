//! Bytes from a file, from standard input, plain or compressed.

use std::io::{self, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::EventError;

/// How every Parquet file begins.
const PARQUET: &[u8] = b"PAR1";

/// Bytes that can be read once, on any thread.
pub(crate) type Input = Box<dyn Read + Send>;

/// What the first bytes of an input tell.
pub(super) enum Opened {
    /// Text, decompressed where it has to be.
    Text(Input),
    /// A Parquet file, which is read by seeking.
    Parquet,
}

/// Opens a file.
pub(super) fn open(path: &Path) -> Result<Opened, EventError> {
    let mut file = fs_err::File::open(path)?;
    let mut magic = Vec::with_capacity(4);
    (&mut file).take(4).read_to_end(&mut magic)?;
    if magic == PARQUET {
        return Ok(Opened::Parquet);
    }
    Ok(Opened::Text(decompressed(&magic.clone(), Box::new(Cursor::new(magic).chain(file)))?))
}

/// Text out of bytes that cannot be looked at twice.
pub(super) fn stream(mut input: Input) -> Result<Input, EventError> {
    let mut magic = Vec::with_capacity(4);
    (&mut input).take(4).read_to_end(&mut magic)?;
    if magic == PARQUET {
        return Err(EventError::ParquetStream);
    }
    decompressed(&magic.clone(), Box::new(Cursor::new(magic).chain(input)))
}

fn decompressed(magic: &[u8], input: Input) -> Result<Input, EventError> {
    Ok(match magic {
        [0x1f, 0x8b, ..] => Box::new(MultiGzDecoder::new(input)),
        [0x28, 0xb5, 0x2f, 0xfd] => Box::new(zstd::Decoder::new(input)?),
        _ => input,
    })
}

/// The first bytes of an input, at least one line that is not blank where there is one.
///
/// Gives them together with the error that came behind them, if any: what was read is not lost.
pub(super) fn peek(input: &mut Input, max_bytes: usize) -> (Vec<u8>, Option<io::Error>) {
    let mut head = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    while head.len() < max_bytes && !has_line(&head) {
        match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => head.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (head, Some(error)),
        }
    }
    (head, None)
}

fn has_line(head: &[u8]) -> bool {
    let blank = head.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    memchr::memchr(b'\n', &head[blank..]).is_some()
}
