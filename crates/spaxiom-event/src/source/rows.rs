//! Rows of delimited text: lines, unless a field in quotes goes on over the end of one (RFC 4180).

/// A field that is longer was not closed: its quote is a character like any other.
const MAX_QUOTED_BYTES: usize = 64 * 1024;

/// The ends of the rows of some bytes, one after the other.
pub(super) struct Rows<'a> {
    bytes: &'a [u8],
    at: usize,
    quoted_after: Option<u8>,
}

impl<'a> Rows<'a> {
    /// Rows that begin with `bytes`.
    pub(super) fn new(bytes: &'a [u8], quoted_after: Option<u8>) -> Self {
        // Without a quote there is nothing to look for.
        let quoted_after = quoted_after.filter(|_| memchr::memchr(b'"', bytes).is_some());
        Self { bytes, at: 0, quoted_after }
    }

    /// Behind the end of the next row, and over how many lines it goes.
    pub(super) fn next_end(&mut self) -> Option<(usize, u64)> {
        let (start, all) = (self.at, self.bytes);
        if start == all.len() {
            return None;
        }
        let end = match self.quoted_after {
            None => line_end(all, start),
            Some(delimiter) => quoted_end(all, start, delimiter).unwrap_or_else(|| line_end(all, start)),
        };
        self.at = end.unwrap_or(all.len());
        let n_lines = match self.quoted_after {
            None => 1,
            Some(_) => memchr::memchr_iter(b'\n', &all[start..self.at]).count().max(1) as u64,
        };
        Some((self.at, n_lines))
    }
}

/// The end of the last whole row before `end`, which is the end of a line; none where a field is open since the first row.
pub(super) fn last_end(bytes: &[u8], end: usize, quoted_after: Option<u8>, is_all: bool) -> Option<usize> {
    let Some(delimiter) = quoted_after.filter(|_| memchr::memchr(b'"', &bytes[..end]).is_some()) else {
        return Some(end);
    };
    let mut at = 0;
    while at < end {
        let next = match quoted_end(bytes, at, delimiter) {
            // Open, and more may come that closes it.
            None if !is_all && bytes.len() - at < MAX_QUOTED_BYTES => break,
            None => line_end(bytes, at),
            Some(next) => next,
        };
        match next {
            Some(next) if next <= end => at = next,
            _ => break,
        }
    }
    (at > 0).then_some(at)
}

fn line_end(bytes: &[u8], start: usize) -> Option<usize> {
    memchr::memchr(b'\n', &bytes[start..]).map(|at| start + at + 1)
}

/// The end of the row that begins at `start`; `None` where a quote is not closed, `Some(None)` where no end of a line follows.
#[expect(clippy::option_option, reason = "an open quote is another thing than the end of the bytes")]
fn quoted_end(bytes: &[u8], start: usize, delimiter: u8) -> Option<Option<usize>> {
    let mut at = start;
    loop {
        while matches!(bytes.get(at), Some(b' ')) {
            at += 1;
        }
        if bytes.get(at) == Some(&b'"') {
            at = closed(bytes, at + 1)?;
        }
        match memchr::memchr2(delimiter, b'\n', &bytes[at..]) {
            None => return Some(None),
            Some(found) => {
                at += found + 1;
                if bytes[at - 1] == b'\n' {
                    return Some(Some(at));
                }
            }
        }
    }
}

/// Behind the quote that closes a field; a doubled quote is one of the field.
fn closed(bytes: &[u8], start: usize) -> Option<usize> {
    let limit = bytes.len().min(start + MAX_QUOTED_BYTES);
    let mut at = start;
    loop {
        at += memchr::memchr(b'"', &bytes[at..limit])? + 1;
        if bytes.get(at) != Some(&b'"') {
            return Some(at);
        }
        at += 1;
        if at >= limit {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;

    fn rows(text: &str) -> Vec<&str> {
        let mut rows = Rows::new(text.as_bytes(), Some(b','));
        let mut start = 0;
        let ends = std::iter::from_fn(|| rows.next_end());
        ends.map(|(end, _)| &text[std::mem::replace(&mut start, end)..end]).collect()
    }

    #[test]
    fn a_line_end_in_quotes_belongs_to_the_field() {
        assert_eq!(rows("a,\"b\nc\"\nd,e\n"), ["a,\"b\nc\"\n", "d,e\n"]);
        assert_eq!(rows("a,\"b \"\"x\"\"\n\"\nd\n"), ["a,\"b \"\"x\"\"\n\"\n", "d\n"]);
        // A quote inside a field is none that opens one, and one that is never closed neither.
        assert_eq!(rows("5\" pipe,1\nb,2\n"), ["5\" pipe,1\n", "b,2\n"]);
        assert_eq!(rows("a,\"open\nb,2\n"), ["a,\"open\n", "b,2\n"]);
        assert_eq!(rows("a,b"), ["a,b"]);
    }
}
