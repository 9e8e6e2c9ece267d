//! JSON objects out of an array, or one after the other over several lines.

use std::io;

use super::input::Input;

const CHUNK_BYTES: usize = 64 * 1024;

/// One object as it stands in the input.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
    /// The line on which it begins, from 1.
    pub(super) line: u64,
    /// Bytes before it.
    pub(super) offset: u64,
    /// How long it is; of a document that is too long less is kept.
    pub(super) n_bytes: u64,
}

/// Splits an input into its objects; brackets and commas between them are not kept.
pub(super) struct Documents {
    input: Input,
    chunk: Vec<u8>,
    at: usize,
    line: u64,
    offset: u64,
    max_bytes: usize,
    /// Whether the objects are those of a list in an object, behind which nothing follows.
    is_inside: bool,
    is_done: bool,
    error: Option<io::Error>,
}

impl Documents {
    /// Splits `head` and then `input`; `error` is what came behind `head`.
    pub(super) fn new(head: Vec<u8>, error: Option<io::Error>, input: Input, max_bytes: usize) -> Self {
        let is_done = error.is_some();
        Self { input, chunk: head, at: 0, line: 1, offset: 0, max_bytes, is_inside: false, is_done, error }
    }

    /// Begins inside of an envelope: so many bytes are left out.
    pub(super) fn inside(mut self, envelope: Option<usize>) -> Self {
        self.is_inside = envelope.is_some();
        for _ in 0..envelope.unwrap_or(0) {
            self.advance();
        }
        self
    }

    /// The error that ended the input early, once all that came before it was given.
    pub(super) fn take_error(&mut self) -> Option<(u64, u64, io::Error)> {
        self.error.take().map(|error| (self.line, self.offset, error))
    }

    /// The next object, or what stands where one should be.
    pub(super) fn next_document(&mut self) -> Option<Document> {
        loop {
            match self.peek()? {
                b']' if self.is_inside => return self.leave(),
                byte if is_between(byte) => self.advance(),
                _ => break,
            }
        }
        let mut document = Document { line: self.line, offset: self.offset, ..Document::default() };
        let is_object = self.peek() == Some(b'{');
        let (mut depth, mut is_text, mut is_escaped) = (0usize, false, false);
        while let Some(byte) = self.peek() {
            if !is_object && (byte == b'{' || byte == b'\n') {
                return Some(document);
            }
            self.advance();
            document.n_bytes += 1;
            if document.bytes.len() < self.max_bytes {
                document.bytes.push(byte);
            }
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' if is_text => is_escaped = true,
                b'"' => is_text = !is_text,
                b'{' if !is_text => depth += 1,
                b'}' if !is_text => depth = depth.saturating_sub(1),
                _ => {}
            }
            if is_object && depth == 0 {
                return Some(document);
            }
        }
        Some(document)
    }

    /// Nothing of an envelope is read behind its list.
    fn leave(&mut self) -> Option<Document> {
        self.is_done = true;
        self.at = self.chunk.len();
        None
    }

    fn peek(&mut self) -> Option<u8> {
        while self.at == self.chunk.len() {
            if self.is_done {
                return None;
            }
            self.chunk.resize(CHUNK_BYTES, 0);
            self.at = 0;
            let result = self.input.read(&mut self.chunk);
            self.chunk.truncate(*result.as_ref().unwrap_or(&0));
            match result {
                Ok(0) => self.is_done = true,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    self.is_done = true;
                    self.error = Some(error);
                }
                _ => {}
            }
        }
        Some(self.chunk[self.at])
    }

    fn advance(&mut self) {
        self.line += u64::from(self.chunk[self.at] == b'\n');
        self.offset += 1;
        self.at += 1;
    }
}

/// What stands between objects: brackets, commas, record separators, byte order marks.
fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'[' | b']' | b',' | 0x1e | 0xef | 0xbb | 0xbf)
}

/// The objects of a text, and what stands between them where an object should be.
pub(super) fn split_objects(text: &str) -> Vec<&str> {
    let input = Box::new(io::empty());
    let mut documents = Documents::new(text.as_bytes().to_vec(), None, input, usize::MAX);
    let mut parts = Vec::new();
    while let Some(document) = documents.next_document() {
        #[expect(clippy::cast_possible_truncation, reason = "inside of a text in memory")]
        let (start, len) = (document.offset as usize, document.n_bytes as usize);
        parts.extend(text.get(start..start + len).map(str::trim).filter(|part| !part.is_empty()));
    }
    parts
}
