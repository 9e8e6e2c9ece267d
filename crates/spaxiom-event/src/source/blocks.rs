//! Blocks of whole lines, so that a block can be parsed on any thread.

use std::io::{self, Read};

use super::input::Input;
use super::rows::{Rows, last_end};

/// Enough that the overhead of a block does not matter, little enough that it stays in the cache.
const BLOCK_BYTES: usize = 1 << 20;

/// How much of a line that is too long is kept to be looked at.
const HEAD_BYTES: usize = 1024;

/// Some whole lines of an input.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Lines with their ends.
    pub(super) bytes: Vec<u8>,
    /// How many there are, but for a last one without an end.
    pub(super) n_lines: usize,
    /// Number of the first line, from 1.
    pub(super) line: u64,
    /// Bytes before it.
    pub(super) offset: u64,
    /// A line that was too long to be kept: it follows the lines of `bytes`.
    pub(super) too_long: Option<TooLong>,
}

impl Block {
    /// Where its rows end; in quotes behind `quoted_after` a row goes on over the end of a line.
    pub(super) fn rows(&self, quoted_after: Option<u8>) -> Rows<'_> {
        Rows::new(&self.bytes, quoted_after)
    }
}

/// A line that was too long to be kept.
#[derive(Debug)]
pub(super) struct TooLong {
    /// How long it was.
    pub(super) n_bytes: u64,
    /// How it begins.
    pub(super) head: Vec<u8>,
}

/// Cuts an input into blocks.
pub(super) struct Blocks {
    input: Input,
    carry: Vec<u8>,
    max_line_bytes: usize,
    /// The delimiter behind which a quote opens a field that may hold ends of lines.
    quoted_after: Option<u8>,
    /// Whether to wait until a block is full; a stream gives what it has.
    fills: bool,
    line: u64,
    offset: u64,
    is_done: bool,
    error: Option<io::Error>,
}

impl Blocks {
    /// Cuts `head` and then `input`; `error` is what came behind `head`.
    pub(super) fn new(
        head: Vec<u8>,
        error: Option<io::Error>,
        input: Input,
        max_line_bytes: usize,
        fills: bool,
    ) -> Self {
        let is_done = error.is_some();
        Self { input, carry: head, max_line_bytes, quoted_after: None, fills, line: 1, offset: 0, is_done, error }
    }

    /// Keeps rows whole in which a field in quotes goes over several lines.
    pub(super) fn with_quotes(self, quoted_after: Option<u8>) -> Self {
        Self { quoted_after, ..self }
    }

    /// Leaves out the first line that is not blank.
    pub(super) fn skip_first_line(&mut self) {
        let blank = self.carry.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let end = memchr::memchr(b'\n', &self.carry[blank..]).map_or(self.carry.len(), |at| blank + at + 1);
        let rest = self.carry.split_off(end);
        let header = std::mem::replace(&mut self.carry, rest);
        self.block(header, None);
    }

    /// The error that ended the input early, once all that came before it was given.
    pub(super) fn take_error(&mut self) -> Option<(u64, u64, io::Error)> {
        self.error.take().map(|error| (self.line, self.offset, error))
    }

    /// The next block, or none at the end of the input.
    pub(super) fn next_block(&mut self) -> Option<Block> {
        let mut bytes = std::mem::take(&mut self.carry);
        // Only what was not searched yet is searched for the end of a line.
        let mut searched = 0;
        loop {
            let end = memchr::memrchr(b'\n', &bytes[searched..]).map(|at| searched + at + 1);
            let end = end.filter(|_| self.is_done || !self.fills || bytes.len() >= BLOCK_BYTES);
            if let Some(end) = end.and_then(|end| last_end(&bytes, end, self.quoted_after, self.is_done)) {
                self.carry = bytes.split_off(end);
                return Some(self.block(bytes, None));
            }
            if self.is_done {
                return (!bytes.is_empty()).then(|| self.block(bytes, None));
            }
            if memchr::memchr(b'\n', &bytes[searched..]).is_none() {
                searched = bytes.len();
                if bytes.len() > self.max_line_bytes {
                    return Some(self.skip_line(bytes));
                }
            }
            self.fill(&mut bytes);
        }
    }

    /// At most so many blocks; none at the end of the input.
    pub(super) fn take(&mut self, n_blocks: usize) -> Vec<Block> {
        std::iter::from_fn(|| self.next_block()).take(n_blocks).collect()
    }

    fn block(&mut self, bytes: Vec<u8>, too_long: Option<TooLong>) -> Block {
        let n_lines = memchr::memchr_iter(b'\n', &bytes).count();
        let block = Block { line: self.line, offset: self.offset, bytes, n_lines, too_long };
        self.line += n_lines as u64;
        self.offset += block.bytes.len() as u64;
        if let Some(long) = &block.too_long {
            self.line += 1;
            self.offset += long.n_bytes;
        }
        block
    }

    /// Reads on to the end of a line without keeping it.
    fn skip_line(&mut self, mut bytes: Vec<u8>) -> Block {
        let head = bytes[..HEAD_BYTES.min(bytes.len())].to_vec();
        let mut n_bytes = 0;
        loop {
            match memchr::memchr(b'\n', &bytes) {
                Some(at) => {
                    n_bytes += at as u64 + 1;
                    self.carry = bytes.split_off(at + 1);
                    break;
                }
                None => n_bytes += bytes.len() as u64,
            }
            if self.is_done {
                break;
            }
            bytes.clear();
            self.fill(&mut bytes);
        }
        self.block(Vec::new(), Some(TooLong { n_bytes, head }))
    }

    /// One read; at the end of the input or behind an error there is nothing more to come.
    fn fill(&mut self, bytes: &mut Vec<u8>) {
        let n_wanted = BLOCK_BYTES.saturating_sub(bytes.len()).max(BLOCK_BYTES / 8);
        // A little more than is wanted: the reader looks for the end of the input there.
        bytes.reserve(n_wanted + 64);
        let result = if self.fills {
            (&mut self.input).take(n_wanted as u64).read_to_end(bytes)
        } else {
            read_once(&mut self.input, bytes, n_wanted)
        };
        match result {
            Ok(0) => self.is_done = true,
            Ok(_) => {}
            Err(error) => {
                self.is_done = true;
                self.error = Some(error);
            }
        }
    }
}

fn read_once(input: &mut Input, bytes: &mut Vec<u8>, n_wanted: usize) -> io::Result<usize> {
    let start = bytes.len();
    bytes.resize(start + n_wanted, 0);
    let result = loop {
        match input.read(&mut bytes[start..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result,
        }
    };
    bytes.truncate(start + result.as_ref().map_or(0, |n| *n));
    result
}
